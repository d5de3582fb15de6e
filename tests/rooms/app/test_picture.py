"""What is sent of a picture leaves the terminal as all of it would; and nothing that stands there is sent."""

from __future__ import annotations

import pyte
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len, get_character_cell_size

from tcpladder.app import drawn
from tcpladder.app.brush import Eraser
from tcpladder.app.line import size_of
from tcpladder.app.pen import PLAIN, change, style_of
from tcpladder.app.picture import Picture

COLUMNS, LINES = 24, 5
SIZE = 200, 50
ERASER = Eraser(knows=True, keeps_background=True)
STYLES = [
    "",
    "1",
    "38;5;3",
    "1;38;5;3;48;5;7",
    "48;5;7",
    "4",
    "7;31",
    "48;2;1;2;3",
    "3;9;38;2;9;8;7",
    "53;32",
]
CHARACTERS = "ab  ─│ ñ…漢語"

texts = st.one_of(
    st.text(CHARACTERS, min_size=1, max_size=COLUMNS),
    st.integers(1, COLUMNS).map(lambda columns: " " * columns),
    st.integers(1, COLUMNS).map(lambda columns: "─" * columns),
)


@st.composite
def lines(draw: st.DrawFn) -> str:
    """A line as Textual draws it: as wide as the screen, and no wide character is cut."""
    parts, columns = [], 0
    while columns < COLUMNS:
        text = ""
        for one in draw(texts):
            text += one if columns + cell_len(text + one) <= COLUMNS else ""
        text = text or " "
        columns += cell_len(text)
        style = draw(st.sampled_from(STYLES))
        parts.append(f"\x1b[{style}m{text}\x1b[0m" if style else text)
    return "".join(parts)


places = st.tuples(st.integers(1, LINES), st.integers(1, COLUMNS))
whole = st.lists(lines(), min_size=LINES, max_size=LINES).map(lambda all_lines: dict(enumerate(all_lines, 1)))
pictures = st.tuples(st.one_of(whole, st.dictionaries(st.integers(1, LINES), lines())), places)
room = st.sampled_from([None, 1, 60, 400])


def text_of(picture: tuple[dict[int, str], tuple[int, int]]) -> str:
    """As Textual hands it to its driver."""
    runs, (line, column) = picture
    return "".join(f"\x1b[{y};1H{text}" for y, text in runs.items()) + f"\x1b[{line};{column}H"


def looks(screen: pyte.Screen) -> list[object]:
    """What one sees, and where the cursor is; of a blank one sees no colour but that behind it."""
    seen: list[object] = [(screen.cursor.y, screen.cursor.x)]
    for y in range(LINES):
        for x in range(COLUMNS):
            cell = screen.buffer[y][x]
            lined = cell.underscore, cell.reverse, cell.strikethrough
            drawn_with = (cell.fg, cell.bold, cell.italics) if cell.data != " " or any(lined) else ()
            seen.append((cell.data, cell.bg, lined, drawn_with))
    return seen


@settings(max_examples=120)
@given(st.lists(st.tuples(pictures, room), min_size=1, max_size=6), st.booleans(), st.booleans())
def test_the_terminal_looks_as_if_all_had_been_sent(
    steps: list[tuple[tuple[dict[int, str], tuple[int, int]], int | None]], knows: bool, keeps: bool
) -> None:
    full, less = pyte.Screen(COLUMNS, LINES), pyte.Screen(COLUMNS, LINES)
    whole, parts = pyte.Stream(full), pyte.Stream(less)
    picture = Picture(Eraser(knows=knows, keeps_background=keeps))
    for drawing, most in steps:
        whole.feed(text_of(drawing))
        picture.draw(text_of(drawing), SIZE)
        parts.feed(picture.changes(most))  # the rest waits, and may be covered by the next picture
    while picture.is_behind:
        parts.feed(picture.changes(60))
    assert looks(less) == looks(full)


@given(pictures)
def test_what_stands_there_is_not_sent_again_until_it_is_mistrusted(
    drawing: tuple[dict[int, str], tuple[int, int]],
) -> None:
    picture = Picture(ERASER)
    picture.draw(text_of(drawing), SIZE)
    first = picture.changes()
    picture.draw(text_of(drawing), SIZE)
    assert not picture.is_behind
    assert picture.changes() == ""
    picture.mistrust()
    assert picture.changes() == (first if drawing[0] else "")


def terminal_after(*texts: str) -> str:
    """The first line of a terminal that gets all of a picture at once, after these texts were drawn."""
    picture = Picture(ERASER)
    for text in texts:
        picture.draw(text + "\x1b[1;1H", SIZE)
    picture.mistrust()
    screen = pyte.Screen(COLUMNS, LINES)
    pyte.Stream(screen).feed(picture.changes())
    return screen.display[0].rstrip()


@pytest.mark.parametrize(
    ("texts", "seen"),
    [
        (("\x1b[1;1Ha漢b", "\x1b[1;3Hx"), "a xb"),
        (("\x1b[1;1Ha漢b", "\x1b[1;2Hx"), "ax b"),
        (("\x1b[1;1H漢漢", "\x1b[1;2H漢"), " 漢"),
    ],
    ids=["its right half", "its left half", "a half of each of two"],
)
def test_a_wide_character_of_which_a_half_is_covered_is_gone(texts: tuple[str, ...], seen: str) -> None:
    """As xterm and the terminals after it do: half a character is none."""
    assert terminal_after(*texts) == seen


def test_a_run_that_another_covered_in_part_is_drawn_again() -> None:
    assert terminal_after("\x1b[1;1Habc", "\x1b[1;2HXY", "\x1b[1;1Habc") == "abc"


def test_the_newest_lines_come_first_and_what_they_cover_is_never_sent() -> None:
    picture = Picture(ERASER)
    picture.draw("".join(f"\x1b[{y};1Hold line {y}" for y in range(1, 6)) + "\x1b[1;1H", SIZE)
    assert picture.changes(1) == "\x1b[1Hold line 1\x1b[1H"
    picture.draw("\x1b[4;1Hnew line 4\x1b[1;1H", SIZE)
    assert picture.changes(1) == "\x1b[4Hnew line 4\x1b[1H"
    rest = picture.changes()
    assert "old line 2" in rest
    assert "line 4" not in rest
    assert not picture.is_behind


def test_one_letter_costs_one_letter_and_a_cleared_line_an_erasure() -> None:
    picture = Picture(ERASER)
    picture.draw("\x1b[1;1H\x1b[1;37;44m" + "x" * 200 + "\x1b[0m\x1b[1;1H", SIZE)
    picture.changes()
    picture.draw("\x1b[1;1H\x1b[1;37;44m" + "x" * 99 + "y" + "x" * 100 + "\x1b[0m\x1b[1;1H", SIZE)
    assert picture.changes() == "\x1b[1;100H\x1b[1;37;44my\x1b[m\x1b[1H"
    picture.draw("\x1b[1;1H\x1b[1;37;44m" + " " * 200 + "\x1b[0m\x1b[1;1H", SIZE)
    assert picture.changes() == "\x1b[1H\x1b[44m\x1b[200X\x1b[m\x1b[1H"


def test_what_the_terminal_cannot_erase_is_written() -> None:
    for eraser, style in ((Eraser(), ""), (Eraser(knows=True), "44"), (ERASER, "4")):
        picture = Picture(eraser)
        picture.draw(f"\x1b[1;1H\x1b[{style}m{' ' * 50}\x1b[0m\x1b[1;1H", SIZE)
        assert " " * 50 in picture.changes()


@pytest.mark.parametrize(
    "text",
    [
        "words",
        "\x1b[1;1Hwords",
        "\x1b[2J\x1b[1;1H",
        "\x1b[1;1Ha\tb\x1b[1;1H",
        "\x1b[1;1H\x1b]8;;u\x1b\\x\x1b[1;1H",
    ],
)
def test_what_is_no_picture_is_not_taken_for_one(text: str) -> None:
    picture = Picture(ERASER)
    with pytest.raises(drawn.NoPictureError):
        picture.draw(text, SIZE)
    assert not picture.is_behind


def test_what_was_drawn_for_a_larger_terminal_is_not_taken() -> None:
    for line, text in ((1, "x" * 81), (25, "x")):
        picture = Picture(ERASER)
        with pytest.raises(drawn.NoPictureError):
            picture.draw(f"\x1b[{line};1H{text}\x1b[1;1H", (80, 24))
        assert not picture.is_behind


@given(st.text())
def test_any_text_is_a_picture_or_is_refused(text: str) -> None:
    picture = Picture(ERASER)
    try:
        picture.draw(f"\x1b[1;1H{text}\x1b[1;1H", SIZE)
    except drawn.NoPictureError:
        assert not picture.is_behind
        return
    while picture.is_behind:
        assert picture.changes(1) is not None


def test_an_accent_stays_with_its_letter_and_the_next_column_is_gone_to() -> None:
    accented = "e\u0301"
    assert drawn.cells(accented + "x") == ((accented, ""), ("x", ""))
    picture = Picture(ERASER)
    picture.draw(f"\x1b[1;1H{accented}x\x1b[1;1H", SIZE)
    assert picture.changes() == f"\x1b[1H{accented}\x1b[1;2Hx\x1b[1H"


def test_what_counts_as_narrow_takes_one_column() -> None:
    narrow = [chr(code) for code in range(0x20, 0x3000) if drawn.NARROW.fullmatch(chr(code))]
    assert len(narrow) > 500
    assert [one for one in narrow if get_character_cell_size(one) != 1] == []


@given(st.sampled_from(STYLES), st.sampled_from(STYLES))
def test_a_change_of_style_ends_where_the_style_begins_anew(old: str, new: str) -> None:
    screens = []
    for text in (f"\x1b[{old}m" + change(style_of(old), style_of(new)) + "x", f"\x1b[0;{new}mx"):
        screen = pyte.Screen(2, 1)
        pyte.Stream(screen).feed(text)
        screens.append(screen.buffer[0][0])
    assert screens[0] == screens[1]
    assert size_of(change(PLAIN, style_of(new))) <= size_of(f"\x1b[0;{new}m")
