"""The story of a run as TOML: what was done and when, what each application saw, what must be found. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from tcpladder.agent.fault_messages import FaultState
from tcpladder.lab.experiment import Expected, Experiment, Role, Rung
from tcpladder.lab.order import placed
from tcpladder.lab.reports import Report
from tcpladder.lab.run import ExperimentRun
from tcpladder.lab.telling import what_a_step_does, what_is_broken

Fields = Mapping[str, object]

FILE = "story.toml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """What a story says of where it comes from."""

    file: str
    """The capture beside it."""
    kernel: str
    """`Linux 6.18`."""


def command(experiment: Experiment) -> str:
    """What to type to have it again, with every number."""
    settings = "".join(f" --set {value.name}={value.value}" for value in experiment.values)
    return f"tcpladder lab {experiment.name}{settings}"


def story(run: ExperimentRun, recording: Recording) -> str:
    """The file. What is expected is what the experiment says, and not what was seen."""
    experiment = run.experiment
    lines = ["# What truly happened, and what must be seen of it; written by the lab.", ""]
    lines += _fields(
        {
            "name": experiment.name,
            "sentence": experiment.sentence,
            "article": experiment.article,
            "file": recording.file,
            "kernel": recording.kernel,
            "experiment": command(experiment),
            "outcome": run.outcome.sentence if run.outcome is not None else "interrupted",
            "ended": experiment.ended,
        }
    )
    options = _options(run)
    said = "# Socket options, as getsockopt said on the connected sockets."
    lines += _table(said, "options", options) if options else []
    sysctls = {host or "home": dict(values) for host, values in experiment.network.sysctls.items()}
    lines += _table("# Set before anything was sent, by host.", "sysctl", sysctls) if sysctls else []
    lines += _list("# What was done.", "step", _steps(run))
    lines += _list("# What was broken; `segments` is what it ate.", "fault", map(_fault, run.faults))
    lines += _list("# What the calls of the applications came to.", "application", _calls(run))
    lines += _list("# How many there must be.", "expect", map(_expected, run.required.expected))
    order = (_segment(rung) for rung, _ in placed(run.required.order, run.observed.order) if rung is not None)
    lines += _list("# Every segment in order; after_s is what its timer is set to.", "segment", order)
    return "\n".join(lines) + "\n"


def _options(run: ExperimentRun) -> dict[str, Fields]:
    return {role.value: dict(options) for role, options in run.options_in_force.items()}


def _steps(run: ExperimentRun) -> Iterator[Fields]:
    for taken in run.taken:
        yield {
            "did": what_a_step_does(taken.step, run.experiment),
            "began_ns": taken.began_ns,
            "ended_ns": taken.ended_ns,
        } | ({"say": taken.step.say} if taken.step.say else {})


def _fault(state: FaultState) -> Fields:
    return {
        "rule": what_is_broken(state),
        "since_ns": state.since_ns,
        "ended_ns": state.ended_ns,
        "segments": state.packets,
    }


def _calls(run: ExperimentRun) -> Iterator[Fields]:
    """In order of time; of reads and writes in a row only what differs."""
    told = [(report.time_ns, role, report) for role in Role for report in run.reports[role]]
    for _, role, report in sorted(told, key=lambda one: one[0]):
        if report.event not in ("listening", "received", "sent") or not report.bytes or report.after_s >= 1:
            yield _call(role, report)


def _call(role: Role, report: Report) -> Fields:
    fields: dict[str, object] = {"end": role.value, "event": report.event, "time_ns": report.time_ns}
    if report.call:
        fields["call"] = report.call
    if report.event in ("received", "sent"):
        fields["bytes"] = report.bytes
    if report.error is not None:
        fields["error"] = report.error
    return fields | {"after_s": round(report.after_s, 3)}


def _expected(one: Expected) -> Fields:
    kinds = one.segments.kinds
    fields: dict[str, object] = {"kind": kinds[0] if len(kinds) == 1 else list(kinds)}
    if one.segments.sender is not None:
        fields["from"] = one.segments.sender.value
    return fields | {"at_least" if one.or_more else "count": one.count}


def _segment(rung: Rung) -> Fields:
    fields: dict[str, object] = {"from": rung.sender.value, "kind": rung.kinds[0]}
    if rung.timer:
        fields["timer"] = rung.timer
    if rung.after_s is not None:
        fields["after_s"] = rung.after_s
    if rung.optional:
        fields["optional"] = True
    return fields


def _table(comment: str, name: str, fields: Fields) -> list[str]:
    return ["", comment, f"[{name}]", *_fields(fields)]


def _list(comment: str, name: str, entries: Iterable[Fields]) -> list[str]:
    lines = [line for entry in entries for line in ("", f"[[{name}]]", *_fields(entry))]
    return ["", comment, *lines[1:]] if lines else []


def _fields(fields: Fields) -> list[str]:
    return [f"{_key(name)} = {_value(value)}" for name, value in fields.items() if value is not None]


def _key(name: str) -> str:
    return name if name.replace("_", "").isalnum() and name.isascii() else json.dumps(name)


def _value(value: object) -> str:
    """A TOML value; a JSON string is one, too, as far as the words of an experiment go."""
    match value:
        case Mapping():
            return (
                "{ " + ", ".join(f"{_key(str(name))} = {_value(one)}" for name, one in value.items()) + " }"
            )
        case list():
            return "[" + ", ".join(map(_value, value)) + "]"
        case bool() | int() | float():
            return json.dumps(value)
    return json.dumps(str(value), ensure_ascii=False)
