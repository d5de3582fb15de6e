"""The line to the terminal: how much may be on its way, and how long the last picture took.

What is on its way stands before what answers a key, so there is never more of it than a slow line carries in a moment.
The kernel and SSH hold tens of kilobytes that count as written, so a terminal that answers questions is asked behind
each part of a picture whether it has come to it. Of one that does not, it is known when the kernel has taken a part.
"""

from __future__ import annotations

from collections import deque
from threading import Lock
from time import monotonic
from typing import NamedTuple

RESTS = 3
"""How many times as long as a picture took the line is left to the keys."""
NOTICED_S = 0.05
"""What takes less is no slow line."""
AHEAD_S = 0.25
"""So much of what the line carries may be on its way: what answers a key waits no longer."""
LEAST = 1_500
"""Bytes that may be on their way on any line."""
FIRST_RATE = 50_000.0
"""Bytes a second that a line is believed to carry before it has shown more or less."""
FASTER = 4.0
"""How many times the rate may turn out to be higher at once: a part may hide in what the kernel holds."""
PATIENCE_S = 10.0
"""After which an answer does not come any more."""


def size_of(text: str) -> int:
    """Bytes on the line."""
    return len(text.encode(errors="replace"))


class _Part(NamedTuple):
    size: int
    """Bytes."""
    sent_s: float


class Line:
    """What was given to the writer and what the terminal came to, told by both of their threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._given = self._taken = 0
        self._parts: deque[_Part] = deque()
        """Those that the terminal has not come to."""
        self._began_s = self._free_s = self._took_s = 0.0
        self._nearest_s = PATIENCE_S
        """The fastest answer: what the way to the terminal and back takes by itself."""
        self._rate = FIRST_RATE
        self.answers = False
        """Whether the terminal answers."""
        self.is_behind = False
        """Whether there is more to send than there was room for."""

    def give(self, size: int, *, asked: bool = False) -> None:
        """Bytes go to the writer, with a question behind them or without."""
        with self._lock:
            now_s = monotonic()
            if self._given == self._taken and not self._parts:
                self._began_s = now_s
            self._given += size
            if asked or not self.answers:
                self._parts.append(_Part(size, now_s))

    def take(self, size: int) -> None:
        """So many bytes have left."""
        with self._lock:
            self._taken += size
            if self._given == self._taken and not self.answers:
                self._nearest_s = 0.0
                while self._parts:
                    self._came_to()

    def answered(self) -> None:
        """The terminal has come to the first question."""
        with self._lock:
            if not self.answers:
                self.answers = True
                self._parts.clear()
                self._nearest_s = PATIENCE_S
            if self._parts:
                self._nearest_s = min(self._nearest_s, monotonic() - self._parts[0].sent_s)
                self._came_to()

    def forget(self) -> None:
        """What was on its way has gone, with its questions."""
        with self._lock:
            self._parts.clear()
            self.is_behind = False

    def _came_to(self) -> None:
        """The first part has arrived."""
        size, sent_s = self._parts.popleft()
        now_s = monotonic()
        took_s = max(now_s - max(sent_s + self._nearest_s, self._free_s), 0.001)
        rate = size / took_s
        if rate < self._rate and took_s > NOTICED_S and size >= LEAST / 2:
            self._rate = max(rate, LEAST / AHEAD_S)
        elif rate > self._rate and size >= self._most / 2:
            self._rate = min(rate, FASTER * self._rate)
        self._free_s = now_s
        if not self._parts and not self.is_behind:
            self._took_s = now_s - self._began_s - self._nearest_s

    @property
    def _most(self) -> float:
        way_s = min(self._nearest_s, 1.0) if self._nearest_s < PATIENCE_S else 0.0
        return max(LEAST, self._rate * (AHEAD_S + way_s))

    @property
    def room(self) -> int:
        """Bytes that may be sent now; 0 for none."""
        with self._lock:
            if not self.answers:
                return int(self._most) if self._given == self._taken else 0
            if self._parts and monotonic() > self._parts[0].sent_s + PATIENCE_S:
                self.answers = False
                self._parts.clear()
            return max(0, int(self._most) - sum(part.size for part in self._parts))

    @property
    def is_busy(self) -> bool:
        """Whether something is on its way, or waits for that."""
        waits = bool(self._parts) and monotonic() < self._parts[0].sent_s + PATIENCE_S
        return self._given != self._taken or self.is_behind or waits

    @property
    def rests_until_s(self) -> float:
        """When something may be drawn again that no person asked for, by `monotonic`."""
        return self._free_s + (RESTS * self._took_s if self._took_s > NOTICED_S else 0.0)
