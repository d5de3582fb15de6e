"""A program of its own: one end of an experiment, telling what its calls returned. Standard library only.

    python -I -S - '{"role": "client", "options": {}, "address": "127.0.0.1", "port": 12345,
                     "script": ["connect", "send 100", "read until end"]}' <peer.py

The script, one action an item; N is bytes, T seconds:

    connect                     from local_address and local_port, where they are given
    listen [BACKLOG]            8 without a number
    accept                      one client
    send N [every T] [times K]  once, K times, or with `every` alone until something is wrong
    say TEXT                    these characters
    read N [every T]            once, at most N; with `every`, the slow reader, until the other end closes
    read until end              until the other end closes
    wait T                      let time pass
    hold                        the socket and do nothing, until somebody ends this process
    shutdown write|read         half close
    close                       with SO_LINGER = 0 among the options that is a reset
    try ACTION                  an error is told, and the script goes on

It writes one JSON object a line, each with `event`, `time_ns` (since 1970 UTC, when the call returned), `monotonic_ns`
and `after_s`, how long the call took:

    listening   address port            the server waits for a client
    connected   address port options    its own end; the options that are in force, as getsockopt says
    accepted    address port options    the client's end; the options in force on the server's
    sent        bytes
    received    bytes                   0: the other end closed its direction
    shutdown    call
    closed
    failed      call error              after `try`: `send()` and `EPIPE`
    ended       call error              the last one; the error is null where the script was played to its end
"""

from __future__ import annotations

import errno
import json
import socket
import struct
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

OPTIONS_IN_FORCE = (
    "SO_KEEPALIVE",
    "TCP_KEEPIDLE",
    "TCP_KEEPINTVL",
    "TCP_KEEPCNT",
    "TCP_USER_TIMEOUT",
    "TCP_SYNCNT",
    "TCP_LINGER2",
)
"""What is read back from a connected socket: seconds, counts, TCP_USER_TIMEOUT in milliseconds (tcp(7))."""
MOST_BYTES = 1 << 16
_SHUTDOWN = {"read": socket.SHUT_RD, "write": socket.SHUT_WR}
_FOREVER_S = 86_400.0

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
        written: int | bytes = struct.pack("ii", 1, value) if name == "SO_LINGER" else value
        timed(f"setsockopt({name})", partial(made.setsockopt, level(name), getattr(socket, name), written))
    return made


def in_force(connected: socket.socket) -> dict[str, int]:
    """What the kernel says about a connected socket's options."""
    return {
        name: connected.getsockopt(level(name), getattr(socket, name))
        for name in OPTIONS_IN_FORCE
        if hasattr(socket, name)
    }


class Peer:
    """One end, which plays its script action by action. Each action raises CallError where the kernel refuses."""

    def __init__(self, part: dict[str, Any]) -> None:
        self.part = part
        self.address, self.port = part["address"], part["port"]
        self.socket: socket.socket = prepared(self.address, part["options"])
        self.listener: socket.socket | None = None

    def play(self, action: str) -> None:
        """Do what a line of the script says."""
        verb, _, rest = action.partition(" ")
        if verb == "try":
            try:
                self.play(rest)
            except CallError as failure:
                tell("failed", call=failure.call, error=failure.error, after_s=failure.after_s)
            return
        getattr(self, f"do_{verb}")(rest)

    def do_connect(self, _rest: str) -> None:
        """Open the connection."""
        local = self.part.get("local_address", ""), self.part.get("local_port", 0)
        if any(local):
            timed("bind()", lambda: self.socket.bind(local))
        remote = self.address, self.port
        _, after_s = timed("connect()", lambda: self.socket.connect(remote))
        own = self.socket.getsockname()
        tell("connected", address=own[0], port=own[1], options=in_force(self.socket), after_s=after_s)

    def do_listen(self, backlog: str) -> None:
        """Wait for clients."""
        timed("bind()", lambda: self.socket.bind((self.address, self.port)))
        timed("listen()", lambda: self.socket.listen(int(backlog or 8)))
        tell("listening", address=self.address, port=self.port)

    def do_accept(self, _rest: str) -> None:
        """Take one client; the listener stays open."""
        self.listener = self.listener or self.socket
        (self.socket, client), after_s = timed("accept()", self.listener.accept)
        tell("accepted", address=client[0], port=client[1], options=in_force(self.socket), after_s=after_s)

    def do_send(self, words: str) -> None:
        """Send, once or again and again."""
        size, every_s, times = numbers(words)
        for turn in range(times or (1 if every_s is None else sys.maxsize)):
            if turn:
                time.sleep(every_s or 0)
            self.send(b"x" * size)

    def do_say(self, text: str) -> None:
        """Send these characters."""
        self.send(text.encode())

    def send(self, data: bytes) -> None:
        """Send all of it; waits as long as the buffer is full."""
        _, after_s = timed("send()", lambda: self.socket.sendall(data))
        tell("sent", bytes=len(data), after_s=after_s)

    def do_read(self, words: str) -> None:
        """Receive: once, slowly, or until the other end closes."""
        until_end = words == "until end"
        size, every_s, _ = (MOST_BYTES, None, 0) if until_end else numbers(words)
        while True:
            received, after_s = timed("recv()", lambda: self.socket.recv(size))
            tell("received", bytes=len(received), after_s=after_s)
            if not received or not (until_end or every_s is not None):
                return
            time.sleep(every_s or 0)

    def do_wait(self, seconds: str) -> None:
        """Let time pass."""
        time.sleep(float(seconds))

    def do_hold(self, _rest: str) -> None:
        """Keep the socket and do nothing."""
        while True:
            time.sleep(_FOREVER_S)

    def do_shutdown(self, direction: str) -> None:
        """Half close."""
        call = f"shutdown({direction})"
        _, after_s = timed(call, lambda: self.socket.shutdown(_SHUTDOWN[direction]))
        tell("shutdown", call=call, after_s=after_s)

    def do_close(self, _rest: str) -> None:
        """Close the socket."""
        _, after_s = timed("close()", self.socket.close)
        tell("closed", after_s=after_s)


def numbers(words: str) -> tuple[int, float | None, int]:
    """`100 every 0.5 times 10`: bytes, seconds between turns if said, turns (0 where not said)."""
    size, *rest = words.split()
    said = dict(zip(rest[::2], rest[1::2], strict=True))
    return int(size), float(said["every"]) if "every" in said else None, int(said.get("times", 0))


def main(wanted: str) -> None:
    """Play the part that the JSON object asks for."""
    part = json.loads(wanted)
    last, error, after_s = "socket()", None, 0.0
    try:
        peer = Peer(part)
        for action in part["script"]:
            last = action
            peer.play(action)
    except CallError as failure:
        last, error, after_s = failure.call, failure.error, failure.after_s
    tell("ended", call=last, error=error, after_s=after_s)


if __name__ == "__main__":
    main(sys.argv[1])
