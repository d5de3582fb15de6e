"""Every line is one that websequencediagrams.com documents (its examples page), and activations follow messages."""

from __future__ import annotations

import re

import pytest

from rooms.ladder.diagrams import CAPTURES, drawn, exported, told
from rooms.ladder.talk import Talk
from tcpladder.analysis.kinds import Kind
from tcpladder.analysis.view import Side
from tcpladder.render.formats import Format
from tcpladder.render.websequence import websequence

END = r"(client|server)"
LINES = (
    r"#.*",
    rf'participant "[^"\\]+\\n[^"\\]+" as {END}',
    rf"{END}(->|-->){END}: [^\\]+",
    r"note (left of client|right of server|over client,server): [^\\]+",
    rf"(de)?activate {END}",
)


def held(source: str) -> None:
    before = ""
    for line in source.splitlines():
        assert any(re.fullmatch(pattern, line) for pattern in LINES), line
        if "activate" in line.split(" ")[0]:
            assert "->" in before or "activate" in before  # "attach themselves to the previous signal"
        before = line


@pytest.mark.parametrize("name", CAPTURES)
def test_captures_follow_the_grammar(name: str) -> None:
    held(exported(CAPTURES[name], Format.WEBSEQUENCE))


def test_what_was_lost_is_dashed() -> None:
    source = "\n".join(websequence(told()))
    held(source)
    assert "client-->server: keepalive probe 1/3 (lost: rule 1)" in source.splitlines()


def test_quotes_backslashes_and_line_ends_do_no_harm() -> None:
    talk = Talk().say(Side.CLIENT, Kind.SYN, label='a "b" \\n c\nd')
    held("\n".join(websequence(drawn(talk, lane_names=('curl "1"', "n\\nc")))))
