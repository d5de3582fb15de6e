"""Which columns the list of flows has, and in which order."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from tcpladder.render.cells import clean
from tcpladder.render.flow_columns import COLUMNS, FlowColumns, flow_columns


class ColumnsDialog(ModalScreen[tuple[str, ...] | None], inherit_bindings=False):
    """Returns the names of the columns in order, none of them for what the width has room for; None for no change."""

    TITLE = "columns"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "the one above"),
        Binding("down,j", "move(1)", "the one below"),
        Binding("space", "show", "show it, or not"),
        Binding("left,less_than_sign", "shift(-1)", "further to the left in the list"),
        Binding("right,greater_than_sign", "shift(1)", "further to the right"),
        Binding("0", "automatic", "those that the width has room for"),
        Binding("enter", "take", "take them"),
        Binding("escape,q", "close", "leave them as they are"),
        Binding("question_mark,f1", "app.help", "this help"),
    ]
    DEFAULT_CSS = """
    ColumnsDialog { align: center middle; }
    ColumnsDialog Vertical { width: 76; max-width: 100%; height: auto; max-height: 100%; border: round $accent;
        padding: 0 1; background: $surface; }
    ColumnsDialog.-ascii Vertical { border: ascii $accent; }
    ColumnsDialog VerticalScroll { height: auto; max-height: 100%; scrollbar-size-vertical: 1; }
    ColumnsDialog #names { height: auto; text-wrap: nowrap; text-overflow: ellipsis; }
    ColumnsDialog #heading, ColumnsDialog #keys { height: 1; text-wrap: nowrap; text-overflow: ellipsis; }
    ColumnsDialog #keys { color: $text-muted; }
    """

    def __init__(self, shown: FlowColumns, chosen: tuple[str, ...], *, ascii_only: bool) -> None:
        super().__init__()
        self._ascii = ascii_only
        self._room = shown.width
        wanted = list(chosen) or [name for name, _ in shown.cells]
        self._wanted = set(wanted)
        self._names = [*wanted, *(name for name in COLUMNS if name not in wanted)]
        self._cursor = 0
        self.set_class(ascii_only, "-ascii")

    @property
    def chosen(self) -> tuple[str, ...]:
        """Those that are to be shown, in order."""
        return tuple(name for name in self._names if name in self._wanted)

    def compose(self) -> ComposeResult:
        with Vertical():
            yield Static("Columns of the list, from left to right", markup=False, id="heading")
            with VerticalScroll(can_focus=False):
                yield Static(self._words(), markup=False, id="names")
            yield Static(
                "space show or not  < > move  0 by width  enter take  esc cancel  ? help",
                markup=False,
                id="keys",
            )

    def on_resize(self) -> None:
        # Heading, keys and frame are always there; the names scroll between them.
        self.query_one(VerticalScroll).styles.max_height = max(1, self.size.height - 4)

    def _words(self) -> str:
        left_out = flow_columns(self._room, self.chosen).left_out
        lines = []
        for row, name in enumerate(self._names):
            column = COLUMNS[name]
            cursor = ">" if row == self._cursor else " "
            box = "[x]" if name in self._wanted else "[ ]"
            room = "  (no room)" if name in left_out else ""
            lines.append(f"{cursor} {box} {name:<9} {column.meaning}{room}")
        return "\n".join(clean(line, self._ascii) for line in lines)

    def _say(self) -> None:
        self.query_one("#names", Static).update(self._words())
        scroll = self.query_one(VerticalScroll)
        top, page = scroll.scroll_offset.y, scroll.size.height
        if not top <= self._cursor < top + page:
            scroll.scroll_to(y=self._cursor - (page - 1 if self._cursor >= top + page else 0), animate=False)

    def action_move(self, by: int) -> None:
        self._cursor = max(0, min(len(self._names) - 1, self._cursor + by))
        self._say()

    def action_show(self) -> None:
        name = self._names[self._cursor]
        if self._wanted == {name}:
            self.notify("a list without columns would be empty", markup=False, timeout=3)
            return
        self._wanted ^= {name}
        self._say()

    def action_shift(self, by: int) -> None:
        other = self._cursor + by
        if 0 <= other < len(self._names):
            names = self._names
            names[self._cursor], names[other] = names[other], names[self._cursor]
            self._cursor = other
            self._say()

    def action_automatic(self) -> None:
        self.dismiss(())

    def action_take(self) -> None:
        self.dismiss(self.chosen)

    def action_close(self) -> None:
        self.dismiss(None)
