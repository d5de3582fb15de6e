"""The keys that find something on a ladder: words, kinds of segments, events."""

from __future__ import annotations

import asyncio
from time import perf_counter
from typing import ClassVar

from textual import work
from textual.binding import Binding, BindingType
from textual.suggester import SuggestFromList
from textual.widgets import Input

from tcpladder.analysis.kinds import KINDS
from tcpladder.app.ladder_view import LadderView
from tcpladder.app.page import Page
from tcpladder.ladder.search import Hidden, counted, search, vocabulary

SLICE_S = 0.01
"""How long a search may keep the screen from answering keys."""
KINDS_NAMED = 4


class SearchKeys(Page):
    """A page with a ladder, and words to look for on it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash,f3", "search", "search: rst, probe, late, keepalive_intvl, data 79"),
        Binding("n", "again(1)", "next match"),
        Binding("N", "again(-1)", "previous match"),
    ]
    ladder: LadderView
    words = ""
    """What was searched for last, in lower case."""
    _asks_words = False

    def action_search(self) -> None:
        self._asks_words = True
        self.prompt.suggester = SuggestFromList(vocabulary(), case_sensitive=False)
        self.ask("words on a rung, a gap or a note, or a kind: rst, probe, retransmission, late", self.words)

    def close_prompt(self) -> bool:
        asked, self._asks_words = self._asks_words, False
        closed = super().close_prompt()
        if asked:
            self.show_lines(self.session.status())  # what was said of the words makes room
        return closed

    def on_input_changed(self, event: Input.Changed) -> None:
        if self._asks_words:
            self.say_why(self._found(event.value.strip().lower()))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        if not self._asks_words:
            return
        self.words = event.value.strip().lower()
        self.close_prompt()
        self.action_again(1)

    def _found(self, text: str) -> str:
        """How many rungs are of the kinds that the words name, counted by the column."""
        counts = counted(text, self.ladder.view.kind)
        if not counts:
            return "" if not text else "no kind of segment is called so: looks through the words of all rows"
        named = [f"{KINDS[kind].label} × {count:,}" for kind, count in counts.items() if count]
        if not named:
            return f"none here: {', '.join(KINDS[kind].label for kind in list(counts)[:KINDS_NAMED])}"
        more = f" and {len(named) - KINDS_NAMED} more" if len(named) > KINDS_NAMED else ""
        return ", ".join(named[:KINDS_NAMED]) + more

    def action_again(self, by: int) -> None:
        if self.words:
            self._search(by)
        else:
            self.notify(self.named("nothing to search for: {search:/} takes words"), timeout=2)

    @work(exclusive=True)
    async def _search(self, by: int) -> None:
        """Look through the ladder from the cursor on, in slices between which keys are answered."""
        until = perf_counter() + SLICE_S
        for hit in search(self.ladder.ladder, self.words, self.ladder.cursor, by):
            if isinstance(hit, Hidden):
                self.ladder.jump_to_segment(hit.segment)
                return
            if hit is not None:
                self.ladder.jump(hit)
                return
            if perf_counter() > until:
                await asyncio.sleep(0)
                until = perf_counter() + SLICE_S
        self.notify(f"no {'later' if by > 0 else 'earlier'} row says {self.words}", markup=False, timeout=3)
