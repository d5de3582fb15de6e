"""Whether the second of two segments is the first again is answered by its numbers and its bytes."""

from __future__ import annotations

import pytest

from rooms.ladder.talk import MS, Talk
from tcpladder.analysis.kinds import Kind
from tcpladder.analysis.view import Side
from tcpladder.ladder.pair import Pair, hex_lines

DATA = bytes(range(100))


def pair(seq: int | None, length: int, *, side: Side = Side.CLIENT) -> Pair:
    """100 bytes from sequence number 1, and another segment."""
    talk = Talk()
    talk.say(Side.CLIENT, Kind.DATA, seq=1, length=100)
    talk.say(side, Kind.RETRANSMISSION, after_ns=200 * MS, seq=seq, length=length)
    return Pair(talk, 0, 1)


@pytest.mark.parametrize(
    ("seq", "data", "answer"),
    [
        (1, DATA, "a true retransmission: the same 100 bytes, and each of them is the same"),
        (1, DATA[:50], "a true retransmission of a part: bytes 0 to 49 of the first again, and each"),
        (
            51,
            DATA[50:] + b"more",
            "a true retransmission of a part: bytes 50 to 99 of the first again, and each",
        ),
        (1, DATA[:60] + b"!" + DATA[61:], "other data under the same sequence numbers: from byte 60 of"),
        (101, b"next", "other data: the second goes on where the first ends"),
        (141, b"next", "other data: 40 bytes lie between them"),
    ],
)
def test_numbers_and_bytes_decide(seq: int, data: bytes, answer: str) -> None:
    assert pair(seq, len(data)).answer(DATA, data).startswith(answer)


def test_what_was_not_captured_is_not_claimed() -> None:
    assert "nobody can say" in pair(1, 100).answer(b"", b"")
    assert "the 20 bytes that were captured of both" in pair(1, 100).answer(DATA[:20], DATA[:30])
    assert "nobody can say" in pair(None, 100).answer(DATA, DATA)


def test_the_other_end_sends_nothing_again() -> None:
    assert pair(1, 100, side=Side.SERVER).answer(DATA, DATA).startswith("different directions")


def test_segments_without_data_are_compared_by_their_numbers() -> None:
    talk = Talk()
    talk.say(Side.CLIENT, Kind.ACK, seq=5).say(Side.CLIENT, Kind.KEEPALIVE_PROBE, seq=4)
    assert Pair(talk, 0, 1).answer(b"", b"") == "neither carries data; the second is 1 byte behind"


def test_numbers_wrap() -> None:
    talk = Talk()
    talk.say(Side.CLIENT, Kind.DATA, seq=250, length=100).say(Side.CLIENT, Kind.DATA, seq=350, length=10)
    assert talk.raw_seq(1) == 54
    assert "goes on where the first ends" in Pair(talk, 0, 1).answer(DATA, DATA[:10])


def test_only_lines_that_differ_are_shown_and_what_differs_in_them() -> None:
    other = bytearray(DATA)
    other[17] = 0xFF
    assert list(hex_lines(DATA, DATA)) == []
    ((offset, one, two, below),) = hex_lines(DATA, bytes(other))
    assert offset == 16
    assert one[:8] == "10 11 12"
    assert two[:8] == "10 ff 12"
    assert below == "   ^^"
    assert [line[0] for line in hex_lines(DATA, DATA[:40])] == [32, 48, 64, 80, 96]
