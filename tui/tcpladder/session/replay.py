"""A session seen again: what another session has taken in, as it was at any moment, played at any pace.

Nothing is read or analysed twice, and the other session goes on meanwhile: a file loads, a live capture grows.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, tzinfo

import numpy as np
from numpy.typing import NDArray

from tcpladder.analysis.capture_as_of import CaptureAsOf
from tcpladder.analysis.flow_view import Findings
from tcpladder.analysis.log import SegmentLog
from tcpladder.analysis.view import FlowSummary
from tcpladder.session.base import Session
from tcpladder.session.broken import told
from tcpladder.session.faults import SessionFaults
from tcpladder.session.moment import moment_of
from tcpladder.session.player import Player
from tcpladder.session.replay_axis import Axis
from tcpladder.session.replay_state import ReplayState
from tcpladder.session.replayed import Replayed
from tcpladder.session.status import SessionStatus

TURN_S = 0.001
REST_S = 0.2
"""Between two looks for long flows to prepare."""
NO_TIMES = "no frame of this capture has a time: step through it, a segment at a time"


class ReplaySession(Replayed):
    """The flows of another session, as they were at a moment.

    Args:
        source: what is replayed.
        state: pace, longest silence, loop, whether it plays; `now_ns` for a moment other than the first.
        at: the moment to begin at as a person types it, see moment.py. Raises UsageError where it means nothing.
        owns_source: whether the source is started and closed with the replay.
        clock: seconds, for the pace.
    """

    mode = "replay"

    def __init__(
        self,
        source: Session,
        state: ReplayState | None = None,
        *,
        at: str | None = None,
        owns_source: bool = True,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._changes = 0
        super().__init__(source)
        where = "live or lab only" if source.faults.why_not else "go back to what it replays"
        self.faults = SessionFaults(None, self._change, why_not=f"a replay cannot be broken: {where}")
        self.player = Player(state or ReplayState())
        self._owns_source = owns_source
        self._at = at
        if at is not None:
            moment_of(at, begin_ns=0, now_ns=0, end_ns=1, timezone=UTC)
        self._clock = clock
        self._last_s = clock()
        self._ats: list[CaptureAsOf] = []
        self._axis = Axis([])
        self._seen: object = None
        self._scope: int | None = None
        self._notes_known: object = None
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        if self._owns_source:
            self.source.start()
        self._last_s = self._clock()
        self._thread = threading.Thread(target=self._run, name="replay", daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join(2)
        if self._owns_source:
            self.source.close()

    @property
    def broken(self) -> str:
        return self._broken or self.source.broken

    @property
    def version(self) -> int:
        """Grows with every change; asking lets the replay go on by the time that has passed."""
        with self._lock:
            self._go_on()
            return self._changes

    @version.setter
    def version(self, version: int) -> None:
        self._changes = version

    # The controls

    @property
    def state(self) -> ReplayState:
        """Where the replay stands."""
        with self._lock:
            return self.player.state

    def look_at(self, flow: int | None) -> None:
        """Skip the silences and find the events of this flow, or of all."""
        with self._lock:
            self._scope = flow
            self.player.look_at(flow)
            self._take_notes()

    def play(self, playing: bool) -> None:
        """Play or pause; playing on from the end begins again."""
        with self._lock:
            self._go_on()
            self.player.play(playing)
            self._moved()

    def faster(self, by: int) -> None:
        """Another pace."""
        with self._lock:
            self._go_on()
            self.player.faster(by)
            self._moved()

    def next_idle(self) -> None:
        """Another longest silence."""
        with self._lock:
            self._go_on()
            self.player.next_idle()
            self._moved()

    def loop(self) -> None:
        """Begin again at the end, or stop there."""
        with self._lock:
            self._go_on()
            self.player.change(loop=not self.player.state.loop)
            self._moved()

    def seek(self, time_ns: int) -> None:
        """Be at a moment of the capture; outside of it, at its begin or end."""
        with self._lock:
            self._go_on()
            self.player.seek(time_ns)
            self._moved()

    def seek_text(self, text: str, timezone: tzinfo) -> None:
        """Be at the moment that a person typed. Raises UsageError where it means nothing."""
        state = self.state
        self.seek(
            moment_of(
                text,
                begin_ns=state.begin_ns,
                now_ns=state.now_ns,
                end_ns=state.end_ns,
                timezone=timezone,
            )
        )

    def step(self, by: int) -> bool:
        """Pause, and go one segment on or back; returns whether there was one."""
        with self._lock:
            self._go_on()
            stepped = self.player.step(by)
            self._moved()
            return stepped

    def event(self, by: int) -> bool:
        """Go to the next or the previous event; returns whether there was one."""
        with self._lock:
            self._go_on()
            found = self.player.event(by)
            self._moved()
            return found

    def event_times_ns(self) -> NDArray[np.int64]:
        """(n,) when the events come, ascending: those of the flow that is looked at, or of all."""
        with self._lock:
            return self.player.event_times_ns()

    @property
    def behind_ns(self) -> int | None:
        """How far the replay is behind a capture that goes on; None where none does."""
        if self.source.phase in ("running", "waiting"):
            return max(0, self.source.now_ns() - self.player.state.now_ns)
        return None

    # The moment

    def _go_on(self) -> None:
        """Take in what the source has got, and let the time pass that has passed."""
        now_s = self._clock()
        passed_s, self._last_s = now_s - self._last_s, now_s
        captures = self.source.captures
        if len(captures) > len(self._ats):
            self._ats += [CaptureAsOf(capture) for capture in captures[len(self._ats) :]]
        complete = self.source.phase == "ended"
        if self._axis.is_behind(self._ats, complete=complete):
            self._merge(complete=complete)
        behind_ns = self.behind_ns
        end_ns = (
            self.source.now_ns() if behind_ns is not None else max((c.last_ns for c in captures), default=0)
        )
        if self._at is not None and self.source.phase == "loading":
            return  # the moment may not be there yet
        self._take_notes()
        self.player.take(end_ns, growing=self.source.phase != "ended")
        if self._at is not None and self.player.has_begun:
            at, self._at = self._at, None
            self.seek_text(at, datetime.now().astimezone().tzinfo or UTC)
        self.player.advance(passed_s)
        self._moved()

    def _merge(self, *, complete: bool) -> None:
        """Take in what several captures have got. Numbers of flows may change by it, as flows of a later file may have
        begun earlier; while a flow is looked at, that waits until all is read."""
        axis, before = Axis(self._ats), self._axis
        watched = None if self._scope is None else before.find(self._scope)
        if watched is not None and not complete and not axis.keeps_numbers_of(before):
            return
        limits = [at.limit for at in self._ats]
        self._axis = axis
        self.player.walk_along(axis, axis.position_behind(limits))
        if watched is not None:
            self.look_at(axis.number(*watched))

    def place_of(self, number: int) -> tuple[int, int]:
        """The capture of a flow and its number there, which stay when more is read."""
        with self._lock:
            return self._axis.find(number)

    def number_at(self, place: tuple[int, int]) -> int:
        """The number of a flow now."""
        with self._lock:
            return self._axis.number(*place)

    def _take_notes(self) -> None:
        """Let the player know what happened that is no segment."""
        known = self._scope, self.source.note_count
        if known != self._notes_known and len(self._axis):
            self._notes_known = known
            scope = None if self._scope is None else self.number_in_source(self._scope)
            self.player.take_notes(self.source.note_times_ns(scope))

    def _moved(self) -> None:
        player, behind_ns = self.player, self.behind_ns
        self._axis.move(player.position)
        ahead = self.source.version if not player.has_begun else 0
        lost = sum(len(at.capture.log.lost) for at in self._ats)
        seen = (
            player.state, player.position, ahead, lost, self.source.note_count,
            None if behind_ns is None else behind_ns // 10**9,
        )  # fmt: skip
        if seen != self._seen:
            self._seen = seen
            self._changes += 1

    def _run(self) -> None:
        with told(self):
            self._read_ahead()

    def _read_ahead(self) -> None:
        """Make going to any place of long flows quick; the screen gets its turn after every few pieces."""
        rows = 0
        while not self._stop.wait(REST_S):
            more, rows = rows != len(self._axis), len(self._axis)
            while more and not self._stop.wait(TURN_S):
                with self._lock:
                    more = bool(len(self._axis)) and self._prepare()

    def _prepare(self) -> bool:
        """Do a bit of it; returns whether there is more."""
        for index, at in enumerate(self._ats):
            for number in at.capture.long_flows():
                try:
                    shown_as = self._axis.number(index, number)
                except LookupError:
                    continue
                if at.read_ahead(number, shown_as=shown_as):
                    return True
        return False

    # The session

    def now_ns(self) -> int:
        return self.player.state.now_ns

    def flow_count(self) -> int:
        with self._lock:
            return self._axis.flows(self.player.position)

    def summary(self, number: int) -> FlowSummary:
        with self._lock:
            index, local = self._axis.find(number)
            return self._ats[index].summary(local, shown_as=number)

    def activity(self, number: int) -> Sequence[int]:
        with self._lock:
            index, local = self._axis.find(number)
            return self._ats[index].activity(local)

    def measures(self) -> None:
        return None

    def view(self, number: int) -> Findings:
        with self._lock:
            index, local = self._axis.find(number)
            return self._ats[index].view(local, shown_as=number)

    def rows_so_far(self) -> list[tuple[SegmentLog, int, int]]:
        with self._lock:
            return [(at.capture.log, at.limit, at.capture.flows_before) for at in self._ats]

    def number_in_source(self, number: int) -> int:
        with self._lock:
            index, local = self._axis.find(number)
            return self._ats[index].capture.flows_before + local

    def number_of(self, number: int) -> int:
        """The number that the replay gives to a flow of the source."""
        with self._lock:
            self._go_on()
            for index, at in reversed(list(enumerate(self._ats))):
                if number > at.capture.flows_before:
                    return self._axis.number(index, number - at.capture.flows_before)
        raise LookupError(f"there is no flow {number}")

    def status(self) -> SessionStatus:
        with self._lock:
            source, player = self.source.status(), self.player
            frames, segments = sum(at.frames for at in self._ats), sum(at.limit for at in self._ats)
            return SessionStatus(
                name=source.name,
                filter=source.filter,
                mode="replay",
                privilege=source.privilege,
                phase="running" if player.has_begun or source.phase != "loading" else "loading",
                frames=frames,
                segments=segments,
                not_tcp=max(0, frames - segments),
                kernel_drops=source.kernel_drops,
                flows=self.flow_count(),
                progress=source.progress,
                warnings=(*source.warnings, *map(self.masked, self._warnings)),
                faults=source.faults,
                notice="" if player.has_begun or source.phase == "loading" else NO_TIMES,
                now_ns=player.state.now_ns,
                replay=player.state,
                behind_ns=self.behind_ns,
            )
