"""How the agent has something changed so that it is put back: through its guardian, or itself where all vanishes.

In a private network nobody else sees a change and nothing stays of it, so there the agent keeps the ledger itself.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
from collections.abc import Iterator

from tcpladder.agent import guardian, protocol
from tcpladder.agent.changes import Change
from tcpladder.agent.ledger import Ledger
from tcpladder.agent.ledger_messages import Done, Extend, Undo, read_answer, read_change, refusal
from tcpladder.agent.messages import Refused
from tcpladder.errors import ExitCode, PermissionRefused, TcpladderError, UsageError

_PATIENCE_S = 15.0
_END_PATIENCE_MS = 5_000
_NONE = "the guardian is gone and no other one can be started: nothing is changed and nothing put back until one can"
_GONE = "the guardian was killed, or did not answer: another one puts back all that it had changed"


class Changes:
    """The changes of one agent. Every method raises UsageError or PermissionRefused where it cannot be done."""

    def __init__(self, private: bool) -> None:
        self._private = private
        self._ledger = Ledger() if private else None
        self._channel: socket.socket | None = None
        self._process: int | None = None
        """A pidfd of the guardian."""
        self.lost = False
        """Whether the guardian was found dead, or deaf; what it had changed is not in force any more, or soon."""
        self.name = str(os.getpid())
        """Of this instance: its directory in the run directory."""

    @property
    def guardian(self) -> socket.socket | None:
        """What becomes readable when the guardian is gone; None without one."""
        return self._channel

    def begin(self) -> None:
        """Start the guardian, unless it is there or there is no need for one."""
        if self._ledger is not None or self._channel is not None:
            return
        if self.lost:
            raise PermissionRefused(_NONE)
        self._channel = guardian.start(self.name)
        self._channel.settimeout(_PATIENCE_S)
        try:
            self._process = os.pidfd_open(self._hear().number)
        except (TcpladderError, OSError) as failed:
            self._let_go()
            raise failed if isinstance(failed, TcpladderError) else PermissionRefused(_GONE) from None

    def make(self, change: Change) -> tuple[int, Change]:
        """Have it done; its number, and all that it will be put back to."""
        self.begin()
        if self._ledger is not None:
            with _in_words():
                return self._ledger.make(change)
        done = self._ask(protocol.encode(change))
        return done.number, read_change(done)

    def undo(self, number: int) -> None:
        """Have it taken back; nothing where it was already."""
        if self._ledger is not None:
            with _in_words():
                self._ledger.undo(number)
        else:
            self._ask(protocol.encode(Undo(number=number)))

    def extend(self, number: int, deadline_ns: int | None) -> None:
        """Let it last until then, CLOCK_BOOTTIME."""
        if self._ledger is not None:
            self._ledger.extend(number, deadline_ns)
        else:
            self._ask(protocol.encode(Extend(number=number, deadline_ns=deadline_ns)))

    def start_another(self) -> None:
        """Where the guardian is lost: another one puts back what it left. No change is in force from here on.

        One that is stopped, not dead, would hold the journal and do late what it was asked: it is killed.
        """
        if self._process is not None:
            with contextlib.suppress(OSError):  # it is dead
                signal.pidfd_send_signal(self._process, signal.SIGKILL)
            dead = select.poll()
            dead.register(self._process, select.POLLIN)
            dead.poll(_END_PATIENCE_MS)
        self._let_go()
        self.lost = False
        try:
            self.begin()
        except (TcpladderError, OSError):
            self.lost = True
            raise

    def end(self) -> None:
        """Take all back; the guardian does it when its channel closes."""
        if self._ledger is not None:
            self._ledger.put_back()
        if self.lost:
            with contextlib.suppress(TcpladderError, OSError):
                self.start_another()
        self._let_go()

    def _let_go(self) -> None:
        """A guardian that still lives takes this for the end of its agent."""
        if self._channel is not None:
            self._channel.close()
            self._channel = None
        if self._process is not None:
            os.close(self._process)
            self._process = None

    def _ask(self, question: bytes) -> Done:
        if self._channel is None:
            raise PermissionRefused(_NONE)
        # A late answer would be taken for that to the next question: who is silent for too long is not asked again.
        try:
            self._channel.send(question)
        except OSError:
            self.lost = True
            raise PermissionRefused(_GONE) from None
        return self._hear()

    def _hear(self) -> Done:
        assert self._channel is not None
        try:
            data = self._channel.recv(protocol.MAX_MESSAGE_BYTES)
        except OSError:
            data = b""
        if not data:
            self.lost = True
            raise PermissionRefused(_GONE)
        match read_answer(data):
            case Refused(reason=reason, exit_code=code):
                kinds: dict[int, type[TcpladderError]] = {ExitCode.USAGE: UsageError}
                raise kinds.get(code, PermissionRefused)(reason)
            case Done() as done:
                return done


@contextlib.contextmanager
def _in_words() -> Iterator[None]:
    """What the kernel refuses, as the guardian would have told it."""
    try:
        yield
    except OSError as refused:
        raise PermissionRefused(refusal(refused).reason) from None
