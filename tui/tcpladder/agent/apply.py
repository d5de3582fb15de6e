"""How a change is prepared, made and undone; one place for all kinds.

Each raises UsageError for what makes no sense and OSError where the kernel refuses. Nothing is changed by `prepare`.
"""

from __future__ import annotations

from typing import assert_never

from tcpladder.agent.changes import (
    Change,
    DeviceMade,
    LinkDown,
    PolicyRule,
    RouteWithdrawn,
    SysctlChange,
)
from tcpladder.agent.links import make_link_down, prepare_link, undo_link_down
from tcpladder.agent.routes import (
    make_route,
    make_rule,
    prepare_route,
    prepare_rule,
    undo_route,
    undo_rule,
)
from tcpladder.agent.sink import make_pair, remove_pair
from tcpladder.agent.sysctls import prepare_sysctl, undo_sysctl, write_sysctl


def prepare(change: Change) -> Change:
    """The change with all that it will have to be put back to."""
    match change:
        case SysctlChange():
            return prepare_sysctl(change)
        case PolicyRule():
            return prepare_rule(change)
        case RouteWithdrawn():
            return prepare_route(change)
        case LinkDown():
            return prepare_link(change)
        case DeviceMade():
            return change
    assert_never(change)


def make(change: Change) -> None:
    """Do what was prepared."""
    match change:
        case SysctlChange(name=name, value=value):
            write_sysctl(name, value)
        case PolicyRule():
            make_rule(change)
        case RouteWithdrawn():
            make_route(change)
        case LinkDown():
            make_link_down(change)
        case DeviceMade():
            make_pair(change)
        case _:
            assert_never(change)


def undo(change: Change) -> None:
    """Take it back; does nothing where it was never made, or is undone."""
    match change:
        case SysctlChange():
            undo_sysctl(change)
        case PolicyRule():
            undo_rule(change)
        case RouteWithdrawn():
            undo_route(change)
        case LinkDown():
            undo_link_down(change)
        case DeviceMade():
            remove_pair(change)
        case _:
            assert_never(change)
