"""The timers of a flow as rows: what each end is believed to run with, where that comes from, and what runs now.

"Now" is an argument. What the kernel says of a running timer comes before the forecast.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from tcpladder.analysis import names
from tcpladder.analysis.beliefs import Believed
from tcpladder.analysis.duration import about, seconds_text
from tcpladder.analysis.kinds import Kind
from tcpladder.analysis.view import Origin, Pending, Side


class Running(StrEnum):
    """The timers that sock_diag(7) tells apart."""

    RETRANSMISSION = "retransmission"
    KEEPALIVE = "keepalive"
    TIME_WAIT = "timewait"
    PERSIST = "persist"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningTimer:
    """The timer that the kernel says runs."""

    kind: Running
    armed_ns: int
    """As far as its length is known, else when it was read: where its countdown starts."""
    due_ns: int
    unanswered: int
    """Retransmissions, or probes of keepalive and persist."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SocketReading:
    """What a socket said of itself when it was read."""

    owner: str
    """`curl 4284`; empty where nobody holds it or the holder is hidden."""
    refused: str
    """Why its options are not known, empty where they are."""
    running: RunningTimer | None
    rto_ns: int | None
    unacked: int | None
    """Segments."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EndTimers:
    """One end of a flow."""

    values: Mapping[str, Believed]
    """By the names of beliefs.py: what is believed, what the flow itself shows included."""
    reading: SocketReading | None
    """None for an end that does not live here, and in a capture."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowTimers:
    """All about the timers of a flow."""

    ends: Mapping[Side, EndTimers]
    pending: tuple[Pending, ...]
    """The forecast."""
    notice: str
    """Why no running timers are known, empty where they are."""
    advice: tuple[str, ...] = ()
    """Where values collide, one sentence each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TimerRow:
    """One line of the panel; a heading has only `name` and `now`."""

    name: str
    value: str = ""
    origin: str = ""
    now: str = ""
    armed_ns: int | None = None
    due_ns: int | None = None
    """Both None where nothing is counted down."""
    heading: bool = False


_KEEPALIVE = (names.KEEPALIVE_TIME, names.KEEPALIVE_INTVL, names.KEEPALIVE_PROBES)
KERNEL = "kernel"
"""The origin of what the kernel computes and nobody configures."""


def timer_rows(timers: FlowTimers) -> tuple[TimerRow, ...]:
    """The advice, which a small panel must not hide, and the rows of both ends, the client's first."""
    ends = (row for side in Side for row in _end(side, timers))
    advice = (TimerRow(name="advice", now=sentence, heading=True) for sentence in timers.advice)
    return (*advice, *ends)


def _end(side: Side, timers: FlowTimers) -> Iterator[TimerRow]:
    end = timers.ends[side]
    reading = end.reading
    owner = timers.notice or "another machine's" if reading is None else reading.owner or "this machine's"
    yield TimerRow(name=side.name.lower(), now=owner, heading=True)
    if reading is not None and reading.refused:
        yield TimerRow(name="", now=reading.refused)
    pending = next((one for one in timers.pending if one.side is side), None)
    yield from _keepalive(end, pending)
    yield from _connect(end, pending)
    if names.USER_TIMEOUT in end.values:
        yield _value_row(names.USER_TIMEOUT, end, "")
    if reading is not None:
        yield from _kernel_timers(reading)


def _keepalive(end: EndTimers, pending: Pending | None) -> Iterator[TimerRow]:
    """keepalive_time, keepalive_intvl and keepalive_probes, or that it is off."""
    enabled = end.values.get(names.SO_KEEPALIVE)
    if enabled is not None and not enabled.value:
        yield TimerRow(
            name="keepalive", value="off", origin=enabled.origin, now="this end would never notice"
        )
        return
    running = end.reading.running if end.reading is not None else None
    unknown = ""
    if running is not None and running.kind is not Running.KEEPALIVE:
        # The kernel reports one timer; keepalive waits in silence until nothing is outstanding.
        unknown, running, pending = "waits for an answer to data", None, None
    time = end.values.get(names.KEEPALIVE_TIME)
    armed_ns, due_ns, idle = None, None, True
    if running is not None:
        armed_ns, due_ns, idle = running.armed_ns, running.due_ns, not running.unanswered
    elif pending is not None and _is_of_keepalive(pending):
        armed_ns, due_ns = pending.armed_ns, pending.due_ns
        idle = time is not None and due_ns - armed_ns == time.value
    shown = any(one is not None and one.origin is Origin.INFERRED for one in map(end.values.get, _KEEPALIVE))
    if enabled is None and due_ns is None and not shown:
        unknown = "on or off: unknown"
    idle_ns, probing_ns = ((armed_ns, due_ns), (None, None))[:: 1 if idle else -1]
    yield _value_row(names.KEEPALIVE_TIME, end, unknown, *idle_ns)
    yield _value_row(names.KEEPALIVE_INTVL, end, "", *probing_ns)
    unanswered = "" if running is None else f"{running.unanswered} unanswered"
    yield _value_row(names.KEEPALIVE_PROBES, end, unanswered)


def _value_row(
    name: str, end: EndTimers, now: str, armed_ns: int | None = None, due_ns: int | None = None
) -> TimerRow:
    """One value: a count as it is, a time with its unit, 0 as off."""
    held = end.values.get(name)
    if held is None:
        return TimerRow(name=name, value="?", now=now, armed_ns=armed_ns, due_ns=due_ns)
    count = names.SETTINGS[name].unit_ns is None
    value = str(held.value) if count else seconds_text(held.value) if held.value else "off"
    return TimerRow(name=name, value=value, origin=held.origin, now=now, armed_ns=armed_ns, due_ns=due_ns)


def _is_of_keepalive(pending: Pending) -> bool:
    return pending.kind is Kind.KEEPALIVE_PROBE or pending.text.startswith("RST")


def _connect(end: EndTimers, pending: Pending | None) -> Iterator[TimerRow]:
    """syn_retries, while the connection is being made."""
    if pending is not None and pending.text.startswith(("SYN retry", "gives up; connect()")):
        words = pending.text.split(";")[0]
        yield _value_row(names.SYN_RETRIES, end, words, pending.armed_ns, pending.due_ns)


def _kernel_timers(reading: SocketReading) -> Iterator[TimerRow]:
    """The timers whose length the kernel computes: it tells one that runs, and the retransmission timeout."""
    running = reading.running
    kind = None if running is None else running.kind
    if reading.rto_ns is not None:
        counted = running if kind is Running.RETRANSMISSION else None
        if counted is None:
            now = "idle" if not reading.unacked else f"{reading.unacked} unacknowledged"
        else:
            now = f"retransmission {counted.unanswered + 1}"
        length = seconds_text(reading.rto_ns)
        yield _running_row("rto", length if len(length) < 8 else about(reading.rto_ns), now, counted)
    if running is not None and kind is Running.PERSIST:
        yield _running_row("persist", "", f"probe {running.unanswered + 1}", running)
    if running is not None and kind is Running.TIME_WAIT:
        yield _running_row("timewait", "", "gone", running)


def _running_row(name: str, value: str, now: str, running: RunningTimer | None) -> TimerRow:
    return TimerRow(
        name=name,
        value=value,
        origin=KERNEL,
        now=now,
        armed_ns=None if running is None else running.armed_ns,
        due_ns=None if running is None else running.due_ns,
    )
