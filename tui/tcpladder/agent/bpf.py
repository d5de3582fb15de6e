"""From a tcpdump filter to the instructions of a classic BPF program, with libpcap's own words when it is wrong.

libpcap is found in three places, in this order: cypcap's bundled one, the system's through ctypes, the tcpdump
program. For an interface with Ethernet headers the filter is compiled on an activated handle, because only there does
libpcap know that the kernel takes VLAN tags off received frames (SKF_AD_VLAN_TAG).
"""

from __future__ import annotations

import contextlib
import ctypes
import socket
import struct
import subprocess

from tcpladder.errors import PermissionRefused, UsageError

Instruction = tuple[int, int, int, int]
"""code, jump if true, jump if false, k (struct sock_filter)."""

RETURN_CONSTANT = 0x06
_SO_ATTACH_FILTER, _SO_LOCK_FILTER = 26, 44
_DLT_RAW = 12
_SNAP_LENGTH = 262144
_NETMASK_UNKNOWN = 0xFFFFFFFF
_ERROR_BYTES = 256


class _WrongFilterError(Exception):
    """libpcap refuses the expression; the text is libpcap's."""


class _NoCompilerError(Exception):
    """This way of reaching libpcap does not exist here."""


def compile_filter(expression: str, interface: str | None) -> list[Instruction]:
    """Compile `expression` for the Ethernet frames of `interface`, or for IP packets where it is None.

    Raises UsageError with libpcap's words for a wrong filter, PermissionRefused where no libpcap is found.
    """
    for compiler in (_with_cypcap, _with_libpcap, _with_tcpdump):
        try:
            return compiler(expression, interface)
        except _WrongFilterError as wrong:
            words = str(wrong).removeprefix("can't parse filter expression: ")
            raise UsageError(f"cannot use the filter {expression!r}: {words}") from None
        except _NoCompilerError:
            continue
    install = "install libpcap (Debian: libpcap0.8) or tcpdump, or leave the filter out"
    raise PermissionRefused(f"cannot compile the filter {expression!r}: no libpcap here; {install}")


def accept_all() -> list[Instruction]:
    """The program that takes every frame: what remains where nothing can compile."""
    return [(RETURN_CONSTANT, 0, 0, _SNAP_LENGTH)]


def accept_none() -> list[Instruction]:
    """The program that takes nothing."""
    return [(RETURN_CONSTANT, 0, 0, 0)]


def attach(receiver: socket.socket, program: list[Instruction]) -> None:
    """Let only what the program accepts into the socket, from now on."""
    code = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *step) for step in program))
    receiver.setsockopt(
        socket.SOL_SOCKET, _SO_ATTACH_FILTER, struct.pack("@HP", len(program), ctypes.addressof(code))
    )


def lock(receiver: socket.socket) -> None:
    """Whoever holds the descriptor can from now on neither change nor remove the program."""
    receiver.setsockopt(socket.SOL_SOCKET, _SO_LOCK_FILTER, 1)


def with_snap_length(program: list[Instruction], snap_length: int) -> list[Instruction]:
    """The same program, accepting the first `snap_length` bytes of a frame; 0 for all."""
    accepted = snap_length or _SNAP_LENGTH
    return [(code, yes, no, accepted if code == RETURN_CONSTANT and k else k) for code, yes, no, k in program]


def _with_cypcap(expression: str, interface: str | None) -> list[Instruction]:
    try:
        import cypcap
    except ImportError:
        raise _NoCompilerError from None
    try:
        if interface is None:
            handle = cypcap.open_dead(cypcap.DatalinkType.RAW, _SNAP_LENGTH)
        else:
            handle = cypcap.create(interface)
        with contextlib.closing(handle):
            if interface is not None:
                handle.activate()
            return [tuple(step) for step in handle.compile(expression, True, cypcap.NETMASK_UNKNOWN)]
    except cypcap.Error as error:
        raise _WrongFilterError(error.args[1]) from None


class _Step(ctypes.Structure):
    _fields_ = (
        ("code", ctypes.c_uint16),
        ("yes", ctypes.c_uint8),
        ("no", ctypes.c_uint8),
        ("k", ctypes.c_uint32),
    )


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_uint), ("steps", ctypes.POINTER(_Step)))


def _with_libpcap(expression: str, interface: str | None) -> list[Instruction]:
    library = _system_libpcap()
    words = ctypes.create_string_buffer(_ERROR_BYTES)
    if interface is None:
        handle = library.pcap_open_dead(_DLT_RAW, _SNAP_LENGTH)
    else:
        handle = library.pcap_create(interface.encode(), words)
    if not handle:
        raise _WrongFilterError(words.value.decode(errors="replace"))
    pointer, program = ctypes.c_void_p(handle), _Program()
    try:
        active = interface is None or library.pcap_activate(pointer) >= 0
        arguments = (ctypes.byref(program), expression.encode(), 1, ctypes.c_uint32(_NETMASK_UNKNOWN))
        if not active or library.pcap_compile(pointer, *arguments) < 0:
            raise _WrongFilterError(library.pcap_geterr(pointer).decode(errors="replace"))
        steps = [program.steps[i] for i in range(program.length)]
        compiled = [(step.code, step.yes, step.no, step.k) for step in steps]
        library.pcap_freecode(ctypes.byref(program))
        return compiled
    finally:
        library.pcap_close(pointer)


def _system_libpcap() -> ctypes.CDLL:
    for name in ("libpcap.so.0.8", "libpcap.so.1"):
        try:
            library = ctypes.CDLL(name)
        except OSError:
            continue
        library.pcap_create.restype = library.pcap_open_dead.restype = ctypes.c_void_p
        library.pcap_geterr.restype = ctypes.c_char_p
        return library
    raise _NoCompilerError


def _with_tcpdump(expression: str, interface: str | None) -> list[Instruction]:
    link = ["-y", "RAW"] if interface is None else ["-i", interface]
    try:
        done = subprocess.run(["tcpdump", *link, "-ddd", "--", expression], capture_output=True, text=True)
    except OSError:
        raise _NoCompilerError from None
    if done.returncode:
        raise _WrongFilterError(done.stderr.strip().splitlines()[-1].removeprefix("tcpdump: "))
    rows = [[int(number) for number in line.split()] for line in done.stdout.splitlines()[1:]]
    return [(code, yes, no, k) for code, yes, no, k in rows]
