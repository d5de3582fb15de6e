"""Which flows are looked at, and what their sockets say of themselves: owner, options, the running timer.

Asks the agent little and seldom: one flow's options at a time, a running timer only while somebody watches it.
"""

from __future__ import annotations

import math
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tcpladder.agent.client import AgentClient
from tcpladder.agent.messages import (
    ReadSocketOptions,
    ReadSockets,
    SocketOptions,
    Sockets,
    SocketState,
)
from tcpladder.analysis import beliefs, names
from tcpladder.analysis.beliefs import TimerValues
from tcpladder.analysis.view import Endpoint, Origin, Side
from tcpladder.ladder.timers import Running, RunningTimer, SocketReading
from tcpladder.render.running import milliseconds_ns, next_firing_ms

OPTIONS_EVERY_S = 3.0
"""A program may set an option at any time; nobody is told."""
UNREAD_AGAIN_S = 0.5
"""Until the next attempt where there was nothing to read: nobody has accepted the connection yet."""
OPTIONS_APART_S = 0.05
"""At least so long between two readings: looking through the processes may take tens of milliseconds."""
TIMERS_EVERY_S = 1.0
WATCHED_FOR_S = 2.5
"""How long a flow counts as watched after its timers were asked for."""
TIME_WAIT_MS = 60_000
"""TCP_TIMEWAIT_LEN."""
NEVER_S = math.inf
MOST_FLOWS = 256
"""Of more flows than this, what was read of those looked at longest ago is forgotten."""

Ends = dict[Side, tuple[Endpoint, Endpoint]]
"""The ends that live here: each with its own endpoint and its peer's."""


@dataclass(slots=True)
class _Socket:
    """What was read of one socket."""

    said: SocketOptions | None = None
    values: TimerValues = TimerValues()  # noqa: RUF009 - frozen
    state: SocketState | None = None
    running: RunningTimer | None = None
    read_ns: int = 0
    """When the running timer was read."""


class SocketWatch:
    """Reads the sockets of one live capture. `looked_at` and `watch` are called from any thread, `work` from one.

    Args:
        agent: reads them.
        ends: the ends of a flow that live in the captured namespace.
    """

    def __init__(self, agent: AgentClient, ends: Callable[[int], Ends]) -> None:
        self._agent = agent
        self._ends = ends
        self._lock = threading.Lock()
        self._due_s: OrderedDict[int, float] = OrderedDict()
        """Flow -> when its options are to be read; never again, until somebody looks at it."""
        self._next_s = 0.0
        self._last = 0
        self._watched, self._watched_until_s, self._timers_due_s = 0, 0.0, 0.0
        self._sockets: OrderedDict[tuple[Endpoint, Endpoint], _Socket] = OrderedDict()

    def looked_at(self, number: int, now_s: float) -> None:
        """Somebody looks at a flow: its options are read soon, and again while it is the last one looked at."""
        with self._lock:
            self._last = number
            if self._due_s.get(number, now_s) == NEVER_S:
                self._due_s[number] = now_s + OPTIONS_EVERY_S
            self._due_s.setdefault(number, now_s)
            if len(self._due_s) > MOST_FLOWS:
                self._due_s.popitem(last=False)

    def watch(self, number: int, now_s: float) -> None:
        """Somebody wants the running timers of a flow."""
        self._watched, self._watched_until_s = number, now_s + WATCHED_FOR_S

    def work(self, now_s: float, clock: Callable[[], int]) -> bool:
        """Read what is due; returns whether anything is believed now that was not. Raises TcpladderError.

        `clock` says the time in ns, anew before each reading: one may take tens of milliseconds.
        """
        if now_s < self._watched_until_s and now_s >= self._timers_due_s:
            self._timers_due_s = now_s + TIMERS_EVERY_S
            for local, remote in self._ends(self._watched).values():
                self._read_timer(local, remote, clock())
        number = self._due(now_s)
        if number is None:
            return False
        changed, unread = False, False
        for local, remote in self._ends(number).values():
            changed |= self._read_options(local, remote, clock)
            unread |= self.values(local, remote) is None
        with self._lock:
            again_s = UNREAD_AGAIN_S if unread else OPTIONS_EVERY_S
            self._due_s[number] = now_s + again_s if number == self._last else NEVER_S
        return changed

    def _due(self, now_s: float) -> int | None:
        """The flow whose options are to be read now."""
        if now_s < self._next_s:
            return None
        self._next_s = now_s + OPTIONS_APART_S
        with self._lock:
            return next((flow for flow, due_s in self._due_s.items() if due_s <= now_s), None)

    def values(self, local: Endpoint, remote: Endpoint) -> TimerValues | None:
        """What the options of a socket say, None where they were not read."""
        found = self._sockets.get((local, remote))
        return found.values if found is not None and found.values.known else None

    def all_values(self) -> dict[tuple[Endpoint, Endpoint | None], TimerValues]:
        """What the options of every socket say that was read."""
        return {ends: found.values for ends, found in list(self._sockets.items()) if found.values.known}

    def reading(self, local: Endpoint, remote: Endpoint, last_ns: int) -> SocketReading | None:
        """What was read of a socket, None where nothing was.

        A timer that was read before the last segment of the flow, at last_ns, no longer runs as it was read.
        """
        found = self._sockets.get((local, remote))
        if found is None or found.said is None:
            return None
        state, owner = found.state, found.said.owner
        info = None if state is None else state.info
        return SocketReading(
            owner="" if owner is None else f"{owner.command} {owner.pid}",
            refused=found.said.refused,
            running=found.running if found.read_ns > last_ns else None,
            rto_ns=None if info is None else info.rto_us * 1000,
            unacked=None if info is None else info.unacked,
        )

    def _read_options(self, local: Endpoint, remote: Endpoint, clock: Callable[[], int]) -> bool:
        now_ns = clock()
        question = ReadSocketOptions(
            local=local.address, local_port=local.port, remote=remote.address, remote_port=remote.port
        )
        said, _ = self._agent.request(question)
        assert isinstance(said, SocketOptions)
        found = self._socket(local, remote)
        if found.said is not None and found.values.known and not said.options:
            # The socket is gone: what it said before held as long as it lived.
            said = SocketOptions(
                owner=found.said.owner, options=found.said.options, congestion="", refused=said.refused
            )
        if said == found.said:
            return False
        values, since_ns = beliefs.from_socket_options(said.options), now_ns if found.values.known else 0
        found.said = said
        if since_ns and values.get(names.SO_KEEPALIVE):
            armed = {names.SO_KEEPALIVE: values.pop(names.SO_KEEPALIVE)}
            armed_ns = self._keepalive_armed_ns(local, remote, clock()) or since_ns
            found.values = found.values.with_values(armed, Origin.SOCKET, armed_ns)
        found.values = found.values.with_values(values, Origin.SOCKET, since_ns)
        return True

    def _keepalive_armed_ns(self, local: Endpoint, remote: Endpoint, now_ns: int) -> int:
        """What the keepalive timer counts from, as its kernel says; 0 where another timer or none runs.

        SO_KEEPALIVE arms it anew (tcp_set_keepalive), TCP_KEEPIDLE behind it goes back to the last segment
        (tcp_sock_set_keepidle), and when the option was read is later than either.
        """
        found, state = self._socket(local, remote), self._read_state(local, remote)
        if state is None or state.timer != Running.KEEPALIVE or state.retransmits or found.said is None:
            return 0
        return _running(state, found.said.options, now_ns).armed_ns

    def _read_timer(self, local: Endpoint, remote: Endpoint, now_ns: int) -> None:
        found = self._socket(local, remote)
        found.state = self._read_state(local, remote)
        found.running, found.read_ns = None, now_ns
        if found.state is not None and found.state.timer is not None:
            options = found.said.options if found.said is not None else {}
            found.running = _running(found.state, options, now_ns)

    def _read_state(self, local: Endpoint, remote: Endpoint) -> SocketState | None:
        question = ReadSockets(
            local=local.address, local_port=local.port, remote=remote.address, remote_port=remote.port, most=1
        )
        reply, _ = self._agent.request(question)
        assert isinstance(reply, Sockets)
        return reply.sockets[0] if reply.sockets else None

    def _socket(self, local: Endpoint, remote: Endpoint) -> _Socket:
        found = self._sockets.setdefault((local, remote), _Socket())
        if len(self._sockets) > 2 * MOST_FLOWS:
            self._sockets.popitem(last=False)
        return found


def _running(state: SocketState, options: Mapping[str, int], now_ns: int) -> RunningTimer:
    """The timer as a moment, and the moment when it was armed as far as its length is known."""
    kind = Running(state.timer or "")
    left_ms = next_firing_ms(state, options.get("TCP_KEEPIDLE"))
    length_ms = 0
    if kind is Running.KEEPALIVE:
        length_ms = 1000 * options.get("TCP_KEEPINTVL" if state.retransmits else "TCP_KEEPIDLE", 0)
    elif kind is Running.TIME_WAIT:
        length_ms = TIME_WAIT_MS
    elif state.info is not None:
        length_ms = state.info.rto_us // 1000
    due_ns = now_ns + milliseconds_ns(left_ms)
    armed_ns = due_ns - milliseconds_ns(max(length_ms, left_ms))
    return RunningTimer(kind=kind, armed_ns=armed_ns, due_ns=due_ns, unanswered=state.retransmits)
