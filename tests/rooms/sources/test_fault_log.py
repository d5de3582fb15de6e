"""The fault log, as the kernel writes it: what each record says, and what is no record."""

from __future__ import annotations

import itertools
import socket
import struct
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rooms.sources.fault_log_records import RECORDS
from tcpladder.sources.fault_log import Eaten, FaultLog, parse
from tcpladder.wire.decode import Decoder
from tcpladder.wire.frames import PADDING

NOW_NS = 1_800_000_000_000_000_000
EVERYTHING = [record for records in RECORDS.values() for record in records]


def laid_out(datagrams: list[bytes]) -> tuple[np.ndarray, list[tuple[int, int]]]:
    """As FaultLog lays them out: each begins at a multiple of four."""
    data, places = b"", []
    for datagram in datagrams:
        places.append((len(data), len(data) + len(datagram)))
        data += datagram + bytes(-len(datagram) % 4)
    return np.frombuffer(data + bytes(PADDING), np.uint8), places


def read(datagrams: list[bytes]) -> Eaten | None:
    return parse(*laid_out(datagrams), NOW_NS)


@pytest.mark.parametrize(("name", "unseen"), [(name, "egress" in name) for name in RECORDS])
def test_what_the_kernel_told(name: str, unseen: bool) -> None:
    eaten = read(RECORDS[name])
    assert eaten is not None
    count = len(RECORDS[name])
    assert eaten.rule.tolist() == [1] * count
    assert eaten.before_tap.tolist() == [unseen] * count
    assert eaten.sequence.tolist() == list(range(count))
    assert (np.diff(eaten.frames.time_ns) > 100_000_000).all(), "a timer lies between"
    segments = Decoder().decode(eaten.frames).segments
    assert len(segments) == count
    assert 7001 in (int(segments.addresses.ports[0]) >> 16, int(segments.addresses.ports[0]) & 0xFFFF)
    assert segments.length.tolist() == [5 if unseen else 0] * count
    assert len(set(segments.seq.tolist())) == 1, "the same bytes each time"
    assert (eaten.frames.original == eaten.frames.captured).all()


def test_records_of_every_kind_keep_their_order_and_gathered_ones_are_taken_apart() -> None:
    mixed = list(itertools.chain(*itertools.zip_longest(*RECORDS.values(), fillvalue=b"")))
    one_by_one, together = read([one for one in mixed if one]), read([b"".join(mixed)])
    assert one_by_one is not None
    assert together is not None
    assert together.sequence.tolist() == one_by_one.sequence.tolist()
    assert together.before_tap.tolist() == one_by_one.before_tap.tolist()
    assert together.frames.time_ns.tolist() == one_by_one.frames.time_ns.tolist()
    assert one_by_one.before_tap.tolist() == ([False, False, True, True] * 2 + [True] * 2)


def test_the_number_of_the_rule_is_that_of_its_prefix_and_others_are_passed_over() -> None:
    records = [EVERYTHING[0].replace(b"tcpladder 1", b"tcpladder %d" % n) for n in (7, 2)]
    foreign = EVERYTHING[0].replace(b"tcpladder 1", b"firewall  1")
    eaten = read([records[0], foreign, records[1]])
    assert eaten is not None
    assert eaten.rule.tolist() == [7, 2]


def test_a_record_without_a_time_came_now() -> None:
    record = EVERYTHING[0]
    at = record.index(struct.pack("=HH", 20, 3))
    without = record[:at] + record[at + 20 :]
    eaten = read([struct.pack("=I", len(without)) + without[4:]])
    assert eaten is not None
    assert eaten.frames.time_ns.tolist() == [NOW_NS]


def test_the_length_of_a_segment_that_was_cut_is_that_of_its_datagram() -> None:
    record = EVERYTHING[0]
    ip = record.index(b"\x45\x00\x00\x28")
    eaten = read([record[: ip + 2] + struct.pack("!H", 1040) + record[ip + 4 :]])
    assert eaten is not None
    assert (eaten.frames.captured.tolist(), eaten.frames.original.tolist()) == ([40], [1040])


@given(
    st.lists(st.sampled_from(EVERYTHING), max_size=4), st.randoms(use_true_random=False), st.integers(0, 8)
)
def test_damaged_records_never_raise(records: list[bytes], random: object, flips: int) -> None:
    damaged = [bytearray(record) for record in records]
    for _ in range(flips if damaged else 0):
        one = damaged[random.randrange(len(damaged))]  # type: ignore[attr-defined]
        one[random.randrange(len(one))] ^= 1 << random.randrange(8)  # type: ignore[attr-defined]
    eaten = read([bytes(one[: len(one) // (1 + flips % 2)]) for one in damaged])
    if eaten is not None:
        Decoder().decode(eaten.frames)


def numbered(sequence: int) -> bytes:
    at = EVERYTHING[0].index(struct.pack("=HH", 8, 12)) + 4
    return EVERYTHING[0][:at] + struct.pack("!I", sequence % (1 << 32)) + EVERYTHING[0][at + 4 :]


def test_gaps_in_the_sequence_are_lost_records() -> None:
    ours, kernels = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    log = FaultLog(ours.detach())
    assert log.read(NOW_NS) is None
    for sequences, lost in (((2**32 - 2, 2**32 - 1, 0), 0), ((1, 5), 3), ((6,), 3)):
        for sequence in sequences:
            kernels.send(numbered(sequence))
        eaten = log.read(NOW_NS)
        assert eaten is not None
        assert len(eaten.rule) == len(sequences)
        assert log.lost == lost
    log.close()
    kernels.close()


def test_a_flood_is_read_faster_than_it_comes() -> None:
    """80,000 records a second must leave most of a core for the rest; ten times as many here."""
    data, places = laid_out(RECORDS["IPv4, INPUT"] * 2000)
    start = time.process_time()
    eaten = parse(data, places, NOW_NS)
    assert eaten is not None
    assert len(eaten.rule) == 4000
    assert time.process_time() - start < 4000 / 80_000, "slower than 80,000 a second"
