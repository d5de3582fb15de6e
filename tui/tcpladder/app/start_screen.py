"""The screen of `tcpladder` without arguments: what there is to look at, each line a command."""

from __future__ import annotations

import contextlib
import os
from time import monotonic
from typing import TYPE_CHECKING, ClassVar

from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.events import Resize
from textual.strip import Strip
from textual.widgets import Input

from tcpladder.app import themes
from tcpladder.app.bar import Bar, Rule, fitting
from tcpladder.app.help_screen import HelpScreen
from tcpladder.app.plain_widgets import make_plain
from tcpladder.app.row_view import RowView
from tcpladder.app.start_entries import Entry, Heading, Row, interfaces_now, rows
from tcpladder.app.terminal import Taste
from tcpladder.ladder.model import Role
from tcpladder.render.cells import clean, left

if TYPE_CHECKING:
    from tcpladder.record.writer import CastWriter

EVERY_S = 1.0
NAME_CELLS = 22


class StartList(RowView):
    """The lines; the cursor steps over headings."""

    def __init__(self, *, ascii_only: bool) -> None:
        super().__init__(id="start")
        self._ascii = ascii_only
        self.entries: list[Row] = []

    def take(self, entries: list[Row]) -> None:
        """Show other lines; the cursor stays on its command."""
        chosen = self.selected
        self.entries = entries
        self.rows_changed()
        again = [
            at
            for at, row in enumerate(entries)
            if isinstance(row, Entry)
            and chosen
            and (row.section, row.command) == (chosen.section, chosen.command)
        ]
        self.go_to(again[0] if again else max(self.cursor, 1))

    @property
    def selected(self) -> Entry | None:
        """The line under the cursor."""
        row = self.entries[self.cursor] if self.cursor < len(self.entries) else None
        return row if isinstance(row, Entry) else None

    def row_count(self) -> int:
        return len(self.entries)

    def go_to(self, row: int, *, at_once: bool = False) -> None:
        row = max(0, min(len(self.entries) - 1, row))
        if self.entries and isinstance(self.entries[row], Heading):
            row += -1 if row < self.cursor and row > 0 else 1
        super().go_to(row, at_once=at_once)
        if row and isinstance(self.entries[row - 1], Heading):
            self._show(row - 1)

    def next_section(self, by: int) -> None:
        """To the first line of another section."""
        starts = [at + 1 for at, row in enumerate(self.entries) if isinstance(row, Heading)]
        beyond = [at for at in starts if (at > self.cursor if by > 0 else at < self.cursor)]
        if beyond:
            self.go_to(beyond[0] if by > 0 else beyond[-1])

    def draw_row(self, row: int, width: int, selected: bool) -> Strip:
        entry = self.entries[row]
        cursor = (">" if self._ascii else "▌") if selected else " "
        if isinstance(entry, Heading):
            return self._styles.strip(
                ((left(f" {entry.text}", width, self._ascii), Role.HEADING),), width, False
            )
        name = left(entry.name, NAME_CELLS, self._ascii)
        remark = left(clean(f" {entry.remark}", self._ascii), max(0, width - 3 - NAME_CELLS), self._ascii)
        spans = ((f"{cursor}  ", Role.CURSOR), (name, Role.TITLE), (remark, Role.LABEL))
        return self._styles.strip(spans, width, selected)


class StartApp(App[tuple[str, ...]]):
    """Ends with the words of the command that was chosen, or None."""

    TITLE = "tcpladder"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", "open"),
        Binding("R", "replay", "replay this capture"),
        Binding("o", "ask", "open a file"),
        Binding("tab", "section(1)", "next section", priority=True),
        Binding("shift+tab", "section(-1)", "previous section", priority=True),
        Binding("escape", "leave_prompt", "back to the list"),
        Binding("question_mark,f1", "help", "this help"),
        Binding("q", "quit", "quit"),
    ]
    CSS = """
    Screen { background: $background; }
    #head { text-style: bold; } #keys { color: $text-muted; }
    Input { display: none; height: 1; border: none; padding: 0 1; }
    Input.-open { display: block; }
    """
    ENABLE_COMMAND_PALETTE = False

    def __init__(self, *, taste: Taste) -> None:
        ascii_only = taste.ascii_only
        super().__init__(ansi_color=True if "NO_COLOR" in os.environ else None)
        self._ascii = ascii_only
        self._recent = taste.recent
        self.animation_level = "none"
        self.list = StartList(ascii_only=ascii_only)
        self._why = Bar(id="why", ascii_only=ascii_only)
        self._hints = Bar(id="keys", ascii_only=ascii_only)
        self._before = interfaces_now()
        self._before_s = monotonic()
        themes.install(self, taste.theme, os.environ)

    def compose(self) -> ComposeResult:
        head = Bar(id="head", ascii_only=self._ascii)
        head.say(" tcpladder", "which timer caused each silence ")
        yield head
        yield self.list
        yield Rule("-" if self._ascii else "─")
        yield self._why
        yield Input(
            placeholder="a capture: pcap, pcapng, snoop or a listing, compressed or not", compact=True
        )
        yield self._hints

    def on_mount(self) -> None:
        if self._ascii:
            make_plain()
        self.list.focus()
        self.list.take(rows(self._before, self._before, 0, self._recent))
        self.set_interval(EVERY_S, self._measure)
        self.on_row_view_moved()

    def on_resize(self, event: Resize) -> None:
        """The keys that fit, and always the one that tells the others."""
        arrows = "jk" if self._ascii else "↑↓"
        names = [f"{arrows} choose", "tab section", "enter open", "R replay", "o open a file"]
        last = "? help  q quit"
        shown = names[: fitting(names, last, event.size.width)]
        self._hints.say(f" {'  '.join([*shown, last])}")

    def _measure(self) -> None:
        now, now_s = interfaces_now(), monotonic()
        self.list.take(rows(self._before, now, now_s - self._before_s, self._recent))
        self._before, self._before_s = now, now_s

    def on_row_view_moved(self) -> None:
        """Say what the line under the cursor does."""
        entry = self.list.selected
        if entry is not None:
            need = (
                f"needs root, type: {entry.type_instead}" if entry.type_instead else " ".join(_typed(entry))
            )
            self._why.say(clean(f" {need}", self._ascii))

    def on_row_view_chosen(self) -> None:
        self.action_open()

    def action_open(self) -> None:
        entry = self.list.selected
        if entry is None:
            return
        if entry.type_instead:
            self.notify(f"sniffing needs root: q, then type\n{entry.type_instead}", markup=False, timeout=8)
            return
        self.exit(entry.command)

    def action_replay(self) -> None:
        entry = self.list.selected
        if entry is not None and entry.command[0] == "open":
            self.exit(("replay", *entry.command[1:]))
        else:
            self.notify("only a capture can be replayed", timeout=2)

    def action_section(self, by: int) -> None:
        self.list.next_section(by)

    def action_ask(self) -> None:
        prompt = self.query_one(Input)
        prompt.add_class("-open")
        prompt.focus()

    def action_help(self) -> None:
        active = self.screen.active_bindings.values()
        keys = [one.binding for one in active if one.node in (self, self.list)]
        self.push_screen(
            HelpScreen("the start screen", keys, ascii_only=self._ascii, greyed=frozenset(), why="")
        )

    def action_leave_prompt(self) -> None:
        self.query_one(Input).remove_class("-open")
        self.list.focus()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        path = event.value.strip()
        if path:
            # A name that begins with a dash is a name here, and no option.
            path = os.path.expanduser(path)  # noqa: PTH111 - as the user typed it
            self.exit(("open", f"./{path}" if path.startswith("-") else path))


def _typed(entry: Entry) -> tuple[str, ...]:
    return ("tcpladder", *entry.command)


def choose(
    taste: Taste, *, mouse: bool, recording: tuple[CastWriter, bool] | None = None
) -> tuple[str, ...] | None:
    """Let a person choose; the words behind `tcpladder`, None for nothing. Closes the recording."""
    if recording is None:
        return StartApp(taste=taste).run(mouse=mouse)
    from tcpladder.app.recording import RecordedStart

    cast, keys = recording
    with contextlib.closing(cast):
        return RecordedStart(taste=taste, cast=cast, keys=keys).run(mouse=mouse)
