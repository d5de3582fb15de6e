"""Frames to segments: what each header says, whatever is cut, lies or is garbage."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from talk import (
    ACK,
    FIN,
    MAC,
    PSH,
    RST,
    SYN,
    Frame,
    Talk,
    batch,
    batches,
    ethernet,
    frame,
    ipv4,
    ipv6,
    mss,
    sack,
    tcp,
    timestamps,
    window_scale,
)
from tcpladder.wire import frames as links
from tcpladder.wire.decode import Decoder
from tcpladder.wire.segments import NO_IP_ID, NO_SHIFT, Segments, State, column_names

TRUSTED = ("seq", "ack", "flags", "window", "length", "swapped")


def decode(*frames: Frame | bytes) -> Segments:
    """The segments of Ethernet frames, decoded in one batch."""
    return Decoder().decode(batch([frame(f) if isinstance(f, bytes) else f for f in frames])).segments


def row(segments: Segments, index: int = 0) -> dict[str, Any]:
    return {name: getattr(segments, name)[index].item() for name in column_names()}


# ---- fields -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("v6", [False, True])
def test_every_field_of_a_segment(v6: bool) -> None:
    segment = tcp(
        0xABCD, 0x1234, seq=0xDEADBEEF, ack=0xFEEDFACE, flags=0x1FF & ~SYN, window=0xFFFE,
        options=timestamps(0x89ABCDEF, 0x76543210), payload=b"hello",
    )  # fmt: skip
    packet = ipv6(segment) if v6 else ipv4(segment, ident=0xBEEF)
    found = row(decode(Frame(77, ethernet(packet), 1500 if v6 else len(packet) + 14)))
    assert found["seq"] == 0xDEADBEEF
    assert found["ack"] == 0xFEEDFACE
    assert found["flags"] == 0x1FF & ~SYN
    assert found["window"] == 0xFFFE
    assert found["length"] == 5
    assert (found["has_timestamps"], found["tsval"], found["tsecr"]) == (True, 0x89ABCDEF, 0x76543210)
    assert found["ip_id"] == (NO_IP_ID if v6 else 0xBEEF)
    assert found["window_shift"] == NO_SHIFT
    assert (found["time_ns"], found["frame"], found["state"]) == (77, 1, State.WHOLE)


def test_both_directions_have_the_same_endpoints_and_say_who_sent() -> None:
    segments = decode(
        ethernet(ipv4(tcp(5, 9), "10.0.0.1", "10.0.0.2")), ethernet(ipv4(tcp(9, 5), "10.0.0.2", "10.0.0.1")),
        ethernet(ipv6(tcp(5, 9), "fd00::1", "fd01::")), ethernet(ipv6(tcp(9, 5), "fd01::", "fd00::1")),
        ethernet(ipv4(tcp(9, 5), "127.0.0.1", "127.0.0.1")), ethernet(ipv4(tcp(5, 9), "127.0.0.1", "127.0.0.1")),
    )  # fmt: skip
    assert segments.swapped.tolist() == [False, True, False, True, True, False]
    for column in (segments.addresses.first, segments.addresses.ports):
        assert column[0] == column[1]
        assert column[2] == column[3]
        assert column[4] == column[5]


def test_an_ipv4_address_is_the_same_beside_ipv6_frames() -> None:
    four, six = ethernet(ipv4(tcp(5, 9))), ethernet(ipv6(tcp(5, 9)))
    assert decode(four).addresses.first[0] == decode(six, four).addresses.first[1]


@pytest.mark.parametrize(("shift", "used"), [(0, 0), (7, 7), (14, 14), (15, 14), (255, 14)])
def test_the_window_scale_of_a_syn(shift: int, used: int) -> None:
    """RFC 7323 2.3: a larger shift count is used as 14."""
    assert decode(ethernet(ipv4(tcp(flags=SYN, options=mss() + window_scale(shift))))).window_shift[0] == used


def test_a_window_scale_outside_of_a_syn_means_nothing() -> None:
    """RFC 7323 2.2."""
    assert decode(ethernet(ipv4(tcp(options=window_scale(7) + bytes(8))))).window_shift[0] == NO_SHIFT


@pytest.mark.parametrize("before", [b"", b"\1", b"\1\1\1", mss(), b"\x22\x06abcd"])
def test_timestamps_are_found_behind_other_options(before: bytes) -> None:
    found = row(decode(ethernet(ipv4(tcp(options=before + struct.pack(">BBII", 8, 10, 5, 6))))))
    assert (found["has_timestamps"], found["tsval"], found["tsecr"]) == (True, 5, 6)


@pytest.mark.parametrize("first", [b"", timestamps(1, 2)])
def test_sack_blocks(first: bytes) -> None:
    segments = decode(ethernet(ipv4(tcp(options=first + sack((10, 20), (30, 40))))))
    assert segments.sack == {0: ((10, 20), (30, 40))}


@pytest.mark.parametrize(
    "options",
    [b"\x08\x02" + bytes(10), b"\x08\xff" + bytes(10), b"\x05\x03" + bytes(10), b"\0" + timestamps(1, 2)],
)
def test_options_that_lie_are_not_believed(options: bytes) -> None:
    segments = decode(ethernet(ipv4(tcp(options=options, payload=b"xy"))))
    assert segments.state.tolist() == [State.WHOLE]
    assert segments.length.tolist() == [2]
    assert not segments.has_timestamps[0]
    assert not segments.sack


# ---- the IP layer -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("words", range(11))
def test_ipv4_options_are_stepped_over(words: int) -> None:
    found = row(decode(ethernet(ipv4(tcp(seq=9, payload=b"abc"), options=b"\1" * 4 * words))))
    assert (found["seq"], found["length"], found["state"]) == (9, 3, State.WHOLE)


def test_the_padding_of_ethernet_is_no_payload() -> None:
    packet = ipv4(tcp())
    assert row(decode(ethernet(packet) + bytes(6)))["length"] == 0


def test_a_total_length_of_zero_is_a_frame_on_its_way_to_the_card() -> None:
    """TSO: the frame tells how long the datagram is."""
    assert row(decode(ethernet(ipv4(tcp(payload=bytes(3000)), total=0))))["length"] == 3000
    assert row(decode(ethernet(ipv6(tcp(payload=bytes(3000)), length=0))))["length"] == 3000


@pytest.mark.parametrize("packet", [
    ipv4(tcp(), total=41), ipv4(tcp(), total=65535), ipv4(tcp(), total=19), ipv4(tcp(), total=39),
    ipv6(tcp(), length=21), ipv6(tcp(), length=19),
])  # fmt: skip
def test_an_ip_length_that_contradicts_the_frame(packet: bytes) -> None:
    found = row(decode(ethernet(packet)))
    assert (found["state"], found["length"]) == (State.IP_LENGTH, 0)


@pytest.mark.parametrize("offset", [0, 1, 4, 6, 15])
def test_a_data_offset_that_lies(offset: int) -> None:
    """RFC 9293 3.1: at least 5, and not behind the end."""
    found = row(decode(ethernet(ipv4(tcp(seq=5, offset=offset)))))
    assert (found["state"], found["length"], found["seq"]) == (State.DATA_OFFSET, 0, 5)


def test_other_protocols_are_counted() -> None:
    decoded = Decoder().decode(
        batch([
            frame(ethernet(ipv4(bytes(8), protocol=17))), frame(ethernet(bytes(28), 0x0806)), frame(b""),
            frame(ethernet(ipv4(tcp()))), frame(ethernet(ipv4(tcp(), version=5))),
        ])
    )  # fmt: skip
    assert len(decoded.segments) == 1
    assert decoded.not_tcp == 4
    assert decoded.segments.frame.tolist() == [4]


def extension(following: int, words: int = 0) -> bytes:
    return bytes([following, words]) + bytes(6 + 8 * words)


@pytest.mark.parametrize(("chain", "first"), [
    (extension(6), 0), (extension(6, 1), 43), (extension(60) + extension(6, 2), 0), (extension(6), 60),
    (bytes([6, 4]) + bytes(22), 51), (bytes([6, 0, 0, 0, 0, 0, 0, 1]), 44),
])  # fmt: skip
def test_ipv6_extension_headers_are_stepped_over(chain: bytes, first: int) -> None:
    """RFC 8200 4; the last one is an atomic fragment (RFC 6946)."""
    found = row(decode(ethernet(ipv6(chain + tcp(seq=3, payload=b"abcd"), following=first))))
    assert (found["seq"], found["length"], found["state"]) == (3, 4, State.WHOLE)


def test_a_chain_of_extension_headers_without_end_is_not_tcp() -> None:
    assert not len(decode(ethernet(ipv6(extension(0) * 40, following=0))))


# ---- fragments ----------------------------------------------------------------------------------------------------


def fragments(payload: bytes, size: int = 24, *, v6: bool = False, ident: int = 77) -> list[bytes]:
    """The frames of a datagram in pieces of `size` bytes (RFC 791 3.2, RFC 8200 4.5)."""
    frames = []
    for offset in range(0, len(payload), size):
        piece, more = payload[offset : offset + size], offset + size < len(payload)
        if v6:
            head = struct.pack(">BBHI", 6, 0, offset | more, ident)
            frames.append(ethernet(ipv6(head + piece, following=44)))
        else:
            frames.append(ethernet(ipv4(piece, ident=ident, fragment=offset // 8 | (0x2000 if more else 0))))
    return frames


SEGMENT = tcp(seq=42, flags=PSH | ACK, options=timestamps(8, 9) + sack((1, 2)), payload=bytes(range(200)))
FRAGMENT_SIZES = [48, 64, 128]


@pytest.mark.parametrize("v6", [False, True])
@pytest.mark.parametrize("size", FRAGMENT_SIZES)
def test_a_segment_in_fragments_is_seen_with_its_last_one(size: int, v6: bool) -> None:
    pieces = fragments(SEGMENT, size, v6=v6)
    segments = decode(*pieces)
    assert segments.frame.tolist() == [len(pieces)]
    found = row(segments)
    assert (found["seq"], found["length"], found["state"]) == (42, 200, State.WHOLE)
    assert (found["tsval"], found["tsecr"]) == (8, 9)
    assert segments.sack == {0: ((1, 2),)}


@settings(deadline=None)
@given(st.permutations(range(5)), st.data())
def test_fragments_in_any_order_and_any_batches(order: list[int], data: st.DataObject) -> None:
    pieces = [frame(piece) for piece in fragments(SEGMENT, 64)]
    pieces = [pieces[i] for i in order if i < len(pieces)]
    cuts = data.draw(st.sets(st.integers(1, len(pieces) - 1)))
    decoder = Decoder()
    found = [row(d.segments) for d in map(decoder.decode, batches(pieces, cuts)) if len(d.segments)]
    assert [(one["frame"], one["seq"], one["length"], one["tsval"]) for one in found] == [
        (len(pieces), 42, 200, 8)
    ]


def test_options_of_a_fragmented_segment_come_from_its_first_fragment() -> None:
    """The last fragment may hold what looks like options where the header's would be."""
    decoy = bytes(20) + timestamps(111, 222) + bytes(100)
    segment = tcp(seq=1, options=b"\1" + struct.pack(">BBII", 8, 10, 8, 9), payload=bytes(64 - 32) + decoy)
    found = row(decode(*fragments(segment, 64)))
    assert (found["tsval"], found["tsecr"]) == (8, 9)


def test_fragments_that_overlap_and_repeat() -> None:
    """RFC 791 3.2: each byte has been on the wire at least once."""
    first, second, third, *rest = fragments(SEGMENT, 64)
    assert row(decode(first, first, third, second, *rest))["length"] == 200


def test_fragments_of_different_datagrams_do_not_mix() -> None:
    one, two = fragments(SEGMENT, 128, ident=1), fragments(SEGMENT, 128, ident=2)
    assert not len(decode(one[0], two[1]))


def test_a_missing_fragment_shows_nothing() -> None:
    pieces = fragments(SEGMENT, 64)
    assert not len(decode(*pieces[:1], *pieces[2:]))


def test_endless_first_fragments_take_bounded_memory() -> None:
    decoder = Decoder()
    for begin in range(0, 6000, 1000):
        decoder.decode(
            batch([frame(fragments(SEGMENT, 64, ident=ident)[0]) for ident in range(begin, begin + 1000)])
        )
    last = fragments(SEGMENT, 64, ident=5999)
    assert len(decoder.decode(batch([frame(piece) for piece in last[1:]])).segments) == 1
    oldest = fragments(SEGMENT, 64, ident=0)
    assert not len(decoder.decode(batch([frame(piece) for piece in oldest[1:]])).segments)


# ---- ICMP ---------------------------------------------------------------------------------------------------------


def icmp4(kind: int, code: int, quoted: bytes) -> bytes:
    return ethernet(ipv4(struct.pack(">BBHI", kind, code, 0, 0) + quoted, "10.9.9.9", "10.0.0.1", protocol=1))


@pytest.mark.parametrize(("kind", "code", "words"), [
    (3, 0, "network unreachable"), (3, 1, "host unreachable"), (3, 3, "port unreachable"),
    (3, 4, "fragmentation needed"),
    (3, 10, "host prohibited"), (3, 13, "administratively prohibited"),
    (11, 0, "hop limit exceeded in transit"),
])  # fmt: skip
def test_an_icmp_error_is_about_the_flow_that_it_quotes(kind: int, code: int, words: str) -> None:
    """RFC 792: the IP header and eight bytes; sent, as a ladder shows it, from the segment's receiver."""
    segment = ipv4(tcp(40000, 80, seq=1234, flags=SYN))
    segments = decode(ethernet(segment), icmp4(kind, code, segment[:28]))
    assert segments.icmp == {1: words}
    assert segments.state.tolist() == [State.WHOLE, State.ICMP]
    assert segments.seq.tolist() == [1234, 1234]
    assert segments.swapped.tolist() == [False, True]
    assert segments.addresses.first[0] == segments.addresses.first[1]
    assert segments.addresses.ports[0] == segments.addresses.ports[1]


@pytest.mark.parametrize(("kind", "code", "words"), [
    (1, 4, "port unreachable"), (1, 1, "administratively prohibited"), (2, 0, "packet too big"),
    (3, 0, "hop limit exceeded in transit"),
])  # fmt: skip
def test_an_icmpv6_error(kind: int, code: int, words: str) -> None:
    """RFC 4443 3."""
    segment = ipv6(tcp(40000, 80, seq=77, flags=SYN))
    message = struct.pack(">BBHI", kind, code, 0, 0) + segment
    segments = decode(ethernet(segment), ethernet(ipv6(message, "fd00::9", "fd00::1", following=58)))
    assert segments.icmp == {1: words}
    assert segments.seq.tolist() == [77, 77]
    assert segments.addresses.second is not None
    assert segments.addresses.fourth is not None
    for column in (segments.addresses.first, segments.addresses.second, segments.addresses.fourth):
        assert column[0] == column[1]


@pytest.mark.parametrize("message", [
    icmp4(8, 0, ipv4(tcp())), icmp4(3, 3, ipv4(bytes(20), protocol=17)), icmp4(3, 3, ipv4(tcp())[:27]),
    icmp4(3, 3, b""), icmp4(3, 3, ipv4(tcp(), fragment=5)), icmp4(3, 3, ipv6(tcp())),
])  # fmt: skip
def test_other_icmp_is_not_tcp(message: bytes) -> None:
    assert not len(decode(message))


# ---- cut and garbage ----------------------------------------------------------------------------------------------

WHOLE = [
    *Talk().handshake().data(200).keepalive("server").fin().rst().frames,
    *Talk(v6=True).handshake().data(200).frames,
    frame(ethernet(ipv4(tcp(seq=4, flags=FIN), options=bytes(40)))),
    frame(ethernet(ipv6(extension(60) + extension(6, 3) + tcp(seq=9, flags=RST), following=0))),
    frame(MAC + b"\x81\0\0\5\x81\0\0\6\x08\0" + ipv4(tcp(seq=1, options=sack((5, 6))))),
    frame(ipv4(tcp(seq=8)), link_type=links.LINKTYPE_RAW),
    frame(b"\0" * 14 + b"\x08\0" + ipv4(tcp(seq=8)), link_type=links.LINKTYPE_LINUX_SLL),
]


def tcp_header_end(whole: Frame) -> int:
    """Offset behind the 20 fixed bytes of the TCP header: where it was found by a byte-wise search for its numbers."""
    found = row(decode(whole))
    needle = struct.pack(">II", found["seq"], found["ack"])
    return whole.data.rindex(needle) + 16


@pytest.mark.parametrize("index", range(len(WHOLE)))
def test_a_cut_anywhere_raises_nothing_and_keeps_what_is_whole(index: int) -> None:
    whole = WHOLE[index]
    expected, enough = row(decode(whole)), tcp_header_end(whole)
    for captured in range(len(whole.data)):
        segments = decode(whole.cut(captured))
        if captured >= enough:
            found = row(segments)
            assert {n: found[n] for n in TRUSTED} == {n: expected[n] for n in TRUSTED}
            assert found["state"] == State.WHOLE
        elif len(segments):
            found = row(segments)
            assert found["state"] == State.CUT_SHORT
            assert found["swapped"] == expected["swapped"]
            assert (found["seq"], found["flags"], found["length"]) == (0, 0, 0)
        assert (len(segments) == 1) == (captured >= enough - 16)


@settings(deadline=None, max_examples=200)
@given(st.lists(st.tuples(st.binary(max_size=200), st.sampled_from(
    [0, 1, 9, 12, 50, 101, 108, 113, 226, 228, 229, 276, 999])), max_size=20))  # fmt: skip
def test_garbage_raises_nothing(garbage: list[tuple[bytes, int]]) -> None:
    frames = [frame(data, link_type=link_type) for data, link_type in garbage]
    decoded = Decoder().decode(batch(frames))
    assert decoded.not_tcp + len(decoded.segments) == len(frames)


@settings(deadline=None, max_examples=500)
@given(
    st.integers(0, len(WHOLE) - 1), st.lists(st.tuples(st.integers(12, 130), st.integers(0, 255)), max_size=6)
)
@example(0, [(14, 0x4F)])
@example(len(WHOLE) - 4, [(54, 0), (62, 44)])
def test_damage_raises_nothing(index: int, damage: list[tuple[int, int]]) -> None:
    """A frame that was good once, with bytes of its headers overwritten."""
    data = bytearray(WHOLE[index].data)
    for at, value in damage:
        if at < len(data):
            data[at] = value
    segments = decode(Frame(1, bytes(data), len(data), WHOLE[index].link_type), WHOLE[0])
    assert row(segments, len(segments) - 1)["seq"] == row(decode(WHOLE[0]))["seq"]
    assert (segments.length >= 0).all()
    assert (segments.length[segments.state == State.WHOLE] <= len(data)).all()


@settings(deadline=None, max_examples=100)
@given(st.data())
def test_a_frame_is_decoded_the_same_beside_any_others(data: st.DataObject) -> None:
    """Whole batches at a time, and still every row by itself."""
    chosen = data.draw(st.lists(st.sampled_from(range(len(WHOLE))), min_size=1, max_size=12))
    together = decode(*(WHOLE[i] for i in chosen))
    for position, i in enumerate(chosen):
        alone = row(decode(WHOLE[i]))
        assert {n: row(together, position)[n] for n in TRUSTED} == {n: alone[n] for n in TRUSTED}


def test_a_batch_may_be_empty() -> None:
    decoded = Decoder().decode(batch([]))
    assert (len(decoded.segments), decoded.not_tcp) == (0, 0)


def test_frames_at_the_end_of_the_buffer_are_not_read_beyond_it() -> None:
    """The padding is all that follows the last frame."""
    for captured in range(len(WHOLE[-3].data)):
        last = batch([WHOLE[0], WHOLE[-3].cut(captured)])
        assert len(last.data) == int(last.start[-1]) + captured + links.PADDING
        Decoder().decode(last)
        np.testing.assert_array_equal(last.data[-links.PADDING :], 0)
