"""Local sockets with their configured and their running timers, as lines of text and as JSON records."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from tcpladder.agent.messages import SocketOptions, SocketState
from tcpladder.analysis.duration import seconds_text
from tcpladder.analysis.view import Endpoint, Origin
from tcpladder.render.cells import clean
from tcpladder.render.running import milliseconds_ns, next_firing_ms, running_words

_KEEPALIVE = ("TCP_KEEPIDLE", "TCP_KEEPINTVL", "TCP_KEEPCNT")
_HEADING = (
    "state",
    "local",
    "remote",
    "running",
    "keepalive",
    "from",
    "user_timeout",
    "rto",
    "unacked",
    "owner",
)
_RIGHT = frozenset({"user_timeout", "rto", "unacked"})


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalSocket:
    """One socket, its owner and options."""

    state: SocketState
    said: SocketOptions
    namespace: dict[str, int]
    """TCP_KEEPIDLE … as sysctls of the namespace give them, for a socket that could not be read."""

    @property
    def keepalive(self) -> bool | None:
        """Whether it probes; None where nobody can know: its options are hidden, and another timer runs."""
        if "SO_KEEPALIVE" in self.said.options:
            return bool(self.said.options["SO_KEEPALIVE"])
        return True if self.state.timer == "keepalive" and self.state.inode else None

    @property
    def configured(self) -> dict[str, int]:
        """TCP_KEEPIDLE, TCP_KEEPINTVL and TCP_KEEPCNT: its own, else the namespace's if it probes, else none."""
        if self.keepalive is None:
            return {}
        known = self.said.options or self.namespace
        return {name: known[name] for name in _KEEPALIVE if name in known}

    @property
    def origin(self) -> Origin | None:
        """Where `configured` comes from."""
        if not self.configured:
            return None
        return Origin.SOCKET if self.said.options else Origin.NETNS


def sockets_table(sockets: Sequence[LocalSocket], *, ascii_only: bool) -> Iterator[str]:
    """A heading and one line a socket: `idle/intvl/count` of keepalive in seconds, `-` for what is not known."""
    rows = [_HEADING, *(_cells(one, ascii_only) for one in sockets)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEADING))]
    for row in rows:
        cells = [
            cell.rjust(width) if name in _RIGHT else cell.ljust(width)
            for cell, width, name in zip(row, widths, _HEADING, strict=True)
        ]
        yield "  ".join(cells).rstrip()


def socket_record(one: LocalSocket) -> dict[str, Any]:
    """One JSON object; what is not known is null. `options` has the kernel's names and units."""
    state, said = one.state, one.said
    sends = state.timer is not None and (
        state.timer != "keepalive" or bool(said.options) or state.retransmits > 0
    )
    return {
        "record": "socket",
        "state": state.state.lower(),
        "local": str(Endpoint(state.local, state.local_port)),
        "remote": str(Endpoint(state.remote, state.remote_port)),
        "pid": said.owner.pid if said.owner else None,
        "process": said.owner.command if said.owner else None,
        "uid": state.uid,
        "inode": state.inode or None,
        "cookie": state.cookie,
        "timer": state.timer,
        "expires_ms": state.expires_ms if state.timer else None,
        "fires_ms": next_firing_ms(state, said.options.get("TCP_KEEPIDLE")) if sends else None,
        "unanswered": state.retransmits,
        "send_queue": state.send_queue,
        "receive_queue": state.receive_queue,
        "keepalive": one.keepalive,
        "keepalive_time_s": one.configured.get("TCP_KEEPIDLE"),
        "keepalive_intvl_s": one.configured.get("TCP_KEEPINTVL"),
        "keepalive_probes": one.configured.get("TCP_KEEPCNT"),
        "user_timeout_ms": said.options.get("TCP_USER_TIMEOUT"),
        "origin": one.origin,
        "options": said.options or None,
        "congestion": said.congestion or None,
        "tcp_info": asdict(state.info) if state.info else None,
        "refused": said.refused or None,
    }


def _cells(one: LocalSocket, ascii_only: bool) -> tuple[str, ...]:
    state, said, info = one.state, one.said, one.state.info
    timeout_ms = said.options.get("TCP_USER_TIMEOUT")
    owner = (
        f"{said.owner.command} {said.owner.pid}" if said.owner else f"uid {state.uid}" if state.inode else "-"
    )
    cells = (
        state.state.lower(),
        str(Endpoint(state.local, state.local_port)),
        str(Endpoint(state.remote, state.remote_port)),
        running_words(state, said.options.get("TCP_KEEPIDLE")) or "-",
        "off" if one.keepalive is False else "/".join(map(str, one.configured.values())) or "-",
        one.origin or "-",
        "-" if timeout_ms is None else _length(timeout_ms) if timeout_ms else "off",
        "-" if info is None else _length(info.rto_us // 1000),
        "-" if info is None else str(info.unacked),
        owner,
    )
    return tuple(clean(cell, ascii_only) for cell in cells)


def _length(milliseconds: int) -> str:
    return seconds_text(milliseconds_ns(milliseconds))
