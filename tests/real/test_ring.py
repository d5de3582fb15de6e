"""Real packets through both live sources: everything once, exact times, tags, and what was lost is counted."""

from __future__ import annotations

import socket
import struct
import time

import numpy as np
import pytest

from real.wires import carrier, inject, ip, own_network, tcp_frame, veth
from tcpladder.agent.capture import RING_GEOMETRIES, open_capture
from tcpladder.agent.messages import CaptureOpened, OpenCapture
from tcpladder.errors import InterfaceError, UsageError
from tcpladder.sources.live import LiveSource, open_live
from tcpladder.wire.frames import LINKTYPE_ETHERNET, LINKTYPE_RAW, PADDING, FrameBatch

pytestmark = [pytest.mark.real("ip"), pytest.mark.usefixtures("own_network")]

__all__ = ["own_network"]
WAYS = {"ring": RING_GEOMETRIES, "recvmsg": ()}
SO_DETACH_FILTER = 27


@pytest.fixture(params=list(WAYS))
def way(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def opened(way: str = "ring", **asked: object) -> tuple[LiveSource, CaptureOpened]:
    about, packets = open_capture(OpenCapture(**asked), WAYS[way])  # type: ignore[arg-type]
    assert bool(about.block_size) == (way == "ring")
    return open_live(packets.detach(), about), about


def gather(source: LiveSource, enough: int) -> list[tuple[bytes, int, int, int, int]]:
    """(bytes, original, time_ns, vlan_tci, position) of `enough` frames, and of what comes 0.2 s after them."""
    found: list[tuple[bytes, int, int, int, int]] = []
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline and len(found) < enough:
        found += rows(source.read(0.1))
    while batch := source.read(0.2):
        found += rows(batch)
    return found


def rows(batch: FrameBatch | None) -> list[tuple[bytes, int, int, int, int]]:
    if batch is None:
        return []
    assert batch.vlan_tci is not None
    assert batch.start.max() + PADDING <= len(batch.data)
    return [
        (
            batch.data[start : start + captured].tobytes(),
            int(batch.original[i]),
            int(batch.time_ns[i]),
            int(batch.vlan_tci[i]),
            int(batch.position[i]),
        )
        for i, (start, captured) in enumerate(zip(batch.start, batch.captured, strict=True))
    ]


def talk(address: str) -> int:
    """Connect, send one byte and reset: SYN, SYN-ACK, ACK, data, ACK, RST. Returns the server's port."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.create_server((address, 0), family=family) as server:
        port = int(server.getsockname()[1])
        with socket.create_connection((address, port)) as client:
            peer, _ = server.accept()
            client.send(b"x")
            assert peer.recv(1) == b"x"
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        peer.close()
    return port


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_each_segment_on_loopback_appears_once(way: str, address: str) -> None:
    source, about = opened(way, interface="lo")
    talk(address)
    frames = [frame for frame, *_ in gather(source, 6)]
    source.close()
    flags = [frame[14 + (40 if ":" in address else 20) + 13] for frame in frames]
    assert flags == [0x02, 0x12, 0x10, 0x18, 0x10, 0x14]
    assert about.link_type == LINKTYPE_ETHERNET
    assert {"127.0.0.1", "::1"} <= set(about.local_addresses)


def test_any_shows_loopback_once_and_other_interfaces_both_ways(way: str) -> None:
    veth()
    source, about = opened(way, interface="any", filter="tcp")
    port = talk("127.0.0.1")
    inject("va", [tcp_frame(port)])
    frames = [frame for frame, *_ in gather(source, 8)]
    source.close()
    assert about.link_type == LINKTYPE_RAW
    assert [frame[33] for frame in frames] == [0x02, 0x12, 0x10, 0x18, 0x10, 0x14, 0x10, 0x10]


def test_times_are_exact_nanoseconds_of_now_in_order(way: str) -> None:
    source, _ = opened(way, interface="lo")
    before = time.time_ns()
    for _ in range(5):
        talk("127.0.0.1")
    times = [row[2] for row in gather(source, 30)]
    source.close()
    assert before <= times[0]
    assert times == sorted(times)
    assert times[-1] <= time.time_ns()
    assert any(moment % 1000 for moment in times)


def test_the_snap_length_cuts_and_the_original_length_stays(way: str) -> None:
    veth()
    source, about = opened(way, interface="vb", snap_length=64)
    inject("va", [tcp_frame(1, payload=bytes(500))])
    ((frame, original, *_),) = gather(source, 1)
    source.close()
    assert (len(frame), original, about.snap_length) == (64, 554, 64)


def test_snap_length_zero_keeps_all(way: str) -> None:
    veth()
    source, _ = opened(way, interface="vb", snap_length=0)
    sent = tcp_frame(1, payload=bytes(range(256)) * 5)
    inject("va", [sent])
    ((frame, original, *_),) = gather(source, 1)
    source.close()
    assert (frame, original) == (sent, len(sent))


def test_a_vlan_tag_that_the_kernel_took_off_is_in_its_column(way: str) -> None:
    veth()
    source, _ = opened(way, interface="vb", filter="tcp or (vlan 10 and tcp)")
    inject("va", [tcp_frame(1), tcp_frame(2, vlan=10), tcp_frame(3, vlan=0x6FFF)])
    found = gather(source, 3)
    source.close()
    assert [row[3] for row in found] == [-1, 10, 0x6FFF]
    assert [row[0] for row in found] == [tcp_frame(1), tcp_frame(2), tcp_frame(3)]


def test_a_vlan_filter_matches_received_frames_and_icmp_still_comes(way: str) -> None:
    veth()
    source, _ = opened(way, interface="vb", filter="vlan 10 and tcp port 8080")
    icmp = tcp_frame(8080)[:23] + b"\1" + tcp_frame(8080)[24:]
    inject("va", [tcp_frame(8080), tcp_frame(8080, vlan=10), tcp_frame(8080, vlan=11), icmp])
    found = gather(source, 2)
    source.close()
    assert [(row[0][23], row[3]) for row in found] == [(6, 10), (1, -1)]


def test_an_empty_filter_takes_all_tcp_and_icmp_and_nothing_else(way: str) -> None:
    veth()
    source, _ = opened(way, interface="vb")
    protocols = [6, 1, 17, 132]
    inject("va", [tcp_frame(1)[:23] + bytes([number]) + tcp_frame(1)[24:] for number in protocols])
    assert sorted(row[0][23] for row in gather(source, 2)) == [1, 6]
    source.close()


def test_positions_are_offsets_in_the_concatenation_of_the_batches(way: str) -> None:
    veth()
    source, _ = opened(way, interface="vb", snap_length=0)
    spool = b""
    found: list[tuple[bytes, int, int, int, int]] = []
    numbers: list[int] = []
    for number in range(40):
        inject("va", [tcp_frame(number * 50 + i, payload=bytes(1000)) for i in range(50)])
        while batch := source.read(0.1):
            found += rows(batch)
            spool += batch.data[:-PADDING].tobytes()
            numbers += range(batch.first_frame, batch.first_frame + len(batch))
            if len(found) == (number + 1) * 50:
                break
    source.close()
    assert numbers == list(range(1, 2001))
    assert all(spool[position : position + len(frame)] == frame for frame, _, _, _, position in found)
    assert [struct.unpack_from("!H", row[0], 34)[0] for row in found] == list(range(2000))


def test_what_the_kernel_drops_is_counted() -> None:
    veth()
    about, packets = open_capture(OpenCapture(interface="vb"), [(1 << 16, 2)])
    source = open_live(packets.detach(), about)
    inject("va", [tcp_frame(number, payload=bytes(100)) for number in range(2000)])
    kept = len(gather(source, 500))
    seen, dropped = source.statistics()
    assert (seen, kept + dropped) == (2000, 2000)
    assert dropped > 0
    inject("va", [tcp_frame(1)])
    assert len(gather(source, 1)) == 1
    assert source.statistics() == (2001, dropped)
    source.close()


def test_a_ring_that_the_kernel_refuses_makes_room_for_the_next_smaller() -> None:
    about, packets = open_capture(OpenCapture(interface="lo"), [(4097, 64), (1 << 16, 4)])
    packets.close()
    assert (about.block_size, about.block_count) == (1 << 16, 4)


def test_an_interface_that_vanishes_is_one_sentence_after_its_last_frames(way: str) -> None:
    veth()
    source, _ = opened(way, interface="vb")
    inject("va", [tcp_frame(1), tcp_frame(2)])
    ip("link del va")
    found = rows(source.read(1))
    found += rows(source.read(0.2)) if len(found) < 2 else []
    assert len(found) == 2
    with pytest.raises(InterfaceError, match=r"^vb went away$"):
        source.read(0.2)
    assert source.read(0.05) is None
    source.close()


def test_an_interface_that_goes_down_says_so_and_capture_goes_on_when_it_is_up(way: str) -> None:
    veth()
    source, _ = opened(way, interface="vb")
    ip("link set vb down")
    with pytest.raises(InterfaceError, match=r"^vb went down, capture goes on when it is up again$"):
        source.read(1)
    ip("link set vb up")
    carrier()
    inject("va", [tcp_frame(1)])
    assert len(gather(source, 1)) == 1
    source.close()


def test_a_quiet_interface_gives_nothing_within_the_time(way: str) -> None:
    source, _ = opened(way, interface="lo")
    began = time.monotonic()
    assert source.read(0.2) is None
    assert 0.15 < time.monotonic() - began < 2
    source.close()


def test_the_filter_cannot_be_taken_off() -> None:
    _, packets = open_capture(OpenCapture(interface="lo"))
    with packets, pytest.raises(PermissionError):
        packets.setsockopt(socket.SOL_SOCKET, SO_DETACH_FILTER, 0)


def test_an_unknown_interface_lists_those_that_are_there() -> None:
    with pytest.raises(InterfaceError, match=r"^cannot open eth7: no such interface \(have: .*\blo\b.*\)$"):
        open_capture(OpenCapture(interface="eth7"))


def test_an_interface_that_is_down_is_refused_with_what_to_do() -> None:
    ip("link set lo down")
    with pytest.raises(
        InterfaceError, match=r"^cannot open lo: it is down; `ip link set lo up` brings it up$"
    ):
        open_capture(OpenCapture(interface="lo"))


@pytest.mark.parametrize(
    ("expression", "words"),
    [("tcp prot 80", "syntax error"), ("tcp) or (udp", "syntax error"), ("host 1.2.3", None)],
)
def test_a_wrong_filter_is_refused_in_the_words_of_libpcap(expression: str, words: str | None) -> None:
    if words is None:
        open_capture(OpenCapture(interface="lo", filter=expression))[1].close()
        return
    with pytest.raises(UsageError) as refused:
        open_capture(OpenCapture(interface="lo", filter=expression))
    assert str(refused.value) == f"cannot use the filter {expression!r}: {words}"


def test_a_flood_loses_nothing_through_the_ring() -> None:
    veth()
    source, _ = opened(interface="vb", snap_length=96)
    total = 0
    for _ in range(10):
        inject("va", [tcp_frame(number, payload=bytes(40)) for number in range(2000)])
        while batch := source.read(0.06):
            total += len(batch)
            assert np.all(np.diff(batch.position) > 0)
    assert (total, source.statistics()) == (20_000, (20_000, 0))
    source.close()
