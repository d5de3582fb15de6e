"""The front end of `doctor`: what this machine has and lacks for tcpladder, what is left over, and what to do."""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tcpladder.agent import confine, orphans
from tcpladder.agent.confine import Capability
from tcpladder.agent.fault_tables import has_egress
from tcpladder.agent.journal import RUN
from tcpladder.agent.sweep import left_over, sweep
from tcpladder.hosts.private_network import why_not

_NEEDED = (
    (Capability.NET_RAW, "sniffing"),
    (Capability.NET_ADMIN, "breaking connections"),
    (Capability.SYS_ADMIN, "other network namespaces"),
    (Capability.SYS_PTRACE, "the timers of other users' sockets"),
)


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the list."""

    good: bool
    topic: str
    words: str
    """What is so; where it is not good, what is missing and what to do."""


def examine(*, fix: bool) -> bool:
    """Print what was found, put back what was left over where asked or allowed; whether all is well."""
    findings = list(_left_over())
    left = [one for one in findings if not one.good]
    for one in findings + [finding for check in _CHECKS for finding in check()]:
        sys.stdout.write(f"{'ok ' if one.good else 'NO '} {one.topic:16} {one.words}\n")
    sys.stdout.flush()
    if left and os.geteuid() == 0 and (fix or _agreed()):
        for sentence in put_back():
            sys.stdout.write(f"{sentence}\n")
        left = [one for one in _left_over() if not one.good]
    return not left


def put_back() -> list[str]:
    """Put back what dead instances left; what was, in sentences."""
    said = sweep()
    for name in orphans.orphan_sinks():
        try:
            orphans.remove_sink(name)
            said.append(f"removed the interface {name}")
        except OSError as refused:
            said.append(f"cannot remove the interface {name}: {(refused.strerror or str(refused)).lower()}")
    return said


def _agreed() -> bool:
    """Ask, where there is somebody to answer."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        sys.stderr.write("tcpladder: `tcpladder doctor --fix` puts it back\n")
        return False
    return input("put it back now? [y/N] ").strip().lower() in ("y", "yes")


def _left_over() -> Iterator[Finding]:
    if os.geteuid():
        yield Finding(False, "left over", f"only root can look into {RUN}: run `sudo tcpladder doctor`")
        return
    told = left_over()
    found = [f"{words}: `tcpladder doctor --fix` puts it back" for words in told]
    unknown = [
        name for name in orphans.orphan_sinks() if not any(f"interface {name} " in words for words in told)
    ]
    found += [f"the interface {name}: `tcpladder doctor --fix` removes it" for name in unknown]
    try:
        found += [
            f"table {name}: its owner still runs; end it and it is gone" for name in orphans.orphan_tables()
        ]
    except OSError as refused:
        found.append(f"tables cannot be listed: {(refused.strerror or str(refused)).lower()}")
    for words in found:
        yield Finding(False, "left over", words)
    if not found:
        yield Finding(True, "left over", "nothing")


def _privileges() -> Iterator[Finding]:
    have = confine.effective()
    missing = [(capability, what) for capability, what in _NEEDED if capability not in have]
    if not missing:
        yield Finding(True, "privileges", "all that are used")
    for capability, what in missing:
        yield Finding(False, "privileges", f"{what} needs CAP_{capability.name}: run it with sudo")


def _user_namespaces() -> Iterator[Finding]:
    refused = why_not()
    yield Finding(refused is None, "private network", refused or "`tcpladder lab` works, without root")


def _programs() -> Iterator[Finding]:
    path = shutil.which("nft", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    words = path or "not here: only the scripts that are shown need it (Debian package nftables)"
    yield Finding(path is not None, "nft", words)
    egress = has_egress() if Capability.NET_ADMIN in confine.effective() else None
    if egress is not None:
        lacks = "this kernel has no such hook (Linux 5.16): what leaves is dropped in OUTPUT, and TCP is told"
        yield Finding(
            egress, "netdev egress", "outgoing segments are lost as on a network" if egress else lacks
        )


def _libraries() -> Iterator[Finding]:
    there = importlib.util.find_spec("cypcap") is not None
    lacks = "not here: capture filters need it (pip install cypcap); without one, all TCP is captured"
    yield Finding(there, "cypcap (libpcap)", "capture filters" if there else lacks)
    there = importlib.util.find_spec("pyroute2") is not None
    lacks = "not here: routes and links cannot be broken (pip install pyroute2)"
    yield Finding(there, "pyroute2", "routes and links" if there else lacks)


def _landlock() -> Iterator[Finding]:
    version = confine.landlock_version()
    lacks = "not in this kernel (5.13): in a root login the app could write root's files; use sudo from an account"
    yield Finding(version > 0, "Landlock", f"version {version}" if version > 0 else lacks)


def _terminal() -> Iterator[Finding]:
    term = os.environ.get("TERM", "dumb")
    columns, rows = shutil.get_terminal_size()
    if term == "dumb":
        yield Finding(False, "terminal", "TERM is dumb: the app cannot draw; set TERM, or use --format text")
    elif columns < 80 or rows < 24:
        yield Finding(False, "terminal", f"{columns}x{rows} is small: the app is made for 80x24 and more")
    else:
        yield Finding(True, "terminal", f"{term}, {columns}x{rows}")
    encoding = sys.stdout.encoding or "ascii"
    good = encoding.lower().startswith("utf")
    yield Finding(
        good, "encoding", encoding if good else f"{encoding}: use --ascii, or a UTF-8 locale (LANG=C.UTF-8)"
    )


_CHECKS: tuple[Callable[[], Iterator[Finding]], ...] = (
    _privileges,
    _user_namespaces,
    _programs,
    _libraries,
    _landlock,
    _terminal,
)
