"""The faults of one agent: planned, put in force, extended, lifted, and noticed when their time is up."""

from __future__ import annotations

import contextlib
import itertools
import time
from collections.abc import Iterator, Sequence

from tcpladder.agent import apply, routing
from tcpladder.agent.changes import Change
from tcpladder.agent.fault_log import FaultLog
from tcpladder.agent.fault_messages import FaultLogOpened, FaultPlan, Faults, FaultState
from tcpladder.agent.fault_tables import FaultTables
from tcpladder.agent.guarded import Changes
from tcpladder.agent.in_force import Applied, ByChanges, ByRules
from tcpladder.agent.machine import machine_for
from tcpladder.agent.sink import Sink
from tcpladder.errors import InterfaceError, PermissionRefused, TcpladderError, UsageError
from tcpladder.faults.check import checked
from tcpladder.faults.fault import INSIST, ROUTING, End, Fault
from tcpladder.faults.guard import protects
from tcpladder.faults.machine import Machine
from tcpladder.faults.places import Direction, directions
from tcpladder.faults.ruleset import tables
from tcpladder.faults.script import script, undo
from tcpladder.faults.why import why

_KEPT = 64
"""How many faults are remembered after they ended."""
MOST_IN_FORCE = 64
"""What one reply has room for; nobody watches more."""
_MS = 1_000_000


class FaultBook:
    """Every fault of this agent in one network. In a private network nobody sits on a line, and nothing is protected.

    `numbers` has those of the faults, shared by the books of one agent.

    Raises UsageError for what makes no sense, PermissionRefused and InterfaceError where the kernel says no.
    """

    def __init__(self, private: bool, changes: Changes, numbers: Iterator[int] | None = None) -> None:
        self._private = private
        self._numbers = numbers or itertools.count(1)
        self._tables = FaultTables()
        self._changes = changes
        self._sink = Sink(changes)
        self._log: FaultLog | None = None
        self._faults: dict[int, Applied] = {}

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
        if len(self._in_force()) >= MOST_IN_FORCE:
            raise UsageError(f"cannot break more: {MOST_IN_FORCE} faults are in force; lift one first")
        self._changes.begin()
        number, since_ns = next(self._numbers), time.time_ns()
        applied = Applied(
            number=number,
            fault=fault,
            ways=ways,
            means=self._carry_out(fault, number, ways),
            since_ns=since_ns,
            until_ns=_until(since_ns, fault.for_ms),
        )
        self._faults[number] = applied
        return self._looked_at(applied).state()

    def lift(self, number: int) -> FaultState:
        """Take a fault back and tell what it ate; one that ended is told again."""
        applied = self._looked_at(self._find(number))
        if applied.ended_ns is None:
            self._end(applied, End.LIFTED, time.time_ns())
        return applied.state()

    def extend(self, number: int, for_ms: int | None) -> FaultState:
        """Let a fault that is in force last for so long from now."""
        applied = self._looked_at(self._find(number))
        if applied.end is not None:
            raise UsageError(f"cannot extend fault {number}: it has ended; apply it again")
        now = time.time_ns()
        try:
            applied.means.extend(for_ms)
        except OSError as error:
            raise _refused(f"extend fault {number}", error) from None
        applied.until_ns = _until(now, for_ms)
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
        """How long until a fault of routes or links is due; None where none is. Rules end by themselves.

        One that could not be put back (an interface is down) is due again in a second.
        """
        left = [means.left_ns for _, means in self._by_changes()]
        due = [one / 1e9 if one > 0 else 1.0 for one in left if one is not None]
        due += [1.0 for applied in self._in_force() if applied.stuck]
        return min(1.0, *due) if due else None

    def notice_due(self) -> None:
        """End those of routes and links whose time is up, and those that could not be taken back before."""
        for applied in self._in_force():
            if applied.stuck or isinstance(applied.means, ByChanges):
                with contextlib.suppress(TcpladderError):
                    self._looked_at(applied)

    def lose_changes(self) -> None:
        """The guardian died, and what it had changed is put back: the faults that were made of it have ended."""
        self._sink.forget()
        for _, means in self._by_changes():
            means.forget()
        for applied in self._in_force():
            if isinstance(applied.means, ByChanges) or applied.means.interfaces:
                self._end(applied, End.GUARDIAN_GONE, time.time_ns())

    def strand(self, why: str) -> None:
        """The guardian died and no other one can be started: what it had changed stays as it is until one can."""
        for applied, _ in self._by_changes():
            applied.stuck = (
                f"cannot lift fault {applied.number}: its guardian is gone, and no other one starts ({why})"
            )

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
        return [apply.prepare(change) for change in routing.changes_of(fault)]

    def _protected(self, fault: Fault, machine: Machine, prepared: Sequence[Change]) -> str:
        """Why somebody would have to insist; empty in a private network, where nobody sits."""
        if self._private or fault.insist:
            return ""
        return routing.cuts(prepared, machine.lines) or protects(fault, machine.lines)

    def _carry_out(self, fault: Fault, number: int, ways: tuple[Direction, ...]) -> ByRules | ByChanges:
        """Do it; where that fails, nothing of it remains."""
        if fault.action in ROUTING:
            return ByChanges(self._changes, routing.changes_of(fault), fault.for_ms)
        devices = sorted({device for way in ways for device in way.devices})
        sink = self._sink.open() if devices else ""
        made = tables(fault, number, ways, sink)
        try:
            return ByRules(self._tables, made, self._group(), [*devices, sink] if devices else [])
        except OSError as error:
            self._close_idle_sink()
            raise _refused("break it", error) from None

    def _in_force(self) -> Sequence[Applied]:
        return [applied for applied in self._faults.values() if applied.ended_ns is None]

    def _by_changes(self) -> Sequence[tuple[Applied, ByChanges]]:
        return [(one, one.means) for one in self._in_force() if isinstance(one.means, ByChanges)]

    def _find(self, number: int) -> Applied:
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

    def _looked_at(self, applied: Applied) -> Applied:
        """The fault with what the kernel says of it now; one whose time is up is cleared away, if that can be done."""
        if applied.ended_ns is not None:
            return applied
        if applied.end is None:
            try:
                look = applied.means.look()
            except OSError as error:
                raise _refused(f"look at fault {applied.number}", error) from None
            applied.left_ms, applied.eaten = look.left_ms, look.eaten
            if not look.over:
                return applied
        now = time.time_ns()
        with contextlib.suppress(TcpladderError):
            self._end(applied, End.TIME_UP, min(now, applied.until_ns or now))
        return applied

    def _end(self, applied: Applied, end: End, ended_ns: int) -> None:
        """Take it back. Where that fails it is raised, kept for the list, and done later."""
        applied.end = applied.end or end
        try:
            applied.means.take_back()
        except (OSError, TcpladderError) as failed:
            what = f"lift fault {applied.number}"
            refused = failed if isinstance(failed, TcpladderError) else _refused(what, failed)
            applied.stuck = str(refused)
            raise refused from None
        applied.ended_ns = time.time_ns() if applied.stuck else ended_ns
        applied.stuck = ""
        with contextlib.suppress(
            TcpladderError
        ):  # the guardian is lost; who comes after it takes the sink away
            self._close_idle_sink()

    def _close_idle_sink(self) -> None:
        """Take the sink away once no fault sends into it."""
        if not any(isinstance(one.means, ByRules) and one.means.interfaces for one in self._in_force()):
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


def _until(since_ns: int, for_ms: int | None) -> int | None:
    return None if for_ms is None else since_ns + for_ms * _MS


def _refused(what: str, error: OSError) -> PermissionRefused | InterfaceError:
    if isinstance(error, PermissionError):
        return PermissionRefused(
            f"cannot {what}: it needs CAP_NET_ADMIN in this network ({error.strerror}); run with sudo, or use the lab"
        )
    return InterfaceError(
        f"cannot {what}: nf_tables says {error.strerror}; it needs a kernel with CONFIG_NF_TABLES_INET"
    )
