"""One wait: a timer that ran from one segment of a flow to another. And what the waits of one end have in common."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import NamedTuple

from tcpladder.analysis.columns import NOTHING as NOTHING
from tcpladder.analysis.view import Side, Timer

MOST_SYNS = 64
MOST_KEPT = 256
"""Keepalive waits of one end that inference looks at."""


class Schedule(Enum):
    """Which length of which timer a wait is."""

    KEEPALIVE_TIME = "keepalive_time"
    KEEPALIVE_INTVL = "keepalive_intvl"
    GIVE_UP = "give up"
    """The last keepalive_intvl, after which a RST gives the connection up."""
    SYN = "syn"
    SYN_ACK = "syn-ack"
    PERSIST = "persist"
    RTO = "rto"
    TLP = "tlp"
    TLP_ALONE = "tlp alone"
    """A tail loss probe of the only segment in flight, which allows for a delayed ACK (RFC 8985 7.2)."""
    DELAYED_ACK = "delayed ack"

    __hash__ = object.__hash__
    """As of Side."""


class Wait(NamedTuple):
    """A timer that ran from one segment of the flow to another."""

    side: Side
    """Whose timer."""
    timer: Timer
    schedule: Schedule
    armed: int
    """Index of the segment that armed it; NOTHING where the capture does not show it."""
    observed_ns: int
    number: int
    """Which probe in a row without an answer, or which retransmission; from 1."""
    round_trip_ns: int = 0
    """The shortest round trip that the flow had shown by then."""
    own: int = NOTHING
    """Index of the sender's own segment before."""
    own_ns: int = 0
    """How long ago that was."""
    first_ns: int = 0
    """How long the first wait of the same run was, where each doubles the one before."""


@dataclass(slots=True)
class Observed:
    """The waits of one end, summed up."""

    kept_ns: dict[Schedule, list[int]] = field(default_factory=dict)
    """How long the first MOST_KEPT keepalive waits were."""
    run_ns: list[int] = field(default_factory=list)
    """Between the unanswered keepalive probes of the latest run, and up to the RST behind them."""
    longest_run_ns: list[int] = field(default_factory=list)
    """The same of the longest run before it."""
    first_ns: dict[Schedule, int] = field(default_factory=dict)
    """How long the first wait of the latest run was."""
    most_probes: int = 0
    """In a row without an answer."""
    gave_up_after: int | None = None
    """Unanswered probes before the RST that gave up."""
    syn_waits_ns: list[int] = field(default_factory=list)
    """Between SYNs with one initial sequence number, the first MOST_SYNS of them."""
    garbage_bytes: int = 0
    """That the keepalive probes carried."""
    deaf_to: int = 0
    """Answers in the capture that the prober did not hear: its timestamp echo stood still."""

    def add(self, wait: Wait) -> None:
        """Take one more wait into account."""
        if wait.armed == NOTHING:
            return
        schedule, observed_ns = wait.schedule, wait.observed_ns
        if wait.timer is Timer.KEEPALIVE:
            self._add_keepalive(schedule, wait.number, observed_ns)
        elif schedule is Schedule.SYN and len(self.syn_waits_ns) < MOST_SYNS:
            self.syn_waits_ns.append(observed_ns)

    @property
    def unanswered_ns(self) -> list[int]:
        """Between the unanswered keepalive probes of the longest run."""
        return max(self.run_ns, self.longest_run_ns, key=len)

    def _add_keepalive(self, schedule: Schedule, number: int, observed_ns: int) -> None:
        kept = self.kept_ns.setdefault(schedule, [])
        if len(kept) < MOST_KEPT:
            kept.append(observed_ns)
        if schedule is Schedule.KEEPALIVE_TIME:
            self.longest_run_ns, self.run_ns = self.unanswered_ns, []
        elif len(self.run_ns) < MOST_KEPT:
            self.run_ns.append(observed_ns)
        if schedule is Schedule.GIVE_UP:
            self.gave_up_after = number
        else:
            self.most_probes = max(self.most_probes, number)
