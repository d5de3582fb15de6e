"""Which timer had to fire in a silence and did not: a probe, a give-up or a retransmission that never came.

Only what is certain counts, because a wrong accusation is worse than none. The capture point is beside the end, as its
own ACKs show; the silence is one of the whole flow; nothing else kept the timer back; and the capture, or what ended
the silence, is later than the latest time at which the timer may fire. A connection that is only being opened shows
nothing of its path, so its SYNs are not judged.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tcpladder.analysis import names
from tcpladder.analysis.columns import NOTHING, FlowColumns
from tcpladder.analysis.duration import seconds_text
from tcpladder.analysis.judge import Judge
from tcpladder.analysis.kinds import Kind
from tcpladder.analysis.schedule import LATE_NS, LATE_SHARE, backed_off, keepalive_wait, retransmission_limit
from tcpladder.analysis.view import SIDES, Side, Timer
from tcpladder.analysis.wait import Schedule, Wait
from tcpladder.analysis.waits import Waits
from tcpladder.wire.frames import UNKNOWN_TIME_NS
from tcpladder.wire.segments import Flag

_FIN, _SYN, _RST, _ACK = int(Flag.FIN), int(Flag.SYN), int(Flag.RST), int(Flag.ACK)
_NEVER_NS = 1 << 62
_NEEDED = {
    Schedule.KEEPALIVE_TIME: names.KEEPALIVE_TIME,
    Schedule.KEEPALIVE_INTVL: names.KEEPALIVE_INTVL,
    Schedule.GIVE_UP: names.KEEPALIVE_PROBES,
    Schedule.RTO: names.RETRIES2,
}
"""The value that the user must have given, by name, for an expiry to be missed."""
CERTAIN_RETRIES = 2
"""So many retransmissions show what the next wait is, whatever round trip the sender has measured."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """A timer that did not fire."""

    side: Side
    timer: Timer
    schedule: Schedule
    armed: int
    """Index of the segment that armed it."""
    expected_ns: int
    silent_ns: int
    """How long it stayed silent since then, at least."""
    name: str
    """`keepalive_time 55 s: probe 1/2`."""


@dataclass(frozen=True, slots=True)
class _Silence:
    """Nothing came between segment `last` and `end_ns`, when segment `following` ended it, or the capture."""

    last: int
    end_ns: int
    following: int


def missing(
    columns: FlowColumns,
    silent: Callable[[], NDArray[np.bool_]],
    waits: Waits,
    judge: Judge,
    named: Mapping[Side, Container[str]],
    until_ns: int,
) -> Iterator[Missing]:
    """What never came in a flow whose capture goes on until `until_ns`.

    Judges by the values of `judge`, which hold, and only what the user named, side by side: the defaults of a stack
    accuse nobody. `silent` says before which segments a silence of a second or more is, at least.
    """
    shortest_ns = {side: _shortest_ns(waits, judge, side, named[side]) for side in SIDES}
    shortest = min(shortest_ns.values())
    if shortest == _NEVER_NS:
        return
    sides = [side for side in SIDES if shortest_ns[side] < _NEVER_NS and waits.is_beside(side)]
    silences = list(_silences(columns, silent(), until_ns, shortest)) if sides else []
    if not silences:
        return
    reader = _Reader(columns, waits, judge)
    for silence in silences:
        for side in sides:
            found = reader.keepalive(side, silence) or reader.retransmission(side, silence)
            if found is not None and _NEEDED[found.schedule] in named[side]:
                yield found


def _shortest_ns(waits: Waits, judge: Judge, side: Side, named: Container[str]) -> int:
    """The shortest silence in which a timer of an end had to fire; _NEVER_NS for most ends of a capture."""
    shortest_ns = _NEVER_NS
    if judge.keepalive_is_on(side):
        lengths = (names.KEEPALIVE_TIME, names.KEEPALIVE_INTVL)
        if any(name in named for name in (*lengths, names.KEEPALIVE_PROBES)):
            shortest_ns = min(judge.value(side, name).value for name in lengths)
    if names.RETRIES2 in named and Schedule.RTO in waits.by_end[side].first_ns:
        shortest_ns = min(shortest_ns, waits.by_end[side].first_ns[Schedule.RTO])
    return shortest_ns


def _silences(
    columns: FlowColumns, silent: NDArray[np.bool_], until_ns: int, shortest_ns: int
) -> Iterator[_Silence]:
    """The silences of a flow that are longer than a timer of that length may take."""
    latest_ns = _latest_ns(shortest_ns)
    for following in np.flatnonzero(silent).tolist():
        end_ns = columns.at_ns(following)
        if following and end_ns - columns.at_ns(following - 1) > latest_ns:
            yield _Silence(following - 1, end_ns, following)
    last = len(columns) - 1
    if until_ns - columns.at_ns(last) > latest_ns and columns.at_ns(last) != UNKNOWN_TIME_NS:
        yield _Silence(last, until_ns, NOTHING)


def _latest_ns(wait_ns: int) -> int:
    return wait_ns + wait_ns // LATE_SHARE + LATE_NS


class _Reader:
    """What a flow was like when it fell silent, at ends that the capture point is beside."""

    def __init__(self, columns: FlowColumns, waits: Waits, judge: Judge) -> None:
        self._columns, self._waits, self._judge = columns, waits, judge
        self._by_side: dict[Side, list[int]] = {side: [] for side in SIDES}
        for index, wait in sorted(waits.found.items()):
            self._by_side[wait.side].append(index)

    def keepalive(self, side: Side, silence: _Silence) -> Missing | None:
        """The probe or the RST of keepalive that had to come in a silence."""
        last, judge = silence.last, self._judge
        probe = self._latest(side, last, (Schedule.KEEPALIVE_TIME, Schedule.KEEPALIVE_INTVL))
        heard = self._heard(side, last)
        # Where nobody knows the option, only a probe shows that it was on by then.
        is_on = judge.keepalive_is_on(side)
        is_on &= probe is not None or names.SO_KEEPALIVE in judge.values[side].known
        if heard == NOTHING or not is_on or not self._is_idle(side, last):
            return None
        following = self._waits.found.get(silence.following)
        if following is not None and following.side is side and following.timer is Timer.KEEPALIVE:
            return None  # it came, and is judged where it stands
        time, intvl = (judge.keepalive(side, n).value for n in (names.KEEPALIVE_TIME, names.KEEPALIVE_INTVL))
        count = judge.keepalive_probes(side).value
        if probe is None or probe[0] < heard:
            # An expiry behind an answered probe comes no sooner than keepalive_intvl (tcp_keepalive_timer).
            wait_ns = time if probe is None else max(time, intvl)
            name = f"keepalive_time {seconds_text(wait_ns)}: probe 1/{count}"
            return self._missing(side, Schedule.KEEPALIVE_TIME, last, wait_ns, silence, name)
        index, wait = probe
        if index != last or judge.value(side, names.USER_TIMEOUT).value:
            return None
        wait_ns = keepalive_wait(intvl, wait.number, judge.keepalive_intvl_max(side))
        name = f"keepalive_intvl {seconds_text(wait_ns)}: "
        if wait.number < count:
            name += f"probe {wait.number + 1}/{count}"
            return self._missing(side, Schedule.KEEPALIVE_INTVL, index, wait_ns, silence, name)
        if wait.number > count or not judge.resets(side):
            return None
        return self._missing(
            side, Schedule.GIVE_UP, index, wait_ns, silence, f"{name}RST after {count} probes"
        )

    def retransmission(self, side: Side, silence: _Silence) -> Missing | None:
        """The retransmission that had to come in a silence: the RTO has doubled before, its limit is not reached."""
        found = self._latest(side, silence.last, (Schedule.RTO,))
        if found is None or found[0] != silence.last or self._has_ended(silence.last):
            return None
        index, wait = found
        judge = self._judge
        if wait.number < CERTAIN_RETRIES or wait.armed == NOTHING or silence.following in self._waits.found:
            return None
        if judge.value(side, names.USER_TIMEOUT).value:
            return None
        rto_max = judge.value(side, names.RTO_MAX).value
        wait_ns = backed_off(wait.observed_ns, 1, rto_max)
        limit_ns = retransmission_limit(judge.value(side, names.RETRIES2).value, rto_max)
        first = self._first_of_run(side, index)
        if first == NOTHING or self._columns.at_ns(index) + wait_ns - self._columns.at_ns(first) >= limit_ns:
            return None
        name = f"RTO {seconds_text(wait_ns)}: retransmission {wait.number + 1}"
        return self._missing(side, Schedule.RTO, index, wait_ns, silence, name)

    def _missing(
        self, side: Side, schedule: Schedule, armed: int, wait_ns: int, silence: _Silence, name: str
    ) -> Missing | None:
        silent_ns = silence.end_ns - self._columns.at_ns(armed)
        if silent_ns <= _latest_ns(wait_ns):
            return None
        timer = Timer.RTO if schedule is Schedule.RTO else Timer.KEEPALIVE
        return Missing(
            side=side,
            timer=timer,
            schedule=schedule,
            armed=armed,
            expected_ns=wait_ns,
            silent_ns=silent_ns,
            name=name,
        )

    def _latest(self, side: Side, last: int, schedules: Sequence[Schedule]) -> tuple[int, Wait] | None:
        """The last wait of some schedules that ended up to a segment."""
        for index in reversed(self._by_side[side]):
            wait = self._waits.found[index]
            if index <= last and wait.schedule in schedules:
                return index, wait
        return None

    def _first_of_run(self, side: Side, index: int) -> int:
        """The first retransmission of the run that one belongs to."""
        for at in reversed(self._by_side[side]):
            wait = self._waits.found[at]
            if at <= index and wait.schedule is Schedule.RTO and wait.number == 1:
                return at
        return NOTHING

    def _heard(self, side: Side, last: int) -> int:
        """The peer's last segment that refreshes the keepalive clock of an end, up to a segment."""
        from_client, kind, client = self._columns.from_client, self._columns.kind, side is Side.CLIENT
        for at in range(last, -1, -1):
            if from_client.item(at) != client and kind.item(at) != Kind.KEEPALIVE_PROBE:
                return at
        return NOTHING

    def _has_ended(self, last: int) -> bool:
        """Whether the connection is not open yet at a segment, or no longer: then other timers run."""
        flags = self._columns.flags[: last + 1]
        if int(np.bitwise_or.reduce(flags)) & (_FIN | _RST):
            return True
        if (self._columns.kind[: last + 1] == Kind.ICMP_ERROR).any():
            return True
        return not bool((flags[self._columns.from_client[: last + 1]] & (_SYN | _ACK) == _ACK).any())

    def _is_idle(self, side: Side, last: int) -> bool:
        """Whether keepalive of an end is what runs: the connection open, all data acknowledged, the window open."""
        if self._has_ended(last):
            return False
        columns, client = self._columns, side is Side.CLIENT
        from_peer = np.flatnonzero(columns.from_client[: last + 1] != client)
        latest = int(from_peer[-1])
        if not columns.flags[latest] & _ACK or not columns.value("window", latest):
            return False
        if columns.value("unknown", latest):
            return False
        return self._waits.has_acknowledged(side, last, int(columns.ack[latest]))
