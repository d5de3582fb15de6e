"""The process that changes what the kernel does not take back by itself, and takes it back, whoever dies.

The agent starts it before the first fault and asks it for every such change, so one process alone makes and undoes
them. It holds a pidfd of the agent: when that ends in any way, and when a change's time is up even while everybody
else is stopped, things are put back as they were.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
from typing import NoReturn

from tcpladder.agent import confine, protocol
from tcpladder.agent.confine import Capability
from tcpladder.agent.descriptors import keep_only
from tcpladder.agent.journal import Journal
from tcpladder.agent.ledger import Ledger
from tcpladder.agent.ledger_messages import Done, answer, refusal
from tcpladder.errors import TcpladderError

_IGNORED = (signal.SIGINT, signal.SIGHUP, signal.SIGQUIT, signal.SIGTSTP, signal.SIGTERM, signal.SIGPIPE)
"""SIGTERM too: where the machine goes down the agent has one of its own, and things are put back because it ends."""
_KEEPS = (Capability.NET_ADMIN, Capability.DAC_READ_SEARCH)
"""Routes, links and sysctls; and pyroute2, where that is installed in somebody's home directory."""


def start(name: str) -> socket.socket:
    """Start the guardian of the instance `name`; its channel, on which it first says Done with its pid, or Refused."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    agent = os.pidfd_open(os.getpid())
    child = os.fork()
    if child == 0:
        _live(name, theirs.detach(), agent)
    theirs.close()
    os.close(agent)
    os.waitpid(child, 0)
    return ours


def _live(name: str, channel: int, agent: int) -> NoReturn:
    """The whole life, in a session of its own and nobody's child."""
    try:
        os.setsid()
        if os.fork():
            os._exit(0)
        for number in _IGNORED:
            signal.signal(number, signal.SIG_IGN)
        channel, agent = keep_only(channel, agent)
        confine.keep_capabilities(_KEEPS)
        guard(name, socket.socket(fileno=channel), agent)
    finally:
        os._exit(0)


def guard(name: str, channel: socket.socket, agent: int) -> None:
    """Answer until the agent ends, then put back what is in force; the journal is removed with the last of it."""
    try:
        journal = Journal.begin(name)
    except (OSError, TcpladderError) as failed:
        channel.send(protocol.encode(refusal(failed)))
        return
    ledger = Ledger(journal)
    try:
        # What a guardian before us left behind.
        ledger.put_back()
        channel.send(protocol.encode(Done(number=os.getpid())))
        with contextlib.suppress(ConnectionError):
            _serve(ledger, channel, agent)
    finally:
        if ledger.put_back():
            journal.end()


def _serve(ledger: Ledger, channel: socket.socket, agent: int) -> None:
    """Until the process behind `agent` is gone, or has closed its end of `channel`."""
    poll = select.poll()
    poll.register(channel, select.POLLIN)
    poll.register(agent, select.POLLIN)
    while True:
        wait_s = ledger.wait_s()
        ready = {descriptor for descriptor, _ in poll.poll(None if wait_s is None else wait_s * 1000)}
        ledger.undo_due()
        if channel.fileno() in ready:
            data = channel.recv(protocol.MAX_MESSAGE_BYTES)
            if not data:
                return
            channel.send(answer(ledger, data))
        elif agent in ready:
            return
