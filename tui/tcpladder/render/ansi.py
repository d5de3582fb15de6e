"""Colours of a ladder on a terminal: the sixteen of the user's own palette, one for each meaning."""

from __future__ import annotations

from tcpladder.ladder.model import Role
from tcpladder.render.grid import Line

_RESET = "\x1b[0m"
_DIM, _BOLD = "2", "1"
_RED, _GREEN, _YELLOW, _BLUE, _MAGENTA, _CYAN = "31", "32", "33", "34", "35", "36"

SGR: dict[Role, str] = {
    Role.SPACE: "",
    Role.CURSOR: "",
    Role.HEADING: _DIM,
    Role.TITLE: _BOLD,
    Role.STATE: _BOLD,
    Role.TIME: "",
    Role.DELTA: _DIM,
    Role.LIFELINE: _DIM,
    Role.ARROW: "",
    Role.ARROW_HANDSHAKE: _GREEN,
    Role.ARROW_PROBE: _CYAN,
    Role.ARROW_RETRANSMISSION: _YELLOW,
    Role.ARROW_RESET: _RED,
    Role.ARROW_DAMAGED: _MAGENTA,
    Role.LABEL: "",
    Role.LABEL_LOUD: _BOLD,
    Role.LOST: f"{_BOLD};{_RED}",
    Role.REMARK: _DIM,
    Role.NUMBER: _DIM,
    Role.GAP_ON_TIME: _DIM,
    Role.GAP_LOUD: f"{_BOLD};{_YELLOW}",
    Role.GAP_UNEXPLAINED: _YELLOW,
    Role.ORIGIN: _DIM,
    Role.FOLD: _CYAN,
    Role.SPACE_BREAK: _BOLD,
    Role.FLOW_1: _BLUE,
    Role.FLOW_2: _YELLOW,
    Role.FLOW_3: _GREEN,
    Role.FLOW_4: _MAGENTA,
    Role.FLOW_5: _BOLD,
    Role.FLOW_6: _CYAN,
    Role.NOTE: f"{_BOLD};{_MAGENTA}",
    Role.PENDING: _DIM,
    Role.COUNTDOWN: _CYAN,
    Role.WARNING: f"{_BOLD};{_RED}",
}
"""SGR parameters of each role; empty for the terminal's own colour."""


def coloured(line: Line) -> str:
    """The line with escape sequences around the spans that have a colour."""
    return "".join(f"\x1b[{SGR[role]}m{text}{_RESET}" if SGR[role] else text for text, role in line)
