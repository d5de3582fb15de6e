"""The status line: with which privilege a session works, and what gives way to what where it gets narrow."""

from __future__ import annotations

from datetime import UTC

import pytest

from rooms.app.scripted import fault_state, keepalive_session, settle
from tcpladder import samples
from tcpladder.app import status_words
from tcpladder.app.app import TcpladderApp
from tcpladder.app.terminal import Taste
from tcpladder.faults.fault import Fault, Match
from tcpladder.session.files import FileSession
from tcpladder.session.replay import ReplaySession
from tcpladder.session.status import Privilege

WIDE, NARROW = (100, 24), (60, 20)


async def line(size: tuple[int, int], *, broken: bool = False, **status: object) -> str:
    """The status line of the list."""
    session = keepalive_session(**status)
    if broken:
        fault = Fault(match=Match(destination_port=12345), probe_sequences=[], for_ms=60_000)
        session.faults.kept[1] = fault_state(1, fault)
    app = TcpladderApp(session, taste=Taste(timezone=UTC, keymap={"break_flow": "f12"}))
    async with app.run_test(size=size) as pilot:
        return (await settle(pilot)).splitlines()[-2]


@pytest.mark.parametrize(
    ("mode", "privilege", "wide", "narrow"),
    [
        ("live", Privilege.AGENT, "agent root", "root"),
        ("live", Privilege.CAPTURE, "cap_net_raw: F12 K off", "cap_net_raw"),
        ("lab", Privilege.OWN_NETNS, "own netns", "own netns"),
        ("file", Privilege.NONE, "no root; file: F12 K off", "no root"),
        ("file", Privilege.ROOT, "root; file: F12 K off", "root"),
    ],
)
async def test_the_last_word_is_the_privilege(
    mode: str, privilege: Privilege, wide: str, narrow: str
) -> None:
    for size, words in ((WIDE, wide), (NARROW, narrow)):
        text = await line(size, mode=mode, privilege=privilege)
        assert text.startswith(" 17 frames  kernel drops 0  filter: -")
        assert text.endswith(f" {words} ")
        assert ("agent" in text) == ("agent" in words)


async def test_a_fault_and_its_time_come_first() -> None:
    text = await line(NARROW, broken=True)
    assert "fault 1: 40 s left, ate 3" in text
    assert "root" not in text
    text = await line((80, 24), broken=True)
    assert "fault 1: 40 s left, ate 3" in text
    assert text.endswith(" root ")


@pytest.mark.parametrize(("uid", "privilege"), [(0, Privilege.ROOT), (1000, Privilege.NONE)])
def test_who_reads_a_file_is_told(uid: int, privilege: Privilege, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: uid)
    assert FileSession([str(samples.capture("keepalive"))]).status().privilege is privilege


def test_a_replay_says_the_privilege_of_what_it_replays() -> None:
    source = FileSession([str(samples.capture("keepalive"))])
    replay = ReplaySession(source)
    words, word = status_words.privilege(replay.status(), {})
    assert words == f"{source.status().privilege.value}; replay: D K off"
    assert word == source.status().privilege.value
