"""Numbers of a listing to those of the wire: relative ones made absolute, missing ones guessed."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field

from tcpladder.sources.listed import ListedEnd, ListedSegment
from tcpladder.wire.frames import Unknown

MAX_CONVERSATIONS = 10_000
_SMALL = 1 << 20
"""Where nothing else tells, a number below is relative."""
_UINT32 = 0xFFFF_FFFF
_FIN, _SYN, _ACK = 1, 2, 16

_Key = tuple[ListedEnd, ListedEnd]


@dataclass(slots=True)
class _Side:
    """What is known of the numbers that one end sends."""

    base: int | None = None
    """What tcpdump subtracts; None where it was never printed."""
    first: int = 0
    """The sequence number of its SYN, if it had one: the guess for a SYN without number."""
    next: int = 1
    window: int = 0xFFFF


@dataclass(slots=True)
class _Conversation:
    sides: dict[ListedEnd, _Side]
    begun: bool = False
    """Whether tcpdump has seen an ACK: from then on it prints relative numbers."""
    absolute: bool | None = None
    """Whether it was run with -S; None while nothing has told."""


@dataclass(frozen=True, slots=True)
class Numbers:
    """The numbers of a segment, absolute; those in `unknown` are guesses that disturb least."""

    seq: int
    ack: int
    window: int
    length: int
    sack: tuple[tuple[int, int], ...]
    unknown: Unknown


@dataclass(slots=True)
class Conversations:
    """The connections of a listing; the oldest are forgotten where there are too many."""

    _known: OrderedDict[_Key, _Conversation] = field(default_factory=OrderedDict)

    def numbers(self, segment: ListedSegment) -> Numbers:
        """The numbers of the next segment."""
        conversation = self._conversation(segment)
        here, there = conversation.sides[segment.source], conversation.sides[segment.destination]
        if segment.relative:
            seq, ack, sack = _absolute(conversation, segment, here, there)
        else:
            seq, ack, sack = segment.seq, segment.ack, segment.options.sack
        unknown = Unknown(0)
        if seq is None:
            unknown |= Unknown.SEQ
            seq = here.first if segment.flags & _SYN else here.next
        if ack is None:
            ack = 0
            if segment.flags & _ACK:
                unknown |= Unknown.ACK
                ack = there.next
        window, length = segment.window, segment.length
        if window is None:
            unknown |= Unknown.WINDOW
            window = here.window
        if length is None:
            unknown |= Unknown.LENGTH
            length = 0
        _remember(segment, here, there, seq, ack, window, length)
        return Numbers(seq, ack, window, length, sack, unknown)

    def _conversation(self, segment: ListedSegment) -> _Conversation:
        a, b = segment.source, segment.destination
        key = (a, b) if (a.host, a.port) <= (b.host, b.port) else (b, a)
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = _Conversation({a: _Side(), b: _Side()})
            if len(self._known) > MAX_CONVERSATIONS:
                self._known.popitem(last=False)
        return found


def _remember(
    segment: ListedSegment, here: _Side, there: _Side, seq: int, ack: int, window: int, length: int
) -> None:
    if segment.flags & _SYN:
        here.first = seq
    end = seq + length + bool(segment.flags & _SYN) + bool(segment.flags & _FIN) & _UINT32
    if segment.flags & _SYN or end - here.next & _UINT32 < 1 << 31 or here.next == 1:
        here.next = end
    if segment.ack is not None and there.next == 1:
        there.next = ack
    here.window = window


def _absolute(
    conversation: _Conversation, segment: ListedSegment, here: _Side, there: _Side
) -> tuple[int | None, int | None, tuple[tuple[int, int], ...]]:
    """Undo what tcp_print of tcpdump does without -S: subtract the first numbers that it saw with an ACK.

    A segment without ACK is printed as it is, and so is the first one with ACK, and every SYN with ACK.
    """
    sack = segment.options.sack
    if not segment.flags & _ACK:
        return segment.seq, segment.ack, sack
    if not conversation.begun or segment.flags & _SYN:
        conversation.begun = True
        conversation.absolute = None
        here.base = segment.seq
        there.base = None if segment.ack is None else segment.ack - 1 & _UINT32
        return segment.seq, segment.ack, sack
    if conversation.absolute is None:
        conversation.absolute = _is_absolute(segment.ack, there.base)
        if conversation.absolute is None:
            conversation.absolute = _is_absolute(segment.seq, here.base)
    if conversation.absolute:
        return segment.seq, segment.ack, sack
    mine, theirs = here.base or 0, there.base or 0
    return (
        None if segment.seq is None else segment.seq + mine & _UINT32,
        None if segment.ack is None else segment.ack + theirs & _UINT32,
        tuple((left + theirs & _UINT32, right + theirs & _UINT32) for left, right in sack),
    )


def _is_absolute(number: int | None, base: int | None) -> bool | None:
    """Whether a number counts from 0 or from the base: it is near the one or the other."""
    if number is None:
        return None
    if base is None:
        return number >= _SMALL
    from_base, from_zero = _distance(number, base), _distance(number, 0)
    return None if from_base == from_zero else from_base < from_zero


def _distance(number: int, other: int) -> int:
    forward = number - other & _UINT32
    return min(forward, (1 << 32) - forward)
