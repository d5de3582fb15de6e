"""Eliding keeps the port, cleaning keeps one cell a character."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from tcpladder.analysis.view import Endpoint
from tcpladder.render.cells import clean, elide, elide_middle, endpoint, left, right, squeeze


@given(st.text(), st.booleans())
def test_clean_text_takes_one_cell_a_character(text: str, ascii_only: bool) -> None:
    cleaned = clean(text, ascii_only)
    assert cell_len(cleaned) == len(cleaned)
    assert "\x1b" not in cleaned
    assert not ascii_only or cleaned.isascii()


@given(st.text(alphabet="abcdef", max_size=50), st.integers(0, 40), st.booleans())
def test_elided_text_fits(text: str, room: int, ascii_only: bool) -> None:
    for short in (elide(text, room, ascii_only), elide_middle(text, room, ascii_only)):
        assert len(short) <= room
        assert short == text or len(text) > room
    assert len(left(text, room, ascii_only)) == len(right(text, room, ascii_only)) == room


def test_the_middle_goes_and_both_ends_stay() -> None:
    assert elide_middle("keepalive probe 1/3", 11) == "keepa…e 1/3"


@pytest.mark.parametrize(
    ("room", "text"),
    [
        (None, "[2001:db8:0:0:0:0:0:a1]:39218"),
        (29, "[2001:db8:0:0:0:0:0:a1]:39218"),
        (22, "[2001:db…0:0:a1]:39218"),
        (12, "[20…1]:39218"),
        (11, ":39218"),
        (6, ":39218"),
    ],
)
def test_an_address_loses_its_middle_and_the_port_nothing(room: int | None, text: str) -> None:
    assert endpoint(Endpoint("2001:db8:0:0:0:0:0:a1", 39218), room) == text


@given(st.integers(6, 60))
def test_the_port_always_stays(room: int) -> None:
    for address in ("10.0.0.9", "2001:db8:85a3:1234:5678:8a2e:370:7334"):
        text = endpoint(Endpoint(address, 65535), room)
        assert text.endswith(":65535")
        assert len(text) <= room


def test_a_long_duration_loses_its_spaces() -> None:
    assert squeeze("2 h 11 min", 9) == "2h11min"
    assert squeeze("30.001 s", 9) == "30.001 s"
