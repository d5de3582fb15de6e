"""Which colours a theme gives to what a mark means. Colour repeats what a sign or a word already says."""

from __future__ import annotations

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip
from textual.widget import Widget

from tcpladder.ladder.model import Role

_LOOKS: dict[str, tuple[Role, ...]] = {
    "color: $text-muted;": (
        Role.TIME, Role.DELTA, Role.LIFELINE, Role.REMARK, Role.NUMBER, Role.GAP_ON_TIME, Role.ORIGIN,
    ),
    "color: $text-muted; text-style: bold;": (Role.HEADING, Role.SPACE_BREAK, Role.FLOW_5),
    "text-style: bold;": (Role.TITLE, Role.LABEL_LOUD, Role.FLOW_4),
    "color: $accent; text-style: bold;": (Role.CURSOR,),
    "color: $text-success;": (Role.STATE, Role.ARROW_HANDSHAKE),
    "color: $text-success; text-style: bold;": (Role.FLOW_3,),
    "color: $text-accent;": (Role.ARROW_PROBE, Role.FOLD),
    "color: $text-accent; text-style: bold;": (Role.COUNTDOWN, Role.FLOW_6),
    "color: $text-accent; text-style: italic;": (Role.PENDING,),
    "color: $text-primary; text-style: bold;": (Role.NOTE, Role.FLOW_1),
    "color: $text-warning;": (Role.ARROW_RETRANSMISSION, Role.GAP_UNEXPLAINED),
    "color: $text-warning; text-style: bold;": (Role.GAP_LOUD, Role.FLOW_2),
    "color: $text-error;": (Role.ARROW_DAMAGED,),
    "color: $text-error; text-style: bold;": (Role.ARROW_RESET, Role.LOST, Role.WARNING),
    "": (Role.SPACE, Role.ARROW, Role.LABEL),
}  # fmt: skip
"""What has one look has one class: Textual makes the styles of every class of a widget anew for each page it shows."""
ROLE_CLASSES: dict[Role, str] = {
    role: f"role--{number}" for number, roles in enumerate(_LOOKS.values()) for role in roles
}
"""The component class of each role; RowView styles its segments through them."""
ROLE_CSS = "\n".join(f"& > .role--{number} {{ {look} }}" for number, look in enumerate(_LOOKS) if look)


class RoleStyles:
    """The styles of one widget, looked up once per theme."""

    def __init__(self, widget: Widget) -> None:
        self._widget = widget
        self._styles: dict[tuple[Role, bool], Style] = {}

    def clear(self) -> None:
        """Forget the styles: the theme changed."""
        self._styles.clear()

    def strip(self, spans: tuple[tuple[str, Role], ...], width: int, selected: bool) -> Strip:
        """Spans of exactly `width` cells as Textual draws them; the selected row has its own background.

        Neighbours of one style are one segment, and blanks take the style of what stands before them: every change
        of style costs 25 bytes and more on the line to the terminal.
        """
        runs: list[tuple[str, Style]] = []
        for text, role in spans:
            style = self._style(role, selected)
            if runs and (style == runs[-1][1] or text.isspace()):
                runs[-1] = (runs[-1][0] + text, runs[-1][1])
            else:
                runs.append((text, style))
        return Strip([Segment(text, style) for text, style in runs], width)

    def _style(self, role: Role, selected: bool) -> Style:
        style = self._styles.get((role, selected))
        if style is None:
            style = self._widget.get_component_rich_style(ROLE_CLASSES[role])
            if selected:
                style += Style(bgcolor=self._widget.get_component_rich_style("row--selected").bgcolor)
            self._styles[role, selected] = style
        return style
