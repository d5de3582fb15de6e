"""Every message survives the way to bytes and back; whatever is not exactly a message is refused."""

import dataclasses
import json
import typing

import pytest

from tcpladder.agent import messages
from tcpladder.agent.fault_messages import (
    ApplyFault,
    ConnectionReset,
    End,
    ExtendFault,
    FaultLogOpened,
    FaultPlan,
    Faults,
    FaultState,
    LiftFault,
    ListFaults,
    OpenFaultLog,
    Place,
    PlanFault,
    ResetConnection,
    SetSysctl,
    SysctlSet,
)
from tcpladder.agent.lab_messages import EndPeer, PeerEnded, PeerStarted, StartPeer
from tcpladder.agent.messages import (
    AgentReady,
    CaptureOpened,
    HeldSocket,
    Interfaces,
    InterfaceState,
    ListInterfaces,
    OnHost,
    OpenCapture,
    Owners,
    ReadOwners,
    ReadSocketOptions,
    ReadSockets,
    ReadSysctls,
    Refused,
    SocketOptions,
    SocketOwner,
    Sockets,
    SocketState,
    Sysctls,
    TcpInfo,
)
from tcpladder.agent.protocol import MalformedMessageError, decode_reply, decode_request, encode
from tcpladder.faults.fault import Action, Fault, Match, Segments

LO = InterfaceState(
    name="lo",
    index=1,
    state="unknown",
    addresses=["127.0.0.1", "::1"],
    received_bytes=1,
    received_packets=2,
    sent_bytes=3,
    sent_packets=4,
)
INFO = TcpInfo(
    probes=2,
    backoff=3,
    rto_us=204_000,
    ato_us=40_000,
    unacked=1,
    lost=1,
    last_data_sent_ms=5,
    last_data_recv_ms=6,
    last_ack_recv_ms=7,
    rtt_us=25,
    rttvar_us=12,
    total_retrans=4,
)
SOCKET = SocketState(
    local="127.0.0.1",
    local_port=22345,
    remote="::1",
    remote_port=12345,
    state="ESTAB",
    uid=0,
    inode=2**32 - 1,
    cookie=2**64 - 1,
    timer="keepalive",
    expires_ms=7000,
    retransmits=2,
    receive_queue=0,
    send_queue=9,
    info=INFO,
)
CLIENT = StartPeer(
    role="client", options={"TCP_KEEPIDLE": 3}, address="::1", port=7, local_port=65535, script=["connect"]
)
FAULT = Fault(match=Match(destination="fe80::1", destination_port=7), probe_sequences=[])
PROBES = Fault(
    match=Match(source="::1", source_port=7, destination="::1", destination_port=8),
    both=True,
    segments=Segments.KEEPALIVE_PROBE,
    probe_sequences=[0, 2**32 - 1],
    action=Action.LOSE,
    amount=99,
    for_ms=None,
    insist=True,
)
STATE = FaultState(
    number=1,
    fault=PROBES,
    places=[Place.INPUT, Place.FORWARD],
    since_ns=2**62,
    ended_ns=None,
    left_ms=5,
    packets=3,
    bytes=4,
    interfaces=["lo"],
    end=End.GUARDIAN_GONE,
    stuck="an interface is down",
)
REQUESTS = [
    OpenCapture(interface="lo"),
    OpenCapture(interface="eth0.10", filter="tcp port 80 and host ä", snap_length=0, include_ssh=True),
    ListInterfaces(),
    ReadSysctls(names=["net.ipv4.tcp_keepalive_time", "net.ipv4.conf.eth0-1.rp_filter"]),
    CLIENT,
    EndPeer(pid=7, silently=True),
    OnHost(host="router", request=ListInterfaces()),
    OnHost(host="client", request=CLIENT),
    PlanFault(fault=FAULT),
    ApplyFault(fault=FAULT),
    ApplyFault(fault=PROBES),
    LiftFault(number=3),
    ExtendFault(number=3, for_ms=None),
    ListFaults(),
    OpenFaultLog(),
    ResetConnection(local="::1", local_port=7, remote="::1", remote_port=8, insist=True),
    SetSysctl(name="net.ipv4.tcp_fin_timeout", value=5),
    SetSysctl(name="net.ipv4.tcp_fin_timeout", value=None),
    ReadSockets(),
    ReadSockets(local="::1", local_port=7, remote="10.0.0.1", remote_port=65535, most=128),
    ReadSocketOptions(local="::1", local_port=7, remote="10.0.0.1", remote_port=0),
    ReadOwners(local_ports=[80, 443], remote_ports=[50000, 50001]),
]
REPLIES = [
    AgentReady(pid=7),
    CaptureOpened(
        interface="lo",
        link_type=1,
        block_size=0,
        block_count=0,
        snap_length=256,
        excluded_ssh=0,
        local_addresses=["::1"],
    ),
    Interfaces(interfaces=[LO, LO]),
    Sysctls(values={"net.a": "1", "net.b": None}),
    PeerStarted(pid=9),
    PeerEnded(connections=1),
    FaultPlan(places=[Place.SINK], script="a\nb", undo="", why="", refused="", needs_insist=False),
    STATE,
    dataclasses.replace(STATE, ended_ns=2**62, left_ms=None),
    Faults(faults=[STATE, STATE]),
    FaultLogOpened(group=7),
    ConnectionReset(sockets=2),
    SysctlSet(value="5", before="60"),
    Sockets(sockets=[SOCKET, dataclasses.replace(SOCKET, timer=None, info=None)], left_out=3),
    SocketOptions(
        owner=SocketOwner(pid=7, command="my prog"), options={"SO_KEEPALIVE": 1}, congestion="bbr", refused=""
    ),
    Owners(
        held=[
            HeldSocket(
                local="::1", local_port=7, remote="::1", remote_port=8, owner=SocketOwner(pid=7, command="nc")
            )
        ]
    ),
    SocketOptions(owner=None, options={}, congestion="", refused="hidden"),
    Refused(reason="cannot", exit_code=4),
]


OPEN = {"interface": "lo", "filter": "", "snap_length": 0, "include_ssh": False}
APPLY = dataclasses.asdict(FAULT)


def applied(**wrong: object) -> dict[str, object]:
    return {"fault": APPLY | wrong}


def matched(**wrong: object) -> dict[str, object]:
    return applied(match=APPLY["match"] | wrong)


def test_the_examples_cover_every_message() -> None:
    assert {type(one) for one in REQUESTS} == set(typing.get_args(messages.Request))
    assert {type(one) for one in REPLIES} == set(typing.get_args(messages.Reply))


@pytest.mark.parametrize("request_", REQUESTS, ids=repr)
def test_a_request_comes_back_as_it_was(request_: messages.Request) -> None:
    assert decode_request(encode(request_)) == request_


@pytest.mark.parametrize("reply", REPLIES, ids=repr)
def test_a_reply_comes_back_as_it_was(reply: messages.Reply) -> None:
    assert decode_reply(encode(reply)) == reply


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("Refused", OPEN),
        (None, OPEN),
        ("OpenCapture", [OPEN]),
        ("OpenCapture", None),
        ("OpenCapture", OPEN | {"surplus": 1}),
        ("OpenCapture", {key: value for key, value in OPEN.items() if key != "filter"}),
        ("OpenCapture", OPEN | {"interface": 7}),
        ("OpenCapture", OPEN | {"interface": ""}),
        ("OpenCapture", OPEN | {"interface": "../lo"}),
        ("OpenCapture", OPEN | {"interface": "lo\0"}),
        ("OpenCapture", OPEN | {"interface": "\ud800"}),
        ("OpenCapture", OPEN | {"filter": "x" * 8193}),
        ("OpenCapture", OPEN | {"filter": None}),
        ("OpenCapture", OPEN | {"snap_length": -1}),
        ("OpenCapture", OPEN | {"snap_length": 262145}),
        ("OpenCapture", OPEN | {"snap_length": True}),
        ("OpenCapture", OPEN | {"snap_length": 1.0}),
        ("OpenCapture", OPEN | {"include_ssh": 1}),
        ("ApplyFault", applied(for_ms=0)),
        ("ApplyFault", applied(for_ms=-1)),
        ("ApplyFault", applied(for_ms=31 * 86_400_000)),
        ("ApplyFault", applied(for_ms="60")),
        ("ApplyFault", applied(for_ms=1.0)),
        ("ApplyFault", applied(amount=-1)),
        ("ApplyFault", applied(amount=1_000_001)),
        ("ApplyFault", applied(action="reboot")),
        ("ApplyFault", applied(action="DROP")),
        ("ApplyFault", applied(action=None)),
        ("ApplyFault", applied(action=["drop"])),
        ("ApplyFault", applied(segments="drop")),
        ("ApplyFault", applied(probe_sequences=[-1])),
        ("ApplyFault", applied(probe_sequences=[2**32])),
        ("ApplyFault", applied(probe_sequences=[True])),
        ("ApplyFault", applied(probe_sequences=None)),
        ("ApplyFault", applied(insist=1)),
        ("ApplyFault", applied(surplus=1)),
        ("ApplyFault", applied(match=None)),
        ("ApplyFault", matched(destination_port=65536)),
        ("ApplyFault", matched(destination_port=None)),
        ("ApplyFault", matched(destination="example.org")),
        ("ApplyFault", matched(source="fe80::1%eth0")),
        ("PlanFault", applied(action="reboot")),
        ("ExtendFault", {"number": 1, "for_ms": 0}),
        ("LiftFault", {"number": 0}),
        (
            "ResetConnection",
            {"local": "x", "local_port": 1, "remote": "::1", "remote_port": 1, "insist": False},
        ),
        ("SetSysctl", {"name": "kernel.core_pattern", "value": 1}),
        ("SetSysctl", {"name": "net.ipv4.tcp_fin_timeout", "value": -1}),
        ("SetSysctl", {"name": "net.ipv4.tcp_fin_timeout", "value": "5"}),
        ("ReadSysctls", {"names": ["kernel.core_pattern"]}),
        ("ReadSysctls", {"names": ["net.../.."]}),
        ("ReadSysctls", {"names": ["net./etc/passwd"]}),
        ("ReadSysctls", {"names": "net.a"}),
        ("LiftFault", {"number": None}),
        ("OnHost", {"host": "client", "request": OPEN}),
        ("OnHost", {"host": "client", "request": ["OpenCapture", OPEN | {"snap_length": -1}]}),
        ("OnHost", {"host": "client", "request": ["Refused", {"reason": "", "exit_code": 2}]}),
        (
            "OnHost",
            {"host": "client", "request": ["OnHost", {"host": "a", "request": ["ListInterfaces", {}]}]},
        ),
        ("OnHost", {"host": "../client", "request": ["ListInterfaces", {}]}),
        ("StartPeer", dataclasses.asdict(CLIENT) | {"script": "connect"}),
        ("StartPeer", dataclasses.asdict(CLIENT) | {"local_address": "example.org"}),
    ],
    ids=lambda value: repr(value)[:60],
)
def test_a_request_that_is_not_exactly_one_is_refused(name: object, fields: object) -> None:
    with pytest.raises(MalformedMessageError):
        decode_request(json.dumps([name, fields]).encode())


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff",
        b"{",
        b"[" * 100_000,
        b'["LiftFault",{"number":' + b"9" * 5000 + b"}]",
        b'["LiftFault",{"number":1,"number":2}]',
        b'["LiftFault",{"number":1},{}]',
        b'["LiftFault"]',
        b'"LiftFault"',
        json.dumps(["LiftFault", {"number": float("nan")}]).encode(),
        json.dumps(["ApplyFault", applied(for_ms=float("inf"))]).encode(),
    ],
    ids=lambda data: repr(data[:40]),
)
def test_bytes_that_are_no_message_are_refused(data: bytes) -> None:
    with pytest.raises(MalformedMessageError):
        decode_request(data)
