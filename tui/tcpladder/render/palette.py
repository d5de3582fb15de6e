"""The colours of drawings that are not terminals, light and dark, as CSS. Colour repeats what a sign already says."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from tcpladder.ladder.model import Role

FONT = "ui-monospace, 'DejaVu Sans Mono', 'Cascadia Mono', Menlo, Consolas, 'Liberation Mono', monospace"


class Theme(StrEnum):
    """Which colours."""

    LIGHT = "light"
    DARK = "dark"


@dataclass(frozen=True, slots=True, kw_only=True)
class Palette:
    """One set of colours; every text on its ground has a contrast of 4.5 or more (WCAG 2.2, 1.4.3)."""

    ground: str
    band: str
    """Behind a silence that its timer explains, and the boxes above the lifelines."""
    band_loud: str
    band_note: str
    rule: str
    text: str
    muted: str
    lifeline: str
    green: str
    blue: str
    amber: str
    red: str
    violet: str


PALETTES = {
    Theme.LIGHT: Palette(
        ground="#ffffff", band="#f3f5f8", band_loud="#fff4cf", band_note="#f5eeff", rule="#d5dae1",
        text="#1d2229", muted="#5b6470", lifeline="#8a939e", green="#17692e", blue="#0a58ca", amber="#855300",
        red="#c01c28", violet="#6e3cbc",
    ),
    Theme.DARK: Palette(
        ground="#0f141a", band="#1a212b", band_loud="#332706", band_note="#261b3d", rule="#323b47",
        text="#e4e9ef", muted="#939eab", lifeline="#6b7683", green="#4cc368", blue="#62a8ff", amber="#e0a92e",
        red="#ff6a69", violet="#bd9bff",
    ),
}  # fmt: skip

ARROW_COLOURS = {
    Role.ARROW: "text",
    Role.ARROW_HANDSHAKE: "green",
    Role.ARROW_PROBE: "blue",
    Role.ARROW_RETRANSMISSION: "amber",
    Role.ARROW_RESET: "red",
    Role.ARROW_DAMAGED: "violet",
}
"""The field of a palette that the arrow of each role has."""


def arrow_class(role: Role) -> str:
    """`probe`, `reset`: the class of a rung."""
    return role.name.removeprefix("ARROW").strip("_").lower() or "plain"


def css(palette: Palette, scope: str = "") -> Iterator[str]:
    """The rules of a drawing in these colours, each selector below `scope`."""
    yield f"{scope} .ground{{fill:{palette.ground}}}"
    yield f"{scope} text{{fill:{palette.text}}}"
    yield f"{scope} .muted{{fill:{palette.muted}}}"
    yield f"{scope} .good{{fill:{palette.green}}}"
    yield f"{scope} .lifeline{{stroke:{palette.lifeline}}}"
    yield f"{scope} .head{{fill:{palette.band};stroke:{palette.rule}}}"
    yield f"{scope} .rule{{stroke:{palette.rule}}}"
    yield f"{scope} .gap .band{{fill:{palette.band}}}"
    yield f"{scope} .gap .wait{{stroke:{palette.muted}}}"
    yield f"{scope} .loud .band{{fill:{palette.band_loud}}}"
    yield f"{scope} .loud .wait{{stroke:{palette.amber}}}"
    yield f"{scope} .loud .verdict{{fill:{palette.amber}}}"
    yield f"{scope} .note .band{{fill:{palette.band_note}}}"
    yield f"{scope} .note text{{fill:{palette.violet}}}"
    yield f"{scope} .lost{{stroke:{palette.red}}}"
    yield f"{scope} .halo{{stroke:{palette.ground}}}"
    for role, field in ARROW_COLOURS.items():
        colour, name = getattr(palette, field), arrow_class(role)
        yield f"{scope} .{name} .arrow{{stroke:{colour}}}"
        yield f"{scope} .{name} .tip{{fill:{colour}}}"
        yield f"{scope} .{name} .label{{fill:{colour}}}"


FLOW_COLOURS = ("blue", "amber", "green", "violet", "text", "muted")
"""The field of a palette that each of model.FLOW_ROLES has."""


def flow_css(palette: Palette, scope: str = "") -> Iterator[str]:
    """The further rules of a drawing of several flows: the number of each and its quiet arrows have its colour."""
    for number, field in enumerate(FLOW_COLOURS, 1):
        colour, name = getattr(palette, field), f"flow-{number}"
        yield f"{scope} .{name} .flow{{fill:{colour}}}"
        for role in ("plain", "handshake"):
            yield f"{scope} .{name}.{role} .arrow{{stroke:{colour}}}"
            yield f"{scope} .{name}.{role} .tip{{fill:{colour}}}"


SHAPES = (
    f"text{{font-family:{FONT};font-size:13px;white-space:pre}}",
    ".small{font-size:11px}",
    ".title{font-size:16px;font-weight:bold}",
    ".strong,.loud .verdict,.note text{font-weight:bold}",
    ".end{text-anchor:end}",
    ".middle{text-anchor:middle}",
    ".lifeline{stroke-width:1.5}",
    ".silent{stroke-dasharray:1.5 4.5}",
    ".wait{stroke-width:4;stroke-linecap:round;stroke-opacity:.55}",
    ".arrow{stroke-width:1.6;fill:none;stroke-linejoin:round}",
    ".coming .arrow{stroke-dasharray:6 4}",
    ".coming .open{stroke-dasharray:none}",
    ".lost{stroke-width:2;fill:none}",
    ".halo{stroke-width:5;stroke-linejoin:round;paint-order:stroke}",
)
"""What is the same in every theme."""
