"""The front end of `fault list`, `lift` and `extend`: what the instances on this machine have in force."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from tcpladder.agent import control
from tcpladder.agent.fault_messages import ExtendFault, Faults, FaultState, LiftFault, ListFaults
from tcpladder.errors import InterfaceError, TcpladderError, UsageError
from tcpladder.faults.guard import what_it_does
from tcpladder.render.faults import ate, fault_record, left


def list_faults(*, form: str) -> None:
    """Print the faults in force of every instance on this machine.

    Raises PermissionRefused, and InterfaceError for an instance that does not answer, after all have been asked.
    """
    found, silent = _everywhere(None)
    stuck: list[str] = []
    rows = [("instance", "fault", "what", "left", "ate")]
    for path, state in found:
        if form == "jsonl":
            _line(json.dumps({**fault_record(state), "instance": int(path.parent.name)}, ensure_ascii=False))
        elif state.ended_ns is None:
            what = what_it_does(state.fault)
            rows.append((path.parent.name, str(state.number), what, left(state), str(state.packets)))
            stuck += (
                [f"tcpladder {path.parent.name} {state.stuck}; it tries again every second"]
                if state.stuck
                else []
            )
    if len(rows) > 1:
        widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
        for row in rows:
            _line("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    elif form != "jsonl" and silent is None:
        _say("no fault is in force")
    for sentence in stuck:
        _say(sentence)
    if silent is not None:
        raise silent


def lift(number: int | None, *, instance: int | None) -> None:
    """Lift one fault, or all where number is None. Raises UsageError where it is not clear which, or there is none.

    One that cannot be lifted keeps none of the others: the first refusal is raised after all have been tried.
    """
    everywhere, failed = _everywhere(instance)
    found = [
        (path, state)
        for path, state in everywhere
        if state.ended_ns is None and number in (None, state.number)
    ]
    if not found:
        raise failed or InterfaceError(
            "no such fault is in force: `tcpladder fault list` shows those that are"
        )
    if number is not None and len(found) > 1:
        pids = ", ".join(path.parent.name for path, _ in found)
        raise UsageError(f"fault {number} is in force in several instances: add --instance, one of {pids}")
    for path, state in found:
        try:
            lifted = control.ask(path, LiftFault(number=state.number))
        except TcpladderError as refused:
            failed = failed or refused
            continue
        assert isinstance(lifted, FaultState)
        _say(f"fault {state.number} of tcpladder {path.parent.name} is lifted{ate(lifted)}")
    if failed is not None:
        raise failed


def extend(number: int, for_ms: int | None, *, instance: int | None) -> None:
    """Let a fault last so long from now. Raises as `lift`."""
    found = [path for path in control.running() if instance in (None, int(path.parent.name))]
    having = [
        path
        for path in found
        if any(one.number == number and one.ended_ns is None for one in _ask_list(path).faults)
    ]
    if len(having) != 1:
        pids = ", ".join(path.parent.name for path in having) or "none"
        raise UsageError(
            f"fault {number} must be in force in one instance, and it is in: {pids}; add --instance"
        )
    state = control.ask(having[0], ExtendFault(number=number, for_ms=for_ms))
    assert isinstance(state, FaultState)
    _say(f"fault {number} of tcpladder {having[0].parent.name}: {left(state)}")


def _everywhere(instance: int | None) -> tuple[list[tuple[Path, FaultState]], TcpladderError | None]:
    """Every fault of one instance or of all, and why the first that does not answer did not."""
    found: list[tuple[Path, FaultState]] = []
    failed: TcpladderError | None = None
    for path in control.running():
        if instance in (None, int(path.parent.name)):
            try:
                found += [(path, state) for state in _ask_list(path).faults]
            except TcpladderError as silent:
                failed = failed or silent
    return found, failed


def _ask_list(path: Path) -> Faults:
    reply = control.ask(path, ListFaults())
    assert isinstance(reply, Faults)
    return reply


def _line(text: str) -> None:
    sys.stdout.write(text + "\n")


def _say(sentence: str) -> None:
    sys.stderr.write(f"tcpladder: {sentence}\n")
