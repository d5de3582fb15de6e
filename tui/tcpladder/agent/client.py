"""The app's side of the channel: ask the agent, get the answer or the error that the user should read."""

from __future__ import annotations

import os
import socket
import threading

from tcpladder.agent import protocol
from tcpladder.agent.messages import Refused, Reply, Request
from tcpladder.errors import ExitCode, InterfaceError, PermissionRefused, TcpladderError, UsageError

_PATIENCE_S = 30.0
_MOST_DESCRIPTORS = 4
_ERRORS = {
    ExitCode.USAGE: UsageError,
    ExitCode.BAD_INPUT: InterfaceError,
    ExitCode.NOT_PERMITTED: PermissionRefused,
}


class AgentGoneError(TcpladderError):
    """The agent ended; the kernel and its guardian put back what it had changed."""


class AgentClient:
    """One agent, asked by any number of threads, one question at a time."""

    def __init__(self, descriptor: int) -> None:
        """`descriptor` is that of a Handover; it belongs to this object from here on."""
        self._channel = socket.socket(fileno=descriptor)
        self._channel.settimeout(_PATIENCE_S)
        self._turn = threading.Lock()

    def request(self, message: Request) -> tuple[Reply, list[int]]:
        """Send and wait for the reply and the descriptors beside it, which are the caller's to close.

        Raises UsageError (a value that no request may have), what a Refused says, or AgentGoneError.
        """
        question = protocol.encode(message)
        try:
            protocol.decode_request(question)
        except protocol.MalformedMessageError as wrong:
            raise UsageError(str(wrong)) from None
        with self._turn:
            reply, descriptors = self._exchange(question)
        if isinstance(reply, Refused):
            raise _ERRORS.get(ExitCode(reply.exit_code), TcpladderError)(reply.reason)
        return reply, descriptors

    def close(self) -> None:
        """Let the agent end: it lifts everything."""
        self._channel.close()

    def _exchange(self, question: bytes) -> tuple[Reply, list[int]]:
        try:
            self._channel.send(question)
            data, descriptors, _, _ = socket.recv_fds(
                self._channel, protocol.MAX_MESSAGE_BYTES, _MOST_DESCRIPTORS
            )
            for descriptor in descriptors:
                os.set_inheritable(descriptor, False)
            if data:
                return protocol.decode_reply(data), descriptors
        except (OSError, protocol.MalformedMessageError):
            # After a timeout or half an answer, question and answer would no longer belong together.
            self._channel.close()
        gone = "the agent is gone: start again to capture; its guardian puts back what it had changed"
        raise AgentGoneError(gone)
