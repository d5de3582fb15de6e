"""The journal on disk: what it holds when, who may read it, whose lock it is, what is not believed."""

from __future__ import annotations

import fcntl
import os
import stat
from dataclasses import replace
from pathlib import Path

import pytest

from tcpladder.agent import journal
from tcpladder.agent.changes import Change, DeviceMade, LinkDown, PolicyRule, RouteWithdrawn, SysctlChange
from tcpladder.agent.journal import Journal, Origin, instances, ownerless
from tcpladder.errors import PermissionRefused

CHANGES: tuple[Change, ...] = (
    SysctlChange(name="net.ipv4.tcp_fin_timeout", value="5", before="60", deadline_ns=7),
    PolicyRule(family=10, source="::1", destination_port=80, priority=32765),
    RouteWithdrawn(destination="::1", route="00ff", words="default via ::2", links=[3, 4], saved_ns=1 << 60),
    LinkDown(name="eth0", index=3, routes=["00"] * 500, addresses=["01"], neighbours=[], nexthops=["02"]),
    DeviceMade(name="tl1a", peer="tl1b"),
)


@pytest.fixture(autouse=True)
def run_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(journal, "RUN", tmp_path / "run")
    return tmp_path / "run"


def let_go(one: Journal) -> None:
    """As if its owner had died."""
    os.close(one.lock)


def test_what_was_written_is_there_when_the_owner_is_dead() -> None:
    mine = Journal.begin("7")
    mine.entries.update(enumerate(CHANGES, 1))
    mine.write()
    assert list(instances()) == [mine.directory]
    with ownerless() as none:
        assert none == []
    let_go(mine)
    assert list(instances()) == []
    with ownerless() as (left,):
        assert left.entries == dict(enumerate(CHANGES, 1))
        assert left.origin == Origin.here()
        left.remove()
    assert list(instances()) == []


def test_nobody_else_can_read_it(run_directory: Path) -> None:
    mine = Journal.begin("7")
    modes = {
        path.name: stat.S_IMODE(path.stat().st_mode) for path in (run_directory, *run_directory.rglob("*"))
    }
    assert modes == {"run": 0o700, "7": 0o700, "lock": 0o600, "journal": 0o600}
    mine.end()


def test_the_last_one_takes_the_run_directory_away(run_directory: Path) -> None:
    first, second = Journal.begin("7"), Journal.begin("8")
    first.end()
    assert run_directory.exists()
    second.end()
    assert not run_directory.exists()


def test_a_name_has_one_owner() -> None:
    mine = Journal.begin("7")
    with pytest.raises(
        PermissionRefused, match="is held by a guardian that still puts things back: try again"
    ):
        Journal.begin("7")
    mine.end()


def test_who_takes_over_finds_what_is_in_force() -> None:
    before = Journal.begin("7")
    before.entries[3] = CHANGES[0]
    before.write()
    let_go(before)
    after = Journal.begin("7")
    assert after.entries == {3: CHANGES[0]}
    after.end()


def test_what_others_hold_is_seen_in_the_same_namespace_only() -> None:
    mine, other = Journal.begin("7"), Journal.begin("8")
    other.entries[1] = CHANGES[0]
    other.write()
    assert list(mine.others()) == [CHANGES[0]]
    other.origin = replace(other.origin, cookie=other.origin.cookie + 1)
    other.write()
    assert list(mine.others()) == []
    mine.end()
    other.end()


@pytest.mark.parametrize(
    "damage",
    [
        b"",
        b"\0",
        b"[]\n",
        b'["Origin",{"boot":"x","namespace":"1","cookie":1}]\n',
        b'["SysctlChange",{}]\n',
        b"\xff\xfe",
    ],
)
def test_a_journal_that_makes_no_sense_has_no_entries(damage: bytes) -> None:
    mine = Journal.begin("7")
    (mine.directory / "journal").write_bytes(damage)
    let_go(mine)
    with ownerless() as (left,):
        assert left.entries == {}
        left.remove()


def test_an_entry_of_a_kind_that_does_not_exist_is_not_acted_on() -> None:
    mine = Journal.begin("7")
    with open(mine.directory / "journal", "ab") as file:
        file.write(b'1 ["RunCommand",{"command":"reboot"}]\n')
    let_go(mine)
    with ownerless() as (left,):
        assert left.entries == {}
        left.remove()


def test_a_run_directory_that_others_may_write_is_refused(run_directory: Path) -> None:
    run_directory.mkdir(mode=0o777)
    run_directory.chmod(0o777)
    with pytest.raises(PermissionRefused, match="is not root's alone: remove it"):
        Journal.begin("7")


def test_a_run_directory_that_cannot_be_made_says_who_can(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setattr(journal, "RUN", tmp_path / "file" / "run")
    with pytest.raises(PermissionRefused, match="not a directory; only root breaks things on this host"):
        Journal.begin("7")


def test_a_directory_that_is_being_made_is_not_swept() -> None:
    """Between the directory and its lock, the lock on the run directory is held."""
    with journal.alone():
        other = os.open(journal.RUN, os.O_RDONLY)
        with pytest.raises(BlockingIOError):
            fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.close(other)
