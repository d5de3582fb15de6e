"""What a drawing must be, whatever it shows: arrows where they belong, words inside and apart, nothing foreign."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from xml.etree import ElementTree as ET
from xml.etree.ElementTree import Element

import pytest

from rooms.ladder.diagrams import CAPTURES, drawn, exported, told
from rooms.ladder.talk import S, Talk
from tcpladder.analysis.kinds import Kind
from tcpladder.analysis.view import Endpoint, Side, Verdict
from tcpladder.ladder.diagram import Diagram
from tcpladder.ladder.model import Note
from tcpladder.render.formats import Format
from tcpladder.render.palette import PALETTES, Theme
from tcpladder.render.svg import svg
from tcpladder.render.svg_sheet import CELL, sheet_of

NAMESPACE = "{http://www.w3.org/2000/svg}"
LONG = Endpoint("2001:db8:85a3:1234:5678:8a2e:370:7334", 39218)


def parsed(diagram: Diagram, theme: Theme = Theme.LIGHT) -> Element:
    return ET.fromstring("\n".join(svg(diagram, theme)))


def rows(drawing: Element) -> list[Element]:
    return [one for one in drawing.iter(f"{NAMESPACE}g") if "row" in one.get("class", "").split()]


def long_talk() -> Diagram:
    """The longest addresses, words and numbers, over midnight."""
    talk = Talk(client=LONG, server=LONG, why="why " * 200)
    talk.say(Side.CLIENT, Kind.SYN, seq=0)
    talk.say(
        Side.SERVER,
        Kind.DATA,
        after_ns=8 * 3600 * S,
        name="x" * 300,
        seq=2**32 - 1,
        ack=2**32 - 1,
        length=65483,
    )
    talk.say(Side.CLIENT, Kind.ICMP_ERROR, label="ICMP " + "y" * 300)
    return drawn(talk, (Note(int(talk.time_ns[1]) - 1, "z" * 300),), lost={2: "rule 1"})


def boxes(parent: Element) -> Iterator[tuple[float, float, float, str]]:
    """Left, right and height of each text, in the widest of the usual fonts, and what it says."""
    for text in parent.iter(f"{NAMESPACE}text"):
        said = "".join(text.itertext())
        small = "small" in text.get("class", "")
        cell = CELL * (16 / 13 if "title" in text.get("class", "") else 11 / 13 if small else 1)
        shifts = sum(float(part.get("dx", 0)) for part in text.iter(f"{NAMESPACE}tspan"))
        width, x = len(said) * cell + shifts, float(text.get("x", "nan"))
        classes = text.get("class", "").split()
        left = x - width if "end" in classes else x - width / 2 if "middle" in classes else x
        yield left, left + width, float(text.get("y", "nan")), said


@pytest.mark.parametrize("diagram", [told(), long_talk()], ids=["told", "long"])
def test_words_are_inside_the_sheet_and_do_not_touch(diagram: Diagram) -> None:
    drawing = parsed(diagram)
    width, height = float(drawing.get("width", 0)), float(drawing.get("height", 0))
    by_line: dict[float, list[tuple[float, float, float, str]]] = {}
    for box in boxes(drawing):
        assert box[0] >= 0, box
        assert box[1] <= width + 1, box
        assert 0 < box[2] < height, box
        by_line.setdefault(box[2], []).append(box)
    for line in by_line.values():
        for before, behind in pairwise(sorted(line)):
            assert before[1] <= behind[0] + 1, (before, behind)


def test_an_arrow_points_at_who_gets_it() -> None:
    talk = Talk().say(Side.CLIENT, Kind.SYN).say(Side.SERVER, Kind.SYN_ACK)
    diagram = drawn(talk)
    sheet = sheet_of(diagram)
    for row, at in zip(rows(parsed(diagram)), (sheet.lanes[-1], sheet.lanes[0]), strict=True):
        (tip,) = [one for one in row if one.get("class") == "tip"]
        place = re.match(r"M([\d.]+) ", tip.get("d", ""))
        assert place is not None
        assert float(place[1]) == pytest.approx(at, abs=2)


def test_what_did_not_arrive_stops_at_a_cross_and_names_what_ate_it() -> None:
    diagram = told()
    row = rows(parsed(diagram))[-2]
    assert not [one for one in row if one.get("class") == "tip"]
    (cross,) = [one for one in row if one.get("class") == "lost"]
    place = re.match(r"M([\d.]+) ", cross.get("d", ""))
    assert place is not None
    assert float(place[1]) < sheet_of(diagram).lanes[-1] - 30
    assert "rule 1" in [said for *_, said in boxes(row)]


def test_what_must_come_is_dashed_with_its_countdown() -> None:
    drawing = parsed(told())
    coming = rows(drawing)[-1]
    assert coming.get("class", "").split() == ["row", "coming", "reset"]
    assert {"in 1.8 s", "RST; application: ETIMEDOUT", "next"} <= {said for *_, said in boxes(coming)}
    assert ".coming .arrow{stroke-dasharray" in "".join(drawing.itertext())


def test_a_silence_is_loud_unless_its_timer_kept_its_word() -> None:
    talk = Talk().say(Side.CLIENT, Kind.SYN)
    for verdict in Verdict:
        talk.say(Side.CLIENT, Kind.ACK, after_ns=2 * S, name="t", expected_ns=S, verdict=verdict)
    loud = [
        "loud" in row.get("class", "") for row in rows(parsed(drawn(talk))) if "gap" in row.get("class", "")
    ]
    assert loud == [verdict is not Verdict.ON_TIME for verdict in Verdict]


@pytest.mark.parametrize("theme", list(Theme))
def test_nothing_in_it_comes_from_elsewhere(theme: Theme) -> None:
    text = "\n".join(svg(told(), theme))
    bare = text.replace('xmlns="http://www.w3.org/2000/svg"', "")
    assert not re.search(r"https?:|url\(|href|@import|@font-face|<script|<image|<foreignObject", bare)


def test_words_of_strangers_stay_words() -> None:
    evil = "<script>&'\"]]>"
    talk = Talk(why=evil).say(Side.CLIENT, Kind.SYN, label=evil)
    drawing = parsed(drawn(talk, lane_names=(evil, evil)))
    assert [said for *_, said in boxes(drawing)].count(evil) == 4  # label, both lanes, remark


def test_what_xml_forbids_is_not_in_it() -> None:
    """A host's name in a text listing may hold any byte; so may the name of a file."""
    evil = "a\x00b\x1b[31mc\udcff\n"
    talk = Talk(why=evil, client=Endpoint(evil, 1)).say(Side.CLIENT, Kind.SYN, label=evil)
    said = [words for *_, words in boxes(parsed(drawn(talk, lane_names=(evil, "server"))))]
    assert said.count("a?b?[31mc??") == 2  # the label and the client's lane
    assert "a?b?[31mc??:1" in said


def test_rows_say_why_to_who_points_at_them() -> None:
    drawing = ET.fromstring(exported(CAPTURES["keepalive"], Format.SVG))
    titles = [row.findtext(f"{NAMESPACE}title") for row in rows(drawing)]
    assert len(titles) == 15 + 7
    assert (
        titles[6] == "keepalive probe (keepalive_probe): seq 77 = next 78 − 1, no data, already acknowledged"
    )


def luminance(colour: str) -> float:
    """WCAG 2.2, relative luminance."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("theme", list(Theme))
def test_every_word_can_be_read_on_its_ground(theme: Theme) -> None:
    palette = PALETTES[theme]
    words = ("text", "muted", "green", "blue", "amber", "red", "violet")
    pairs = [(word, "ground") for word in words]
    pairs += [
        ("text", "band"),
        ("muted", "band"),
        ("green", "band"),
        ("text", "band_loud"),
        ("muted", "band_loud"),
    ]
    pairs += [("amber", "band_loud"), ("violet", "band_note")]
    for word, ground in pairs:
        light, dark = sorted((luminance(getattr(palette, word)), luminance(getattr(palette, ground))))[::-1]
        assert (light + 0.05) / (dark + 0.05) >= 4.5, (word, ground)
