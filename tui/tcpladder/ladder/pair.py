"""Two segments of a flow beside each other: is the later one the earlier one again, or other data?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tcpladder.analysis.kinds import KINDS, Kind
from tcpladder.analysis.view import FlowView
from tcpladder.flows.seqnum import difference
from tcpladder.ladder import words

BYTES_PER_LINE = 16


@dataclass(frozen=True, slots=True)
class Pair:
    """Two segments of one flow, the earlier first."""

    view: FlowView
    first: int
    second: int

    def answer(self, first_data: bytes, second_data: bytes) -> str:
        """Whether the second is the first again, in one sentence.

        Args:
            first_data: the payload of the first segment as far as it was captured.
            second_data: that of the second.
        """
        view, one, two = self.view, self.first, self.second
        if bool(view.from_client[one]) != bool(view.from_client[two]):
            return "different directions: neither can be the other again"
        seqs = view.raw_seq(one), view.raw_seq(two)
        lengths = view.length(one), view.length(two)
        if None in seqs or None in lengths:
            return "their numbers are not known: nobody can say"
        ahead, length, again = difference(seqs[1], seqs[0]), lengths[0], lengths[1]  # type: ignore[arg-type]
        assert length is not None
        assert again is not None
        if not length and not again:
            return _without_data(ahead)
        begin, end = max(ahead, 0), min(length, ahead + again)
        if begin >= end:
            return f"other data: {_apart(ahead, length, again)}"
        return _overlap(
            first_data[begin:end],
            second_data[begin - ahead : end - ahead],
            begin,
            end,
            (length, again),
            ahead,
        )

    def fields(self) -> Iterator[tuple[str, str, str]]:
        """What the analysis knows of both: name, of the first, of the second."""
        for name in ("time", "from", "kind", "relative seq", "relative ack", "length", "window", "lost"):
            yield name, self._field(name, self.first), self._field(name, self.second)

    def _field(self, name: str, index: int) -> str:
        view = self.view
        match name:
            case "time":
                apart = int(view.time_ns[index]) - int(view.time_ns[self.first])
                return words.delta(apart) if index != self.first else "0"
            case "from":
                return "client" if view.from_client[index] else "server"
            case "kind":
                return KINDS[Kind(int(view.kind[index]))].label
            case "relative seq":
                return _known(view.relative_seq(index))
            case "relative ack":
                return _known(view.relative_ack(index))
            case "length":
                return _known(view.length(index))
            case "window":
                return _known(view.window(index))
            case _:
                return view.lost(index) or "no"


def hex_lines(first: bytes, second: bytes) -> Iterator[tuple[int, str, str, str]]:
    """The lines of sixteen bytes in which two payloads differ: offset, both in hexadecimal, `^^` below what differs."""
    for offset in range(0, max(len(first), len(second)), BYTES_PER_LINE):
        ours, theirs = first[offset : offset + BYTES_PER_LINE], second[offset : offset + BYTES_PER_LINE]
        if ours == theirs:
            continue
        length = max(len(ours), len(theirs))
        below = " ".join("  " if ours[at : at + 1] == theirs[at : at + 1] else "^^" for at in range(length))
        yield offset, ours.hex(" "), theirs.hex(" "), below.rstrip()


def _without_data(ahead: int) -> str:
    if not ahead:
        return "neither carries data, and both have the same sequence number"
    noun, where = "byte" if abs(ahead) == 1 else "bytes", "ahead" if ahead > 0 else "behind"
    return f"neither carries data; the second is {abs(ahead):,} {noun} {where}"


def _apart(ahead: int, length: int, again: int) -> str:
    if not length or not again:
        return "one of the two carries none"
    if ahead >= length:
        gap = ahead - length
        return "the second goes on where the first ends" if not gap else f"{gap:,} bytes lie between them"
    return f"the second lies {-ahead:,} bytes before the first"


def _overlap(first: bytes, second: bytes, begin: int, end: int, lengths: tuple[int, int], ahead: int) -> str:
    """About the bytes that both carry, which are `begin` to `end` of the first."""
    compared = min(len(first), len(second))
    whole = not ahead and lengths[0] == lengths[1]
    what = (
        f"the same {end - begin:,} bytes" if whole else f"bytes {begin:,} to {end - 1:,} of the first again"
    )
    at = next((at for at in range(compared) if first[at] != second[at]), None)
    if at is not None:
        return f"other data under the same sequence numbers: from byte {begin + at:,} of the first on they differ"
    if not compared:
        return f"{what} by number; their content was not captured, so nobody can say whether it is the same"
    if compared < end - begin:
        return f"{what} by number, and the {compared:,} bytes that were captured of both are the same"
    kind = "a true retransmission" if whole else "a true retransmission of a part"
    return f"{kind}: {what}, and each of them is the same"


def _known(value: int | None) -> str:
    return "unknown" if value is None else f"{value:,}"
