"""The characters that a ladder is drawn with, and their ASCII twins. All are one cell wide."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Glyphs:
    """One set of drawing characters."""

    lifeline: str
    silence: str
    """The lifeline while nothing happens."""
    line: str
    head_right: str
    head_left: str
    lost: str
    dash: str
    open_right: str
    open_left: str
    cursor: str
    note: str
    mark: str
    folded: str
    """Before what stands for rows that are not shown."""
    torn: str
    """A lifeline that is cut short."""
    bar_left: str
    bar_right: str
    bar: str
    """The filled cells of a bar from the emptiest to the full one."""
    bar_empty: str
    to: str
    unknown: str
    """Stands for what is not known."""
    delta: str


BOX = Glyphs(
    lifeline="│",
    silence="┊",
    line="─",
    head_right="▶",
    head_left="◀",
    lost="✗",
    dash="╌",
    open_right="▷",
    open_left="◁",
    cursor="▌",
    note="⚑",
    mark="◆",
    folded="▸",
    torn="≈",
    bar_left="▕",
    bar_right="▏",
    bar=" ▏▎▍▌▋▊▉█",
    bar_empty=" ",
    to="→",
    unknown="–",
    delta="Δ",
)

ASCII = Glyphs(
    lifeline="|",
    silence=":",
    line="-",
    head_right=">",
    head_left="<",
    lost="x",
    dash=".",
    open_right=">",
    open_left="<",
    cursor=">",
    note="!",
    mark="*",
    folded="+",
    torn="~",
    bar_left="[",
    bar_right="]",
    bar=" .#",
    bar_empty=" ",
    to="->",
    unknown="-",
    delta="delta",
)


def glyphs(ascii_only: bool) -> Glyphs:
    """The set to draw with."""
    return ASCII if ascii_only else BOX
