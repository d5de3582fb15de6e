"""The chain of records is the same whether it is followed from one place or from many."""

from __future__ import annotations

import random
import struct
from collections.abc import Callable
from unittest.mock import patch

import numpy as np
import pytest

from tcpladder.sources import pcap_walk
from tcpladder.sources.pcap_walk import FEWEST_LANES, LANE_BYTES, find_records
from tcpladder.wire.frames import PADDING

LONG = 3 * FEWEST_LANES * LANE_BYTES


def one_by_one(data: bytes, order: str, header: int) -> tuple[list[int], int]:
    """Offsets of the complete records, and where the first incomplete one begins."""
    offsets: list[int] = []
    at = 0
    while at < len(data):
        (captured,) = struct.unpack_from(order + "I", data.ljust(at + 12, b"\0"), at + 8)
        if at + header + captured > len(data):
            break
        offsets.append(at)
        at += header + captured
    return offsets, at


def capture(order: str, header: int, size: Callable[[], int], content: Callable[[int], bytes]) -> bytes:
    """Records of some sizes, LONG bytes of them; the last one is cut off."""
    parts: list[bytes] = []
    length = number = 0
    while length < LONG + 10:
        captured = size()
        head = struct.pack(order + "IIII", 1_700_000_000 + number // 5000, number % 10**6, captured, captured)
        parts.append(head.ljust(header, b"\0") + content(captured))
        length += header + captured
        number += 1
    return b"".join(parts)[:LONG]


def looks_like_records(order: str, chance: random.Random) -> Callable[[int], bytes]:
    """Frames that carry what looks like records, which lead nowhere."""

    def content(captured: int) -> bytes:
        bait = struct.pack(order + "IIII", 1_700_000_000, 1, chance.randrange(500), 1500)
        return (bait * (captured // 16 + 1))[:captured]

    return content


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("header", [16, 24])
@pytest.mark.parametrize("sizes", [(54, 90), (54, 1514), (9000, 9014), (0, 65_535)])
@pytest.mark.parametrize("bait", [False, True])
def test_many_places_and_one_find_the_same(
    order: str, header: int, sizes: tuple[int, int], bait: bool
) -> None:
    chance = random.Random(f"{order}{header}{sizes}")
    content = looks_like_records(order, chance) if bait else chance.randbytes
    data = capture(order, header, lambda: chance.randint(*sizes), content)
    offsets, end = find_records(np.frombuffer(data + bytes(PADDING), np.uint8), LONG, order, header)
    assert (offsets.tolist(), end) == one_by_one(data, order, header)


def test_a_length_that_lies_ends_the_chain_there() -> None:
    chance = random.Random(1)
    data = bytearray(capture("<", 16, lambda: chance.randint(54, 1514), chance.randbytes))
    whole, _ = one_by_one(bytes(data), "<", 16)
    for length in (0xFFFF_FFFF, 1 << 20, 3):
        struct.pack_into("<I", data, whole[700] + 8, length)
        padded = np.frombuffer(bytes(data) + bytes(PADDING), np.uint8)
        offsets, end = find_records(padded, LONG, "<", 16)
        assert (offsets.tolist(), end) == one_by_one(bytes(data), "<", 16)


def test_usual_frames_are_followed_from_many_places() -> None:
    chance = random.Random(2)
    data = capture("<", 16, lambda: chance.randint(54, 1514), chance.randbytes)
    padded = np.frombuffer(data + bytes(PADDING), np.uint8)
    with patch.object(pcap_walk, "_follow", side_effect=AssertionError("followed from one place")):
        offsets, _ = find_records(padded, LONG, "<", 16)
    assert len(offsets) > 1000
