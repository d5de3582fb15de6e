"""Where the numbers of a flow collide: one sentence each, with the numbers and what follows from them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tcpladder.analysis import names
from tcpladder.analysis.duration import seconds_text
from tcpladder.analysis.judge import Judge
from tcpladder.analysis.middleboxes import IDLE_LIMITS
from tcpladder.analysis.schedule import keepalive, retransmission_limit
from tcpladder.analysis.view import Endpoint, Origin, Side
from tcpladder.analysis.waits import Waits
from tcpladder.flows.state import TcpState

_NAME = {Side.CLIENT: "client", Side.SERVER: "server"}
_PEER = {Side.CLIENT: "server", Side.SERVER: "client"}


def advice(
    waits: Waits, judge: Judge, states: Mapping[Side, TcpState], ends: Mapping[Side, Endpoint]
) -> tuple[str, ...]:
    """What somebody should know who relies on the timers of this flow; empty where nothing collides."""
    sentences: list[str] = []
    for side in Side:
        sentences += _deaf(waits, side)
        if judge.keepalive_is_on(side):
            sentences += _intervals(judge, side)
            sentences += _user_timeout(judge, side)
            if TcpState.CLOSED not in states.values():
                sentences += _masked(waits, judge, side)
            if all(_is_remote(end) for end in ends.values()):
                sentences += _middleboxes(judge, side)
    sentences += _off(judge, states)
    return tuple(sentences)


def _deaf(waits: Waits, side: Side) -> Iterator[str]:
    deaf = waits.by_end[side].deaf_to
    if deaf:
        answers = "1 answer" if deaf == 1 else f"{deaf} answers"
        yield (
            f"{answers} to keepalive probes of the {_NAME[side]} passed the capture and never reached it: its "
            f"timestamp echo does not advance, so a firewall at the {_NAME[side]} eats what the {_PEER[side]} sends"
        )


def _intervals(judge: Judge, side: Side) -> Iterator[str]:
    if not (_is_known(judge, side, names.KEEPALIVE_TIME) and _is_known(judge, side, names.KEEPALIVE_INTVL)):
        return
    time, intvl = (judge.keepalive(side, n).value for n in (names.KEEPALIVE_TIME, names.KEEPALIVE_INTVL))
    if intvl < time or judge.keepalive_intvl_max(side) or not judge.least_spacing_ns(side):
        return
    follows = f"answered probes come {seconds_text(intvl)} apart, not {seconds_text(time)}"
    if intvl == time:
        follows = "a peer that does not answer is asked no more often than one that does"
    yield (
        f"keepalive_intvl {seconds_text(intvl)} of the {_NAME[side]} is not shorter than keepalive_time "
        f"{seconds_text(time)}: {follows}"
    )


def _user_timeout(judge: Judge, side: Side) -> Iterator[str]:
    user_timeout_ns = judge.value(side, names.USER_TIMEOUT).value
    if not user_timeout_ns:
        return
    time, intvl = (judge.keepalive(side, n).value for n in (names.KEEPALIVE_TIME, names.KEEPALIVE_INTVL))
    count = judge.keepalive_probes(side).value
    ending = next(f for f in keepalive(time, intvl, count, 0, user_timeout_ns) if f.gives_up)
    yield (
        f"TCP_USER_TIMEOUT {seconds_text(user_timeout_ns)} of the {_NAME[side]} makes keepalive_probes meaningless: it "
        f"gives up after {_probes_text(ending.number)} without an answer, {seconds_text(time + ending.number * intvl)} "
        f"after the last one"
    )


def _masked(waits: Waits, judge: Judge, side: Side) -> Iterator[str]:
    data = waits.unacknowledged(side)
    if data is None or not _is_known(judge, side, names.KEEPALIVE_TIME):
        return
    time, intvl = (judge.keepalive(side, n).value for n in (names.KEEPALIVE_TIME, names.KEEPALIVE_INTVL))
    silent_ns = time + intvl * judge.keepalive_probes(side).value
    retries = judge.value(side, names.RETRIES2).value
    limit_ns = judge.value(side, names.USER_TIMEOUT).value or retransmission_limit(
        retries, judge.value(side, names.RTO_MAX).value
    )
    yield (
        f"keepalive of the {_NAME[side]} waits while {data.bytes} byte{'s are' if data.bytes != 1 else ' is'} "
        f"unacknowledged: the RTO decides, and gives up after about {seconds_text(limit_ns)}, "
        f"where keepalive would after {seconds_text(silent_ns)}"
    )


def _middleboxes(judge: Judge, side: Side) -> Iterator[str]:
    time = judge.keepalive(side, names.KEEPALIVE_TIME).value
    shorter = [limit for limit in IDLE_LIMITS if limit.limit_ns <= time]
    if shorter and _is_known(judge, side, names.KEEPALIVE_TIME):
        boxes = ", ".join(f"{limit.name} {seconds_text(limit.limit_ns)}" for limit in shorter)
        yield (
            f"keepalive_time {seconds_text(time)} of the {_NAME[side]} is not below what some middleboxes remember "
            f"({boxes}): one on the way forgets an idle connection before the first probe"
        )


def _off(judge: Judge, states: Mapping[Side, TcpState]) -> Iterator[str]:
    switches = [judge.values[side].known.get(names.SO_KEEPALIVE) for side in Side]
    known_off = all(switch is not None and not switch.value for switch in switches)
    if known_off and all(state is TcpState.ESTABLISHED for state in states.values()):
        yield (
            "keepalive is off on both ends: while neither sends data, neither notices that the other one is gone"
        )


def _is_known(judge: Judge, side: Side, name: str) -> bool:
    """Whether a value is more than a default that may not hold."""
    return judge.keepalive(side, name).origin is not Origin.ASSUMED


def _is_remote(end: Endpoint) -> bool:
    return not (end.address.startswith("127.") or end.address in ("::1", "localhost"))


def _probes_text(number: int) -> str:
    return "1 probe" if number == 1 else f"{number} probes"
