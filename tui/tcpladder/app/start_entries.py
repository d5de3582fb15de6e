"""What the start screen offers, and the command behind each line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from time import time_ns

from tcpladder import samples
from tcpladder.agent import confine
from tcpladder.agent.interfaces import list_interfaces
from tcpladder.agent.messages import InterfaceState
from tcpladder.agent.networks import HostNetwork
from tcpladder.errors import CaptureError
from tcpladder.lab import table as experiments
from tcpladder.ladder import words
from tcpladder.store.recent import recent as lately


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A line that can be chosen."""

    section: str
    name: str
    remark: str
    command: tuple[str, ...]
    """Words behind `tcpladder`."""
    type_instead: str = ""
    """Where it needs privilege that this process lacks: what to type."""


@dataclass(frozen=True, slots=True)
class Heading:
    """A line above some that can be chosen."""

    text: str


Row = Entry | Heading


def rows(
    before: Sequence[InterfaceState], now: Sequence[InterfaceState], passed_s: float, recent: int
) -> list[Row]:
    """All lines, top first, with at most `recent` captures that were opened lately."""
    found: list[Row] = []
    for heading, entries in (
        ("Interfaces", _interfaces(before, now, passed_s)),
        ("Opened lately", recently_opened(recent)),
        ("Experiments, in a private network, without root", _experiments()),
        ("Captures that come with tcpladder", shipped()),
    ):
        if entries:
            found += [Heading(heading), *entries]
    return found


def interfaces_now() -> list[InterfaceState]:
    """The interfaces; none where the kernel forbids to ask."""
    try:
        return list_interfaces()
    except OSError:
        return []


def _interfaces(
    before: Sequence[InterfaceState], now: Sequence[InterfaceState], passed_s: float
) -> list[Entry]:
    may = HostNetwork.needs <= confine.effective()
    earlier = {state.index: state for state in before}
    return [
        Entry(
            section="interfaces",
            name=state.name,
            remark=f"{state.state:<8}{_rate(earlier.get(state.index), state, passed_s):>10}  "
            + " ".join(state.addresses),
            command=("live", "-i", state.name),
            type_instead="" if may else f"sudo tcpladder live -i {state.name}",
        )
        for state in now
    ]


def _rate(before: InterfaceState | None, now: InterfaceState, passed_s: float) -> str:
    if before is None or passed_s <= 0:
        return ""
    octets = now.received_bytes + now.sent_bytes - before.received_bytes - before.sent_bytes
    return f"{words.count(int(octets / passed_s))} B/s"


def _experiments() -> list[Entry]:
    return [
        Entry(section="experiments", name=name, remark=experiments.load(name).sentence, command=("lab", name))
        for name in experiments.names()
    ]


def shipped() -> list[Entry]:
    """The captures that come with tcpladder."""
    entries = []
    for name in experiments.names():
        try:
            path = samples.capture(name)
        except CaptureError:
            continue
        entries.append(
            Entry(
                section="captures",
                name=name,
                remark=experiments.load(name).sentence,
                command=("open", str(path)),
            )
        )
    return entries


def recently_opened(most: int) -> list[Entry]:
    """The captures that were opened lately, the last one first."""
    return [
        Entry(
            section="recent",
            name=path.name,
            remark=f"{_age(path)}  {path.parent}",
            command=("open", str(path)),
        )
        for path in lately(most)
    ]


def _age(path: Path) -> str:
    try:
        return f"{words.remaining(time_ns() - path.stat().st_mtime_ns)} old"
    except OSError:
        return ""
