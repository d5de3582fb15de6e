"""The faults of one agent: planned, put in force, extended, lifted, and noticed when their time is up."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from tcpladder.agent import apply, routing
from tcpladder.agent.changes import Change, LinkDown
from tcpladder.agent.fault_log import FaultLog
from tcpladder.agent.fault_messages import FaultLogOpened, FaultPlan, Faults, FaultState
from tcpladder.agent.fault_tables import Eaten, FaultTables
from tcpladder.agent.guarded import Changes
from tcpladder.agent.machine import machine_for
from tcpladder.agent.rtnetlink import boot_ns
from tcpladder.agent.sink import Sink
from tcpladder.errors import InterfaceError, PermissionRefused, TcpladderError, UsageError
from tcpladder.faults.check import checked
from tcpladder.faults.fault import INSIST, ROUTING, Fault
from tcpladder.faults.guard import protects
from tcpladder.faults.machine import Machine
from tcpladder.faults.places import Direction, directions
from tcpladder.faults.rules import Family, Table
from tcpladder.faults.ruleset import tables
from tcpladder.faults.script import script, undo
from tcpladder.faults.why import why

_KEPT = 64
"""How many faults are remembered after they ended."""
MOST_IN_FORCE = 64
"""What one reply has room for; nobody watches more."""
_MS = 1_000_000
_NOTHING = Eaten(0, 0)


@dataclass(slots=True, kw_only=True)
class _Applied:
    """One fault and what is known of it; it ended when `ended_ns` is set."""

    number: int
    fault: Fault
    ways: tuple[Direction, ...]
    tables: tuple[Table, ...] = ()
    changes: tuple[int, ...] = ()
    """For a fault of routes or links, what was changed; such a fault has no rules."""
    deadline_ns: int | None = None
    """Of the changes, CLOCK_BOOTTIME."""
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
    """Every fault of this agent. In a private network nobody sits on a line, and nothing is protected.

    Raises UsageError for what makes no sense, PermissionRefused and InterfaceError where the kernel says no.
    """

    def __init__(self, private: bool, changes: Changes) -> None:
        self._private = private
        self._tables = FaultTables()
        self._changes = changes
        self._sink = Sink(changes)
        self._log: FaultLog | None = None
        self._last = 0
        self._faults: dict[int, _Applied] = {}

    def plan(self, fault: Fault) -> FaultPlan:
        """What `apply` would do, with the reason why it would not."""
        try:
            fault = checked(fault)
            machine = machine_for(fault.match)
            ways = directions(fault, machine)
            prepared = self._prepared(fault)
        except (UsageError, InterfaceError) as wrong:
            return FaultPlan(places=[], script="", undo="", why="", refused=str(wrong), needs_insist=False)
        refused = self._protected(fault, machine, prepared)
        return FaultPlan(
            places=[way.places[0] for way in ways],
            script=routing.script(prepared) if prepared else script(fault, ways),
            undo=routing.undo_script(prepared) if prepared else undo(fault, ways),
            why=why(fault, ways, machine),
            refused=refused,
            needs_insist=bool(refused),
        )

    def apply(self, fault: Fault) -> FaultState:
        """Put a fault in force."""
        fault = checked(fault)
        machine = machine_for(fault.match)
        if refused := self._protected(fault, machine, self._prepared(fault)):
            raise PermissionRefused(f"{refused}; type {INSIST} to do it anyway")
        ways = directions(fault, machine)
        self._notice_ended()
        in_force = sum(applied.ended_ns is None for applied in self._faults.values())
        if in_force >= MOST_IN_FORCE:
            raise UsageError(f"cannot break more: {in_force} faults are in force; lift one first")
        self._changes.begin()
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
        until = None if for_ms is None else now + for_ms * _MS
        if applied.changes:
            applied.until_ns, applied.deadline_ns = until, _deadline_ns(for_ms)
            for change in applied.changes:
                self._changes.extend(change, applied.deadline_ns)
            return self._looked_at(applied).state()
        longer = tuple(replace(table, for_ms=for_ms) for table in applied.tables)
        try:
            self._tables.extend(longer)
        except OSError as error:
            raise _refused(f"extend fault {number}", error) from None
        applied.tables, applied.until_ns = longer, until
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

    def wait_s(self) -> float | None:
        """How long until a fault of routes or links is due; None where none is. Rules end by themselves."""
        until = [one.deadline_ns for one in self._faults.values() if one.changes and one.ended_ns is None]
        due = [one for one in until if one is not None]
        return min(1.0, max(0.0, (min(due) - boot_ns()) / 1e9)) if due else None

    def notice_due(self) -> None:
        """End those of routes and links whose time is up."""
        for applied in list(self._faults.values()):
            if applied.changes and applied.ended_ns is None:
                with contextlib.suppress(TcpladderError):
                    self._looked_at(applied)

    def lose_changes(self) -> None:
        """The guardian died, and what it had changed is put back: the faults that were made of it have ended."""
        self._sink.forget()
        for applied in self._faults.values():
            if applied.ended_ns is None and (applied.changes or applied.interfaces):
                applied.changes = ()
                self._end(applied, time.time_ns())

    def close(self) -> None:
        """Take everything back."""
        try:
            self._tables.close()
        finally:
            self._sink.close()
            if self._log:
                self._log.close()
            self._faults.clear()

    def _prepared(self, fault: Fault) -> Sequence[Change]:
        """For a fault of routes or links, what would be changed; changes nothing. Empty for every other fault."""
        if fault.action not in ROUTING:
            return []
        return [apply.prepare(change) for change in routing.changes_of(fault, None)]

    def _protected(self, fault: Fault, machine: Machine, prepared: Sequence[Change]) -> str:
        """Why somebody would have to insist; empty in a private network, where nobody sits."""
        if self._private or fault.insist:
            return ""
        return routing.cuts(prepared, machine.lines) or protects(fault, machine.lines)

    def _put_in_force(self, fault: Fault, number: int, ways: tuple[Direction, ...]) -> _Applied:
        """Raises OSError; then nothing of it is in the kernel, but perhaps an idle sink."""
        if fault.action in ROUTING:
            return self._change_routes(fault, number, ways)
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

    def _change_routes(self, fault: Fault, number: int, ways: tuple[Direction, ...]) -> _Applied:
        """All of its changes, or none. Raises as Changes does."""
        since, deadline_ns = time.time_ns(), _deadline_ns(fault.for_ms)
        made: list[int] = []
        links: list[str] = []
        try:
            for change in routing.changes_of(fault, deadline_ns):
                one, done = self._changes.make(change)
                made.append(one)
                links += [done.name] if isinstance(done, LinkDown) else []
        except TcpladderError:
            for one in reversed(made):
                self._changes.undo(one)
            raise
        return _Applied(
            number=number,
            fault=fault,
            ways=ways,
            changes=tuple(made),
            deadline_ns=deadline_ns,
            interfaces=links,
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
        if applied.changes:
            left_ns = None if applied.deadline_ns is None else applied.deadline_ns - boot_ns()
            applied.left_ms = None if left_ns is None else max(0, left_ns // _MS)
            if left_ns is not None and left_ns <= 0:
                self._end(applied, time.time_ns())
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
            for change in reversed(applied.changes):
                self._changes.undo(change)
            if applied.tables:
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


def _deadline_ns(for_ms: int | None) -> int | None:
    """So long from now, CLOCK_BOOTTIME."""
    return None if for_ms is None else boot_ns() + for_ms * _MS


def _refused(what: str, error: OSError) -> PermissionRefused | InterfaceError:
    if isinstance(error, PermissionError):
        return PermissionRefused(
            f"cannot {what}: it needs CAP_NET_ADMIN in this network ({error.strerror}); run with sudo, or use the lab"
        )
    return InterfaceError(
        f"cannot {what}: nf_tables says {error.strerror}; it needs a kernel with CONFIG_NF_TABLES_INET"
    )
