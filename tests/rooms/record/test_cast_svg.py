"""Screens as SVG: well-formed, every letter where it stood, rows drawn once."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

from tcpladder.record.asciicast import Code, Event, Header
from tcpladder.record.cast_file import Cast
from tcpladder.record.cast_svg import CELL_HEIGHT, CELL_WIDTH, MARGIN, animated, still
from tcpladder.record.frames import film, screen_at

SVG = "{http://www.w3.org/2000/svg}"


def cast_of(*events: tuple[float, str]) -> Cast:
    """A recording of 20x3."""
    made = tuple(Event(time_us=round(s * 1e6), code=Code.OUTPUT, data=data) for s, data in events)
    return Cast(header=Header(width=20, height=3), events=made)


def test_letters_stand_in_their_cells_in_their_colours() -> None:
    screen = screen_at(cast_of((0, "\x1b[2;4H\x1b[1;38;2;1;2;3ma <&> b\x1b[0m   \x1b[7mz")), None)
    root = ET.fromstring(still(screen, "a & b"))
    texts = root.findall(f".//{SVG}text")
    assert [(t.text, t.get("x"), t.get("fill")) for t in texts[:1]] == [
        ("a <&> b", f"{3 * CELL_WIDTH:.1f}", "#010203")
    ]
    assert texts[0].get("font-weight") == "bold"
    assert CELL_HEIGHT < float(texts[0].get("y", "")) < 2 * CELL_HEIGHT
    ground = root.findall(f".//{SVG}rect")[1]
    assert (ground.get("x"), ground.get("fill")) == (
        f"{13 * CELL_WIDTH:.1f}",
        texts[1].get("fill") and "#e4e9ef",
    )
    assert root.get("width") == str(round(20 * CELL_WIDTH) + 2 * MARGIN)


def test_a_film_draws_a_row_once_and_keeps_its_times() -> None:
    cast = cast_of((0, "same\r\none"), (2, "\x1b[2;1Htwo"), (5, "\x1b[2;1Hone"))
    frames = list(film(cast))
    assert [(f.begin_us, f.lasts_us) for f in frames] == [
        (0, 2_000_000),
        (2_000_000, 3_000_000),
        (5_000_000, 2_000_000),
    ]
    drawing = animated(frames)
    assert drawing.count(">same<") == drawing.count(">one<") == drawing.count(">two<") == 1
    assert re.search(r"animation:film 7\.000s step-end infinite", drawing)
    keyframes = re.findall(r"([\d.]+)%\{transform:translateY\((-?\d+)px\)\}", drawing)
    height = 3 * CELL_HEIGHT
    assert keyframes == [("0.0000", "0"), ("28.5714", f"{-height}"), ("71.4286", f"{-2 * height}")]
    ET.fromstring(drawing)


def test_what_stands_for_a_blink_is_no_picture() -> None:
    cast = cast_of((0, "first"), (1, "\x1b[1;1Hblink"), (1.03, "\x1b[1;1Hthird"))
    assert len(list(film(cast))) == 2


def test_the_empty_screen_that_an_app_leaves_is_no_picture() -> None:
    cast = cast_of((0, "\x1b[?1049happ"), (3, "\x1b[?1049l"))
    assert ["".join(cell.text for cell in row).strip() for row in list(film(cast))[-1].screen] == [
        "app",
        "",
        "",
    ]
