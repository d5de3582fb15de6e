"""The ledger: on disk before it is made, undone once, in the other order, at its time, again where that fails."""

from __future__ import annotations

import itertools
import socket
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tcpladder.agent import apply, journal, ledger
from tcpladder.agent.changes import (
    Change,
    DeviceMade,
    LinkDown,
    PolicyRule,
    RouteWithdrawn,
    SysctlChange,
    exclude,
)
from tcpladder.agent.journal import Journal
from tcpladder.agent.ledger import Ledger
from tcpladder.errors import PermissionRefused, UsageError

A, B = (DeviceMade(name=f"tl{n}a", peer=f"tl{n}b") for n in (1, 2))


class Kernel:
    """Remembers what is there instead of changing it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.there: list[Change] = []
        self.said: list[tuple[str, str]] = []
        self.refuses: set[str] = set()
        self.now_ns = 0
        monkeypatch.setattr(apply, "prepare", lambda change: change)
        monkeypatch.setattr(apply, "make", self.make)
        monkeypatch.setattr(apply, "undo", self.undo)
        monkeypatch.setattr(ledger, "boot_ns", lambda: self.now_ns)

    def make(self, change: DeviceMade) -> None:
        self._do("make", change)
        self.there.append(change)

    def undo(self, change: DeviceMade) -> None:
        self._do("undo", change)
        self.there = [one for one in self.there if one.name != change.name]  # type: ignore[union-attr]

    def _do(self, what: str, change: DeviceMade) -> None:
        self.said.append((what, change.name))
        if what in self.refuses:
            raise OSError(100, "network is down")


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch) -> Kernel:
    return Kernel(monkeypatch)


@pytest.fixture
def written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Journal]:
    monkeypatch.setattr(journal, "RUN", tmp_path / "run")
    made = Journal.begin("7")
    yield made
    made.end()


def on_disk(written: Journal) -> str:
    return (written.directory / "journal").read_text()


def test_a_change_is_on_disk_before_it_is_made_and_after_it_is_undone_not(
    kernel: Kernel, written: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []
    monkeypatch.setattr(apply, "make", lambda change: seen.append(change.name in on_disk(written)))
    monkeypatch.setattr(apply, "undo", lambda change: seen.append(change.name in on_disk(written)))
    book = Ledger(written)
    number, _ = book.make(A)
    book.undo(number)
    assert seen == [True, True]
    assert A.name not in on_disk(written)


def test_what_the_kernel_refuses_is_neither_there_nor_on_disk(kernel: Kernel, written: Journal) -> None:
    kernel.refuses = {"make"}
    with pytest.raises(OSError, match="network is down"):
        Ledger(written).make(A)
    assert kernel.said == [("make", A.name), ("undo", A.name)]
    assert A.name not in on_disk(written)


def test_what_cannot_be_written_is_not_made(
    kernel: Kernel, written: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    book = Ledger(written)
    with monkeypatch.context() as patch:
        patch.setattr(Journal, "write", lambda _: (_ for _ in ()).throw(OSError(28, "no space left")))
        with pytest.raises(OSError, match="no space left"):
            book.make(A)
    assert kernel.said == []
    assert not book.entries


def test_all_is_put_back_in_the_other_order(kernel: Kernel) -> None:
    book = Ledger()
    book.make(A)
    book.make(B)
    assert book.put_back()
    assert kernel.said[2:] == [("undo", B.name), ("undo", A.name)]
    assert kernel.there == []


def test_what_is_undone_already_is_left_alone(kernel: Kernel) -> None:
    book = Ledger()
    number, _ = book.make(A)
    book.undo(number)
    book.undo(number)
    assert kernel.said == [("make", A.name), ("undo", A.name)]


def test_it_is_undone_at_its_time_and_not_before(kernel: Kernel) -> None:
    book = Ledger()
    first, _ = book.make(replace(A, deadline_ns=500_000_000))
    book.make(B)
    assert book.wait_s() == 0.5
    kernel.now_ns = 499_999_999
    book.undo_due()
    assert len(kernel.there) == 2
    book.extend(first, 700_000_000)
    kernel.now_ns = 600_000_000
    book.undo_due()
    assert len(kernel.there) == 2
    kernel.now_ns = 700_000_000
    assert book.wait_s() == 0.0
    book.undo_due()
    assert kernel.there == [B]
    assert book.wait_s() is None
    with pytest.raises(UsageError, match="its time was up"):
        book.extend(first, None)


def test_a_wait_is_short_so_that_a_suspend_is_noticed(kernel: Kernel) -> None:
    book = Ledger()
    book.make(replace(A, deadline_ns=3600 * 10**9))
    assert book.wait_s() == 1.0


def test_an_undo_that_fails_is_tried_again_a_second_later(kernel: Kernel) -> None:
    book = Ledger()
    number, _ = book.make(A)
    kernel.refuses = {"undo"}
    with pytest.raises(OSError, match="network is down"):
        book.undo(number)
    kernel.refuses = set()
    assert book.wait_s() == 1.0
    kernel.now_ns = 1_000_000_000
    book.undo_due()
    assert kernel.there == []


def test_what_cannot_be_put_back_is_said_and_stays_in_the_journal(kernel: Kernel, written: Journal) -> None:
    book = Ledger(written)
    book.make(A)
    kernel.refuses = {"undo"}
    assert not book.put_back(patience_s=0)
    assert A.name in on_disk(written)


def test_another_one_starts_counting_behind_what_it_finds(kernel: Kernel, written: Journal) -> None:
    written.entries[5] = A
    number, _ = Ledger(written).make(B)
    assert number == 6


def test_a_change_in_the_way_of_one_of_ours_or_of_another_instance_is_refused(
    kernel: Kernel, written: Journal
) -> None:
    other = Journal.begin("8")
    other.entries[1] = B
    other.write()
    book = Ledger(written)
    book.make(A)
    with pytest.raises(UsageError, match="the interface tl1a is there: lift that first"):
        book.make(A)
    with pytest.raises(UsageError, match="the interface tl2a is there by another tcpladder: lift that first"):
        book.make(B)
    assert kernel.there == [A]
    other.end()


EXAMPLES: dict[str, Change] = {
    "sysctl": SysctlChange(name="net.ipv4.tcp_fin_timeout", value="5"),
    "other sysctl": SysctlChange(name="net.ipv4.tcp_retries2", value="5"),
    "rule": PolicyRule(family=2, destination_port=7),
    "route": RouteWithdrawn(destination="10.0.0.1", route="01", links=[3]),
    "other route": RouteWithdrawn(destination="10.0.0.1", route="02", links=[4, 5]),
    "link": LinkDown(name="eth0", index=3),
    "other link": LinkDown(name="eth1", index=6),
    "device": A,
}
APART = {
    *((name, name) for name in EXAMPLES if name != "rule"),
    ("route", "link"),
}


@pytest.mark.parametrize(("one", "other"), itertools.combinations_with_replacement(EXAMPLES, 2))
def test_only_changes_of_the_same_thing_exclude_each_other(one: str, other: str) -> None:
    expected = (one, other) in APART
    assert exclude(EXAMPLES[one], EXAMPLES[other]) is expected
    assert exclude(EXAMPLES[other], EXAMPLES[one]) is expected


def test_without_pyroute2_routes_are_refused_in_a_sentence_and_an_undo_is_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "pyroute2", None)
    with pytest.raises(PermissionRefused, match="pip install pyroute2"):
        apply.prepare(PolicyRule(family=socket.AF_INET, destination="192.0.2.1"))
    withdrawn = RouteWithdrawn(destination="192.0.2.1", source="", route="00")
    kept = Ledger()
    kept.entries[1] = withdrawn
    monkeypatch.setattr(apply, "undo", lambda _change: apply.prepare(withdrawn))
    assert not kept.put_back(patience_s=0.0)
    assert list(kept.entries) == [1]
