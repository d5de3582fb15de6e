"""Segments inside tunnels, packed by scapy, come out as they went in; everything else is left alone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rooms.sources.capture_bytes import Frame, pcap
from tcpladder.sources.files import open_capture
from tcpladder.sources.unwrap import Unwrapper
from tcpladder.store.dissect import dissect
from tcpladder.store.scapy_import import link_layers
from tcpladder.wire.decode import Decoder
from tcpladder.wire.segments import Segments, State

link_layers()
from scapy.contrib.erspan import ERSPAN_II  # noqa: E402
from scapy.contrib.geneve import GENEVE  # noqa: E402
from scapy.contrib.gtp import GTP_U_Header  # noqa: E402
from scapy.contrib.mpls import MPLS  # noqa: E402
from scapy.layers.dot11 import Dot11, RadioTap  # noqa: E402
from scapy.layers.inet import ICMP, IP, TCP, UDP  # noqa: E402
from scapy.layers.inet6 import IPv6, IPv6ExtHdrDestOpt  # noqa: E402
from scapy.layers.l2 import ARP, GRE, LLC, SNAP, CookedLinux, Dot1Q, Ether  # noqa: E402
from scapy.layers.ppp import HDLC, PPP, PPPoE  # noqa: E402
from scapy.layers.vxlan import VXLAN  # noqa: E402

SEGMENT = TCP(sport=5000, dport=80, seq=7, ack=9, flags="PA", window=502, options=[("Timestamp", (1, 2))])
V4 = IP(src="192.0.2.1", dst="192.0.2.2", id=77) / SEGMENT / (b"x" * 100)
V6 = IPv6(src="2001:db8::1", dst="2001:db8::2") / SEGMENT / (b"x" * 100)
OUTER = IP(src="10.0.0.1", dst="10.0.0.2")
OUTER6 = IPv6(src="fd00::1", dst="fd00::2")

WRAPPINGS: dict[str, tuple[int, Callable[[Any], Any]]] = {
    "nothing": (1, lambda inner: Ether() / inner),
    "IP in IP": (1, lambda inner: Ether() / OUTER / inner),
    "IP in IP in IP": (101, lambda inner: OUTER / OUTER / inner),
    "IP in IPv6": (1, lambda inner: Ether() / OUTER6 / inner),
    "IP in IPv6, with encapsulation limit": (
        1,
        lambda inner: Ether() / OUTER6 / IPv6ExtHdrDestOpt(options=[]) / inner,
    ),
    "GRE": (1, lambda inner: Ether() / OUTER / GRE() / inner),
    "GRE with key and sequence": (
        1,
        lambda inner: Ether() / OUTER / GRE(key_present=1, key=5, seqnum_present=1) / inner,
    ),
    "GRE with Ethernet": (1, lambda inner: Ether() / OUTER / GRE() / Ether() / inner),
    "ERSPAN": (1, lambda inner: Ether() / OUTER / GRE(seqnum_present=1) / ERSPAN_II() / Ether() / inner),
    "VXLAN": (1, lambda inner: Ether() / OUTER / UDP(sport=40000, dport=4789) / VXLAN(vni=5) / Ether() / inner),
    "VXLAN of Linux": (
        113,
        lambda inner: CookedLinux() / OUTER / UDP(sport=40000, dport=8472) / VXLAN() / Ether() / inner,
    ),
    "VXLAN over IPv6": (1, lambda inner: Ether() / OUTER6 / UDP(sport=40000, dport=4789) / VXLAN() / Ether() / inner),
    "Geneve": (1, lambda inner: Ether() / OUTER / UDP(sport=40000, dport=6081) / GENEVE() / Ether() / inner),
    "GTP-U": (1, lambda inner: Ether() / OUTER / UDP(sport=40000, dport=2152) / GTP_U_Header(teid=5) / inner),
    "MPLS": (1, lambda inner: Ether() / MPLS(label=5, s=0) / MPLS(label=6, s=1) / inner),
    "MPLS multicast": (1, lambda inner: Ether(type=0x8848) / MPLS(label=5, s=1) / inner),
    "MPLS with Ethernet": (1, lambda inner: Ether() / MPLS(label=5, s=1) / Ether(dst="02:00:00:00:00:01") / inner),
    "MPLS in UDP": (1, lambda inner: Ether() / OUTER / UDP(sport=40000, dport=6635) / MPLS(s=1) / inner),
    "PPPoE": (1, lambda inner: Ether() / PPPoE(sessionid=5) / PPP() / inner),
    "PPPoE behind two tags": (1, lambda inner: Ether() / Dot1Q(vlan=5) / Dot1Q(vlan=6) / PPPoE() / PPP() / inner),
    "PPPoE as a link type": (51, lambda inner: PPPoE(sessionid=5) / PPP() / inner),
    "PPP": (9, lambda inner: PPP() / inner),
    "PPP with HDLC header": (50, lambda inner: HDLC() / PPP() / inner),
    "802.11 with radiotap": (
        127,
        lambda inner: RadioTap() / Dot11(type=2, subtype=0) / LLC() / SNAP() / inner,
    ),
}  # fmt: skip
NATIVE = {"nothing", "PPP", "PPP with HDLC header"}


def decoded(path: Path) -> tuple[Segments, dict[str, int], int]:
    unwrapper, decoder = Unwrapper(), Decoder()
    capture = open_capture(str(path))
    (result,) = [decoder.decode(unwrapper.unwrapped(batch)) for batch in capture.batches()]
    capture.close()
    return result.segments, result.others, unwrapper.frames_through_scapy


@pytest.mark.parametrize("inner", [V4, V6], ids=["IPv4", "IPv6"])
@pytest.mark.parametrize("name", WRAPPINGS)
@pytest.mark.parametrize("snap", [None, 70], ids=["whole", "cut"])
def test_a_segment_comes_out_as_it_went_in(tmp_path: Path, name: str, inner: Any, snap: int | None) -> None:
    link_type, wrap = WRAPPINGS[name]
    plain = bytes(Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02") / inner)
    wrapped = bytes(wrap(inner))
    kept = wrapped if snap is None else wrapped[: len(wrapped) - snap]
    path = tmp_path / "trace.pcap"
    path.write_bytes(pcap([Frame(kept, 5, len(wrapped))], network=link_type))
    segments, others, through_scapy = decoded(path)
    path.write_bytes(pcap([Frame(plain, 5, len(plain))]))
    expected, _, _ = decoded(path)
    assert others == {}
    assert through_scapy == (name not in NATIVE)
    for column in (
        "state",
        "seq",
        "ack",
        "flags",
        "window",
        "length",
        "tsval",
        "ip_id",
        "time_ns",
        "swapped",
    ):
        assert getattr(segments, column).tolist() == getattr(expected, column).tolist(), column
    addresses = segments.addresses, expected.addresses
    assert [a.first.tolist() for a in addresses[:1]] == [a.first.tolist() for a in addresses[1:]]
    assert addresses[0].ports.tolist() == addresses[1].ports.tolist()
    assert (int(segments.captured[0]), int(segments.original[0])) == (len(kept), len(wrapped))
    assert int(segments.link_type[0]) == link_type


def test_the_record_is_what_is_dissected(tmp_path: Path) -> None:
    frame = bytes(WRAPPINGS["VXLAN"][1](V4))
    path = tmp_path / "trace.pcap"
    path.write_bytes(pcap([Frame(frame, 5, len(frame))]))
    segments, _, _ = decoded(path)
    capture = open_capture(str(path))
    again = capture.frame_bytes(int(segments.position[0]), int(segments.captured[0]))
    capture.close()
    assert again == frame
    assert [line.text.split()[0] for line in dissect(again, 1) if not line.depth] == [
        "Ethernet", "IP", "UDP", "VXLAN", "Ethernet", "IP", "TCP", "data,"
    ]  # fmt: skip


def test_order_and_neighbours_stay(tmp_path: Path) -> None:
    frames = [
        bytes(Ether() / V4),
        bytes(WRAPPINGS["GRE"][1](V6)),
        bytes(Ether() / ARP()),
        bytes(WRAPPINGS["Geneve"][1](V4)),
        bytes(Ether() / V6),
        bytes(Ether() / OUTER / UDP(sport=1, dport=53) / b"x"),
    ]
    path = tmp_path / "trace.pcap"
    path.write_bytes(pcap([Frame(frame, number, len(frame)) for number, frame in enumerate(frames)]))
    segments, others, through_scapy = decoded(path)
    assert segments.frame.tolist() == [1, 2, 4, 5]
    assert segments.addresses.is_v6.tolist() == [False, True, False, True]
    assert (others, through_scapy) == ({"ARP": 1, "UDP": 1}, 2)


@pytest.mark.parametrize(
    ("frame", "what"),
    [
        (Ether() / OUTER / UDP(sport=40000, dport=4789) / b"no tunnel", {"UDP": 1}),
        (Ether() / OUTER / GRE() / Ether() / ARP(), {"IP protocol 47": 1}),
        (
            Ether()
            / OUTER
            / UDP(sport=40000, dport=4789)
            / VXLAN()
            / Ether()
            / OUTER
            / UDP(sport=40000, dport=53)
            / b"x",
            {"UDP": 1},
        ),
        (Ether() / IP(frag=5, proto=4) / bytes(40), {"IP fragment": 1}),
        (Ether() / PPPoE() / PPP(proto=0xC021) / b"LCP", {"not IP": 1}),
    ],
)
def test_tunnels_without_a_segment_are_counted(tmp_path: Path, frame: Any, what: dict[str, int]) -> None:
    path = tmp_path / "trace.pcap"
    path.write_bytes(pcap([Frame(bytes(frame), 5, len(frame))]))
    segments, others, _ = decoded(path)
    assert len(segments) == 0
    assert others == what


def test_a_link_type_that_nobody_reads_is_named(tmp_path: Path) -> None:
    path = tmp_path / "trace.pcap"
    path.write_bytes(pcap([Frame(bytes(60), 5, 60)] * 3, network=147))
    assert decoded(path)[1:] == ({"link type 147": 3}, 0)


def test_an_icmp_error_inside_a_tunnel_quotes_the_segment(tmp_path: Path) -> None:
    quoted = IP(src="192.0.2.1", dst="192.0.2.2") / TCP(sport=5000, dport=80, seq=7)
    error = IP(src="192.0.2.2", dst="192.0.2.1") / ICMP(type=3, code=3) / bytes(quoted)
    frame = bytes(Ether() / OUTER / GRE() / error)
    path = tmp_path / "trace.pcap"
    path.write_bytes(pcap([Frame(frame, 5, len(frame))]))
    segments, _, _ = decoded(path)
    assert segments.state.tolist() == [State.ICMP]
    assert segments.seq.tolist() == [7]


def test_endless_tunnels_cost_little(tmp_path: Path) -> None:
    frame = bytes(OUTER) * 3000
    for proto in (4, 47):
        nested = (bytes(IP(proto=proto, len=0xFFFF)) + (b"\0\0\x08\0" if proto == 47 else b"")) * 2000
        path = tmp_path / "trace.pcap"
        path.write_bytes(pcap([Frame(nested, 5, len(nested)), Frame(frame, 6, len(frame))] * 5, network=101))
        segments, _, _ = decoded(path)
        assert len(segments) == 0


@given(
    name=st.sampled_from(sorted(WRAPPINGS)),
    flips=st.lists(st.tuples(st.integers(0, 200), st.integers(0, 255)), max_size=6),
    cut=st.integers(0, 200),
    network=st.sampled_from([None, None, 1, 9, 50, 51, 105, 113, 127, 192, 226, 276]),
)
@settings(deadline=None, max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_damage_never_raises(
    tmp_path: Path, name: str, flips: list[tuple[int, int]], cut: int, network: int | None
) -> None:
    link_type, wrap = WRAPPINGS[name]
    whole = bytes(wrap(V4))
    frame = bytearray(whole[: len(whole) - cut % len(whole)])
    for at, value in flips:
        frame[at % len(frame)] ^= value
    path = tmp_path / "trace.pcap"
    path.write_bytes(pcap([Frame(bytes(frame), 5, len(whole))], network=network or link_type))
    segments, others, _ = decoded(path)
    assert len(segments) + sum(others.values()) == 1


def test_nothing_is_copied_where_nothing_is_wrapped(tmp_path: Path) -> None:
    frame = bytes(Ether() / V4)
    path = tmp_path / "trace.pcap"
    path.write_bytes(pcap([Frame(frame, 5, len(frame))]))
    capture = open_capture(str(path))
    for batch in capture.batches():
        after = Unwrapper().unwrapped(batch)
        assert np.shares_memory(after.data, batch.data)
        assert after.stored is None
    capture.close()
