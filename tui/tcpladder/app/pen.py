"""The style that a terminal writes in (SGR, ECMA-48 8.3.117), and the shortest way from one to the next."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

PART = re.compile(r"[34]8;(?:5;\d+|2;\d+;\d+;\d+)|\d+")
ENDS = {"1": "22", "2": "22", "3": "23", "4": "24", "5": "25", "7": "27", "9": "29"}
"""What takes an attribute back. Others are only taken back by a reset."""
ON_BLANKS = frozenset("4579") | {"6", "21", "51", "52", "53"}
"""Attributes that one sees where no character stands."""
FOREGROUND = re.compile(r"3[0-79]|9[0-7]|38;.*")
BACKGROUND = re.compile(r"4[0-79]|10[0-7]|48;.*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """Attributes and colours as the numbers that SGR has for them; no colour is that of the terminal."""

    attributes: frozenset[str] = frozenset()
    foreground: str = ""
    background: str = ""

    @property
    def parameters(self) -> str:
        """All of it, on a terminal that has just been reset."""
        return ";".join(one for one in (*sorted(self.attributes), self.foreground, self.background) if one)

    def blank(self, background: str) -> Style:
        """The nearest style in which a blank has that background and nothing else to see."""
        attributes = self.attributes - ON_BLANKS
        return Style(attributes=attributes, foreground=self.foreground, background=background)


PLAIN = Style()


@lru_cache(1024)
def style_of(parameters: str) -> Style:
    """What parameters mean that follow a reset."""
    attributes: set[str] = set()
    foreground = background = ""
    for part in PART.findall(parameters):
        if part == "0":
            attributes.clear()
            foreground = background = ""
        elif FOREGROUND.fullmatch(part):
            foreground = "" if part == "39" else part
        elif BACKGROUND.fullmatch(part):
            background = "" if part == "49" else part
        else:
            attributes.add(part)
    return Style(attributes=frozenset(attributes), foreground=foreground, background=background)


@lru_cache(1024)
def blank_style(parameters: str) -> str:
    """The parameters of what one sees of a style where no character stands: mostly its background."""
    style = style_of(parameters)
    return style.parameters if style.attributes & ON_BLANKS else style.background


@lru_cache(4096)
def change(old: Style, new: Style) -> str:
    """The shortest SGR from one style to another; "" between equal ones."""
    if old == new:
        return ""
    anew = f"\x1b[{'0;' + new.parameters if new.parameters else ''}m"
    gone = old.attributes - new.attributes
    if not gone <= ENDS.keys():
        return anew
    ends = {ENDS[one] for one in gone}
    again = {one for one in new.attributes if ENDS.get(one) in ends} | (new.attributes - old.attributes)
    parts = [*sorted(ends), *sorted(again)]
    if new.foreground != old.foreground:
        parts.append(new.foreground or "39")
    if new.background != old.background:
        parts.append(new.background or "49")
    return min(f"\x1b[{';'.join(parts)}m", anew, key=len)
