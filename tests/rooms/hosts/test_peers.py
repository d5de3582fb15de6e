"""What a peer may be asked to do, and what not: the script reaches an interpreter, so it is read strictly."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tcpladder.agent.lab_messages import StartPeer
from tcpladder.errors import UsageError
from tcpladder.hosts.peers import check

PEER = StartPeer(role="client", options={}, address="127.0.0.1", port=7, script=["connect"])


@pytest.mark.parametrize(
    "action",
    [
        "connect",
        "listen",
        "listen 1",
        "accept",
        "send 100",
        "send 100 every 0.5",
        "send 100 times 3",
        "send 100 every 2 times 10",
        "say GET / HTTP/1.1\r\n\r\n",
        "read 1",
        "read 10 every 0.25",
        "read until end",
        "wait 1.5",
        "hold",
        "shutdown write",
        "close",
        "try send 1",
    ],
)
def test_an_action_of_a_script(action: str) -> None:
    check(replace(PEER, script=[action]))


@pytest.mark.parametrize(
    "action",
    [
        "fly",
        "main",
        "__class__",
        "send",
        "send -1",
        "send 1 every",
        "read for ever",
        "shutdown down",
        "wait nan",
        "try try connect",
        "connect 10.0.0.1",
        "say " + "x" * 4097,
        "connect\nhold",
    ],
)
def test_anything_else_is_refused_with_its_words(action: str) -> None:
    with pytest.raises(UsageError, match="a peer cannot"):
        check(replace(PEER, script=[action]))


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"role": "spy"}, "cannot start a peer as 'spy'"),
        ({"address": "::g"}, "cannot start a client on '::g': not an IP address"),
        ({"local_address": "1.2.3"}, "cannot start a client on '1.2.3': not an IP address"),
        ({"port": 0}, "port 0 or 0 is no TCP port"),
        ({"options": {"SO_BINDTODEVICE": 1}}, "cannot set 'SO_BINDTODEVICE' on a peer: only "),
        ({"options": {"TCP_SYNCNT": -1}}, "cannot set TCP_SYNCNT to -1"),
        ({"script": []}, "a peer does 1 to 64 things, not 0"),
    ],
)
def test_a_part_that_makes_no_sense_is_refused(changed: dict[str, object], sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        check(replace(PEER, **changed))  # type: ignore[arg-type]
