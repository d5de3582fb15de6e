"""The colours of the app: dark, light, for people who do not tell red from green, and the sixteen of a terminal.

Colour only repeats what a sign or a word says. Every text has a contrast of 4.5 and more against what it stands on
(WCAG 2.1, 1.4.3), the row under the cursor included; the colours for the colour-blind are made from those of Okabe and
Ito.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from textual.app import App
from textual.theme import BUILTIN_THEMES, Theme

from tcpladder.settings.plain import AUTO

DARK, LIGHT, SIXTEEN, SIXTEEN_LIGHT = "dark", "light", "16-colours", "16-colours-light"
_ON_LIGHT = {
    "block-cursor-blurred-background": "#CFE0F2",
    "block-cursor-background": "#004578",
    "footer-key-foreground": "#004578",
    "text-muted": "#505050",
}
THEMES: tuple[Theme, ...] = (
    replace(BUILTIN_THEMES["textual-dark"], name=DARK),
    Theme(
        name=LIGHT,
        primary="#004578",
        secondary="#0178D4",
        accent="#7A4A00",
        warning="#7A4A00",
        error="#A3123A",
        success="#1B6B33",
        foreground="#1A1A1A",
        background="#FFFFFF",
        surface="#F4F4F4",
        panel="#E8E8E8",
        dark=False,
        variables=_ON_LIGHT,
    ),
    Theme(
        name="colour-blind",
        primary="#0072B2",
        secondary="#56B4E9",
        accent="#E69F00",
        warning="#F0E442",
        error="#FF8C5A",
        success="#56B4E9",
        foreground="#E0E0E0",
        background="#121212",
        surface="#1E1E1E",
    ),
    Theme(
        name="colour-blind-light",
        primary="#004578",
        secondary="#0072B2",
        accent="#6B2E5C",
        warning="#6B5600",
        error="#B00058",
        success="#00588F",
        foreground="#1A1A1A",
        background="#FFFFFF",
        surface="#F4F4F4",
        panel="#E8E8E8",
        dark=False,
        variables=_ON_LIGHT,
    ),
    replace(BUILTIN_THEMES["ansi-dark"], name=SIXTEEN),
    replace(BUILTIN_THEMES["ansi-light"], name=SIXTEEN_LIGHT),
)

CSS = """
Screen { background: $background; }
Tour, NarrationScreen, JumpScreen { background: transparent; }
.-ascii Toast { border-left: ascii $success; }
.-ascii Toast.-warning { border-left: ascii $warning; }
.-ascii Toast.-error { border-left: ascii $error; }
.-ascii CommandPalette #--input { border: ascii $foreground; }
.-ascii CommandPalette #--input.--list-visible { border-bottom: none; }
.-ascii CommandPalette CommandList { border-bottom: ascii $foreground; }
.-ascii CommandPalette LoadingIndicator { display: none; }
"""
"""What comes before the styles that Textual's own widgets bring along."""


def names() -> list[str]:
    """What the settings may name, ours first."""
    return [AUTO, *(theme.name for theme in THEMES), *BUILTIN_THEMES]


def chosen(
    wanted: str, color_system: str | None, environment: Mapping[str, str], *, no_color: bool
) -> str | None:
    """The theme to begin with; None where Textual has been told one (TEXTUAL_THEME).

    Without colour, and by itself where a terminal has no more than sixteen, it is one that uses nothing but the
    terminal's own palette. COLORFGBG is how some terminals say that their background is light.
    """
    light = environment.get("COLORFGBG", "").rpartition(";")[2] in ("7", "15")
    if no_color:
        return SIXTEEN_LIGHT if light else SIXTEEN
    if wanted != AUTO:
        return wanted
    if environment.get("TEXTUAL_THEME"):
        return None
    if color_system in (None, "standard"):
        return SIXTEEN_LIGHT if light else SIXTEEN
    return LIGHT if light else DARK


def install(app: App[Any], wanted: str, environment: Mapping[str, str]) -> None:
    """Give an app our themes, and the one to begin with."""
    for theme in THEMES:
        app.register_theme(theme)
    name = chosen(wanted, app.console.color_system, environment, no_color=app.no_color)
    if name is not None:
        app.theme = name
