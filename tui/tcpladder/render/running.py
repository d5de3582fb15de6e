"""What a socket's state says of its running timers: from the kernel's figures to moments and words."""

from __future__ import annotations

from tcpladder.agent.messages import SocketState

_MILLISECOND_NS = 1_000_000


def next_firing_ms(found: SocketState, keepalive_time_s: int | None) -> int:
    """Milliseconds until the running timer sends something, 0 without one.

    The kernel's keepalive timer may fire before a probe is due: where a segment came since it was armed, it only
    waits for the rest of keepalive_time (tcp_keepalive_timer, keepalive_time_elapsed).
    """
    if found.timer is None:
        return 0
    if not keepalive_time_s or found.timer != "keepalive" or found.retransmits or found.info is None:
        return found.expires_ms
    heard_ms = min(found.info.last_data_recv_ms, found.info.last_ack_recv_ms)
    return max(found.expires_ms, keepalive_time_s * 1000 - heard_ms)


def running_words(found: SocketState, keepalive_time_s: int | None) -> str:
    """`keepalive probe in 12.4 s`, `retransmission 3 in 1.2 s`, `time-wait, gone in 43 s`; empty without a timer.

    Without keepalive_time nobody knows whether its timer will probe or wait on: `keepalive timer in 12.4 s`.
    """
    wait = _seconds(next_firing_ms(found, keepalive_time_s))
    unanswered = f" ({found.retransmits} unanswered)" if found.retransmits else ""
    match found.timer:
        case "retransmission":
            return f"retransmission {found.retransmits + 1} in {wait}"
        case "keepalive" if found.state == "FIN-WAIT-2" and not found.inode:
            return f"fin_timeout, gone in {wait}"
        case "keepalive" if keepalive_time_s is None and not found.retransmits:
            return f"keepalive timer in {wait}"
        case "keepalive":
            return f"keepalive probe in {wait}{unanswered}"
        case "persist":
            return f"persist probe in {wait}{unanswered}"
        case "timewait":
            return f"{found.state.lower()}, gone in {wait}"
    return ""


def milliseconds_ns(milliseconds: int) -> int:
    """Nanoseconds."""
    return milliseconds * _MILLISECOND_NS


def _seconds(milliseconds: int) -> str:
    """`0.2 s`, `12.4 s`, `7195 s`."""
    seconds, rest = divmod(milliseconds, 1000)
    return f"{seconds}.{rest // 100} s" if seconds < 100 else f"{seconds} s"
