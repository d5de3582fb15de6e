"""What an experiment is: peers with their socket options, and steps, read from a table that a person can read.

Pure but for `load` and `names`, which read the TOML files of this package.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum, StrEnum
from importlib import resources
from typing import Any

from tcpladder.errors import UsageError


class Role(StrEnum):
    """The two ends, in the words that the agent takes."""

    CLIENT = "client"
    SERVER = "server"


class Event(Enum):
    """What a step can wait for, in the words of the TOML files."""

    ANSWERED_PROBES = "answered probes"
    UNANSWERED_PROBES = "unanswered probes"
    RESET = "reset"
    CLIENT_ENDED = "client ended"
    SERVER_ENDED = "server ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """One end: where it is, the socket options it sets before anything is sent, what it sends first."""

    address: str
    port: int
    options: Mapping[str, int] = field(default_factory=dict)
    message: str = ""

    def __str__(self) -> str:
        return f"[{self.address}]:{self.port}" if ":" in self.address else f"{self.address}:{self.port}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """Start a peer and wait until it listens or is connected."""

    role: Role
    say: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """Wait until `event` was seen `count` times; `call` and `error` are what the application must have seen."""

    event: Event
    count: int = 1
    call: str = ""
    error: str = ""
    longest_s: float
    """After which the experiment has failed: the timers' own time, what the kernel may add, and a margin."""
    say: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drop:
    """Drop what one end sends, on the other's way in, until the experiment ends."""

    sender: Role
    for_s: float
    """The rule ends by itself after this time."""
    say: str = ""


Step = Start | Wait | Drop


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """A number of an experiment that `--set` changes."""

    name: str
    value: int
    least: int
    most: int
    unit: str
    means: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Experiment:
    """An experiment with its numbers filled in."""

    name: str
    sentence: str
    article: str
    values: tuple[Value, ...]
    server: Peer
    client: Peer
    steps: tuple[Step, ...]

    def peer(self, role: Role) -> Peer:
        """The peer that plays a role."""
        return self.client if role is Role.CLIENT else self.server


_SENDERS = {"client to server": Role.CLIENT, "server to client": Role.SERVER}
_LATENESS = 1.15
"""A kernel timer fires at most an eighth late (kernel/time/timer.c); rounded up."""
_MARGIN_S = 10.0
_LONGEST_DROP_S = 86_400.0


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
    """An experiment from its parsed TOML, with settings applied."""
    values = _settled(table["values"], settings)
    numbers = {value.name: value.value for value in values}
    client, server = _peer(table["client"], numbers), _peer(table["server"], numbers)
    steps = tuple(_step(entry, numbers, client, server) for entry in table["step"])
    return Experiment(
        name=table["name"],
        sentence=table["sentence"],
        article=table["article"],
        values=values,
        server=server,
        client=client,
        steps=steps,
    )


def _settled(table: Mapping[str, Mapping[str, Any]], settings: tuple[str, ...]) -> tuple[Value, ...]:
    values = {name: Value(name=name, **entry) for name, entry in table.items()}
    for setting in settings:
        name, equals, written = setting.partition("=")
        if not equals or name not in values:
            have = ", ".join(f"{value.name}={value.value}" for value in values.values())
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


def _peer(table: Mapping[str, Any], numbers: Mapping[str, int]) -> Peer:
    options = {name: _number(value, numbers) for name, value in table.get("options", {}).items()}
    return Peer(
        address=table["address"],
        port=_number(table["port"], numbers),
        options=options,
        message=table.get("message", ""),
    )


def _number(written: int | str, numbers: Mapping[str, int]) -> int:
    """A number, or the value of that name."""
    return numbers[written] if isinstance(written, str) else written


def _step(entry: Mapping[str, Any], numbers: Mapping[str, int], client: Peer, server: Peer) -> Step:
    say = entry.get("say", "").format(**numbers)
    if "start" in entry:
        return Start(role=Role(entry["start"]), say=say)
    if "drop" in entry:
        for_s = min(_give_up_s(client, server) * _LATENESS + _MARGIN_S, _LONGEST_DROP_S)
        return Drop(sender=_SENDERS[entry["drop"]], for_s=for_s, say=say)
    event, count = Event(entry["wait"]), _number(entry.get("count", 1), numbers)
    rounds = count if event is Event.ANSWERED_PROBES else 1
    return Wait(
        event=event,
        count=count,
        call=entry.get("call", ""),
        error=entry.get("error", ""),
        longest_s=rounds * _give_up_s(client, server) * _LATENESS + _MARGIN_S,
        say=say,
    )


def _give_up_s(client: Peer, server: Peer) -> float:
    """Silence after which keepalive gives up, the longer of the two: idle + probes x interval (tcp(7))."""
    return max(
        peer.options.get("TCP_KEEPIDLE", 0)
        + peer.options.get("TCP_KEEPINTVL", 0) * peer.options.get("TCP_KEEPCNT", 0)
        for peer in (client, server)
    )
