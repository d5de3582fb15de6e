"""What is changed at the moment, by number: made, undone at its time or when asked, and put back at the end.

Whoever has the ledger is the only one who makes these changes and undoes them: the guardian, or in a private network,
which vanishes by itself, the agent.
"""

from __future__ import annotations

import contextlib
import time
from dataclasses import replace

from tcpladder.agent import apply, changes
from tcpladder.agent.changes import Change
from tcpladder.agent.journal import Journal, alone
from tcpladder.agent.rtnetlink import boot_ns
from tcpladder.errors import TcpladderError, UsageError

_AGAIN_NS = 1_000_000_000
"""What could not be undone, because an interface is down, say, is tried again after this."""
_GIVE_UP_S = 60.0


class Ledger:
    """The changes in force; with a journal, on disk before they are made."""

    def __init__(self, journal: Journal | None = None) -> None:
        self._journal = journal
        self.entries: dict[int, Change] = {} if journal is None else journal.entries
        self._last = max(self.entries, default=0)

    def make(self, change: Change) -> tuple[int, Change]:
        """Do it; returns its number and what it will be put back to.

        Raises UsageError for what makes no sense or stands in the way of another change, OSError where the kernel
        refuses; then nothing is changed.
        """
        with contextlib.nullcontext() if self._journal is None else alone():
            prepared = apply.prepare(change)
            self._refuse_conflict(prepared)
            self._last = number = self._last + 1
            self.entries[number] = prepared
            try:
                self._write()
            except OSError:
                del self.entries[number]
                raise
        try:
            apply.make(prepared)
        except OSError:
            self.undo(number)
            raise
        return number, prepared

    def undo(self, number: int) -> None:
        """Take one back; nothing where it was already. Raises OSError or TcpladderError; it is then tried again."""
        change = self.entries.get(number)
        if change is None:
            return
        try:
            apply.undo(change)
        except (OSError, TcpladderError):
            self.entries[number] = replace(change, deadline_ns=boot_ns() + _AGAIN_NS)
            raise
        del self.entries[number]
        self._write()

    def extend(self, number: int, deadline_ns: int | None) -> None:
        """Let one last until then. Raises UsageError where it is over."""
        if number not in self.entries:
            raise UsageError("its time was up: it is undone already")
        self.entries[number] = replace(self.entries[number], deadline_ns=deadline_ns)
        self._write()

    def wait_s(self) -> float | None:
        """How long until the next one is due; None where none will be. At most a second: clocks stop in a suspend."""
        deadlines = [one.deadline_ns for one in self.entries.values() if one.deadline_ns is not None]
        return min(1.0, max(0.0, (min(deadlines) - boot_ns()) / 1e9)) if deadlines else None

    def undo_due(self) -> None:
        """Take back those whose time is up."""
        now_ns = boot_ns()
        for number, change in reversed(list(self.entries.items())):
            if change.deadline_ns is not None and change.deadline_ns <= now_ns:
                with contextlib.suppress(OSError, TcpladderError):
                    self.undo(number)

    def put_back(self, patience_s: float = _GIVE_UP_S) -> bool:
        """Take all back, the last first, and again while something fails; False where something stayed."""
        give_up = time.monotonic() + patience_s
        while True:
            for number in reversed(list(self.entries)):
                with contextlib.suppress(OSError, TcpladderError):
                    self.undo(number)
            if not self.entries or time.monotonic() > give_up:
                return not self.entries
            time.sleep(_AGAIN_NS / 1e9)

    def _refuse_conflict(self, wanted: Change) -> None:
        others = list(self._journal.others()) if self._journal is not None else []
        for change in self.entries.values():
            if changes.exclude(wanted, change):
                raise UsageError(f"{changes.words(change)}: lift that first")
        for change in others:
            if changes.exclude(wanted, change):
                raise UsageError(f"{changes.words(change)} by another tcpladder: lift that first")

    def _write(self) -> None:
        if self._journal is not None:
            self._journal.write()
