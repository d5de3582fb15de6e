"""One fault while it is in force, carried out by rules or by changes of routes and links.

Rules end by themselves in the kernel, changes by the guardian; here one only looks, and does it before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from tcpladder.agent.changes import Change, LinkDown
from tcpladder.agent.fault_messages import FaultState
from tcpladder.agent.fault_tables import Eaten, FaultTables
from tcpladder.agent.guarded import Changes
from tcpladder.agent.rtnetlink import boot_ns
from tcpladder.errors import TcpladderError
from tcpladder.faults.fault import End, Fault
from tcpladder.faults.places import Direction
from tcpladder.faults.rules import Table

NOTHING = Eaten(0, 0)
_MS = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What is known of it now."""

    over: bool
    """Whether its time is up."""
    left_ms: int | None
    """None for ever, or when it is over."""
    eaten: Eaten = NOTHING


class ByRules:
    """Rules in the agent's tables. Every method raises OSError with the kernel's words."""

    def __init__(
        self, owner: FaultTables, tables: tuple[Table, ...], group: int | None, interfaces: list[str]
    ):
        """Put the rules in force; they log to NFLOG `group`."""
        self._owner, self._tables = owner, tables
        self.interfaces = interfaces
        """Those that segments are taken from, and the sink that they are sent into."""
        owner.add(tables, group)

    def look(self) -> Look:
        """Whether they still match, and what they have eaten by then."""
        remaining = self._owner.remaining(self._tables)
        return Look(
            over=not remaining.matches, left_ms=remaining.left_ms, eaten=self._owner.eaten(self._tables)
        )

    def extend(self, for_ms: int | None) -> None:
        """Let them match for so long from now."""
        longer = tuple(replace(table, for_ms=for_ms) for table in self._tables)
        self._owner.extend(longer)
        self._tables = longer

    def take_back(self) -> None:
        """Remove them."""
        self._owner.remove(self._tables)


class ByChanges:
    """Changes of routes and links in the ledger. Every method raises as Changes does."""

    def __init__(self, owner: Changes, wanted: Sequence[Change], for_ms: int | None):
        """Make all the changes, or none."""
        self._owner = owner
        self._numbers: list[int] = []
        self._deadline_ns = _deadline_ns(for_ms)
        self.interfaces: list[str] = []
        """Those that were taken down."""
        try:
            for change in wanted:
                number, done = owner.make(replace(change, deadline_ns=self._deadline_ns))
                self._numbers.append(number)
                self.interfaces += [done.name] if isinstance(done, LinkDown) else []
        except TcpladderError:
            self.take_back()
            raise

    @property
    def left_ns(self) -> int | None:
        """Until they are put back, negative when that is due; None for ever."""
        return None if self._deadline_ns is None else self._deadline_ns - boot_ns()

    def look(self) -> Look:
        """How long they last; nothing counts what they eat."""
        left_ns = self.left_ns
        return Look(
            over=left_ns is not None and left_ns <= 0,
            left_ms=None if left_ns is None else max(0, left_ns // _MS),
        )

    def extend(self, for_ms: int | None) -> None:
        """Let them last for so long from now."""
        self._deadline_ns = _deadline_ns(for_ms)
        for number in self._numbers:
            self._owner.extend(number, self._deadline_ns)

    def take_back(self) -> None:
        """Put everything back, the last first."""
        for number in reversed(self._numbers):
            self._owner.undo(number)

    def forget(self) -> None:
        """Somebody else has put it back."""
        self._numbers = []


@dataclass(slots=True, kw_only=True)
class Applied:
    """One fault and what is known of it; it has ended when `ended_ns` is set."""

    number: int
    fault: Fault
    ways: tuple[Direction, ...]
    means: ByRules | ByChanges
    since_ns: int
    until_ns: int | None
    eaten: Eaten = NOTHING
    left_ms: int | None = None
    end: End | None = None
    """How it ended, or is to end as soon as it can be taken back."""
    ended_ns: int | None = None
    stuck: str = ""

    def state(self) -> FaultState:
        return FaultState(
            number=self.number,
            fault=self.fault,
            places=[way.places[0] for way in self.ways],
            since_ns=self.since_ns,
            ended_ns=self.ended_ns,
            left_ms=None if self.ended_ns is not None else self.left_ms,
            packets=self.eaten.packets,
            bytes=self.eaten.bytes,
            interfaces=self.means.interfaces,
            end=None if self.ended_ns is None else self.end,
            stuck=self.stuck,
        )


def _deadline_ns(for_ms: int | None) -> int | None:
    """So long from now, CLOCK_BOOTTIME."""
    return None if for_ms is None else boot_ns() + for_ms * _MS
