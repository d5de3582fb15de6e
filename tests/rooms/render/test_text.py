"""What `show` and `flows` print, held against pictures that a person has looked at."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from rooms.ladder.talk import Talk, keepalive
from tcpladder.analysis.view import Endpoint
from tcpladder.ladder.ladder import Ladder
from tcpladder.render.ansi import coloured
from tcpladder.render.layout import Layout
from tcpladder.render.text import flows_table, ladder_text, row_texts

GOLDEN = Path(__file__).with_name("golden")
LONG = Endpoint("2001:db8:85a3:1234:5678:8a2e:370:7334", 39218)


def told() -> tuple[Ladder, int]:
    """The keepalive ladder with what a rule ate, and a moment 1.2 s after the last probe."""
    talk, notes = keepalive()
    talk.why = (
        "the client's keepalive probes are unanswered since 17:17:52.223; "
        "RST in 1.8 s unless the server answers"
    )
    talk.eaten.update(dict.fromkeys((7, 8, 9), "rule 1"))
    return Ladder(talk, notes), talk.coming[0].armed_ns + 1_200_000_000


def held_against(name: str, lines: Iterator[str]) -> None:
    """Compare with the golden file; TCPLADDER_WRITE_GOLDEN=1 writes it, to be read before it is committed."""
    text = "\n".join(lines) + "\n"
    path = GOLDEN / name
    if os.environ.get("TCPLADDER_WRITE_GOLDEN"):
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")


@pytest.mark.parametrize("width", [60, 80, 140])
def test_the_keepalive_ladder(width: int) -> None:
    ladder, now_ns = told()
    held_against(f"keepalive-{width}.txt", ladder_text(ladder, width=width, now_ns=now_ns))


def test_the_keepalive_ladder_in_ascii() -> None:
    ladder, now_ns = told()
    lines = list(ladder_text(ladder, ascii_only=True, now_ns=now_ns))
    assert all(line.isascii() for line in lines)
    held_against("keepalive-80-ascii.txt", iter(lines))


def test_colours_change_no_character() -> None:
    ladder, now_ns = told()
    strip = str.maketrans({"\x1b": None})
    for bare, painted in zip(
        ladder_text(ladder, now_ns=now_ns), ladder_text(ladder, now_ns=now_ns, paint=coloured), strict=True
    ):
        for code in ("[0m", "[1m", "[2m", "[1;31m", "[1;33m", "[1;35m", *(f"[{n}m" for n in range(31, 37))):
            painted = painted.replace("\x1b" + code, "")
        assert painted.translate(strip) == bare


def test_lines_end_without_blanks() -> None:
    ladder, now_ns = told()
    assert all(line == line.rstrip() for line in ladder_text(ladder, now_ns=now_ns))


def test_a_title_that_does_not_fit_takes_two_lines_and_loses_nothing() -> None:
    talk = Talk(client=LONG, server=Endpoint("2001:db8::9", 6699), ended="no answer")
    first, second, *_ = ladder_text(Ladder(talk), width=80)
    assert first == "flow 1  [2001:db8:85a3:1234:5678:8a2e:370:7334]:39218"
    assert second == "      → [2001:db8::9]:6699  estab, no answer"


def test_how_it_ended_stands_below_the_last_rung() -> None:
    talk, _ = keepalive()
    talk.ended, talk.why = "refused", "nothing listens on port 81"
    assert list(ladder_text(Ladder(talk)))[-1] == "  end  nothing listens on port 81"
    talk.ended = None
    assert list(ladder_text(Ladder(talk)))[-1] == "  now  nothing listens on port 81"


def test_a_stream_prints_only_the_rows_that_came() -> None:
    ladder, _ = told()
    layout = Layout(width=80)
    everything = list(row_texts(ladder, layout))
    assert list(row_texts(ladder, layout, start=len(ladder) - 2)) == everything[-2:]


def flows() -> list[Talk]:
    return [
        keepalive()[0],
        Talk(
            number=2, client=LONG, server=Endpoint("2001:db8::9", 6699), state="fin-wait-1", ended="no answer"
        ),
        Talk(
            number=3,
            client=Endpoint("192.168.100.100", 51010),
            server=Endpoint("10.0.0.9", 81),
            state="closed",
            ended="refused",
        ),
    ]


@pytest.mark.parametrize("width", [60, 80, 140])
def test_the_list_of_flows(width: int) -> None:
    lines = list(flows_table([talk.summary for talk in flows()], width=width))
    assert all(len(line) <= width for line in lines)
    held_against(f"flows-{width}.txt", iter(lines))


def test_a_pipe_gets_everything_in_full() -> None:
    summary = replace(flows()[1].summary, segments=4_812_345)
    _, line = flows_table([summary])
    assert str(LONG) in line
    assert "4812345" in line
    _, line = flows_table([summary], width=80)
    assert "4.8M" in line
