"""What an action is called in the settings, so that its keys can be others there."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any, ClassVar

from textual.binding import Binding, BindingType

_CALLED: dict[str, str] = {
    "move(-1)": "up",
    "move(1)": "down",
    "page(-1)": "page_up",
    "page(1)": "page_down",
    "next_pane(1)": "next_pane",
    "next_pane(-1)": "previous_pane",
    "sort(1)": "next_sort",
    "sort(-1)": "previous_sort",
    "event(1)": "next_event",
    "event(-1)": "previous_event",
    "again(1)": "next_match",
    "again(-1)": "previous_match",
    "rung(1)": "next_rung",
    "rung(-1)": "previous_rung",
    "step(1)": "step_on",
    "step(-1)": "step_back",
    "pace(1)": "faster",
    "pace(-1)": "slower",
    "replay_event(1)": "replay_next_event",
    "replay_event(-1)": "replay_previous_event",
    "replay(True)": "replay_step_back",
    "command_palette": "commands",
    "suspend_process": "suspend",
}
_PLAIN = re.compile(r"(?:app\.|screen\.)?([a-z_]+)(?:\((?:'([a-z_]+)'|(-?)(\d+))?\))?")


def action_name(action: str) -> str:
    """`sort(-1)` is `previous_sort`, `pane(2)` is `pane_2`, `app.interfaces` is `interfaces`."""
    bare = action.removeprefix("app.")
    if bare in _CALLED:
        return _CALLED[bare]
    match = _PLAIN.fullmatch(action)
    if match is None:
        raise ValueError(f"the action {action!r} needs a name in app/rebinding.py")
    verb, word, minus, number = match.groups()
    parts = [verb, word, "back" if minus else "", number if number and (number != "1" or not minus) else ""]
    return "_".join(part for part in parts if part)


class Rebindable:
    """Mixed in before a class of Textual's: each of its bindings has the name of its action as its id."""

    BINDINGS: ClassVar[list[BindingType]] = []

    def __init_subclass__(cls, **options: Any) -> None:
        own = [one for one in cls.__dict__.get("BINDINGS", []) if isinstance(one, Binding)]
        cls.BINDINGS = [replace(one, id=action_name(one.action)) for one in own]
        super().__init_subclass__(**options)
