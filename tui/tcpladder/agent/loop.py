"""What the agent waits for: the app, whoever asks at the control socket, a fault whose time is up, its guardian."""

from __future__ import annotations

import contextlib
import os
import select
import socket
from typing import Protocol

from tcpladder.agent import control, protocol
from tcpladder.agent.guarded import Changes
from tcpladder.agent.journal import RUN
from tcpladder.agent.messages import Refused, Reply, Request
from tcpladder.errors import ExitCode, TcpladderError

_MOST_ASKING = 16
_AGAIN_S = 1.0
"""Between two tries to start a guardian in place of one that died."""


class Work(Protocol):
    """What the agent does."""

    changes: Changes

    def answer(self, request: Request) -> tuple[Reply, list[int]]: ...

    def wait_s(self) -> float | None: ...

    def do_due(self) -> None: ...

    def lose_changes(self) -> None: ...

    def strand(self, why: str) -> None: ...


class Loop:
    """Runs until the app closes its end of `channel`; raises MalformedMessageError where it says what is no request."""

    def __init__(self, channel: socket.socket, work: Work) -> None:
        self._channel, self._work = channel, work
        self._listener: socket.socket | None = None
        self._asking: dict[int, socket.socket] = {}

    def run(self) -> None:
        """The agent's life. Raises ConnectionError, too, where the app is gone in the middle of a word."""
        while self._turn():
            self._open_door()

    def _turn(self) -> bool:
        """Wait for one thing or several, and see to them; whether the app is still there."""
        self._work.do_due()
        wait_s = _AGAIN_S if self._work.changes.lost else self._work.wait_s()
        ready = self._ready(None if wait_s is None else wait_s * 1000)
        self._look_after_guardian(ready)
        if self._listener is not None and self._listener.fileno() in ready:
            self._welcome(self._listener)
        for number in [number for number in self._asking if number in ready]:
            self._hear(number)
        return self._channel.fileno() not in ready or self._answer_app()

    def _ready(self, timeout_ms: float | None) -> set[int]:
        poll = select.poll()
        guardian = self._work.changes.guardian
        for one in (self._channel, self._listener, guardian, *self._asking.values()):
            if one is not None:
                poll.register(one, select.POLLIN)
        return {descriptor for descriptor, _ in poll.poll(timeout_ms)}

    def _answer_app(self) -> bool:
        data = self._channel.recv(protocol.MAX_MESSAGE_BYTES)
        if not data:
            return False
        reply, descriptors = self._work.answer(protocol.decode_request(data))
        try:
            socket.send_fds(self._channel, [protocol.encode(reply)], descriptors)
        finally:
            for descriptor in descriptors:
                os.close(descriptor)
        return True

    def _look_after_guardian(self, ready: set[int]) -> None:
        """Another one puts back what one that died had changed; where none can be started, each turn tries again."""
        changes = self._work.changes
        guardian = changes.guardian
        if changes.lost or (guardian is not None and guardian.fileno() in ready):
            try:
                changes.start_another()
            except (TcpladderError, OSError) as failed:
                self._work.strand(str(failed))
            else:
                self._work.lose_changes()

    def _open_door(self) -> None:
        """The control socket lives in the guardian's directory: once there is a guardian, there is a door."""
        if self._listener is None and self._work.changes.guardian is not None:
            with contextlib.suppress(OSError):
                self._listener = control.listen(RUN / self._work.changes.name)

    def _welcome(self, listener: socket.socket) -> None:
        asking = control.accept(listener)
        if asking is not None and len(self._asking) < _MOST_ASKING:
            self._asking[asking.fileno()] = asking

    def _hear(self, number: int) -> None:
        """One question of another terminal; who asks for what is not on the list, or does not listen, is left."""
        asking = self._asking[number]
        try:
            request = protocol.decode_request(asking.recv(protocol.MAX_MESSAGE_BYTES))
            if isinstance(request, control.MAY_ASK):
                reply, _ = self._work.answer(request)
            else:
                reply = Refused(
                    reason="only faults are for the asking here", exit_code=ExitCode.NOT_PERMITTED
                )
            asking.send(protocol.encode(reply), socket.MSG_DONTWAIT)
        except (OSError, protocol.MalformedMessageError):
            del self._asking[number]
            asking.close()
