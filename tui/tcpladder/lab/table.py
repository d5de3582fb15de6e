"""From the TOML file of an experiment, which a person can read and copy, to the experiment, `--set` applied."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import replace
from importlib import resources
from typing import Any

from tcpladder.errors import UsageError
from tcpladder.faults.fault import Action
from tcpladder.faults.fault import Segments as Affected
from tcpladder.hosts.plan import HOME, Plan
from tcpladder.lab.arithmetic import evaluate
from tcpladder.lab.experiment import (
    Break,
    End,
    Event,
    Expected,
    Experiment,
    Pause,
    Peer,
    Point,
    Restore,
    Role,
    Segments,
    Start,
    Step,
    Value,
    Wait,
)
from tcpladder.lab.order import read_again, read_order
from tcpladder.lab.topology import topology

Numbers = Mapping[str, int]

LATENESS = 1.15
"""A kernel timer fires at most an eighth late (kernel/time/timer.c); rounded up."""
_MARGIN_S = 10.0
_LONGEST_FAULT_S = 86_400.0
_SENDERS = {"client to server": Role.CLIENT, "server to client": Role.SERVER}
_READY = {Role.SERVER: "listening", Role.CLIENT: "connected"}


def names() -> tuple[str, ...]:
    """The experiments that ship with the package."""
    files = resources.files(__package__).joinpath("experiments").iterdir()
    return tuple(sorted(file.name.removesuffix(".toml") for file in files if file.name.endswith(".toml")))


def load(name: str, settings: tuple[str, ...] = ()) -> Experiment:
    """An experiment by name, with `--set` words such as `idle=30` applied.

    Raises UsageError for an unknown experiment or value, or a number out of range.
    """
    if name not in names():
        raise UsageError(f"cannot run {name!r}: no such experiment (have: {', '.join(names())})")
    path = resources.files(__package__).joinpath("experiments", f"{name}.toml")
    return read(tomllib.loads(path.read_text(encoding="utf-8")), settings)


def read(table: Mapping[str, Any], settings: tuple[str, ...] = ()) -> Experiment:
    """An experiment from its parsed TOML, with settings applied. Raises UsageError."""
    values = _settled(table.get("values", {}), settings)
    numbers = {value.name: value.value for value in values}
    lasts_s = evaluate(table["lasts"], numbers)
    return Experiment(
        name=table["name"],
        sentence=table["sentence"],
        article=table["article"],
        values=values,
        network=_network(table, numbers),
        capture=Point(**table.get("capture", {})),
        server=_peer(table["server"], numbers),
        client=_peer(table["client"], numbers),
        steps=tuple(_step(entry, numbers, lasts_s) for entry in table["step"]),
        expected=tuple(_expected(entry, numbers) for entry in table.get("expect", ())),
        order=tuple(read_order(table.get("order", ()), numbers)),
        again=read_again(table.get("order", ()), numbers),
        ended=table.get("ended"),
    )


def _settled(table: Mapping[str, Mapping[str, Any]], settings: tuple[str, ...]) -> tuple[Value, ...]:
    values = {name: Value(name=name, **entry) for name, entry in table.items()}
    for setting in settings:
        name, equals, written = setting.partition("=")
        if not equals or name not in values:
            have = ", ".join(f"{value.name}={value.value}" for value in values.values()) or "nothing"
            raise UsageError(f"cannot set {setting!r}: say one of {have}, with your number")
        values[name] = _changed(values[name], written)
    return tuple(values.values())


def _changed(value: Value, written: str) -> Value:
    try:
        number = int(written)
    except ValueError:
        number = None
    if number is None or not value.least <= number <= value.most:
        unit = f" {value.unit}" if value.unit else ""
        raise UsageError(
            f"cannot set {value.name} to {written!r}: {value.means}, a number from {value.least} to {value.most}{unit}"
        )
    return replace(value, value=number)


def _network(table: Mapping[str, Any], numbers: Numbers) -> Plan:
    """The topology, under the experiment's name and with its sysctls; `home` is the host of an experiment on `lo`."""
    sysctls = {
        HOME if host == "home" else host: {
            name: str(_number(value, numbers)) for name, value in settings.items()
        }
        for host, settings in table.get("sysctl", {}).items()
    }
    return replace(topology(table.get("network", "")), name=table["name"], sysctls=sysctls)


def _peer(table: Mapping[str, Any], numbers: Numbers) -> Peer:
    return Peer(
        host=table.get("host", HOME),
        address=table["address"],
        port=_number(table["port"], numbers),
        options={name: _number(value, numbers) for name, value in table.get("options", {}).items()},
        script=tuple(_filled(action, numbers) for action in table["script"]),
    )


def _number(written: int | str, numbers: Numbers) -> int:
    """A whole number, or what an expression comes to, rounded."""
    return round(evaluate(written, numbers))


def _filled(words: str, numbers: Numbers) -> str:
    """Words with the numbers named in braces; what is said to the other end may hold any characters."""
    return words if words.startswith("say ") else words.format(**numbers)


def _expected(entry: Mapping[str, Any], numbers: Numbers) -> Expected:
    """`count` is exact, `at_least` is not."""
    or_more = "at_least" in entry
    count = _number(entry["at_least" if or_more else "count"], numbers)
    return Expected(segments=_segments(entry), count=count, or_more=or_more)


def _segments(entry: Mapping[str, Any]) -> Segments:
    kinds = entry["kind"]
    return Segments(
        kinds=(kinds,) if isinstance(kinds, str) else tuple(kinds),
        sender=Role(entry["from"]) if "from" in entry else None,
    )


def _step(entry: Mapping[str, Any], numbers: Numbers, lasts_s: float) -> Step:
    say = entry.get("say", "").format(**numbers)
    match entry:
        case {"start": role}:
            return Start(role=Role(role), until=entry.get("until", _READY[Role(role)]), say=say)
        case {"drop": _} | {"break": _}:
            return _break(entry, numbers, lasts_s, say)
        case {"restore": _}:
            return Restore(say=say)
        case {"kill": role}:
            return End(role=Role(role), silently=False, say=say)
        case {"vanish": role}:
            return End(role=Role(role), silently=True, say=say)
        case {"pause": seconds}:
            return Pause(for_s=evaluate(seconds, numbers), say=say)
    return _wait(entry, numbers, lasts_s, say)


def _break(entry: Mapping[str, Any], numbers: Numbers, lasts_s: float, say: str) -> Break:
    """`drop` says the direction alone; with `break` a table of the direction, the action and what it needs."""
    how = entry.get("break") or {"direction": entry["drop"]}
    return Break(
        sender=_SENDERS[how["direction"]],
        action=Action(how.get("action", Action.DROP)),
        segments=Affected(how.get("segments", Affected.ALL)),
        amount=_number(how.get("amount", 0), numbers),
        host=how.get("host"),
        for_s=min(lasts_s * LATENESS + _MARGIN_S, _LONGEST_FAULT_S),
        say=say,
    )


def _wait(entry: Mapping[str, Any], numbers: Numbers, lasts_s: float, say: str) -> Wait:
    event, count = Event(entry["wait"]), _number(entry.get("count", 1), numbers)
    rounds = count if event is Event.ANSWERED_PROBES else 1
    return Wait(
        event=event,
        count=count,
        segments=_segments(entry) if event is Event.SEGMENTS else None,
        role=Role(entry["role"]) if "role" in entry else None,
        call=entry.get("call", ""),
        error=entry.get("error", ""),
        took_s=evaluate(entry["took"], numbers) if "took" in entry else None,
        longest_s=rounds * lasts_s * LATENESS + _MARGIN_S,
        say=say,
    )
