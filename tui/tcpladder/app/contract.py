"""What the app asks of a session. The app draws what it is told and owns no truth.

`tcpladder.session.Session` and `SessionStatus` have these shapes; so have the scripted ones of the tests.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal, Protocol, runtime_checkable

from tcpladder.session.exportable import Exportable

if TYPE_CHECKING:
    from tcpladder.agent.fault_messages import FaultPlan, FaultState, SysctlSet
    from tcpladder.analysis.beliefs import TimerValues
    from tcpladder.analysis.flow_measures import FlowMeasures
    from tcpladder.analysis.view import Endpoint, FlowSummary
    from tcpladder.faults.fault import Fault
    from tcpladder.ladder.timers import FlowTimers
    from tcpladder.session.notes import UserNote
    from tcpladder.session.replay_state import ReplayState
    from tcpladder.session.status import Privilege


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
    def privilege(self) -> Privilege:
        """With which privilege the session works."""
        ...

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
    def faults(self) -> tuple[FaultState, ...]:
        """The faults in force, as they were when they were looked at last."""
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


class Faults(Protocol):
    """What is broken, and the way to break more. What asks the agent takes milliseconds, is called in a thread of
    its own, and raises what is refused (TcpladderError)."""

    @property
    def why_not(self) -> str:
        """Why nothing can be broken here; empty where it can."""
        ...

    @property
    def sysctls(self) -> Mapping[str, SysctlSet]:
        """Those that are set for this session."""
        ...

    def states(self) -> tuple[FaultState, ...]: ...

    def in_force(self) -> tuple[FaultState, ...]: ...

    def plan(self, fault: Fault) -> FaultPlan: ...

    def apply(self, fault: Fault) -> FaultState: ...

    def lift(self, number: int) -> FaultState: ...

    def lift_last(self) -> FaultState | None: ...

    def lift_all(self) -> list[FaultState]: ...

    def extend(self, number: int, for_ms: int | None) -> FaultState: ...

    def set_sysctl(self, name: str, value: int | None) -> SysctlSet: ...


@runtime_checkable
class Awaiting(Protocol):
    """A session in which a step may wait for its user."""

    @property
    def awaits_its_user(self) -> bool: ...


class Session(Exportable, Protocol):
    """Flows that grow while the app looks at them. Every method is cheap and may be called from the screen's thread.

    `view`, from Exportable, gives the same object each time, brought up to date by the call.
    """

    @property
    def version(self) -> int:
        """Grows with every change."""
        ...

    def start(self) -> None: ...

    def status(self) -> SessionStatus: ...

    def flow_count(self) -> int: ...

    def summary(self, number: int) -> FlowSummary: ...

    def activity(self, number: int) -> Sequence[int]:
        """When a flow had segments: activity.BUCKETS counts, oldest first."""
        ...

    def measures(self) -> FlowMeasures | None:
        """What the list is sorted by, of all flows at once; None where each summary has to be asked."""
        ...

    def name_addresses(self, aliases: Mapping[str, str]) -> None:
        """What is to stand in place of addresses where people read: address -> name."""
        ...

    def endpoints(self, number: int) -> tuple[Endpoint, Endpoint]:
        """Client and server of a flow as they are, whatever the summary shows."""
        ...

    def timers(self, number: int) -> FlowTimers:
        """Believed and running timers of a flow; the running ones are read while this is asked once a second."""
        ...

    def owners(self, number: int) -> str:
        """The processes that hold a flow's sockets: `curl 4284`; empty where unknown."""
        ...

    def user_notes(self, number: int) -> tuple[UserNote, ...]:
        """The user's notes on a flow, ascending by frame; see session/notes.py."""
        ...

    def put_note(self, note: UserNote) -> UserNote | None:
        """Set a note; returns what it replaces. Raises UsageError for what is no note."""
        ...

    def remove_note(self, note: UserNote) -> bool:
        """Take a note away; returns whether it was there."""
        ...

    def marked(self, number: int, mark: str) -> UserNote | None:
        """The note with a letter in a flow."""
        ...

    @property
    def faults(self) -> Faults: ...

    def opening(self) -> TimerValues:
        """What a client is believed to run with that opens a connection now."""
        ...

    def reset_connection(self, number: int, *, insist: bool = False) -> int:
        """Destroy the sockets of a flow that are here; how many there were. Raises TcpladderError."""
        ...

    def frame_bytes(self, number: int, index: int) -> bytes: ...

    def close(self) -> None: ...
