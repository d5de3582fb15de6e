"""Screens as SVG: one, or a film that plays in a browser by itself. No script, no font from elsewhere."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

from tcpladder.record.cell import Colour, Row, Run, Style, runs
from tcpladder.record.frames import Frame
from tcpladder.record.terminal import Screen
from tcpladder.render.palette import FONT, PALETTES, Theme

CELL_WIDTH = 8.4
CELL_HEIGHT = 18
BASELINE = 13.5
MARGIN = 10
_INK, _GROUND = PALETTES[Theme.DARK].text, PALETTES[Theme.DARK].ground
_SIXTEEN = (
    "#1a212b", "#ff6a69", "#4cc368", "#e0a92e", "#62a8ff", "#bd9bff", "#4bc4cf", "#c8d0d9",
    "#6b7683", "#ff8f8e", "#7fdb94", "#f0c560", "#8fc1ff", "#d3bcff", "#82dbe3", "#ffffff",
)  # fmt: skip
"""The colours of the terminal, which a recording does not say."""


def still(screen: Screen, title: str = "", size: tuple[int, int] | None = None) -> str:
    """One screen; of `size` columns and rows where it may be smaller."""
    width, height = size or (_width([screen]), len(screen))
    rows = [_row(row, y) for y, row in enumerate(screen)]
    return "".join(_document(width, height, title, "", rows))


def animated(frames: Sequence[Frame], title: str = "") -> str:
    """All screens, one after the other and again from the first.

    A row that stands in several screens is drawn once; programs that play no film show the first screen.
    """
    width, height = _width([f.screen for f in frames]), max(len(frame.screen) for frame in frames)
    numbers: dict[Row, int] = {}
    film = []
    for index, frame in enumerate(frames):
        rows = [
            f'<use href="#r{numbers.setdefault(row, len(numbers))}" y="{y * CELL_HEIGHT}"/>'
            for y, row in enumerate(frame.screen)
            if any(cell.text.strip() or cell.style.ground is not None or cell.style.reverse for cell in row)
        ]
        film.append(f'<g transform="translate(0 {index * height * CELL_HEIGHT})">{"".join(rows)}</g>')
    defined = [f'<g id="r{number}">{_row(row, 0)}</g>' for row, number in numbers.items()]
    body = [f"<defs>{''.join(defined)}</defs>", '<g class="film">', *film, "</g>"]
    return "".join(_document(width, height, title, _keyframes(frames, height), body))


def _keyframes(frames: Sequence[Frame], height: int) -> str:
    total_us = sum(frame.lasts_us for frame in frames)
    begin_us, steps = 0, []
    for index, frame in enumerate(frames):
        steps.append(
            f"{100 * begin_us / total_us:.4f}%{{transform:translateY({-index * height * CELL_HEIGHT}px)}}"
        )
        begin_us += frame.lasts_us
    play = f".film{{animation:film {total_us / 1e6:.3f}s step-end infinite}}"
    return f"{play}@keyframes film{{{''.join(steps)}}}"


def _document(width: int, height: int, title: str, css: str, body: Sequence[str]) -> Iterator[str]:
    inner = round(width * CELL_WIDTH), height * CELL_HEIGHT
    outer = inner[0] + 2 * MARGIN, inner[1] + 2 * MARGIN
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{outer[0]}" height="{outer[1]}" '
        f'viewBox="0 0 {outer[0]} {outer[1]}" xml:space="preserve">'
    )
    if title:
        yield f"<title>{escape(title)}</title>"
    yield f"<style>text{{font-family:{FONT};font-size:14px;white-space:pre}}{css}</style>"
    yield f'<rect width="100%" height="100%" rx="6" fill="{_GROUND}"/>'
    yield f'<svg x="{MARGIN}" y="{MARGIN}" width="{inner[0]}" height="{inner[1]}">'
    yield from body
    yield "</svg></svg>\n"


def _width(screens: Sequence[Screen]) -> int:
    return max((len(row) for screen in screens for row in screen), default=1)


def _row(row: Row, y: int) -> str:
    """Grounds first, so that no letter is cut by the ground of its neighbour."""
    grounds: list[str] = []
    texts: list[str] = []
    for run in runs(row):
        ink, ground = _colours(run.style)
        if ground != _GROUND:
            # Half a pixel more: browsers show a seam between two rectangles that only touch.
            grounds.append(
                f'<rect x="{run.begin * CELL_WIDTH:.1f}" y="{y * CELL_HEIGHT}" fill="{ground}" '
                f'width="{run.cells * CELL_WIDTH + 0.5:.1f}" height="{CELL_HEIGHT + 0.5}"/>'
            )
        texts += _texts(run, y, ink)
    return "".join([*grounds, *texts])


def _texts(run: Run, y: int, ink: str) -> Iterator[str]:
    """Words with one blank between them stay together; after more, x is set anew, for fonts of another width."""
    at = run.begin
    for part in run.text.split("  "):
        shown = part.strip(" ")
        if shown:
            x = (at + len(part) - len(part.lstrip(" "))) * CELL_WIDTH
            yield (
                f'<text x="{x:.1f}" y="{y * CELL_HEIGHT + BASELINE}" fill="{ink}"{_attributes(run.style)}>'
                f"{escape(shown)}</text>"
            )
        at += len(part) + 2


def _attributes(style: Style) -> str:
    words = []
    if style.bold:
        words.append(' font-weight="bold"')
    if style.italic:
        words.append(' font-style="italic"')
    if style.dim:
        words.append(' opacity="0.6"')
    lines = [name for name, on in (("underline", style.underline), ("line-through", style.strike)) if on]
    if lines:
        words.append(f' text-decoration="{" ".join(lines)}"')
    return "".join(words)


def _colours(style: Style) -> tuple[str, str]:
    ink, ground = _css(style.ink, _INK), _css(style.ground, _GROUND)
    return (ground, ink) if style.reverse else (ink, ground)


def _css(colour: Colour, otherwise: str) -> str:
    if colour is None:
        return otherwise
    if isinstance(colour, str):
        return colour
    if colour < 16:
        return _SIXTEEN[colour]
    if colour >= 232:
        return "#" + f"{8 + 10 * (colour - 232):02x}" * 3
    cube = colour - 16
    levels = (0, 95, 135, 175, 215, 255)
    return "#" + "".join(f"{levels[cube // step % 6]:02x}" for step in (36, 6, 1))
