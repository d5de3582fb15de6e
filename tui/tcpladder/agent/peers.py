"""How the peers of an experiment are started in the agent's network, and how they end with it.

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
import signal
import subprocess
import sys
from pathlib import Path

from tcpladder.agent.confine import no_new_privileges, root_means_nothing
from tcpladder.agent.messages import PeerStarted, StartPeer
from tcpladder.errors import CaptureError, UsageError

OPTIONS = frozenset(
    {
        "SO_KEEPALIVE",
        "TCP_KEEPCNT",
        "TCP_KEEPIDLE",
        "TCP_KEEPINTVL",
        "TCP_NODELAY",
        "TCP_SYNCNT",
        "TCP_USER_TIMEOUT",
    }
)
"""The socket options that a peer may be asked to set (socket(7), tcp(7))."""

_ROLES = ("client", "server")
_SCRIPT = Path(__file__).resolve().parent.parent / "lab" / "peer.py"
_LARGEST_VALUE = 2**31 - 1
_LONGEST_MESSAGE = 4096
_MOST_PEERS = 16
_PR_SET_PDEATHSIG = 1

_started: list[subprocess.Popen[bytes]] = []


def start_peer(wanted: StartPeer) -> tuple[PeerStarted, int]:
    """Start a peer; the descriptor is the read end of its report, and the caller's to close.

    Raises UsageError for a part that makes no sense, CaptureError if the peer cannot be started.
    """
    _check(wanted)
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


def end_all() -> None:
    """Kill the peers and wait until they are gone."""
    for peer in _started:
        with contextlib.suppress(ProcessLookupError):
            peer.kill()
    for peer in _started:
        peer.wait()
    _started.clear()


def _bind_to(agent: int) -> None:
    """In the child, before exec: die when the agent dies, also if it just did; gain no privilege."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != agent:
        os._exit(1)
    root_means_nothing()
    no_new_privileges()


def _check(wanted: StartPeer) -> None:
    """Refuse what no experiment should ask for, with the value."""
    if wanted.role not in _ROLES:
        raise UsageError(f"cannot start a peer as {wanted.role!r}: it is client or server")
    try:
        ipaddress.ip_address(wanted.address)
    except ValueError:
        raise UsageError(f"cannot start a {wanted.role} on {wanted.address!r}: not an IP address") from None
    if not (0 < wanted.port <= 65535 and 0 <= wanted.local_port <= 65535):
        raise UsageError(
            f"cannot start a {wanted.role}: port {wanted.port} or {wanted.local_port} is no TCP port"
        )
    for name, value in wanted.options.items():
        if name not in OPTIONS:
            raise UsageError(f"cannot set {name!r} on a peer: only {', '.join(sorted(OPTIONS))}")
        if not 0 <= value <= _LARGEST_VALUE:
            raise UsageError(f"cannot set {name} to {value}: it goes from 0 to {_LARGEST_VALUE}")
    if len(wanted.message) > _LONGEST_MESSAGE:
        raise UsageError(
            f"cannot send a message of {len(wanted.message)} characters: at most {_LONGEST_MESSAGE}"
        )
    if sum(peer.poll() is None for peer in _started) >= _MOST_PEERS:
        raise UsageError(f"cannot start another peer: {_MOST_PEERS} are running")
