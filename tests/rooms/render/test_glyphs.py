"""Both sets of drawing characters take one cell each, and the twin is ASCII."""

from __future__ import annotations

from dataclasses import asdict

from rich.cells import cell_len

from tcpladder.render.glyphs import ASCII, BOX, glyphs


def test_the_twin_is_ascii() -> None:
    assert all(text.isascii() for text in asdict(ASCII).values())
    assert glyphs(True) is ASCII
    assert glyphs(False) is BOX


def test_glyphs_take_one_cell_a_character() -> None:
    for name, text in asdict(BOX).items():
        assert cell_len(text) == len(text)
        assert len(text) == 1 or name == "bar"
