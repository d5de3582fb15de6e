"""The keys that a sentence names: as they are by default, or as the settings have them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from textual.app import App

from tcpladder.app.help_screen import key_name

_NAMED = re.compile(r"\{([a-z][a-z0-9_]*):([^{} ]+)\}")


def named(sentence: str, keymap: Mapping[str, str]) -> str:
    """`{group:b} groups the list` as a person reads it: the action, then the key that it has by default.

    The default stands in the sentence because a page would have to load all the others to look it up; a test compares
    them.
    """
    return _NAMED.sub(lambda found: _key(found[1], found[2], keymap), sentence)


def keymap_of(app: App[Any]) -> Mapping[str, str]:
    """The keys that the user of an app has changed."""
    taste = getattr(app, "taste", None)
    return {} if taste is None else taste.keymap


def _key(action: str, default: str, keymap: Mapping[str, str]) -> str:
    chosen = keymap.get(action)
    return default if chosen is None else key_name(chosen.partition(",")[0])
