"""A fold says as much as fits, in every width and format, and in ASCII."""

from __future__ import annotations

from pathlib import Path

import pytest

from rooms.ladder.diagrams import drawn
from rooms.ladder.test_folds import answered, transfer
from tcpladder.ladder.diagram import diagram_of
from tcpladder.ladder.ladder import Ladder
from tcpladder.ladder.model import FoldRow
from tcpladder.render.formats import Format, Taste, lines
from tcpladder.render.grid import draw, plain
from tcpladder.render.layout import Layout
from tcpladder.session.files import FileSession

TRUTH = Path(__file__).parents[2] / "truth"


@pytest.mark.parametrize(
    ("width", "line"),
    [
        (80, "            ▸ 238 folded ┊ probe and answer × 238, 30.0 s ✓      ┊"),
        (60, " ▸ 238 folded ┊ probe and answer × 238, 30.0 s ✓           ┊"),
        (40, " ▸ 238 folded ┊ probe and answer × 238 ┊"),
    ],
)
def test_the_longest_form_that_fits(width: int, line: str) -> None:
    text = plain(draw(Ladder(answered(240), fold=True).row(6), Layout(width=width)))
    assert text.rstrip() == line
    assert len(text) == width


def test_a_wide_ladder_says_over_how_long() -> None:
    line = plain(draw(Ladder(answered(240), fold=True).row(6), Layout(width=200)))
    assert "┊ keepalive probe and answer × 238 over 1 h 59 min, 30.0 s ✓ " in line


def test_ascii_means_ascii() -> None:
    layout = Layout(width=80, ascii=True)
    ladder = Ladder(transfer(50), fold=True)
    ladder.space(1_000)
    rows = [plain(draw(ladder.row(number), layout)) for number in range(len(ladder))]
    assert all(line.isascii() for line in rows)
    assert any("+ 98 folded : client: data x 49, 49.0 kB in 49 ms" in line for line in rows)
    assert any("~ 1.0 ms, cut short ~" in line for line in rows)


@pytest.mark.parametrize("form", [Format.TEXT, Format.SVG, Format.HTML, Format.MERMAID, Format.PLANTUML])
def test_drawings_have_the_fold_in_place_of_what_it_stands_for(form: Format) -> None:
    text = "\n".join(lines(form, [drawn(answered(240), fold=True)], Taste()))
    assert "probe and answer × 238" in text
    assert text.count("keepalive ACK") <= 6


def test_a_part_is_folded_within_its_ends() -> None:
    session = FileSession([str(TRUTH / "o1_bulk_20MB_keepalive.pcap")])
    for _ in session.read():
        pass
    part = diagram_of([session.view(1)], source="a.pcap", made_by="test", rungs=(100, 200), fold=True)
    rungs = [row for row in part.rows() if isinstance(row, FoldRow)]
    assert [(row.begin, row.end) for row in rungs] == [(100, 199)]
    session.close()
