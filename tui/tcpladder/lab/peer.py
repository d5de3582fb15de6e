"""A program of its own: one end of an experiment, telling what its calls returned. Standard library only.

    python -I -S - '{"role": "client", "options": {"SO_KEEPALIVE": 1}, "address": "127.0.0.1", "port": 12345}' <peer.py

It writes one JSON object a line, each with `event`, `time_ns` (since 1970 UTC, when the call returned) and
`monotonic_ns`:

    listening   address port            the server waits for a client
    connected   address port options    its own end; the options that are in force, as getsockopt says; after_s
    accepted    address port options    the client's end; the options in force on the server's
    sent        bytes
    received    bytes
    ended       call error after_s      the last one: `recv()` and `ETIMEDOUT`, or null where the peer closed in order
"""

from __future__ import annotations

import errno
import json
import socket
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import TypeVar

OPTIONS_IN_FORCE = (
    "SO_KEEPALIVE",
    "TCP_KEEPIDLE",
    "TCP_KEEPINTVL",
    "TCP_KEEPCNT",
    "TCP_USER_TIMEOUT",
    "TCP_SYNCNT",
)
"""What is read back from a connected socket: seconds, counts, TCP_USER_TIMEOUT in milliseconds (tcp(7))."""

Result = TypeVar("Result")


class CallError(Exception):
    """A call returned an error: its name, the error's name and how long it took."""

    def __init__(self, call: str, error: OSError, after_s: float) -> None:
        super().__init__(call)
        self.call = call
        self.error = errno.errorcode.get(error.errno or 0, str(error))
        self.after_s = after_s


def tell(event: str, **facts: object) -> None:
    """Write one line of the report."""
    line = {"event": event, "time_ns": time.time_ns(), "monotonic_ns": time.monotonic_ns(), **facts}
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


def timed(name: str, call: Callable[[], Result]) -> tuple[Result, float]:
    """What a call returns, and after how many seconds. Raises CallError."""
    began = time.monotonic()
    try:
        return call(), time.monotonic() - began
    except OSError as error:
        raise CallError(name, error, time.monotonic() - began) from None


def level(name: str) -> int:
    """The level of a socket option, by how its name begins."""
    return socket.SOL_SOCKET if name.startswith("SO_") else socket.IPPROTO_TCP


def prepared(address: str, options: dict[str, int]) -> socket.socket:
    """A socket with its options set, before anything is sent."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    made = socket.socket(family, socket.SOCK_STREAM)
    timed("setsockopt(SO_REUSEADDR)", lambda: made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1))
    for name, value in options.items():
        number = getattr(socket, name)
        timed(f"setsockopt({name})", partial(made.setsockopt, level(name), number, value))
    return made


def in_force(connected: socket.socket) -> dict[str, int]:
    """What the kernel says about a connected socket's options."""
    return {
        name: connected.getsockopt(level(name), getattr(socket, name))
        for name in OPTIONS_IN_FORCE
        if hasattr(socket, name)
    }


def converse(connected: socket.socket, message: str) -> None:
    """Send the message, if any, then receive until the connection ends, and tell how it did."""
    if message:
        timed("send()", lambda: connected.sendall(message.encode()))
        tell("sent", bytes=len(message.encode()))
    while True:
        received, after_s = timed("recv()", lambda: connected.recv(65536))
        if not received:
            tell("ended", call="recv()", error=None, after_s=after_s)
            return
        tell("received", bytes=len(received))


def serve(address: str, port: int, options: dict[str, int], message: str) -> None:
    """Listen, accept one client, converse."""
    listener = prepared(address, options)
    timed("bind()", lambda: listener.bind((address, port)))
    timed("listen()", lambda: listener.listen(8))
    tell("listening", address=address, port=port)
    (connected, client), _ = timed("accept()", listener.accept)
    tell("accepted", address=client[0], port=client[1], options=in_force(connected))
    converse(connected, message)


def call(address: str, port: int, local_port: int, options: dict[str, int], message: str) -> None:
    """Connect, from a local port if one is asked for, and converse."""
    connected = prepared(address, options)
    if local_port:
        timed("bind()", lambda: connected.bind((address, local_port)))
    _, after_s = timed("connect()", lambda: connected.connect((address, port)))
    own = connected.getsockname()
    tell("connected", address=own[0], port=own[1], options=in_force(connected), after_s=after_s)
    converse(connected, message)


def main(wanted: str) -> None:
    """Play the part that the JSON object asks for."""
    part = json.loads(wanted)
    address, port, options, message = part["address"], part["port"], part["options"], part.get("message", "")
    try:
        if part["role"] == "server":
            serve(address, port, options, message)
        else:
            call(address, port, part.get("local_port", 0), options, message)
    except CallError as failure:
        tell("ended", call=failure.call, error=failure.error, after_s=failure.after_s)


if __name__ == "__main__":
    main(sys.argv[1])
