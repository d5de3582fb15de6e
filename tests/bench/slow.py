"""A slow line: 50 segments/s while the terminal takes 11 kB/s, as over a serial line or bad SSH. Needs root.

The pseudo-terminal's other side is read at that rate and no faster, so what the program wrote too early stands in the
way of what answers a key. Measured are the time from a key to the first words of its effect,
the bytes per second and the CPU. Prints; asserts nothing.
"""

from __future__ import annotations

import os
import select
import shutil
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from figure import Figure, table
from live import enter_private_network
from terminal import SYNCHRONIZED_OUTPUT_ASKED, SYNCHRONIZED_OUTPUT_KNOWN, Terminal, running

BYTES_PER_S = 11_000
MESSAGES_PER_S = 25
"""Each is answered by one ACK: 50 segments/s."""
SLICE_S = 0.01
MOST_SAVED_S = 0.05
"""A line that had nothing to carry has no more to carry afterwards."""
MOST_S = 1.0
LIVE = [sys.executable, "-m", "tcpladder", "live", "-i", "lo"]


@dataclass(slots=True)
class SlowTerminal:
    """Reads what the program draws at a rate, and no byte before its time."""

    terminal: Terminal
    taken: int = 0
    _credit: float = 0.0
    _tail: bytes = b""
    _last_s: float = field(default_factory=time.perf_counter)

    def read_slice(self) -> None:
        """What the line lets through by now."""
        time.sleep(SLICE_S)
        now_s = time.perf_counter()
        self._credit = min(BYTES_PER_S * MOST_SAVED_S, self._credit + BYTES_PER_S * (now_s - self._last_s))
        self._last_s = now_s
        if self._credit >= 1 and select.select([self.terminal.descriptor], [], [], 0)[0]:
            data = os.read(self.terminal.descriptor, int(self._credit))
            self.terminal.drawn += data
            recent, self._tail = self._tail + data, data[1 - len(SYNCHRONIZED_OUTPUT_ASKED) :]
            if SYNCHRONIZED_OUTPUT_ASKED in recent:
                os.write(self.terminal.descriptor, SYNCHRONIZED_OUTPUT_KNOWN)
            self._credit -= len(data)
            self.taken += len(data)

    def run(self, seconds: float) -> None:
        """Let time pass."""
        end_s = time.perf_counter() + seconds
        while time.perf_counter() < end_s:
            self.read_slice()

    def answer_s(self, key: str, words: str) -> float:
        """Seconds from a key to the first words of its effect."""
        assert words not in self.terminal.screen()
        pressed_s = time.perf_counter()
        self.terminal.press(key)
        while words not in self.terminal.screen():
            self.read_slice()
            if time.perf_counter() > pressed_s + 20:
                raise TimeoutError(f"no answer to {key!r} in 20 s: {self.terminal.screen()}")
        return time.perf_counter() - pressed_s


@contextmanager
def talking() -> Iterator[None]:
    """Two ends on loopback, of which one says something 25 times a second and the other acknowledges."""
    listener = socket.create_server(("127.0.0.1", 12345))
    client = socket.create_connection(("127.0.0.1", 12345))
    server, _ = listener.accept()
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    over = threading.Event()

    def talk() -> None:
        while not over.wait(1 / MESSAGES_PER_S):
            client.sendall(b"tick")
            server.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
            server.recv(4096)

    talker = threading.Thread(target=talk)
    talker.start()
    try:
        yield
    finally:
        over.set()
        talker.join()
        for one in (client, server, listener):
            one.close()


def measured(columns: int, rows: int, *, ssh: bool) -> Iterator[Figure]:
    """The list, then the ladder that follows the newest rung."""
    environment = dict(
        os.environ, TERM="xterm-256color", LANG="C.UTF-8", TEXTUAL_DISABLE_KITTY_KEY="1", TCPLADDER_TOUR="off"
    )
    environment |= {"SSH_CONNECTION": "192.0.2.1 50000 192.0.2.2 22"} if ssh else {}
    name = f"11 kB/s, {columns}x{rows}{', SSH' if ssh else ''}"
    with running(LIVE, columns, rows, environment=environment) as terminal, talking():
        slow = SlowTerminal(terminal)
        while "12345" not in terminal.screen():
            slow.read_slice()
        slow.run(6)  # a start draws several whole screens
        yield from _keys(f"{name}: list", slow)
        slow.answer_s("\r", "│")
        slow.run(3)
        yield from _keys(f"{name}: ladder", slow)


def _keys(name: str, slow: SlowTerminal) -> Iterator[Figure]:
    taken, cpu_s, began_s = slow.taken, slow.terminal.cpu_s(), time.perf_counter()
    slow.run(4)
    passed_s = time.perf_counter() - began_s
    rate = (slow.taken - taken) / passed_s
    percent = 100 * (slow.terminal.cpu_s() - cpu_s) / passed_s
    answers = []
    for _ in range(3):
        for key, words, back in (("p", "paused", "p"), ("?", "Keys in", "\x1b")):
            answers.append(slow.answer_s(key, words))
            slow.run(0.7)
            slow.terminal.press(back)
            slow.run(2.3)
    yield Figure(
        what=name,
        measured=f"{rate / 1000:.1f} kB/s, {percent:.0f} % of a core; a key: {max(answers):.2f} s at worst",
        aim="a key: 1 s",
        reached=max(answers) < MOST_S,
    )


def missing() -> str | None:
    """What keeps this from being measured here."""
    if os.geteuid() != 0:
        return "needs root, for a network namespace of its own"
    return None if shutil.which("ip") else "needs ip"


def figures() -> Iterator[Figure]:
    """In the size of an SSH session and in a large one, as a serial line and over SSH."""
    if reason := missing():
        yield Figure(what="slow line", measured=f"not measured, {reason}")
        return
    enter_private_network()
    for columns, rows, ssh in ((80, 24, False), (80, 24, True), (200, 50, True)):
        yield from measured(columns, rows, ssh=ssh)


if __name__ == "__main__":
    print(table(figures()))
