"""What the user's settings mean for the app, checked against the names that the app has."""

from __future__ import annotations

import os

from tcpladder.app import themes
from tcpladder.app.terminal import Taste, first_environment, send_utf8, wants_ascii
from tcpladder.render.flow_columns import COLUMNS
from tcpladder.session.keeping import kept
from tcpladder.settings.file import Settings
from tcpladder.settings.sample import SAMPLE


def taste_of(settings: Settings, *, ascii_only: bool) -> Taste:
    """How the screen should be drawn, made ready for it. `ascii_only` is the option, which goes before the settings.

    Raises SettingsError.
    """
    send_utf8()
    check(settings)
    characters = settings.screen.characters
    plain = wants_ascii(first_environment()) if characters == "auto" else characters == "ascii"
    return Taste(
        ascii_only=ascii_only or plain,
        theme=settings.screen.theme,
        keymap=_keymap_of(settings),
        tour=settings.screen.tour,
        mask=settings.screen.privacy,
        recent=settings.retention.recent,
        flow_columns=settings.flows.columns,
    )


def check(settings: Settings) -> None:
    """Refuse what no room has. Raises SettingsError, which names file, line, key and the nearest valid one."""
    reader = settings.reader
    reader.chosen(("screen", "theme"), [settings.screen.theme], themes.names(), "theme")
    _keymap_of(settings)
    reader.chosen(("flows", "columns"), settings.flows.columns, COLUMNS, "column")
    kept(settings)


def _keymap_of(settings: Settings) -> dict[str, str]:
    """The keys that the user has changed. Raises SettingsError."""
    if not settings.keys:
        return {}
    from tcpladder.app.keymap import keymap_of  # few have keys of their own

    return keymap_of(settings)


def in_force(settings: Settings) -> list[str]:
    """What the environment and the keys add to the settings, as TOML."""
    from tcpladder.app import keymap

    check(settings)
    written = []
    if "NO_COLOR" in os.environ:
        written += ["# NO_COLOR is set: no theme has a colour.", ""]
    return [*written, *keymap.in_force(settings)]


def sample() -> str:
    """A file to begin with: everything that there is, commented out; what has a default, with it."""
    from tcpladder.app import keymap

    columns = f"""
[flows]
# The columns of the list, from left to right; without, those that its width has room for. There are:
# {", ".join(COLUMNS)}
# columns = ["client", "server", "state", "end"]
"""
    return SAMPLE + columns + keymap.sample()
