"""Which colours a theme gives to what a mark means. Colour repeats what a sign or a word already says."""

from __future__ import annotations

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip
from textual.widget import Widget

from tcpladder.ladder.model import Role

ROLE_CLASSES: dict[Role, str] = {role: f"role--{role.name.lower().replace('_', '-')}" for role in Role}
"""The component class of each role; RowView styles its segments through them."""

ROLE_CSS = """
    & > .role--cursor { color: $accent; text-style: bold; }
    & > .role--heading { color: $text-muted; text-style: bold; }
    & > .role--title { text-style: bold; }
    & > .role--state { color: $text-success; }
    & > .role--time { color: $text-muted; }
    & > .role--delta { color: $text-muted; }
    & > .role--lifeline { color: $text-muted; }
    & > .role--arrow-handshake { color: $text-success; }
    & > .role--arrow-probe { color: $text-accent; }
    & > .role--arrow-retransmission { color: $text-warning; }
    & > .role--arrow-reset { color: $text-error; text-style: bold; }
    & > .role--arrow-damaged { color: $text-error; }
    & > .role--label-loud { text-style: bold; }
    & > .role--lost { color: $text-error; text-style: bold; }
    & > .role--remark { color: $text-muted; }
    & > .role--number { color: $text-muted; }
    & > .role--gap-on-time { color: $text-muted; }
    & > .role--gap-loud { color: $text-warning; text-style: bold; }
    & > .role--gap-unexplained { color: $text-warning; }
    & > .role--origin { color: $text-muted; }
    & > .role--fold { color: $text-accent; }
    & > .role--space-break { color: $text-muted; text-style: bold; }
    & > .role--flow-1 { color: $text-primary; text-style: bold; }
    & > .role--flow-2 { color: $text-warning; text-style: bold; }
    & > .role--flow-3 { color: $text-success; text-style: bold; }
    & > .role--flow-4 { text-style: bold; }
    & > .role--flow-5 { color: $text-muted; text-style: bold; }
    & > .role--flow-6 { color: $text-accent; text-style: bold; }
    & > .role--note { color: $text-primary; text-style: bold; }
    & > .role--pending { color: $text-accent; text-style: italic; }
    & > .role--countdown { color: $text-accent; text-style: bold; }
    & > .role--warning { color: $text-error; text-style: bold; }
"""


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
