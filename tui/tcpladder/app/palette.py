"""What the command palette offers: every action of the page that is open, with its key."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from textual.app import SystemCommand
from textual.screen import Screen

from tcpladder.app import tour

if TYPE_CHECKING:
    from tcpladder.app.app import TcpladderApp


def commands(app: TcpladderApp, screen: Screen[object]) -> Iterator[SystemCommand]:
    """The actions that have a key here and a description, then the choice of a theme."""
    from tcpladder.app.help_screen import key_name

    actions = {active.binding.action: active for active in screen.active_bindings.values()}
    for action, (node, binding, enabled, _) in actions.items():
        if enabled and binding.description and not binding.system:
            yield SystemCommand(
                binding.description.capitalize(),
                f"key {key_name(binding.key)}",
                lambda action=action, node=node: app.run_action(action, node),
            )
    yield SystemCommand("Tour", "shown around in five steps", lambda: tour.show(app))
    yield SystemCommand("Theme", "other colours", app.action_change_theme)
