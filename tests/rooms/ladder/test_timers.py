"""The rows of the timers panel: what is believed of both ends, what runs, and what is counted down."""

from __future__ import annotations

from dataclasses import replace

from tcpladder.analysis import names
from tcpladder.analysis.beliefs import Believed
from tcpladder.analysis.kinds import Kind
from tcpladder.analysis.view import Origin, Pending, Side
from tcpladder.ladder.timers import (
    EndTimers,
    FlowTimers,
    Running,
    RunningTimer,
    SocketReading,
    TimerRow,
    timer_rows,
)

S = 1_000_000_000
VALUES = {
    names.SO_KEEPALIVE: Believed(1, Origin.SOCKET),
    names.KEEPALIVE_TIME: Believed(30 * S, Origin.SOCKET),
    names.KEEPALIVE_INTVL: Believed(3 * S, Origin.SOCKET),
    names.KEEPALIVE_PROBES: Believed(3, Origin.NETNS),
    names.SYN_RETRIES: Believed(6, Origin.ASSUMED),
    names.USER_TIMEOUT: Believed(0, Origin.SOCKET),
}
PROBE = Pending(
    due_ns=30 * S,
    armed_ns=0,
    side=Side.CLIENT,
    kind=Kind.KEEPALIVE_PROBE,
    text="keepalive probe 1/3",
    origin=Origin.SOCKET,
)
KEEPALIVE = RunningTimer(kind=Running.KEEPALIVE, armed_ns=1, due_ns=31 * S, unanswered=0)
READING = SocketReading(owner="curl 4284", refused="", running=KEEPALIVE, rto_ns=204_000_000, unacked=0)
NOBODY = EndTimers(values={}, reading=None)


def rows(end: EndTimers, *pending: Pending) -> dict[str, TimerRow]:
    """The client's rows by name."""
    timers = FlowTimers(ends={Side.CLIENT: end, Side.SERVER: NOBODY}, pending=pending, notice="a capture")
    found = {}
    for row in timer_rows(timers):
        if row.heading and row.name == "server":
            break
        found[row.name] = row
    return found


def running(**changes: object) -> EndTimers:
    changed = replace(READING, running=replace(KEEPALIVE, **changes))  # type: ignore[arg-type]
    return EndTimers(values=VALUES, reading=changed)


def test_what_the_kernel_says_comes_before_the_forecast() -> None:
    said = rows(EndTimers(values=VALUES, reading=READING), PROBE)
    assert said["client"].now == "curl 4284"
    time = said["keepalive_time"]
    assert (time.value, time.origin, time.armed_ns, time.due_ns) == ("30 s", "socket", 1, 31 * S)
    assert (said["keepalive_probes"].value, said["keepalive_probes"].origin) == ("3", "netns")
    assert said["keepalive_probes"].now == "0 unanswered"
    assert said["user_timeout"].value == "off"
    assert (said["rto"].value, said["rto"].origin, said["rto"].now) == ("204 ms", "kernel", "idle")


def test_an_unanswered_probe_moves_the_countdown_to_the_interval() -> None:
    said = rows(running(unanswered=2))
    assert said["keepalive_time"].due_ns is None
    assert said["keepalive_intvl"].due_ns == 31 * S
    assert said["keepalive_probes"].now == "2 unanswered"


def test_without_a_reading_the_forecast_counts_down() -> None:
    said = rows(EndTimers(values=VALUES, reading=None), PROBE)
    assert said["client"].now == "a capture"
    assert said["keepalive_time"].due_ns == 30 * S
    assert "rto" not in said
    unanswered = replace(PROBE, armed_ns=30 * S, due_ns=33 * S)
    assert rows(EndTimers(values=VALUES, reading=None), unanswered)["keepalive_intvl"].due_ns == 33 * S


def test_keepalive_that_is_off_has_one_row() -> None:
    said = rows(EndTimers(values=VALUES | {names.SO_KEEPALIVE: Believed(0, Origin.SOCKET)}, reading=None))
    assert (said["keepalive"].value, said["keepalive"].now) == ("off", "this end would never notice")
    assert "keepalive_time" not in said


def test_whether_keepalive_is_on_may_be_unknown() -> None:
    values = {name: value for name, value in VALUES.items() if name != names.SO_KEEPALIVE}
    assert rows(EndTimers(values=values, reading=None))["keepalive_time"].now == "on or off: unknown"
    assert rows(EndTimers(values=values, reading=None), PROBE)["keepalive_time"].now == ""
    values[names.KEEPALIVE_TIME] = Believed(30 * S, Origin.INFERRED)  # from probes, so it is on
    assert rows(EndTimers(values=values, reading=None))["keepalive_time"].now == ""


def test_data_that_is_not_acknowledged_masks_keepalive() -> None:
    said = rows(running(kind=Running.RETRANSMISSION, unanswered=2), PROBE)
    assert said["keepalive_time"].now == "waits for an answer to data"
    assert said["keepalive_time"].due_ns is None
    assert (said["rto"].now, said["rto"].due_ns) == ("retransmission 3", 31 * S)


def test_persist_and_time_wait_have_rows_of_their_own() -> None:
    assert rows(running(kind=Running.PERSIST, unanswered=1))["persist"].now == "probe 2"
    assert rows(running(kind=Running.TIME_WAIT))["timewait"].due_ns == 31 * S


def test_a_connect_that_waits_counts_its_retries() -> None:
    retry = replace(PROBE, kind=Kind.SYN_RETRANSMISSION, text="SYN retry 2/10", due_ns=2 * S)
    row = rows(EndTimers(values=VALUES, reading=None), retry)["syn_retries"]
    assert (row.value, row.now, row.due_ns) == ("6", "SYN retry 2/10", 2 * S)


def test_why_a_socket_could_not_be_read_is_said() -> None:
    end = EndTimers(values=VALUES, reading=replace(READING, refused="no process holds it"))
    assert rows(end)[""].now == "no process holds it"


def test_a_value_that_the_flow_contradicts_is_a_question_mark() -> None:
    values = {name: value for name, value in VALUES.items() if name != names.KEEPALIVE_TIME}
    assert rows(EndTimers(values=values, reading=None))["keepalive_time"].value == "?"


def test_advice_stands_above_both_ends() -> None:
    ends = {side: EndTimers(values=VALUES, reading=None) for side in Side}
    timers = FlowTimers(ends=ends, pending=(), notice="", advice=("interval above idle",))
    assert timer_rows(timers)[0] == TimerRow(name="advice", now="interval above idle", heading=True)


def test_a_long_rto_is_told_with_one_decimal() -> None:
    """The column is as wide as `13.056 s`, and the next one begins at once behind it."""
    reading = replace(READING, rto_ns=13_056_000_000)
    rows = timer_rows(
        FlowTimers(ends={s: EndTimers(values=VALUES, reading=reading) for s in Side}, pending=(), notice="")
    )
    assert {row.value for row in rows if row.name == "rto"} == {"13.0 s"}
