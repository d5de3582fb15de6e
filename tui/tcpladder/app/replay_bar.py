"""The position bar of a replay: where it stands, where the events are; a click or a drag goes there."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from textual.content import Content

from tcpladder.app import replay_words
from tcpladder.app.seek_bar import SeekBar
from tcpladder.app.terminal import Taste
from tcpladder.session.replay_state import ReplayState

LEAST_BAR = 10
"""Cells of the bar itself; where there are fewer, what stands right of it goes."""


class ReplayBar(SeekBar):
    """`◀◀ 14:02:10 / 15:40:00  60×  ▕━━┿━━●──┼───┼─▏ silences to 3 s`.

    Args:
        seek: called with the moment that was clicked on.
    """

    DEFAULT_CSS = "ReplayBar { height: 1; width: 1fr; }"

    def __init__(self, taste: Taste, seek: Callable[[int], None]) -> None:
        super().__init__("replay", ascii_only=taste.ascii_only)
        self._taste = taste
        self._seek = seek
        self._state = ReplayState()
        self._events: NDArray[np.int64] = np.empty(0, np.int64)
        self._drawn: object = None

    def say(self, state: ReplayState, event_times_ns: NDArray[np.int64]) -> None:
        """Show another state."""
        key = state, len(event_times_ns)
        if key != self._drawn:
            self._drawn, self._state, self._events = key, state, event_times_ns
            self.refresh()

    def render(self) -> Content:
        state, plain = self._state, self._ascii
        if not state.begin_ns:
            return Content("")
        left = f" {replay_words.clocks(state, self._taste.timezone, ascii_only=plain)}  "
        right = f" {replay_words.habits(state)} "
        cells = self.size.width - len(left) - 2
        if cells - len(right) >= LEAST_BAR:
            cells -= len(right)
        else:
            right = " "
            cells -= 1
        parts = bar_parts(state, self._events, max(1, cells), ascii_only=plain)
        return self.bar((left, "bold"), parts, (right, "$text-muted"))

    def go(self, cell: int) -> None:
        state = self._state
        span_ns = state.end_ns - state.begin_ns
        self._seek(state.begin_ns + span_ns * cell // max(1, self._bar_cells - 1))


def bar_parts(
    state: ReplayState, event_times_ns: NDArray[np.int64], cells: int, *, ascii_only: bool
) -> list[tuple[str, str]]:
    """The cells of the bar with their styles: what was played, the head, what comes, and the events on both."""
    played, coming, event, event_coming, head = "=-##O" if ascii_only else "━─┿┼●"
    span_ns = max(1, state.end_ns - state.begin_ns)
    places = (event_times_ns - state.begin_ns) * (cells - 1) // span_ns
    has_event = np.zeros(cells, np.bool_)
    has_event[places[(places >= 0) & (places < cells)]] = True
    at = (state.now_ns - state.begin_ns) * (cells - 1) // span_ns
    before = "".join(event if has_event[place] else played for place in range(at))
    behind = "".join(event_coming if has_event[place] else coming for place in range(at + 1, cells))
    return [(before, "$text-accent"), (head, "bold $text-accent"), (behind, "$text-muted")]
