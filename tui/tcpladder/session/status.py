"""How a session stands: what the head of every screen and the sums of a printed list are made of."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Literal

from tcpladder.session.replay_state import ReplayState

if TYPE_CHECKING:
    from tcpladder.agent.fault_messages import FaultState

Mode = Literal["live", "file", "lab", "replay"]
Phase = Literal["loading", "running", "waiting", "ended"]
"""`waiting`: the interface is down or gone, and nothing can come."""


class Privilege(Enum):
    """With which privilege a session works, in the words of the status line."""

    AGENT = "agent root"
    """The agent has it, the app has not."""
    CAPTURE = "cap_net_raw"
    """An agent that may capture and change nothing."""
    OWN_NETNS = "own netns"
    """Full privilege, in a network namespace of the session's own."""
    ROOT = "root"
    """The process itself is root's, which reading a file needs not."""
    NONE = "no root"


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionStatus:
    """One reading of a session."""

    name: str
    """Interface, file or experiment."""
    filter: str
    mode: Mode
    privilege: Privilege
    phase: Phase
    frames: int
    segments: int
    not_tcp: int
    others: tuple[tuple[str, int], ...] = ()
    """What the frames are that are not TCP, and how many, most first."""
    through_scapy: int = 0
    """Frames that came in tunnels, or on link types that only scapy reads."""
    copies: int = 0
    """Frames that the capture holds again: shown once, marked ×2."""
    kernel_drops: int
    flows: int
    progress: float | None
    """From 0 to 1 while files are read, None where nobody can know."""
    warnings: tuple[str, ...]
    notice: str
    faults: tuple[FaultState, ...] = ()
    """Those in force, as they were when they were looked at last."""
    now_ns: int
    """What countdowns are measured against: the wall clock while live, the last segment in a file, in a replay the
    moment that is shown."""
    replay: ReplayState | None = None
    """Where a replay stands; None where nothing is replayed."""
    behind_ns: int | None = None
    """How far a replay is behind a capture that goes on."""
