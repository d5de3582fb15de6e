"""What the app asks of a session. The app draws what it is told and owns no truth.

`tcpladder.session.Session` and `SessionStatus` have these shapes; so have the scripted ones of the tests.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Protocol

from tcpladder.analysis.view import FlowSummary, FlowView
from tcpladder.ladder.model import Note
from tcpladder.ladder.timers import FlowTimers
from tcpladder.session.replay_state import ReplayState


class SessionStatus(Protocol):
    """One frozen reading of a session."""

    @property
    def name(self) -> str:
        """Interface, file or experiment."""
        ...

    @property
    def filter(self) -> str:
        """The tcpdump filter as typed, empty for all TCP."""
        ...

    @property
    def mode(self) -> Literal["live", "file", "lab", "replay"]: ...

    @property
    def phase(self) -> Literal["loading", "running", "waiting", "ended"]:
        """`waiting`: the interface is down or gone, and nothing can come; clocks go on."""
        ...

    @property
    def frames(self) -> int: ...

    @property
    def segments(self) -> int: ...

    @property
    def not_tcp(self) -> int: ...

    @property
    def kernel_drops(self) -> int: ...

    @property
    def flows(self) -> int: ...

    @property
    def progress(self) -> float | None:
        """From 0 to 1 while a file is read, None where nobody can know."""
        ...

    @property
    def warnings(self) -> tuple[str, ...]:
        """Sentences about what is wrong now and what was kept."""
        ...

    @property
    def notice(self) -> str:
        """A sentence that is no warning: how many SSH connections are left out, what the lab does now."""
        ...

    @property
    def now_ns(self) -> int:
        """The clock that countdowns are measured against: the wall's while live, the last frame's in a file, the
        replay's in a replay."""
        ...

    @property
    def replay(self) -> ReplayState | None:
        """Where a replay stands; None where nothing is replayed."""
        ...

    @property
    def behind_ns(self) -> int | None:
        """How far a replay is behind a capture that goes on."""
        ...


class Session(Protocol):
    """Flows that grow while the app looks at them. Every method is cheap and may be called from the screen's thread."""

    @property
    def version(self) -> int:
        """Grows with every change."""
        ...

    def start(self) -> None: ...

    def status(self) -> SessionStatus: ...

    def flow_count(self) -> int: ...

    def summary(self, number: int) -> FlowSummary: ...

    def view(self, number: int) -> FlowView:
        """The findings about flow `number`, from 1: the same object each time, brought up to date by this call."""
        ...

    def timers(self, number: int) -> FlowTimers:
        """Believed and running timers of a flow; the running ones are read while this is asked once a second."""
        ...

    def owners(self, number: int) -> str:
        """The processes that hold a flow's sockets: `curl 4284`; empty where unknown."""
        ...

    def notes(self, number: int) -> Sequence[Note]: ...

    def frame_bytes(self, number: int, index: int) -> bytes: ...

    def close(self) -> None: ...
