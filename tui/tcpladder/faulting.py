"""The front end of `fault`: break something in the foreground, print what it eats, take it back however it ends."""

from __future__ import annotations

import json
import re
import select
import signal
import sys
import time
from collections.abc import Callable
from datetime import datetime
from types import FrameType

from tcpladder.agent.client import AgentClient
from tcpladder.agent.fault_messages import (
    ApplyFault,
    FaultLogOpened,
    FaultPlan,
    Faults,
    FaultState,
    LiftFault,
    ListFaults,
    OpenFaultLog,
    PlanFault,
)
from tcpladder.errors import ExitCode, PermissionRefused, UsageError
from tcpladder.faults import phrases
from tcpladder.faults.fault import INSIST, ROUTING, Fault
from tcpladder.ladder import words
from tcpladder.render import eaten
from tcpladder.render.eaten import EatenSegment
from tcpladder.render.faults import ate, fault_record, left
from tcpladder.session.eaten_list import eaten_segments
from tcpladder.sources.fault_log import FaultLog

_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|min|h|)")
_UNITS_MS = {"": 1000, "ms": 1, "s": 1000, "m": 60_000, "min": 60_000, "h": 3_600_000}
_LONGEST_MS = 7 * 24 * 3_600_000
_TICK_MS = 100
_SAY_EVERY_S = 10.0
"""How often the time that is left is said where no line can be rewritten."""
_MOST_LINES = 200
"""Of one look at the log: a flood is counted, not printed."""


def duration_ms(written: str) -> int | None:
    """`60s`, `1500ms`, `2m`, `1.5h`, `60`; None for `forever`. Raises UsageError."""
    if written in ("forever", "∞"):
        return None
    found = _DURATION.fullmatch(written)
    milliseconds = round(float(found[1]) * _UNITS_MS[found[2]]) if found else 0
    if not 0 < milliseconds <= _LONGEST_MS:
        raise UsageError(f"cannot break it for {written!r}: say 60s, 2m, 1h, at most 7 days, or forever")
    return milliseconds


def explain(plan: FaultPlan) -> None:
    """Print the script and its undo on stdout, and why it is so on stderr. Raises what speaks against it."""
    _refuse(plan)
    sys.stdout.write(f"{plan.script}\n# and back:\n{plan.undo}")
    sys.stdout.flush()
    _say(plan.why)


def break_it(client: AgentClient, fault: Fault, *, form: str, dry_run: bool) -> ExitCode:
    """Put the fault in force until its time is up or the user interrupts; it is lifted when this returns.

    Raises UsageError, PermissionRefused, InterfaceError where it cannot be done, AgentGoneError where it was lifted
    because the agent ended.
    """
    plan, _ = client.request(PlanFault(fault=fault))
    assert isinstance(plan, FaultPlan)
    if dry_run:
        explain(plan)
        return ExitCode.DONE
    _refuse(plan)
    sys.stderr.write(plan.script)
    _say(plan.why)
    log = None
    if fault.action not in ROUTING:
        opened, (log,) = client.request(OpenFaultLog())
        assert isinstance(opened, FaultLogOpened)
    stopped = _until_interrupted()
    state, _ = client.request(ApplyFault(fault=fault))
    assert isinstance(state, FaultState)
    watch = _Watch(client, state, log, form)
    try:
        watch.run(stopped)
    finally:
        watch.close()
    return ExitCode.INTERRUPTED if stopped() and fault.for_ms is not None else ExitCode.DONE


class _Watch:
    """One fault in force: what it eats on stdout, how long it lasts on stderr."""

    def __init__(self, client: AgentClient, state: FaultState, log: int | None, form: str) -> None:
        """`log`: the descriptor of the fault log, for a fault that has one."""
        self._client, self._state, self._form = client, state, form
        self._log = None if log is None else FaultLog(log)
        self._rewrites = sys.stderr.isatty()
        self._said_at = 0.0
        self._poll = select.poll()
        if log is not None:
            self._poll.register(log, select.POLLIN)
        timezone = datetime.now().astimezone().tzinfo
        assert timezone is not None
        self._timezone = timezone

    def run(self, stopped: Callable[[], bool]) -> None:
        """Until the fault has ended or `stopped` says so."""
        if self._form == "jsonl":
            _line(json.dumps(fault_record(self._state), ensure_ascii=False))
        while self._state.ended_ns is None and not stopped():
            self._say_left()
            self._poll.poll(_TICK_MS)
            self._print_eaten()
            self._look()

    def close(self) -> None:
        """Lift it, unless it has ended, and say what it ate."""
        try:
            lifted, _ = self._client.request(LiftFault(number=self._state.number))
            assert isinstance(lifted, FaultState)
            self._state = lifted
            self._print_eaten()
        finally:
            self._client.close()
            self._clear()
        if self._form == "jsonl":
            _line(json.dumps(fault_record(self._state), ensure_ascii=False))
        lost = self._log.lost if self._log is not None else 0
        missing = f"; {words.count(lost)} of them were too fast to print" if lost else ""
        _say(f"fault {self._state.number} {phrases.ENDED[self._state.end]}{ate(self._state)}{missing}")

    def _look(self) -> None:
        reply, _ = self._client.request(ListFaults())
        assert isinstance(reply, Faults)
        self._state = next(one for one in reply.faults if one.number == self._state.number)

    def _print_eaten(self) -> None:
        found = self._log.read(time.time_ns()) if self._log is not None else None
        if found is None:
            return
        came = [one for one in eaten_segments(found) if one.fault == self._state.number]
        if came:
            self._clear()
        shown = came if self._form == "jsonl" else came[:_MOST_LINES]
        for one in shown:
            _line(self._written(one))
        if len(came) > len(shown):
            _line(f"… and {words.count(len(came) - len(shown))} more")
        sys.stdout.flush()

    def _written(self, one: EatenSegment) -> str:
        if self._form == "jsonl":
            return json.dumps(eaten.record(one), ensure_ascii=False)
        return eaten.line(one, self._timezone)

    def _say_left(self) -> None:
        """One line that is written anew on a terminal; elsewhere a line now and then."""
        said = f"fault {self._state.number}: {left(self._state)}{ate(self._state)}"
        if self._rewrites:
            sys.stderr.write(f"\r{said}   ^C lifts it\x1b[K")
            sys.stderr.flush()
        elif time.monotonic() - self._said_at >= _SAY_EVERY_S:
            self._said_at = time.monotonic()
            _say(said)

    def _clear(self) -> None:
        if self._rewrites:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()


def _refuse(plan: FaultPlan) -> None:
    if plan.refused and plan.needs_insist:
        raise PermissionRefused(f"{plan.refused}; --{INSIST} does it all the same")
    if plan.refused:
        raise UsageError(plan.refused)


def _until_interrupted() -> Callable[[], bool]:
    """Whether ^C, TERM or HUP came since; from now on they end nothing by themselves."""
    stopped = False

    def stop(_signal: int, _frame: FrameType | None) -> None:
        nonlocal stopped
        stopped = True

    for ending in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ending, stop)
    return lambda: stopped


def _line(text: str) -> None:
    sys.stdout.write(text + "\n")


def _say(sentence: str) -> None:
    sys.stdout.flush()
    sys.stderr.write(f"tcpladder: {sentence}\n")
    sys.stderr.flush()
