"""What the agent says to its guardian, and the answers: a change to make it, Undo, Extend. The rules of protocol.py."""

from __future__ import annotations

import typing
from dataclasses import dataclass

from tcpladder.agent import protocol
from tcpladder.agent.changes import Change
from tcpladder.agent.ledger import Ledger
from tcpladder.agent.messages import Refused
from tcpladder.errors import ExitCode, TcpladderError


@dataclass(frozen=True, slots=True, kw_only=True)
class Undo:
    """Take a change back. Answered by Done."""

    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Extend:
    """Let a change last until then, CLOCK_BOOTTIME; None until the agent ends. Answered by Done."""

    number: int
    deadline_ns: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """The answer to all of them, and the guardian's first word."""

    number: int
    change: str = ""
    """What was made, as `protocol.encode` writes it."""


_ASKED: dict[str, type] = {cls.__name__: cls for cls in (*typing.get_args(Change), Undo, Extend)}
_CHANGES: dict[str, type] = {cls.__name__: cls for cls in typing.get_args(Change)}
_ANSWERS: dict[str, type] = {cls.__name__: cls for cls in (Done, Refused)}


def answer(ledger: Ledger, data: bytes) -> bytes:
    """Do what a message asks for; a refusal is an answer, too. Raises MalformedMessageError."""
    try:
        match protocol.decode(data, _ASKED):
            case Undo(number=number):
                ledger.undo(number)
                return protocol.encode(Done(number=number))
            case Extend(number=number, deadline_ns=deadline_ns):
                ledger.extend(number, deadline_ns)
                return protocol.encode(Done(number=number))
            case change:
                number, made = ledger.make(typing.cast(Change, change))
                return protocol.encode(Done(number=number, change=protocol.encode(made).decode()))
    except (OSError, TcpladderError) as failed:
        return protocol.encode(refusal(failed))


def refusal(failed: OSError | TcpladderError) -> Refused:
    """The kernel's words, or ours."""
    if isinstance(failed, TcpladderError):
        return Refused(reason=str(failed), exit_code=failed.exit_code)
    words = (failed.strerror or str(failed)).lower()
    return Refused(reason=f"the kernel says: {words}", exit_code=ExitCode.NOT_PERMITTED)


def read_answer(data: bytes) -> Done | Refused:
    """What the guardian says. Raises MalformedMessageError."""
    return typing.cast("Done | Refused", protocol.decode(data, _ANSWERS))


def read_change(done: Done) -> Change:
    """The change that was made."""
    return typing.cast(Change, protocol.decode(done.change.encode(), _CHANGES))
