"""How the peers of an experiment are started on a host of the lab, and how they end: with the agent, or before it.

A peer is our own script, lab/peer.py, run by a bare interpreter without privilege. It dies with the agent, however
the agent ends (PR_SET_PDEATHSIG).
"""

from __future__ import annotations

import contextlib
import ctypes
import dataclasses
import ipaddress
import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tcpladder.agent.confine import no_new_privileges, root_means_nothing
from tcpladder.agent.lab_messages import EndPeer, PeerEnded, PeerStarted, StartPeer
from tcpladder.agent.socket_options import duplicate
from tcpladder.errors import CaptureError, UsageError

OPTIONS = frozenset(
    {
        "SO_KEEPALIVE",
        "SO_LINGER",
        "SO_RCVBUF",
        "SO_SNDBUF",
        "TCP_DEFER_ACCEPT",
        "TCP_KEEPCNT",
        "TCP_KEEPIDLE",
        "TCP_KEEPINTVL",
        "TCP_LINGER2",
        "TCP_MAXSEG",
        "TCP_NODELAY",
        "TCP_QUICKACK",
        "TCP_SYNCNT",
        "TCP_USER_TIMEOUT",
        "TCP_WINDOW_CLAMP",
    }
)
"""The socket options that a peer may be asked to set (socket(7), tcp(7))."""

_ROLES = ("client", "server")
_SCRIPT = Path(__file__).resolve().parent.parent / "lab" / "peer.py"
_LARGEST_VALUE = 2**31 - 1
_TIME, _SIZE = r"\d{1,5}(\.\d{1,3})?", r"\d{1,8}"
_ACTION = re.compile(
    rf"(try )?(connect|accept|hold|close|listen( \d{{1,4}})?|shutdown (read|write)|wait {_TIME}|(?s:say .{{1,4096}})"
    rf"|send {_SIZE}( every {_TIME})?( times \d{{1,6}})?|read (until end|{_SIZE}( every {_TIME})?))"
)
_MOST_ACTIONS = 64
_MOST_PEERS = 16
_PR_SET_PDEATHSIG = 1
_TCP_REPAIR = 19

_started: list[subprocess.Popen[bytes]] = []


def start_peer(wanted: StartPeer) -> tuple[PeerStarted, int]:
    """Start a peer; the descriptor is the read end of its report, and the caller's to close.

    Raises UsageError for a part that makes no sense, CaptureError if the peer cannot be started.
    """
    check(wanted)
    part = json.dumps(dataclasses.asdict(wanted))
    # The interpreter's real path and the script on stdin: neither is looked up in a home directory again.
    command = [os.path.realpath(sys.executable), "-I", "-S", "-", part]
    reader, writer = os.pipe2(os.O_CLOEXEC)
    agent = os.getpid()
    try:
        with _SCRIPT.open("rb") as script:
            peer = subprocess.Popen(
                command,
                stdin=script,
                stdout=writer,
                stderr=subprocess.DEVNULL,
                preexec_fn=lambda: _bind_to(agent),
            )
    except OSError as error:
        os.close(reader)
        raise CaptureError(f"cannot start the {wanted.role}: {error.strerror} ({error.filename})") from None
    finally:
        os.close(writer)
    _started.append(peer)
    return PeerStarted(pid=peer.pid), reader


def end_peer(wanted: EndPeer) -> PeerEnded:
    """End one peer, and wait until it is gone. Raises UsageError for a process that is no peer of ours, OSError.

    Silently: a socket in repair mode is closed without a word (TCP_REPAIR, net/ipv4/tcp.c, __tcp_close). The peer is
    stopped first, so that it cannot close one before.
    """
    peer = next((one for one in _started if one.pid == wanted.pid and one.poll() is None), None)
    if peer is None:
        have = ", ".join(str(one.pid) for one in _started if one.poll() is None) or "none"
        raise UsageError(f"cannot end {wanted.pid}: no peer of this lab (have: {have})")
    duplicates: list[socket.socket] = []
    try:
        if wanted.silently:
            peer.send_signal(signal.SIGSTOP)
            os.waitid(os.P_PID, peer.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)
            for connected in _connections(peer.pid):
                duplicates.append(connected)
                connected.setsockopt(socket.IPPROTO_TCP, _TCP_REPAIR, 1)
    finally:
        peer.kill()
        peer.wait()
        for connected in duplicates:
            connected.close()
    return PeerEnded(connections=len(duplicates))


def end_all() -> None:
    """Kill the peers and wait until they are gone."""
    for peer in _started:
        with contextlib.suppress(ProcessLookupError):
            peer.kill()
    for peer in _started:
        peer.wait()
    _started.clear()


def _connections(pid: int) -> Iterator[socket.socket]:
    """Duplicates of the connected sockets of a process, which the caller closes."""
    for name in os.listdir(f"/proc/{pid}/fd"):  # noqa: PTH208
        try:
            held = duplicate(pid, int(name))
        except OSError:  # no socket
            continue
        try:
            held.getpeername()
        except OSError:  # one that listens
            held.close()
        else:
            yield held


def _bind_to(agent: int) -> None:
    """In the child, before exec: die when the agent dies, also if it just did; gain no privilege."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != agent:
        os._exit(1)
    root_means_nothing()
    no_new_privileges()


def check(wanted: StartPeer) -> None:
    """Refuse what no experiment should ask for, with the value. Raises UsageError."""
    if wanted.role not in _ROLES:
        raise UsageError(f"cannot start a peer as {wanted.role!r}: it is client or server")
    for address in filter(None, (wanted.address, wanted.local_address)):
        try:
            ipaddress.ip_address(address)
        except ValueError:
            raise UsageError(f"cannot start a {wanted.role} on {address!r}: not an IP address") from None
    if not (0 < wanted.port <= 65535 and 0 <= wanted.local_port <= 65535):
        raise UsageError(
            f"cannot start a {wanted.role}: port {wanted.port} or {wanted.local_port} is no TCP port"
        )
    for name, value in wanted.options.items():
        if name not in OPTIONS:
            raise UsageError(f"cannot set {name!r} on a peer: only {', '.join(sorted(OPTIONS))}")
        if not 0 <= value <= _LARGEST_VALUE:
            raise UsageError(f"cannot set {name} to {value}: it goes from 0 to {_LARGEST_VALUE}")
    for action in wanted.script:
        if not _ACTION.fullmatch(action):
            raise UsageError(f"a peer cannot {action[:60]!r}: lab/peer.py says what it can")
    if not 0 < len(wanted.script) <= _MOST_ACTIONS:
        raise UsageError(f"a peer does 1 to {_MOST_ACTIONS} things, not {len(wanted.script)}")
    if sum(peer.poll() is None for peer in _started) >= _MOST_PEERS:
        raise UsageError(f"cannot start another peer: {_MOST_PEERS} are running")
