"""Messages to bytes and back, strictly: what is not exactly one of the messages is refused.

Both sides use it, so neither acts on a field that the other did not mean. Nothing here knows what a message does.
"""

from __future__ import annotations

import dataclasses
import enum
import functools
import json
import math
import re
import types
import typing
from typing import TYPE_CHECKING, Any

from tcpladder.agent import messages
from tcpladder.agent.fault_messages import ExtendFault, LiftFault, ResetConnection, SetSysctl
from tcpladder.agent.lab_messages import EndPeer, StartPeer
from tcpladder.agent.messages import (
    OnHost,
    OpenCapture,
    ReadOwners,
    ReadSocketOptions,
    ReadSockets,
    ReadSysctls,
    Reply,
    Request,
)
from tcpladder.faults.fault import Fault, Match

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

MAX_MESSAGE_BYTES = 1 << 20
"""More than a SEQPACKET socket carries; a longer datagram is cut by the kernel and then refused here."""
_REQUESTS = {cls.__name__: cls for cls in typing.get_args(messages.Request)}
_REPLIES = {cls.__name__: cls for cls in typing.get_args(messages.Reply)}

_PORT = (0, 65535)
_NUMBER = (1, 2**31 - 1)
_LIFETIME_MS = (1, 30 * 86_400_000)
_RANGES: dict[tuple[type, str], tuple[float, float]] = {
    (OpenCapture, "snap_length"): (0, 262144),
    (StartPeer, "port"): _PORT,
    (StartPeer, "local_port"): _PORT,
    (EndPeer, "pid"): (1, 2**31 - 1),
    (Match, "source_port"): _PORT,
    (Match, "destination_port"): _PORT,
    (Fault, "probe_sequences"): (0, 2**32 - 1),
    (Fault, "amount"): (0, 1_000_000),
    (Fault, "for_ms"): _LIFETIME_MS,
    (LiftFault, "number"): _NUMBER,
    (ExtendFault, "number"): _NUMBER,
    (ExtendFault, "for_ms"): _LIFETIME_MS,
    (SetSysctl, "value"): (0, 2**31 - 1),
    (ResetConnection, "local_port"): _PORT,
    (ResetConnection, "remote_port"): _PORT,
    (ReadSockets, "local_port"): _PORT,
    (ReadSockets, "remote_port"): _PORT,
    (ReadSockets, "most"): (1, 128),  # what one datagram carries
    (ReadSocketOptions, "local_port"): _PORT,
    (ReadSocketOptions, "remote_port"): _PORT,
    (ReadOwners, "local_ports"): _PORT,
    (ReadOwners, "remote_ports"): _PORT,
}
_ADDRESS = r"[0-9A-Fa-f.:]{2,45}"
_PATTERNS: dict[tuple[type, str], str] = {
    (OpenCapture, "interface"): r"[^/\s]{1,127}",  # ALTIFNAMSIZ less the terminating zero
    (OpenCapture, "filter"): r"(?s).{0,8192}",
    (ReadSysctls, "names"): r"net(\.[A-Za-z0-9_-]{1,64}){1,8}",
    (SetSysctl, "name"): r"net(\.[A-Za-z0-9_-]{1,64}){1,8}",
    (StartPeer, "role"): "client|server",
    (StartPeer, "options"): r"[A-Z0-9_]{1,32}",
    (StartPeer, "address"): _ADDRESS,
    (StartPeer, "local_address"): rf"(?:{_ADDRESS})?",
    (StartPeer, "script"): r"(?s).{1,4200}",
    (OnHost, "host"): r"[a-z0-9-]{1,32}",
    (Match, "source"): _ADDRESS,
    (Match, "destination"): _ADDRESS,
    (ResetConnection, "local"): _ADDRESS,
    (ResetConnection, "remote"): _ADDRESS,
    (ReadSockets, "local"): _ADDRESS,
    (ReadSockets, "remote"): _ADDRESS,
    (ReadSocketOptions, "local"): _ADDRESS,
    (ReadSocketOptions, "remote"): _ADDRESS,
}


class MalformedMessageError(ValueError):
    """Bytes that are no message; the text says which field is wrong and how."""


def encode(message: DataclassInstance) -> bytes:
    """A JSON pair: the name of the class and an object of its fields; a message in a field is such a pair again."""
    return json.dumps(_pair(message), separators=(",", ":")).encode()


def _pair(message: DataclassInstance) -> list[object]:
    fields = dataclasses.asdict(message)
    if isinstance(message, OnHost):
        fields["request"] = _pair(message.request)
    return [type(message).__name__, fields]


def decode_request(data: bytes) -> Request:
    """Build the request that `data` holds; raises MalformedMessageError."""
    return typing.cast(Request, decode(data, _REQUESTS))


def decode_reply(data: bytes) -> Reply:
    """Build the reply that `data` holds; raises MalformedMessageError."""
    return typing.cast(Reply, decode(data, _REPLIES))


def decode(data: bytes, known: dict[str, type]) -> object:
    """Build what `data` holds, one of the `known` classes by name; raises MalformedMessageError."""
    try:
        pair = json.loads(data, object_pairs_hook=_unique)
    except (ValueError, RecursionError) as wrong:
        raise MalformedMessageError(f"not a message: {wrong}") from None
    return _message(pair, known)


def _message(pair: object, known: dict[str, type]) -> object:
    match pair:
        case [str(name), dict(fields)] if name in known:
            return _build(known[name], fields)
    raise MalformedMessageError(f"unknown message {pair!r:.60}")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(dict(pairs)) != len(pairs):
        raise ValueError("a field occurs twice")
    return dict(pairs)


@functools.cache
def _fields(cls: type) -> dict[str, Any]:
    return typing.get_type_hints(cls)


def _build(cls: type, body: dict[str, Any]) -> object:
    hints = _fields(cls)
    if body.keys() != hints.keys():
        raise MalformedMessageError(f"{cls.__name__} has other fields: {sorted(body.keys() ^ hints.keys())}")
    values = {field: _typed(body[field], hint, field) for field, hint in hints.items()}
    for field, value in values.items():
        _check_range(cls, field, value)
    return cls(**values)


def _typed(value: Any, hint: Any, field: str) -> object:
    """`value` as a `hint`, exactly: no bool for int, no int for str."""
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if origin is types.UnionType:
        if all(map(dataclasses.is_dataclass, inner)):
            return _message(value, {arm.__name__: arm for arm in inner})
        plain = next((arm for arm in inner if type(value) is arm), None)
        return _typed(value, plain or inner[0], field)
    if origin is list and type(value) is list:
        return [_typed(item, inner[0], field) for item in value]
    if origin is dict and type(value) is dict:
        return {_typed(key, inner[0], field): _typed(item, inner[1], field) for key, item in value.items()}
    if isinstance(hint, enum.EnumType):
        return _member(hint, value, field)
    if dataclasses.is_dataclass(hint) and type(value) is dict:
        return _build(typing.cast(type, hint), value)
    if type(value) is not hint or (hint is str and not _is_text(value)):
        raise MalformedMessageError(f"{field} {value!r:.60} is not a {getattr(hint, '__name__', hint)}")
    return value


def _member(kind: enum.EnumType, value: Any, field: str) -> object:
    """The member of the enum whose value this is."""
    if type(value) is str:
        for member in typing.cast(type[enum.Enum], kind):
            if member.value == value:
                return member
    raise MalformedMessageError(f"{field} {value!r:.60} is not a {kind.__name__}")


def _is_text(value: str) -> bool:
    return "\0" not in value and not re.search("[\ud800-\udfff]", value)


def _check_range(cls: type, field: str, value: Any) -> None:
    low, high = _RANGES.get((cls, field), (-math.inf, math.inf))
    for number in value if isinstance(value, list) else [value]:
        if isinstance(number, int | float) and not low <= number <= high:
            raise MalformedMessageError(f"{field} {number} is not within {low} to {high}")
    pattern = _PATTERNS.get((cls, field))
    for text in [value] if isinstance(value, str) else value if isinstance(value, list | dict) else []:
        if pattern is not None and not re.fullmatch(pattern, text):
            raise MalformedMessageError(f"{field} {text!r:.60} is not acceptable")
