"""The sentences for the steps, for what a peer reports of its calls, and for what is broken. Pure."""

from __future__ import annotations

from typing import assert_never

from tcpladder.agent.fault_messages import FaultState
from tcpladder.faults.fault import ROUTING, Action, Fault
from tcpladder.faults.iptables import commands
from tcpladder.faults.places import Direction
from tcpladder.lab.experiment import (
    Break,
    End,
    Event,
    Experiment,
    Pause,
    Restore,
    Role,
    Segments,
    Start,
    Step,
    Wait,
)
from tcpladder.lab.reports import Report

_ACTIONS = {
    Action.DROP: "drop what goes",
    Action.REJECT_RST: "answer with RST what goes",
    Action.REJECT_ICMP: "answer with an ICMP error what goes",
    Action.LOSE: "lose {amount} % of what goes",
    Action.DROP_NEXT: "drop the next {amount} segments that go",
    Action.BLACKHOLE: "a black hole for what goes",
    Action.WITHDRAW: "the route is gone for what goes",
    Action.LINK_DOWN: "the link is down for what goes",
}
_LONG_S = 0.5
"""A call that took less did not wait for anything worth a word."""


def in_words(role: Role, experiment: Experiment, report: Report, before: str) -> str:
    """The sentence for a report; empty where the ladder shows it anyway. `before` is the event before it."""
    match report.event:
        case "listening":
            return f"{role} listens on {experiment.server}"
        case "connected":
            options = ", ".join(
                f"{name} {report.options[name]}"
                for name in experiment.peer(role).options
                if name in report.options
            )
            return f"{role} is connected" + (f": {options}" if options else "")
        case "received" if not report.bytes:
            return f"{role}: recv() returned 0, the {role.other} sends no more"
        case "received" if before != "received":
            return f"{role}: recv() returned {report.bytes} bytes"
        case "sent" if report.after_s >= _LONG_S:
            return f"{role}: send() of {report.bytes} bytes took {report.after_s:.1f} s"
        case "shutdown":
            return f"{role}: {report.call} returned"
        case "failed" | "ended":
            return how_it_ended(role, report)
    return ""


def how_it_ended(role: Role, report: Report) -> str:
    """What the last call of a peer came to."""
    if report.failed:
        return f"{role}: {report.call} failed with {report.error} after {report.after_s:.1f} s"
    return f"{role} is done, and its sockets are closed"


def end_in_words(ended: str | None) -> str:
    """How a flow ended, in the words of the list of flows."""
    return ended or "no end on the wire"


def what_is_broken(fault: FaultState) -> str:
    """A fault that was just applied: as a person would type it, in words where iptables has nothing like it."""
    ways = (Direction(match=fault.fault.match, places=tuple(fault.places), devices=()),)
    typed = [] if fault.fault.action in ROUTING else commands(fault.fault, ways)
    return f"rule {fault.number}: {'; '.join(typed) or _in_words(fault.fault)}"


def what_is_restored(fault: FaultState) -> str:
    """A fault that was just lifted."""
    if fault.fault.action in ROUTING:
        return f"rule {fault.number} lifted: the way is there again"
    return f"rule {fault.number} lifted: it ate {fault.packets} segments"


def _in_words(fault: Fault) -> str:
    where = ""
    for word, address, port in (
        ("from", fault.match.source, fault.match.source_port),
        ("to", fault.match.destination, fault.match.destination_port),
    ):
        if address or port:
            where += f" {word} {address or 'port'}" + (
                f":{port}" if address and port else f" {port or ''}".rstrip()
            )
    return _ACTIONS[fault.action].format(amount=fault.amount) + where


def what_a_step_does(step: Step, experiment: Experiment) -> str:
    """A step in words, before it is taken."""
    match step:
        case Start():
            return f"start the {step.role}"
        case Wait(event=Event.SEGMENTS, segments=Segments() as segments):
            return f"wait for {_counted(step.count, str(segments))}"
        case Wait(event=Event.CLIENT_ENDED | Event.SERVER_ENDED | Event.FAILED):
            role = step.role or (Role.CLIENT if step.event is Event.CLIENT_ENDED else Role.SERVER)
            how = f" to fail with {step.error}" if step.error else " to return"
            return f"wait for {step.call} of the {role}{how}"
        case Wait():
            return f"wait for {_counted(step.count, step.event.value)}"
        case Pause():
            return f"wait {step.for_s:g} s"
        case Break():
            what = _ACTIONS[step.action].format(amount=step.amount)
            where = f", on {step.host}" if step.host else ""
            return f"{what} from {step.sender} to {step.sender.other}{where}"
        case Restore():
            return "lift what is broken"
        case End():
            peer = experiment.peer(step.role)
            return f"{'cut the power of' if step.silently else 'kill'} the {step.role} at {peer}"
    assert_never(step)


def _counted(count: int, what: str) -> str:
    return what if count == 1 else f"{count} × {what}"
