"""What plays a replay: where it stands, how it goes on, and where its keys lead. The clock is an argument."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from tcpladder.session.playhead import (
    IDLES_S,
    SEGMENTS_A_SECOND,
    Silences,
    slower_or_faster,
)
from tcpladder.session.replay_axis import Axis
from tcpladder.session.replay_state import ReplayState

FEW = 200_000
"""Up to so many rows, what depends on all of them is found again with each new one; above, with one new in NEW."""
NEW = 32


class Player:
    """Walks along an axis. Silences and events are those of `scope`, a flow, or of all flows."""

    def __init__(self, state: ReplayState) -> None:
        self.state = state
        self.position = 0
        """How many rows have had their turn."""
        self._axis = Axis([])
        self._scope: int | None = None
        self._found: dict[str, tuple[tuple[int, int], NDArray[np.int64]]] = {}
        self._note_times_ns: NDArray[np.int64] = np.empty(0, np.int64)
        self._silences: tuple[object, Silences] | None = None

    @property
    def has_begun(self) -> bool:
        """Whether there is a moment to be at."""
        return self.state.begin_ns > 0

    def walk_along(self, axis: Axis, position: int) -> None:
        """Walk along this axis from now on, from a position on it."""
        self._axis, self.position = axis, position
        self._forget()

    def take(self, end_ns: int, *, growing: bool) -> None:
        """The axis ends there, and may grow."""
        begin_ns = self._axis.begin_ns
        if begin_ns is None:
            return
        begun, self.state = self.has_begun, replace(
            self.state, begin_ns=begin_ns, end_ns=max(end_ns, begin_ns), growing=growing
        )  # fmt: skip
        if not begun:
            self.seek(self.state.now_ns or begin_ns)

    def look_at(self, scope: int | None) -> None:
        """Skip the silences and find the events of this flow, or of all."""
        if scope != self._scope:
            self._scope = scope
            self._forget()

    def take_notes(self, times_ns: NDArray[np.int64]) -> None:
        """(n,) when something happened to the scope that is no segment; ascending."""
        self._note_times_ns = times_ns

    # Playing

    def advance(self, wall_s: float) -> None:
        """Let so much time pass for the viewer."""
        state = self.state
        if not state.playing or not self.has_begun or wall_s <= 0:
            return
        if math.isinf(state.pace):
            self._hurry(wall_s)
        else:
            self._arrive(self._silences_now().advance(state.now_ns, wall_s, state.pace))
        if self.state.now_ns >= state.end_ns and not state.growing:
            if state.loop:
                self.seek(state.begin_ns)
            else:
                self.change(playing=False)

    def _hurry(self, wall_s: float) -> None:
        """Go on by as many segments as are drawn at a glance, whatever time lies between them."""
        position = self.position + max(1, round(min(wall_s, 1.0) * SEGMENTS_A_SECOND))
        if position >= len(self._axis):
            self._arrive(self.state.end_ns)
        else:
            self._stand(position)

    def _arrive(self, time_ns: int) -> None:
        """Be at a later moment; rows that had their turn stay."""
        time_ns = min(time_ns, self.state.end_ns)
        self.change(now_ns=time_ns)
        self.position = max(self.position, self._axis.position(time_ns))

    def change(self, **changes: object) -> None:
        """Replace parts of the state."""
        self.state = replace(self.state, **changes)  # type: ignore[arg-type]

    def play(self, playing: bool) -> None:
        """Play or pause; playing on from the end begins again."""
        state = self.state
        if playing and state.now_ns >= state.end_ns and not state.growing:
            self.seek(state.begin_ns)
        self.change(playing=playing)

    def faster(self, by: int) -> None:
        """Another pace of PACES."""
        self.change(pace=slower_or_faster(self.state.pace, by))

    def next_idle(self) -> None:
        """Another longest silence, of IDLES_S."""
        known = IDLES_S.index(self.state.idle_s) if self.state.idle_s in IDLES_S else -1
        self.change(idle_s=IDLES_S[(known + 1) % len(IDLES_S)])

    # Going elsewhere

    def seek(self, time_ns: int) -> None:
        """Be at a moment of the capture."""
        time_ns = max(self.state.begin_ns, min(self.state.end_ns, time_ns))
        self.change(now_ns=time_ns)
        self.position = self._axis.position(time_ns)

    def step(self, by: int) -> bool:
        """Pause, and go one segment on or back; returns whether there was one."""
        self.change(playing=False)
        return self._walk(self._found_now("positions"), by)

    def event(self, by: int) -> bool:
        """Go to the next or the previous event; returns whether there was one."""
        at = self._next_place(events := self._found_now("events"), by)
        note_ns = self._next_note(by)
        if at is None and note_ns is None:
            return False
        time_ns = None if at is None else int(self._axis.time_ns[events[at]])
        if at is None or (note_ns is not None and time_ns is not None and by * (time_ns - note_ns) > 0):
            self.seek(note_ns or 0)
        else:
            self._stand(int(events[at]) + 1)
        return True

    def _next_note(self, by: int) -> int | None:
        """The moment of the nearest note in a direction."""
        times = self._note_times_ns
        times = times[(times >= self.state.begin_ns) & (times <= self.state.end_ns)]
        beyond = times[times > self.state.now_ns] if by > 0 else times[times < self.state.now_ns]
        return int(beyond[0 if by > 0 else -1]) if len(beyond) else None

    def _walk(self, places: NDArray[np.int64], by: int) -> bool:
        """Stand right behind the next of these rows, or behind the last one but one; returns whether there was one."""
        at = self._next_place(places, by)
        if at is not None:
            self._stand(int(places[at]) + 1)
        return at is not None

    def _next_place(self, places: NDArray[np.int64], by: int) -> int | None:
        """The index of the next of these rows that is not there yet, or of the last one but one that is."""
        at = int(np.searchsorted(places, self.position))
        if by < 0:
            # The row that was shown last goes away; what is before it is what shows then.
            at -= 1
            at -= at >= 0 and int(places[at]) == self.position - 1
        return at if 0 <= at < len(places) else None

    def _stand(self, position: int) -> None:
        self.position = position
        self.change(now_ns=max(self.state.begin_ns, int(self._axis.time_ns[position - 1])))

    # What is known of the whole

    def event_times_ns(self) -> NDArray[np.int64]:
        """(n,) when the events come; ascending."""
        times = self._axis.time_ns[self._found_now("events")]
        return np.sort(np.concatenate([times, self._note_times_ns])) if len(self._note_times_ns) else times

    def _forget(self) -> None:
        self._found = {}
        self._silences = None

    def _found_now(self, what: str) -> NDArray[np.int64]:
        """Positions of the scope's rows or events, found again when much is new."""
        now = rows, _ = len(self._axis), self._axis.losses
        seen, found = self._found.get(what, ((-1, -1), np.empty(0, np.int64)))
        if now != seen and (rows < FEW or rows - seen[0] > seen[0] // NEW):
            find = self._axis.events if what == "events" else self._axis.positions
            found = find(self._scope)
            self._found[what] = now, found
        return found

    def _silences_now(self) -> Silences:
        state, positions = self.state, self._found_now("positions")
        # The end of what grows is no silence yet.
        end_ns = [] if state.growing else [state.end_ns]
        key = len(positions), state.growing, state.pace, state.idle_s
        if self._silences is None or self._silences[0] != key:
            times = np.append(self._axis.time_ns[positions], np.array(end_ns, np.int64))
            self._silences = key, Silences(times, state.pace, state.idle_s)
        return self._silences[1]
