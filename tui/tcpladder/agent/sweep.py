"""Putting back what an agent and a guardian left behind that died together; at the next privileged start.

Where the network namespace of a journal is gone, or the machine was started anew, there is nothing to put back.
"""

from __future__ import annotations

import ctypes
import json
import os
from collections.abc import Iterator
from pathlib import Path

from tcpladder.agent import changes, journal
from tcpladder.agent.journal import Journal, Origin, ownerless
from tcpladder.agent.ledger import Ledger

_CLONE_NEWNET = 0x40000000
_NAMED = Path("/run/netns")
_PATIENCE_S = 3.0


def left_over() -> list[str]:
    """What would be put back, a sentence each; changes nothing. Needs to read the run directory."""
    if not _anything():
        return []
    with ownerless() as journals:
        said = [f"{words}, left by tcpladder {name}" for name, words in _sentences(journals)]
        for one in journals:
            os.close(one.lock)
    return said


def sweep() -> list[str]:
    """Put it back; a sentence for each thing that was, or could not be.

    In a child, which enters the namespaces of the journals one after the other: this process stays where it is.
    """
    if not _anything():
        return []
    reader, writer = os.pipe2(os.O_CLOEXEC)
    child = os.fork()
    if not child:
        try:
            os.write(writer, json.dumps(_put_all_back()).encode())
        finally:
            os._exit(0)
    os.close(writer)
    with open(reader, "rb") as said:
        text = said.read()
    os.waitpid(child, 0)
    return list(json.loads(text)) if text else ["what an earlier tcpladder left behind could not be put back"]


def _anything() -> bool:
    """Whether there is a run directory that we may look into; one that is empty is taken away."""
    return os.access(journal.RUN, os.R_OK | os.X_OK)


def _sentences(journals: list[Journal]) -> Iterator[tuple[str, str]]:
    for one in journals:
        if one.origin.boot == Origin.here().boot:
            yield from ((one.directory.name, changes.words(change)) for change in one.entries.values())


def _put_all_back() -> list[str]:
    said = []
    with ownerless() as journals:
        for one in journals:
            said += _put_back(one)
    return said


def _put_back(left: Journal) -> list[str]:
    """Undo the entries of one journal, and remove it where that is done."""
    if left.origin.boot == Origin.here().boot and left.entries:
        try:
            there = _enter(left.origin)
        except OSError as refused:
            words = f"cannot enter the network namespace: {(refused.strerror or str(refused)).lower()}"
            return [f"{_told(left)} and stays so: {words}, run it with sudo"]
        if there:
            before = _told(left)
            # The lock on the run directory is ours already, and nobody else has this journal: no need for it.
            ledger = Ledger()
            ledger.entries = left.entries
            if not ledger.put_back(_PATIENCE_S):
                left.write()
                return [f"{_told(left)} and could not be put back: `tcpladder doctor` tries again"]
            left.remove()
            return [f"put back what tcpladder {left.directory.name} left when it was killed: {before}"]
    left.remove()
    return []


def _told(left: Journal) -> str:
    return ", ".join(changes.words(change) for change in left.entries.values())


def _enter(origin: Origin) -> bool:
    """Move this process into the namespace of `origin`; whether it still exists. Raises OSError where forbidden."""
    if Origin.here() == origin:
        return True
    for path in _namespaces():
        try:
            if path.stat().st_ino != origin.namespace:
                continue
            namespace = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            continue
        failed = ctypes.CDLL(None, use_errno=True).setns(namespace, _CLONE_NEWNET)
        os.close(namespace)
        if failed:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
        return Origin.here().cookie == origin.cookie
    return False


def _namespaces() -> Iterator[Path]:
    """Where network namespaces can be found: by name, and by the processes that live in them."""
    if _NAMED.is_dir():
        yield from sorted(_NAMED.iterdir())
    yield from (path / "ns/net" for path in Path("/proc").iterdir() if path.name.isdigit())
