"""Themes: which one a terminal gets, what can be read in each, and that no meaning is told by colour alone."""

from __future__ import annotations

import itertools
import re

import pytest
from textual.color import Color
from textual.theme import Theme

from tcpladder.app import themes
from tcpladder.app.roles import ROLE_CLASSES, ROLE_CSS
from tcpladder.app.themes import THEMES
from tcpladder.ladder.model import Role

CONTRAST = 4.5
"""WCAG 2.1, 1.4.3, for text of ordinary size."""
STANDS_ON = ("background", "surface", "panel", "block-cursor-blurred-background")
TEXTS = (
    "text",
    "foreground",
    "text-muted",
    "text-primary",
    "text-accent",
    "text-success",
    "text-warning",
    "text-error",
)
DEUTERANOPIA = ((0.367, 0.861, -0.228), (0.280, 0.673, 0.047), (-0.012, 0.043, 0.969))
"""Machado, Oliveira and Fernandes (2009), severity 1, applied to linear RGB."""
PAINTED = [theme for theme in THEMES if not theme.ansi]


def linear(value: int) -> float:
    part = value / 255
    return part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4


def luminance(color: Color) -> float:
    return 0.2126 * linear(color.r) + 0.7152 * linear(color.g) + 0.0722 * linear(color.b)


def contrast(one: Color, other: Color) -> float:
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def colour(variables: dict[str, str], name: str, on: Color) -> Color:
    """A variable of a theme as it is painted on a background."""
    value, _, percent = variables[name].partition(" ")
    share = float(percent.strip("%")) / 100 if percent else 1.0
    if value == "auto":
        return on.blend(on.get_contrast_text(1).with_alpha(1), share)
    parsed = Color.parse(value)
    return on.blend(parsed.with_alpha(1), parsed.a * share)


@pytest.mark.parametrize("theme", PAINTED, ids=lambda theme: theme.name)
def test_every_text_can_be_read_on_everything_it_stands_on(theme: Theme) -> None:
    variables = theme.to_color_system().generate()
    base = Color.parse(variables["background"])
    for background, text in itertools.product(STANDS_ON, TEXTS):
        on = colour(variables, background, base)
        found = contrast(colour(variables, text, on), on)
        assert found >= CONTRAST, f"{text} on {background}: {found:.2f}"


def test_every_role_has_a_look() -> None:
    assert set(ROLE_CLASSES) == set(Role)


def test_the_roles_use_no_colour_but_those() -> None:
    used = set(re.findall(r"color: \$([a-z-]+)", ROLE_CSS))
    assert used <= {*TEXTS, "accent"}
    for theme in PAINTED:
        variables = theme.to_color_system().generate()
        base = Color.parse(variables["background"])
        assert contrast(colour(variables, "accent", base), base) >= CONTRAST


@pytest.mark.parametrize("name", ["colour-blind", "colour-blind-light"])
def test_without_green_receptors_good_warning_and_error_are_three_colours(name: str) -> None:
    (theme,) = [theme for theme in THEMES if theme.name == name]
    variables = theme.to_color_system().generate()
    seen = {}
    for text in ("text-success", "text-warning", "text-error"):
        rgb = [linear(value) for value in Color.parse(variables[text]).rgb]
        seen[text] = [
            max(0.0, sum(a * b for a, b in zip(row, rgb, strict=True))) ** (1 / 2.2) for row in DEUTERANOPIA
        ]
    for one, other in itertools.combinations(seen.values(), 2):
        assert sum((a - b) ** 2 for a, b in zip(one, other, strict=True)) ** 0.5 > 0.15


@pytest.mark.parametrize(
    ("wanted", "color_system", "environment", "no_color", "expected"),
    [
        ("auto", "truecolor", {}, False, "dark"),
        ("auto", "256", {"COLORFGBG": "0;15"}, False, "light"),
        ("auto", "standard", {}, False, "16-colours"),
        ("auto", None, {"COLORFGBG": "0;default;15"}, False, "16-colours-light"),
        ("auto", "standard", {"TEXTUAL_THEME": "nord"}, False, None),
        ("light", "standard", {"TEXTUAL_THEME": "nord"}, False, "light"),
        ("nord", "truecolor", {}, True, "16-colours"),
    ],
)
def test_the_theme_is_that_of_the_settings_else_what_the_terminal_can_show(
    wanted: str, color_system: str | None, environment: dict[str, str], no_color: bool, expected: str | None
) -> None:
    assert themes.chosen(wanted, color_system, environment, no_color=no_color) == expected
