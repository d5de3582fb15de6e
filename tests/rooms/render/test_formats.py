"""Which format a name asks for, and what is said of what a format cannot hold."""

from __future__ import annotations

from pathlib import PurePath

import pytest

from rooms.ladder.diagrams import drawn
from rooms.ladder.talk import Talk
from tcpladder.analysis.kinds import Kind
from tcpladder.analysis.view import Side
from tcpladder.errors import UsageError
from tcpladder.ladder.diagram import Diagram
from tcpladder.options import EXPORTS
from tcpladder.render import png
from tcpladder.render.formats import SUFFIXES, Format, Taste, format_of, lines


def long(segments: int) -> Diagram:
    talk = Talk()
    for _ in range(segments):
        talk.say(Side.CLIENT, Kind.DATA, label="data " + 250 * "x")
    return drawn(talk)


def test_the_command_line_knows_every_format() -> None:
    """It has the words without importing what draws them."""
    assert tuple(Format) == EXPORTS


def test_every_format_has_a_name_and_no_two_share_one() -> None:
    suffixes = [suffix for form in Format for suffix in SUFFIXES[form]]
    assert len(suffixes) == len(set(suffixes))
    for form, names in SUFFIXES.items():
        assert {format_of(PurePath(f"a.b{name}")) for name in names} == {form}
    assert format_of(PurePath("A.SVG")) is Format.SVG


def test_a_name_that_means_no_format_is_an_error_that_lists_them() -> None:
    with pytest.raises(UsageError, match=r"ladder.doc: its end names no format .*\.svg.*--as"):
        format_of(PurePath("ladder.doc"))


@pytest.mark.parametrize(("form", "segments"), [(Format.PNG, 901), (Format.MERMAID, 200)])
def test_what_is_too_long_for_a_format_is_told_before_it_fails_to_open(form: Format, segments: int) -> None:
    with pytest.raises(UsageError, match="--rungs"):
        list(lines(form, [long(segments)], Taste()))


def test_what_is_just_short_enough_is_drawn() -> None:
    assert list(lines(Format.MERMAID, [long(150)], Taste()))


def test_png_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(UsageError, match="rsvg-convert, which is not here: apt install librsvg2-bin"):
        png.png("<svg/>")
