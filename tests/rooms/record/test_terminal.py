"""The screen after some bytes, beside pyte, a terminal that others wrote."""

from __future__ import annotations

import re

import pyte
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tcpladder.record.cell import PLAIN, Style, restyled, sequence
from tcpladder.record.plain import text
from tcpladder.record.repaint import BEGIN, repaint
from tcpladder.record.terminal import Screen, Terminal

WIDTH, HEIGHT = 12, 5
SEQUENCES = [
    "\x1b[H", "\x1b[3;5H", "\x1b[2;40H", "\x1b[J", "\x1b[1J", "\x1b[2J", "\x1b[K", "\x1b[1K", "\x1b[2K", "\x1b[A",
    "\x1b[2B", "\x1b[3C", "\x1b[2D", "\x1b[4G", "\x1b[3d", "\x1b[2X", "\x1b[2P", "\x1b[3@", "\x1b[L", "\x1b[2M",
    "\x1b7", "\x1b8", "\r", "\n", "\b", "\x1b[1;31m", "\x1b[38;2;1;2;255;48;5;17m", "\x1b[0m", "\x1b[7;3m",
    "\x1b[27;39m", "\x1b[?25l", "\x1b[?7l", "\x1b[?7h", "\x1b]0;title\x07",
]  # fmt: skip


def screen_of(*pieces: str) -> Screen:
    terminal = Terminal(WIDTH, HEIGHT)
    for piece in pieces:
        terminal.feed(piece)
    return terminal.screen()


def rows(screen: Screen) -> list[str]:
    return ["".join(cell.text for cell in row) for row in screen]


def in_pyte(sent: str) -> list[str]:
    screen = pyte.Screen(WIDTH, HEIGHT)
    pyte.Stream(screen).feed(sent)
    return list(screen.display)


@given(st.lists(st.one_of(st.sampled_from(SEQUENCES), st.text("ab│é ", max_size=9)), max_size=25))
@settings(max_examples=200, deadline=None, derandomize=True)
def test_it_shows_what_pyte_shows(pieces: list[str]) -> None:
    # pyte remembers the modes with the cursor, and forgets to move rows up onto rows that were never
    # written; what it pushes out at the right comes back.
    sent = "".join(piece for piece in pieces if piece not in ("\x1b7", "\x1b8", "\x1b[2M", "\x1b[3@"))
    # Away from the last column: each has a way of its own to remember that a line is full.
    sent = re.sub(
        r"\x1b\[\d?[JKXP@LMABCDd]", lambda edit: "\x1b[2;4H" + edit[0], sent.replace("\x1b[?7l", "")
    )
    assert rows(screen_of(sent)) == in_pyte(sent)


@given(st.text("ab│é \x1b[;?0123HmKJ\n\r", max_size=80), st.integers(0, 80))
@settings(max_examples=100, deadline=None)
def test_where_the_bytes_are_cut_makes_no_difference(sent: str, cut: int) -> None:
    assert screen_of(sent[:cut], sent[cut:]) == screen_of(sent)


@pytest.mark.parametrize(
    ("numbers", "style"),
    [
        ([1, 31], Style(bold=True, ink=1)),
        ([97, 104], Style(ink=15, ground=12)),
        ([38, 5, 200, 4], Style(ink=200, underline=True)),
        ([38, 2, 1, 2, 255, 48, 5, 7], Style(ink="#0102ff", ground=7)),
        ([7, 27, 3], Style(italic=True)),
        ([1, 2, 22, 9], Style(strike=True)),
        ([31, 0], PLAIN),
        ([], PLAIN),
        ([38], PLAIN),
        ([31, 39], PLAIN),
    ],
)
def test_colours_and_faces(numbers: list[int], style: Style) -> None:
    """ECMA-48 8.3.117, and the colours of xterm."""
    assert restyled(PLAIN, numbers) == style
    assert restyled(Style(dim=True, ink=3), [int(n) for n in sequence(style)[2:-1].split(";")]) == style


@given(st.lists(st.sampled_from([*SEQUENCES, "ab", "│ ", "字"]), max_size=30), st.integers(0, 30))
@settings(max_examples=100, deadline=None)
def test_a_repaint_leads_to_the_same_screen(pieces: list[str], cut: int) -> None:
    before, now = screen_of(*pieces[:cut]), screen_of(*pieces)
    assert screen_of(BEGIN + repaint((), before) + repaint(before, now)) == now
    assert repaint(now, now) == ""


def test_wide_characters_take_two_cells() -> None:
    screen = screen_of("字e\u0301x")
    assert rows(screen)[0] == "字e\u0301x" + " " * 8
    assert [cell.text for cell in screen[0][:4]] == ["字", "", "e\u0301", "x"]


@pytest.mark.parametrize(
    ("sent", "left"),
    [
        ("\x1b[2;2H\x1b[2M", "1\n4\n5\n"),
        ("\x1b[2;2H\x1b[2L", "1\n\n\n2\n3\n"),
        ("\x1b[4H\x1b[S", "2\n3\n4\n5\n"),
        ("\x1b[4H\x1b[2T", "\n\n1\n2\n3\n"),
        ("\x1b[1Habc\x1b[1;2H\x1b[11@x", "ax\n2\n3\n4\n5\n"),
        ("\x1b[1Habc\x1b[1;2H\x1b[2@", "a  bc\n2\n3\n4\n5\n"),
        ("\x1b[5H\n\n", "3\n4\n5\n"),
        ("\x1b[5H\x1b7\x1b[2J\x1b[H\x1b8x", "\n\n\n\nx\n"),
    ],
)
def test_rows_move(sent: str, left: str) -> None:
    """ECMA-48 8.3.32 DL, 8.3.67 IL, 8.3.147 SU, 8.3.113 SD."""
    assert text(screen_of("1\r\n2\r\n3\r\n4\r\n5" + sent)) == left


def test_the_screen_below_comes_back() -> None:
    assert text(screen_of("shell$ \x1b[?1049h\x1b[Happ", "\x1b[?1049l")) == "shell$\n"


def test_a_resize_keeps_what_fits() -> None:
    terminal = Terminal(WIDTH, HEIGHT)
    terminal.feed("\x1b[1;1Habcdefgh\x1b[5;1Hlast")
    terminal.resize(4, 3)
    assert rows(terminal.screen()) == ["abcd", "    ", "    "]
    terminal.resize(6, 4)
    terminal.feed("\x1b[4;1Hz")
    assert rows(terminal.screen()) == ["abcd  ", "      ", "      ", "z     "]


@given(st.text("\x1b[]?;<=>0123456789:hlmHJKLMPX@ABCDEFG\x07\\a", max_size=60))
@settings(max_examples=200, deadline=None)
def test_no_bytes_upset_it(sent: str) -> None:
    screen = screen_of(sent)
    assert [len(row) for row in screen] == [WIDTH] * HEIGHT
