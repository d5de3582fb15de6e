"""A session over a live capture: a thread reads the ring, spools the frames and analyses them."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from tcpladder.agent.client import AgentClient
from tcpladder.agent.messages import CaptureOpened, OpenCapture, Request
from tcpladder.analysis.activity import Activity
from tcpladder.analysis.expected import Given
from tcpladder.errors import CaptureError, InterfaceError, SessionError, TcpladderError, UsageError
from tcpladder.ladder.model import Note
from tcpladder.session.broken import told
from tcpladder.session.eaten import EatenSegments
from tcpladder.session.fault_notes import fault_notes
from tcpladder.session.faults import SessionFaults
from tcpladder.session.flight_recorder import FlightRecorder
from tcpladder.session.keeping import Keep, Occasion
from tcpladder.session.local_ends import LocalEnds
from tcpladder.session.memory import keep_freed_memory
from tcpladder.session.notes_told import NotesTold
from tcpladder.session.saving import LOOKS, Saving
from tcpladder.session.status import Mode, Privilege
from tcpladder.session.values_told import ValuesTold
from tcpladder.sources.live import LiveSource, open_live
from tcpladder.sources.points import CapturePoints
from tcpladder.store.pcapng import CapturedInterface, PcapngWriter
from tcpladder.store.spool import Spool
from tcpladder.wire.frames import PADDING, FrameBatch

MOST_SEGMENTS = 20_000_000
"""How many segments a live session keeps for ladders: about 1.5 GiB of memory."""
QUIET_S = 0.1
"""How long one look at the ring waits: the longest delay before a stop is noticed."""
MAY_NOT_BREAK = "breaking connections needs CAP_NET_ADMIN: run it with sudo, or use `tcpladder lab`"


class LiveSession(LocalEnds):
    """What an interface carries, as it comes.

    Args:
        agent: opens the capture and reads sysctls.
        request: what to capture.
        called: what a file calls the interface; its name where that is empty.
        more: what else to capture, by what a file calls it; its frames are merged into those of the first.
        write: a descriptor to save every frame to, as pcapng, and its name.
        given: what the user says of the timers.
        keep: how much of the capture stays on disk to be dissected and saved; the oldest is overwritten.
        mode: `lab` where the interface is that of an experiment's private network.
    """

    def __init__(
        self,
        agent: AgentClient,
        request: OpenCapture,
        *,
        called: str = "",
        more: Mapping[str, Request] | None = None,
        write: tuple[int, str] | None = None,
        mode: Mode = "live",
        name: str | None = None,
        given: Given | None = None,
        keep: Keep | None = None,
    ) -> None:
        super().__init__(name or request.interface, agent, filter_text=request.filter, given=given)
        keep_freed_memory()
        self.mode = mode
        self.keep = keep or Keep()
        self._kept: deque[tuple[int, int]] = deque()
        """Where in the spool the frames of each batch begin, and when they came."""
        self._recorder: FlightRecorder | None = None
        self.opened, source = self._open(request)
        others = {words: self._open(one) for words, one in (more or {}).items()}
        self._opened = {called or self.opened.interface: self.opened} | {
            words: one[0] for words, one in others.items()
        }
        self._local = frozenset(a for one in self._opened.values() for a in one.local_addresses)
        sources = [source, *(one[1] for one in others.values())]
        self._source: LiveSource = source if not others else CapturePoints(sources)
        self._spool = Spool(self.keep.bytes)
        self._saving: Saving | None = None
        if write is not None:
            writer = PcapngWriter(write[0], self.interfaces, name=write[1])
            self._saving = Saving(writer, self._news, self.warn)
        self._told = ValuesTold()
        self._notes_told = NotesTold(self)
        self._dropped = self._seen = 0
        self._thread: threading.Thread | None = None
        self._stop = threading.Event()
        self.capture = self.begin_capture()
        self._eaten = EatenSegments(self.capture)
        self.faults = SessionFaults(
            agent, self._change, why_not="" if self.opened.may_break else MAY_NOT_BREAK
        )
        self._phase = "running"

    def _open(self, request: Request) -> tuple[CaptureOpened, LiveSource]:
        """Open a capture. Raises TcpladderError."""
        opened, (descriptor,) = self._agent.request(request)
        assert isinstance(opened, CaptureOpened)
        return opened, open_live(descriptor, opened)

    def start(self) -> None:
        self._thread = threading.Thread(target=self._run, name="capture", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        with told(self):
            while not self._stop.is_set():
                self.look(QUIET_S)

    def look(self, wait_s: float) -> bool:
        """Take in what has come, waiting for it no longer than wait_s; returns whether anything came."""
        self._read_sysctls()
        self._read_sockets()
        try:
            batch = self._source.read(wait_s)
        except InterfaceError as gone:
            self._phase = "waiting"
            self.warn(str(gone))
            batch = None
        if batch is not None:
            self._phase = "running"
        self._read_fault_log()
        batch = self._eaten.with_unseen(batch, time.time_ns())
        if batch is not None:
            batch = self._spooled(batch)
            self.feed(self.capture, batch)
            self._bound_memory()
        eaten = self._mark_eaten()
        if self._saving is not None:
            self._saving.take(batch, eaten, looks=self._looks_to_wait)
        self._count()
        if self._recorder is not None:
            self._recorder.look(time.time_ns(), self.warn)
        return batch is not None

    @property
    def privilege(self) -> Privilege:
        return Privilege.AGENT if self.opened.may_break else Privilege.CAPTURE

    @property
    def finished(self) -> bool:
        """Whether there is nothing more to wait for."""
        return False

    def _spooled(self, batch: FrameBatch) -> FrameBatch:
        """The frames with their place in the spool, where they can be read again."""
        self._forget_old(int(batch.time_ns[-1]))
        begin = self._spool.append(batch.data[:-PADDING])
        for sentence in self._spool.warnings:
            self.warn(sentence)
        return replace(batch, position=begin + batch.start, first_frame=self.capture.frames + 1)

    def _read_fault_log(self) -> None:
        """Ask what the faults ate, and take in what the log says of it."""
        try:
            self.faults.work(time.monotonic())
        except TcpladderError as failed:
            self.warn(str(failed))
        try:
            for eaten in self.faults.logs.eaten():
                self._eaten.take(eaten)
        except SessionError as failed:
            self.warn(str(failed))

    def _mark_eaten(self) -> dict[int, str]:
        """Mark what the log told of; returns what is newly marked: number of the frame -> words."""
        if not self.faults.active:
            self._eaten.pass_over()
            for sentence in self.faults.unmarked(self._eaten.told):
                self.warn(sentence)
            return {}
        with self._lock:
            found = self._eaten.mark(time.time_ns())
            self.version += bool(found)
            return {self.capture.log.value("frame", row): words for row, words in found.items()}

    @property
    def _looks_to_wait(self) -> int:
        """For so many looks it may turn out that a frame did not arrive."""
        return LOOKS if self.faults.active else 0

    @property
    def frames_written(self) -> int:
        """How many frames are in the file that is written."""
        return 0 if self._saving is None else self._saving.frames

    def _forget_old(self, now_ns: int) -> None:
        """Let go what is older than shall stay."""
        if self.keep.length_ns is None:
            return
        self._kept.append((now_ns, self._spool.end))
        while self._kept[0][0] < now_ns - self.keep.length_ns:
            _, position = self._kept.popleft()
            self._spool.forget(position)

    def record(self, occasions: frozenset[Occasion], directory: tuple[int, str]) -> None:
        """Save flows by itself when they end so, into a directory: an open descriptor, and what to call it."""
        self._recorder = FlightRecorder(self, occasions, directory, self.keep)

    def _news(self, frames: int) -> dict[int, str]:
        """Comments on the next frames, with the timer values and the notes that the file does not know yet."""
        values = self._comments(self._told, frames)
        return dict(enumerate([*values, *self._notes_told.news(frames - len(values))]))

    def _comments(self, told: ValuesTold, most: int) -> list[str]:
        sockets = self._sockets.all_values()
        for endpoint, values in self._options.items():
            sockets[endpoint, None] = values
        return told.news(self._values, self.opened.local_addresses, sockets, most=most)

    def _bound_memory(self) -> None:
        if self.capture.segments < MOST_SEGMENTS or not self.capture.keeps_segments:
            return
        with self._lock:
            self.capture.stop_keeping()
        self.warn(
            f"{MOST_SEGMENTS // 10**6} million segments are kept, and no more: ladders end here, the list of flows "
            "goes on; start again, with a narrower filter, to see what comes"
        )

    def _count(self) -> None:
        seen, dropped = self._source.statistics()
        if (seen, dropped) != (self._seen, self._dropped):
            self._seen, self._dropped = seen, dropped
            self.version += 1

    def _new_activity(self) -> Activity:
        return Activity(slides=True)

    def happened(self, number: int) -> tuple[Note, ...]:
        """As ever, with the faults that touched the flow."""
        with self._lock:
            client, server = self.endpoints(number)
            faults = self.faults
            return super().happened(number) + tuple(
                note
                for state in faults.states()
                if not faults.tells_itself(state.number)
                for note in fault_notes(state, client, server)
            )

    def note_times_ns(self, number: int | None) -> NDArray[np.int64]:
        times = super().note_times_ns(number)
        if number is not None:
            return times
        faults = [state for state in self.faults.states() if not self.faults.tells_itself(state.number)]
        ends = [state.ended_ns for state in faults if state.ended_ns is not None]
        return np.unique(np.concatenate([times, np.array([*(s.since_ns for s in faults), *ends], np.int64)]))

    @property
    def note_count(self) -> int:
        states = self.faults.states()
        return super().note_count + len(states) + sum(state.ended_ns is not None for state in states)

    def reset_connection(self, number: int, *, insist: bool = False) -> int:
        ends = self._local_ends(number)
        if not ends:
            raise UsageError("neither end of this connection lives here: its sockets cannot be destroyed")
        return self.faults.reset(*next(iter(ends.values())), insist=insist)

    def now_ns(self) -> int:
        return time.time_ns()

    @property
    def interfaces(self) -> Sequence[CapturedInterface]:
        return [
            CapturedInterface(name=words, link_type=one.link_type, snap_length=one.snap_length)
            for words, one in self._opened.items()
        ]

    def timer_comments(self) -> list[str]:
        with self._lock:
            return self._comments(ValuesTold(), 1 << 20)

    def stored_bytes(self, _file: int, position: int, captured: int) -> bytes:
        data = self._spool.read(position, captured)
        if data is None:
            raise CaptureError(f"the bytes of this frame are gone: the last {self.keep} are kept, see --keep")
        return data

    def close(self) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join(2)
            self._thread = None
        self._phase = "ended"
        self._source.close()
        self.faults.close()
        self._spool.close()
        if self._saving is not None:
            self._saving.close(self._notes_told.closing, dropped=self._dropped)
        self._agent.close()

    def _kernel_drops(self) -> int:
        return self._dropped

    def _notice(self) -> str:
        if self._recorder is not None:
            return self._recorder.sentence
        count = self.opened.excluded_ssh
        if not count:
            return ""
        return (
            f"{count} SSH connection{'s' if count != 1 else ''} of this host left out (--ssh includes them)"
        )
