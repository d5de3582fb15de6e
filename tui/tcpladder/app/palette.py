"""What the command palette offers: every action of the page that is open, with its key."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from textual.app import App, SystemCommand
from textual.screen import Screen

from tcpladder.app.help_screen import key_name


def commands(app: App[Any], screen: Screen[object]) -> Iterator[SystemCommand]:
    """The actions that have a key here and a description, then the choice of a theme."""
    actions = {active.binding.action: active for active in screen.active_bindings.values()}
    for action, (node, binding, enabled, _) in actions.items():
        if enabled and binding.description and not binding.system:
            yield SystemCommand(
                binding.description.capitalize(),
                f"key {key_name(binding.key)}",
                lambda action=action, node=node: app.run_action(action, node),
            )
    yield SystemCommand("Theme", "other colours", app.action_change_theme)
