"""The sentence for what a peer reports of its calls. Pure."""

from __future__ import annotations

from tcpladder.lab.experiment import Experiment, Role
from tcpladder.lab.reports import Report

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
