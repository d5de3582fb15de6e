"""What every session has in common: an analysis that one thread feeds while another one looks at it."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import PurePath
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tcpladder.analysis.activity import Activity
from tcpladder.analysis.beliefs import TimerValues
from tcpladder.analysis.capture import Beliefs, CaptureAnalysis
from tcpladder.analysis.expected import Given
from tcpladder.analysis.flow_measures import FlowMeasures, joined
from tcpladder.analysis.kinds import Kind
from tcpladder.analysis.log import NO_FLOW, SegmentLog
from tcpladder.analysis.view import Endpoint, FlowSummary, Side
from tcpladder.errors import PermissionRefused
from tcpladder.ladder.model import EVENT_KINDS, Note
from tcpladder.session.masked import Masked
from tcpladder.session.named import NamedCapture
from tcpladder.session.notes import UserNote, UserNotes
from tcpladder.session.status import Mode, Phase, Privilege, SessionStatus
from tcpladder.sources.unwrap import Unwrapper
from tcpladder.wire.frames import FrameBatch

if TYPE_CHECKING:
    from tcpladder.agent.fault_messages import FaultState
    from tcpladder.analysis.flow_view import Findings
    from tcpladder.ladder.timers import EndTimers, FlowTimers
    from tcpladder.session.faults import SessionFaults
    from tcpladder.store.pcapng import CapturedInterface

SALT_BYTES = 64
_EVENTS = np.array(sorted(EVENT_KINDS), np.uint8)


class Session(Masked):
    """Flows that grow. Every method may be called from any thread."""

    mode: Mode = "file"
    one_capture = True
    """Whether there is never a second one, whose flows might have begun before those of the first."""

    def __init__(
        self, name: str, *, filter_text: str = "", keep_segments: bool = True, given: Given | None = None
    ) -> None:
        super().__init__()
        self.name = name
        self.given = given or Given()
        """What the user says of the timers."""
        self.filter_text = filter_text
        self.sources: tuple[str, ...] = (name,)
        """Each file by its name, or the interface."""
        self.version = 0
        """Grows with every change."""
        self._keep_segments = keep_segments
        self._unwrapper = Unwrapper()
        self._captures: list[CaptureAnalysis] = []
        self._offsets: list[int] = []
        """Flows of the captures before each capture."""
        self._warnings: list[str] = []
        self._notes: list[tuple[Note, int | None]] = []
        self._user_notes = UserNotes(self._notes_changed)
        self._phase: Phase = "loading"
        self._broken = ""

    @cached_property
    def faults(self) -> SessionFaults:
        """What is broken, and the way to break more."""
        from tcpladder.session.faults import SessionFaults  # a list of flows needs nothing of the agent

        return SessionFaults(None, self._change, why_not="a capture cannot be broken: live or lab only")

    @property
    def privilege(self) -> Privilege:
        """With which privilege it works."""
        return Privilege.ROOT if os.geteuid() == 0 else Privilege.NONE

    @property
    def phase(self) -> Phase:
        """Whether anything still comes."""
        return self._phase

    @property
    def captures(self) -> Sequence[CaptureAnalysis]:
        """The analyses, one a capture, in order."""
        return self._captures

    @property
    def broken(self) -> str:
        """Why the session ended before its time, empty where all is well; see broken.py."""
        return self._broken

    def give_up(self, why: str) -> None:
        """End here, and say why."""
        with self._lock:
            self._warnings.append(why)
            self._broken, self._phase = why, "ended"
            self.version += 1

    def begin_capture(
        self, names: Mapping[str, str] | None = None, beliefs: Beliefs | None = None
    ) -> CaptureAnalysis:
        """Start another capture: its flows are numbered behind those of the captures before it.

        `names` are those that the capture itself gives to addresses, `beliefs` what is believed of its ends.
        """
        with self._lock:
            self._offsets.append(self.flow_count())
            capture = NamedCapture(
                os.urandom(SALT_BYTES),
                beliefs or self.beliefs,
                keep_segments=self._keep_segments,
                activity=self._new_activity() if self._keep_segments else None,
                names=names if names is not None else {},
                mask=self.mask_here,
                aliases=lambda: self._aliases,
            )
            capture.flows_before = self._offsets[-1]
            self._captures.append(capture)
            return capture

    def _new_activity(self) -> Activity:
        return Activity()

    def feed(self, capture: CaptureAnalysis, batch: FrameBatch) -> None:
        """Analyse the next frames of a capture."""
        batch = self._unwrapper.unwrapped(batch)
        with self._lock:
            capture.feed(batch)
            self.version += 1

    def beliefs(self, _client: Endpoint, _server: Endpoint) -> Mapping[Side, TimerValues]:
        """What both ends of a flow are believed to run with."""
        return {side: self.given.believed(side) for side in Side}

    def opening(self) -> TimerValues:
        """What a client is believed to run with that opens a connection now."""
        return self.given.believed(Side.CLIENT)

    def flow_count(self) -> int:
        """How many flows there are so far."""
        with self._lock:
            return self._offsets[-1] + self._captures[-1].flows if self._captures else 0

    def summary(self, number: int) -> FlowSummary:
        """The line of flow `number`, from 1."""
        with self._lock:
            capture, local = self._find(number)
            return capture.summary(local)

    def activity(self, number: int) -> Sequence[int]:
        """When flow `number` had segments: activity.BUCKETS counts over the capture, live over its last minute."""
        with self._lock:
            capture, local = self._find(number)
            return capture.activity(local)

    def measures(self) -> FlowMeasures | None:
        """What the list of flows is sorted by, of all flows at once; None where each has to be asked."""
        with self._lock:
            return joined([capture.measures() for capture in self._captures])

    def endpoints(self, number: int) -> tuple[Endpoint, Endpoint]:
        """Client and server of a flow as they are, whatever a mask shows."""
        with self._lock:
            capture, local = self._find(number)
            return capture.endpoints(local)

    def view(self, number: int) -> Findings:
        """The findings about flow `number`, brought up to date; the same object each time."""
        with self._lock:
            capture, local = self._find(number)
            return capture.view(local)

    def timers(self, number: int) -> FlowTimers:
        """What both ends of a flow are believed to run with, what runs now, and what must come."""
        from tcpladder.ladder.timers import FlowTimers  # a list needs none of it

        with self._lock:
            view = self.view(number)
            return FlowTimers(
                ends={side: self._end_timers(view, side) for side in Side},
                pending=view.pending(self.now_ns()),
                notice=self._no_reading(),
                advice=view.advice(),
            )

    def owners(self, _number: int) -> str:
        """The processes that hold a flow's sockets: `curl 4284`, `curl 4284, nc 4280`; empty where unknown."""
        return ""

    def _end_timers(self, view: Findings, side: Side) -> EndTimers:
        from tcpladder.ladder.timers import EndTimers

        return EndTimers(values=view.believed(side), reading=None)

    def _no_reading(self) -> str:
        """Why the running timers of an end are not known."""
        return "a capture has no running timers"

    def notes(self, number: int) -> tuple[Note, ...]:
        """What stands across the lanes of a flow: what happened to it, and what a user remarks."""
        with self._lock:
            notes = (*self.happened(number), *(note.row() for note in self.user_notes(number)))
            if self.mask_here() is None:
                return notes
            return tuple(replace(note, text=self.masked(note.text)) for note in notes)

    def happened(self, number: int) -> tuple[Note, ...]:
        """Faults that came and went, words of an experiment; each ascending, those of several lines together."""
        with self._lock:
            return tuple(note for note, flow in self._notes if flow is None or flow == number)

    def user_notes(self, number: int) -> tuple[UserNote, ...]:
        """The user's notes on a flow, ascending by frame; see notes.py."""
        with self._lock:
            return self._user_notes.of(number)

    def put_note(self, note: UserNote) -> UserNote | None:
        """Set a note; returns what it replaces. Raises UsageError for what is no note."""
        with self._lock:
            return self._user_notes.put(note)

    def remove_note(self, note: UserNote) -> bool:
        """Take a note away; returns whether it was there."""
        with self._lock:
            return self._user_notes.remove(note)

    def marked(self, number: int, mark: str) -> UserNote | None:
        """The note with a letter in a flow."""
        with self._lock:
            return self._user_notes.marked(number, mark)

    def _notes_changed(self) -> None:
        """A user has set a note or taken one away."""
        self.version += 1

    def reset_connection(self, number: int, *, insist: bool = False) -> int:  # noqa: ARG002
        """Destroy the sockets of a flow that are here; how many there were. Raises TcpladderError."""
        raise PermissionRefused(self.faults.why_not)

    def note_times_ns(self, number: int | None) -> NDArray[np.int64]:
        """(n,) when something happened to a flow, or to any, and what a user remarks on it; ascending, each once."""
        with self._lock:
            if number is not None:
                return _times_of(note for note in self.notes(number) if not note.continues)
            return _times_of([*(note for note, _ in self._notes), *self._user_notes.all()])

    @property
    def note_count(self) -> int:
        """How many notes there are, of all flows: grows."""
        return len(self._notes) + len(self._user_notes)

    def rows_so_far(self) -> list[tuple[SegmentLog, int, int]]:
        """The segments of each capture, how many of them there are now, and how many flows came before them."""
        return [
            (capture.log, len(capture.log), before)
            for capture, before in zip(self._captures, self._offsets, strict=True)
        ]

    def kinds_since(self, seen: Sequence[int]) -> tuple[list[int], list[tuple[int, Kind]]]:
        """What came since `seen` rows of each capture: the rows seen now, and flow and kind of each new segment that is
        worth a look (model.EVENT_KINDS), in order."""
        with self._lock:
            found = []
            rows_now = []
            for index, (log, size, before) in enumerate(self.rows_so_far()):
                begin = seen[index] if index < len(seen) else 0
                rows_now.append(size)
                new = np.arange(begin, size)
                kinds = log.column("kind", new)
                events = new[np.isin(kinds, _EVENTS)]
                flows = log.column("flow", events).tolist()
                found += [
                    (before + flow + 1, Kind(kind))
                    for flow, kind in zip(flows, log.column("kind", events).tolist(), strict=True)
                    if flow != NO_FLOW
                ]
            return rows_now, found

    def frame_bytes(self, number: int, index: int) -> bytes:
        """One frame again, for dissection. Raises CaptureError where its bytes are gone."""
        with self._lock:
            view = self.view(number)
        return self.bytes_of(view, index)

    def bytes_of(self, view: Findings, index: int) -> bytes:
        """The frame of a segment of any findings about a flow of this session. Raises CaptureError likewise."""
        with self._lock:
            where = view.file(index), view.position(index), view.captured(index)
        return self.stored_bytes(*where)

    def stored_bytes(self, file: int, position: int, captured: int) -> bytes:
        """A frame by where it is stored. Raises CaptureError where its bytes are gone."""
        raise NotImplementedError

    @property
    def interfaces(self) -> Sequence[CapturedInterface]:
        """What is known of the interfaces that the frames came from."""
        return []

    def timer_comments(self) -> list[str]:
        """What is known of the timers at the ends, as comments for the first frames of a file."""
        return []

    def status(self) -> SessionStatus:
        """How things stand."""
        with self._lock:
            return SessionStatus(
                name=self.name
                if self.mask is None
                else self.masked(", ".join(map(_without_folder, self.sources))),
                filter=self.masked(self.filter_text),
                mode=self.mode,
                privilege=self.privilege,
                phase=self._phase,
                frames=sum(c.frames for c in self._captures),
                segments=sum(c.segments for c in self._captures),
                not_tcp=sum(c.not_tcp for c in self._captures),
                copies=sum(c.copies for c in self._captures),
                others=self._others(),
                through_scapy=self._unwrapper.frames_through_scapy,
                kernel_drops=self._kernel_drops(),
                flows=self.flow_count(),
                progress=self._progress(),
                warnings=tuple(map(self.masked, self._all_warnings())),
                notice=self.masked(self._notice()),
                faults=self._faults_in_force(),
                now_ns=self.now_ns(),
            )

    def _faults_in_force(self) -> tuple[FaultState, ...]:
        """None were ever asked for where nobody has looked at `faults`."""
        return self.faults.in_force() if "faults" in vars(self) else ()

    def _change(self) -> None:
        """Something that is shown is not as it was."""
        with self._lock:
            self.version += 1

    def now_ns(self) -> int:
        """The moment that countdowns are measured against."""
        return max((c.last_ns for c in self._captures), default=0)

    def start(self) -> None:
        """Begin to read, in a thread of its own."""
        raise NotImplementedError

    def close(self) -> None:
        """Stop reading, release everything."""
        raise NotImplementedError

    def _others(self) -> tuple[tuple[str, int], ...]:
        total: Counter[str] = Counter()
        for capture in self._captures:
            total.update(capture.others)
        return tuple(total.most_common())

    def _find(self, number: int) -> tuple[CaptureAnalysis, int]:
        for capture, offset in zip(reversed(self._captures), reversed(self._offsets), strict=True):
            if number > offset:
                return capture, number - offset
        raise LookupError(f"there is no flow {number}")

    def _kernel_drops(self) -> int:
        return 0

    def _progress(self) -> float | None:
        return None

    def _all_warnings(self) -> list[str]:
        return self._warnings

    def _notice(self) -> str:
        return ""


def _times_of(notes: Iterable[Note | UserNote]) -> NDArray[np.int64]:
    return np.unique(np.fromiter((note.time_ns for note in notes), np.int64))


def _without_folder(source: str) -> str:
    """A file's name alone: its folder says whose machine this is."""
    return PurePath(source).name or source
