"""A socket as `ss -tno` prints it (iproute2, misc/ss.c). Pure."""

from __future__ import annotations

from tcpladder.agent.messages import SocketState

_NAMES = {"retransmission": "on", "keepalive": "keepalive", "timewait": "timewait", "persist": "persist"}


def socket_line(state: SocketState) -> str:
    """`ESTAB 0 0 127.0.0.1:22345 127.0.0.1:12345 timer:(keepalive,2.900ms,0)`: at the end, what is unanswered."""
    ends = f"{_end(state.local, state.local_port)} {_end(state.remote, state.remote_port)}"
    line = f"{state.state} {state.receive_queue} {state.send_queue} {ends}"
    if state.timer is None:
        return line
    name = _NAMES.get(state.timer, "unknown")
    return f"{line} timer:({name},{_timer(state.expires_ms)},{state.retransmits})"


def _end(address: str, port: int) -> str:
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def _timer(left_ms: int) -> str:
    """As print_ms_timer writes it, which says `2.900ms` for 2.9 s."""
    seconds, milliseconds = divmod(left_ms, 1000)
    minutes, seconds = divmod(seconds, 60)
    text = ""
    if minutes:
        text, milliseconds = f"{minutes}min", 0
        seconds = 0 if minutes > 9 else seconds
    if seconds:
        milliseconds = 0 if seconds > 9 else milliseconds
        text += f"{seconds}{'.' if milliseconds else 'sec'}"
    return text + (f"{milliseconds:03d}ms" if milliseconds else "")
