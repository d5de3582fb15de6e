"""The faults of one agent: planned, put in force, extended, lifted, and noticed when their time is up."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

from tcpladder.agent.fault_log import FaultLog
from tcpladder.agent.fault_messages import FaultLogOpened, FaultPlan, Faults, FaultState
from tcpladder.agent.fault_tables import Eaten, FaultTables
from tcpladder.agent.machine import machine_for
from tcpladder.agent.sink import Sink
from tcpladder.errors import InterfaceError, PermissionRefused, UsageError
from tcpladder.faults.check import checked
from tcpladder.faults.fault import Fault, Match
from tcpladder.faults.guard import protects
from tcpladder.faults.machine import Machine
from tcpladder.faults.places import Direction, directions
from tcpladder.faults.rules import Family, Table
from tcpladder.faults.ruleset import tables
from tcpladder.faults.script import script, undo
from tcpladder.faults.why import why

_KEPT = 64
"""How many faults are remembered after they ended."""
_MS = 1_000_000
_NOTHING = Eaten(0, 0)


@dataclass(slots=True, kw_only=True)
class _Applied:
    """One fault and what is known of it; it ended when `ended_ns` is set."""

    number: int
    fault: Fault
    ways: tuple[Direction, ...]
    tables: tuple[Table, ...]
    interfaces: list[str]
    since_ns: int
    until_ns: int | None
    eaten: Eaten = _NOTHING
    left_ms: int | None = None
    ended_ns: int | None = None

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
            interfaces=self.interfaces,
        )


class FaultBook:
    """Every fault of this agent. In a private network there is no line to cut, and nothing is protected.

    Raises UsageError for what makes no sense, PermissionRefused and InterfaceError where the kernel says no.
    """

    def __init__(self, private: bool) -> None:
        self._private = private
        self._tables = FaultTables()
        self._sink = Sink()
        self._log: FaultLog | None = None
        self._last = 0
        self._faults: dict[int, _Applied] = {}

    def plan(self, fault: Fault) -> FaultPlan:
        """What `apply` would do, with the reason why it would not."""
        try:
            fault = checked(fault)
            machine = self._machine(fault.match)
            ways = directions(fault, machine)
        except (UsageError, InterfaceError) as wrong:
            return FaultPlan(places=[], script="", undo="", why="", refused=str(wrong), needs_insist=False)
        refused = "" if fault.insist else protects(fault, machine)
        return FaultPlan(
            places=[way.places[0] for way in ways],
            script=script(fault, ways),
            undo=undo(fault, ways),
            why=why(fault, ways, machine),
            refused=refused,
            needs_insist=bool(refused),
        )

    def apply(self, fault: Fault) -> FaultState:
        """Put a fault in force."""
        fault = checked(fault)
        machine = self._machine(fault.match)
        if not fault.insist and (refused := protects(fault, machine)):
            raise PermissionRefused(f"{refused}, or insist")
        ways = directions(fault, machine)
        self._notice_ended()
        number = self._last + 1
        try:
            applied = self._put_in_force(fault, number, ways)
        except OSError as error:
            self._close_idle_sink()
            raise _refused("break it", error) from None
        self._last = number
        self._faults[number] = applied
        return self._looked_at(applied).state()

    def lift(self, number: int) -> FaultState:
        """Take a fault back and tell what it ate; one that ended is told again."""
        applied = self._looked_at(self._find(number))
        if applied.ended_ns is None:
            self._end(applied, time.time_ns())
        return applied.state()

    def extend(self, number: int, for_ms: int | None) -> FaultState:
        """Let a fault that is in force last for so long from now."""
        applied = self._looked_at(self._find(number))
        if applied.ended_ns is not None:
            raise UsageError(f"cannot extend fault {number}: it has ended; apply it again")
        now = time.time_ns()
        longer = tuple(replace(table, for_ms=for_ms) for table in applied.tables)
        try:
            self._tables.extend(longer)
        except OSError as error:
            raise _refused(f"extend fault {number}", error) from None
        applied.tables, applied.until_ns = longer, None if for_ms is None else now + for_ms * _MS
        return self._looked_at(applied).state()

    def list(self) -> Faults:
        """Every fault, those that ended too."""
        self._notice_ended()
        return Faults(faults=[applied.state() for applied in self._faults.values()])

    def open_log(self) -> tuple[FaultLogOpened, int]:
        """The group that faults log to and a descriptor of its socket. What was eaten before is not in it."""
        try:
            log = self._opened_log()
            return FaultLogOpened(group=log.group), log.open()
        except OSError as error:
            raise _refused("log what is eaten", error) from None

    def close(self) -> None:
        """Take everything back."""
        try:
            self._tables.close()
        finally:
            self._sink.close()
            if self._log:
                self._log.close()
            self._faults.clear()

    def _machine(self, match: Match) -> Machine:
        machine = machine_for(match)
        return replace(machine, lines=()) if self._private else machine

    def _put_in_force(self, fault: Fault, number: int, ways: tuple[Direction, ...]) -> _Applied:
        """Raises OSError; then nothing of it is in the kernel, but perhaps an idle sink."""
        devices = sorted({device for way in ways for device in way.devices})
        sink = self._sink.open() if devices else ""
        made = tables(fault, number, ways, sink)
        since = time.time_ns()
        self._tables.add(made, self._group())
        return _Applied(
            number=number,
            fault=fault,
            ways=ways,
            tables=made,
            interfaces=[*devices, sink] if devices else [],
            since_ns=since,
            until_ns=None if fault.for_ms is None else since + fault.for_ms * _MS,
        )

    def _find(self, number: int) -> _Applied:
        if number not in self._faults:
            have = ", ".join(map(str, self._faults)) or "none"
            raise UsageError(f"cannot find fault {number}: no such fault (have: {have})")
        return self._faults[number]

    def _notice_ended(self) -> None:
        for applied in self._faults.values():
            self._looked_at(applied)
        ended = [number for number, applied in self._faults.items() if applied.ended_ns is not None]
        for number in ended[:-_KEPT]:
            del self._faults[number]

    def _looked_at(self, applied: _Applied) -> _Applied:
        """The fault with what the kernel says of it now; one whose time is up is cleared away."""
        if applied.ended_ns is not None:
            return applied
        try:
            remaining = self._tables.remaining(applied.tables)
            applied.left_ms = remaining.left_ms
            applied.eaten = self._tables.eaten(applied.tables)
        except OSError as error:
            raise _refused(f"look at fault {applied.number}", error) from None
        if not remaining.matches:
            now = time.time_ns()
            self._end(applied, min(now, applied.until_ns or now))
        return applied

    def _end(self, applied: _Applied, ended_ns: int) -> None:
        try:
            self._tables.remove(applied.tables)
        except OSError as error:
            raise _refused(f"lift fault {applied.number}", error) from None
        applied.ended_ns = ended_ns
        self._close_idle_sink()

    def _close_idle_sink(self) -> None:
        """Take the sink away once no fault needs it."""
        families = {
            table.family
            for applied in self._faults.values()
            if applied.ended_ns is None
            for table in applied.tables
        }
        if Family.NETDEV not in families:
            self._sink.close()

    def _group(self) -> int | None:
        """Where faults log to; None where this kernel has no NFLOG, then they are only counted."""
        try:
            return self._opened_log().group
        except PermissionError:
            raise
        except OSError:
            return None

    def _opened_log(self) -> FaultLog:
        self._log = self._log or FaultLog()
        return self._log


def _refused(what: str, error: OSError) -> PermissionRefused | InterfaceError:
    if isinstance(error, PermissionError):
        return PermissionRefused(
            f"cannot {what}: it needs CAP_NET_ADMIN in this network ({error.strerror}); run with sudo, or use the lab"
        )
    return InterfaceError(
        f"cannot {what}: nf_tables says {error.strerror}; it needs a kernel with CONFIG_NF_TABLES_INET"
    )
