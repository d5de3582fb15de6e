"""Opening a capture: a packet socket whose filter is attached before its first frame and cannot be taken off.

packet(7), include/uapi/linux/if_packet.h. The agent never reads from the socket: the app maps the ring.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import os
import socket
import struct
from collections.abc import Sequence

from tcpladder.agent import bpf, confine, ssh
from tcpladder.agent.bpf import Instruction
from tcpladder.agent.confine import Capability
from tcpladder.agent.interfaces import list_interfaces
from tcpladder.agent.messages import CaptureOpened, OpenCapture
from tcpladder.errors import InterfaceError, PermissionRefused

RING_GEOMETRIES = ((1 << 20, 64), (1 << 20, 16), (1 << 18, 16))
"""(bytes of a block, blocks), tried in this order: 64 MiB hold 3 s of 100,000 segments/s at 128 bytes."""
BLOCK_TIMEOUT_MS = 50
"""A block that is not full is handed over after this long: the most that the screen is late."""
_FRAME_SIZE = 2048
_RECEIVE_BUFFER_BYTES = 32 << 20

_SO_RCVBUFFORCE = 33
_SOL_PACKET = 263
_PACKET_RX_RING, _PACKET_AUXDATA, _PACKET_VERSION, _PACKET_IGNORE_OUTGOING = 5, 8, 10, 23
_TPACKET_V1, _TPACKET_V3 = 0, 2
_ETH_P_ALL = 3
_SIOCGIFFLAGS, _SIOCGIFHWADDR = 0x8913, 0x8927
_IFF_UP, _IFF_LOOPBACK = 0x1, 0x8
_ARPHRD_ETHER, _ARPHRD_LOOPBACK = 1, 772
_LINKTYPE_ETHERNET, _LINKTYPE_RAW = 1, 101

_PACKET_OUTGOING, _LOOPBACK_INDEX = 4, 1
_LOAD, _JUMP_EQUAL, _AD_PKTTYPE, _AD_IFINDEX = 0x20, 0x15, 0xFFFFF004, 0xFFFFF008
_LOOPBACK_ONCE: list[Instruction] = [
    (_LOAD, 0, 0, _AD_PKTTYPE),
    (_JUMP_EQUAL, 0, 3, _PACKET_OUTGOING),
    (_LOAD, 0, 0, _AD_IFINDEX),
    (_JUMP_EQUAL, 0, 1, _LOOPBACK_INDEX),
    (bpf.RETURN_CONSTANT, 0, 0, 0),
]
"""Before the filter of `any`: loopback shows each frame going out and coming in, the second is enough."""


def open_capture(
    asked: OpenCapture, geometries: Sequence[tuple[int, int]] = RING_GEOMETRIES
) -> tuple[CaptureOpened, socket.socket]:
    """A packet socket that captures, and what to know to read it.

    Interfaces without an Ethernet header (tunnels, `any`) are read from the IP header on: LINKTYPE_RAW.
    Raises InterfaceError (no such interface, or down), UsageError (wrong filter), PermissionRefused.
    """
    name, ethernet, loopback = _look_up(asked.interface)
    lines = [] if loopback or asked.include_ssh else ssh.terminal_connections()
    program = _program(asked, ssh.exclusion(lines), name if ethernet else None)
    try:
        packets = socket.socket(socket.AF_PACKET, socket.SOCK_RAW if ethernet else socket.SOCK_DGRAM, 0)
    except PermissionError:
        reason = f"cannot open {asked.interface}: no packet socket without CAP_NET_RAW in this network"
        raise PermissionRefused(reason) from None
    with contextlib.ExitStack() as on_failure:
        on_failure.callback(packets.close)
        if loopback:
            packets.setsockopt(_SOL_PACKET, _PACKET_IGNORE_OUTGOING, 1)
        block_size, block_count = _allocate(packets, geometries)
        bpf.attach(packets, _LOOPBACK_ONCE + program if name == "any" else program)
        bpf.lock(packets)
        _bind(packets, name)
        on_failure.pop_all()
    return CaptureOpened(
        interface=name,
        link_type=_LINKTYPE_ETHERNET if ethernet else _LINKTYPE_RAW,
        block_size=block_size,
        block_count=block_count,
        snap_length=asked.snap_length,
        excluded_ssh=len(lines),
        local_addresses=[address for one in list_interfaces() for address in one.addresses],
        may_break=Capability.NET_ADMIN in confine.effective(),
    ), packets


def _look_up(asked: str) -> tuple[str, bool, bool]:
    """The name that the kernel uses, whether its frames begin with an Ethernet header, whether it is a loopback."""
    if asked == "any":
        return "any", False, False
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        try:
            name = socket.if_indextoname(socket.if_nametoindex(asked))  # `asked` may be an alternative name
            request = struct.pack("16s24x", name.encode())
            flags = struct.unpack_from("H", fcntl.ioctl(any_socket, _SIOCGIFFLAGS, request), 16)[0]
            hardware = struct.unpack_from("H", fcntl.ioctl(any_socket, _SIOCGIFHWADDR, request), 16)[0]
        except OSError:
            names = ", ".join(one for _, one in socket.if_nameindex())
            raise InterfaceError(f"cannot open {asked}: no such interface (have: {names})") from None
    if not flags & _IFF_UP:
        raise InterfaceError(f"cannot open {name}: it is down; `ip link set {name} up` brings it up")
    return name, hardware in (_ARPHRD_ETHER, _ARPHRD_LOOPBACK), bool(flags & _IFF_LOOPBACK)


def _program(asked: OpenCapture, exclusion: str, interface: str | None) -> list[Instruction]:
    """The filter of the user, ICMP errors, and without the terminal's own connections.

    ICMP stands first because `vlan` in a filter moves all offsets after it.
    """
    try:
        if asked.filter.strip():
            bpf.compile_filter(asked.filter, interface)  # by itself: its error must not quote what is added
        wanted = f"(icmp or icmp6 or ({asked.filter.strip() or 'tcp'}))"
        program = bpf.compile_filter(f"{exclusion} and {wanted}" if exclusion else wanted, interface)
    except PermissionRefused:
        if asked.filter.strip():
            raise
        program = bpf.accept_all()
    return bpf.with_snap_length(program, asked.snap_length)


def _allocate(packets: socket.socket, geometries: Sequence[tuple[int, int]]) -> tuple[int, int]:
    """Give the socket the largest ring that the kernel has memory for; (0, 0) and a large buffer without one."""
    for size, count in geometries:
        frames = size // _FRAME_SIZE * count
        ring = struct.pack("7I", size, count, _FRAME_SIZE, frames, BLOCK_TIMEOUT_MS, 0, 0)
        with contextlib.suppress(OSError):
            packets.setsockopt(_SOL_PACKET, _PACKET_VERSION, _TPACKET_V3)
            packets.setsockopt(_SOL_PACKET, _PACKET_RX_RING, ring)
            return size, count
    packets.setsockopt(_SOL_PACKET, _PACKET_VERSION, _TPACKET_V1)
    packets.setsockopt(_SOL_PACKET, _PACKET_AUXDATA, 1)
    with contextlib.suppress(PermissionError):
        packets.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, _RECEIVE_BUFFER_BYTES)
    return 0, 0


def _bind(packets: socket.socket, interface: str) -> None:
    """Begin to capture. bind(2) itself, because socket.bind() knows no interface 0, which is `any`."""
    index = 0 if interface == "any" else socket.if_nametoindex(interface)
    address = struct.pack("=HHi12x", socket.AF_PACKET, socket.htons(_ETH_P_ALL), index)
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.bind(packets.fileno(), address, len(address)):
        raise InterfaceError(f"cannot open {interface}: {os.strerror(ctypes.get_errno()).lower()}")
