"""4-tuples get numbers: exactly, whatever the hash says."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tcpladder.flows import tuples
from tcpladder.flows.tuples import TupleTable
from tcpladder.wire.segments import Addresses

SALT = bytes(range(1, 65))
Four = tuple[int, int]
Six = tuple[int, int, int, int, int]


def v4(endpoints: list[Four]) -> Addresses:
    """(both addresses, both ports) of each segment, in a batch without IPv6."""
    first, ports = (np.array(column, np.uint64) for column in zip(*endpoints, strict=True))
    return Addresses(
        is_v6=np.zeros(len(first), np.bool_),
        first=first,
        second=None,
        third=None,
        fourth=None,
        ports=ports.astype(np.uint32),
    )


def mixed(endpoints: list[Four | Six]) -> Addresses:
    """The same beside IPv6 segments."""
    rows = [(len(e) > 2, *(e if len(e) > 2 else (e[0], 0, 0, 0, e[1]))) for e in endpoints]
    is_v6, first, second, third, fourth, ports = zip(*rows, strict=True)
    return Addresses(
        is_v6=np.array(is_v6),
        first=np.array(first, np.uint64),
        second=np.array(second, np.uint64),
        third=np.array(third, np.uint64),
        fourth=np.array(fourth, np.uint64),
        ports=np.array(ports, np.uint32),
    )


small = st.integers(0, 3)
four = st.tuples(st.sampled_from([0, 1, 2**63, 2**64 - 1]), st.sampled_from([0, 1, 2**32 - 1]))
six = st.tuples(small, small, small, small, st.sampled_from([0, 1, 2**32 - 1]))
batches = st.lists(st.lists(four | six, min_size=1, max_size=40), max_size=6)


@pytest.fixture(params=["usual", "one slot", "two slots"])
def crowded(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Hashes that help less and less."""
    keep = {"usual": -1, "one slot": 0, "two slots": 1}[request.param]
    usual = TupleTable._slot_of
    monkeypatch.setattr(TupleTable, "_slot_of", lambda *arguments: usual(*arguments) & keep)


@pytest.mark.usefixtures("crowded")
def test_numbers_are_those_of_a_dictionary() -> None:
    @settings(deadline=None, max_examples=60)
    @given(batches)
    def holds(said: list[list[Four | Six]]) -> None:
        table, known = TupleTable(SALT), {}
        for batch in said:
            plain = all(len(one) == 2 for one in batch)
            addresses = v4(batch) if plain else mixed(batch)
            expected = [known.setdefault(one, len(known)) for one in batch]
            found = table.numbers(addresses).tolist()
            # Numbers within a batch may come in any order among tuples that are new in it.
            assert len(set(zip(found, expected, strict=True))) == len(set(expected)) == len(set(found))
            known |= dict(zip(batch, found, strict=True))
        assert len(table) == len(known)
        assert sorted(known.values()) == list(range(len(known)))

    holds()


def test_an_ipv4_tuple_is_never_an_ipv6_one() -> None:
    table = TupleTable(SALT)
    numbers = table.numbers(mixed([(5, 9), (5, 0, 0, 0, 9), (5, 9)])).tolist()
    assert numbers[0] == numbers[2] != numbers[1]
    assert table.numbers(v4([(5, 9)])).tolist() == [numbers[0]]


def test_more_flows_than_slots(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tuples, "FIRST_SLOTS", 1 << 8)
    monkeypatch.setattr(tuples, "MOST_SLOTS", 1 << 12)
    table = TupleTable(SALT)
    everybody = [(address, 80) for address in range(20_000)]
    first = table.numbers(v4(everybody))
    assert sorted(first.tolist()) == list(range(20_000))
    assert (table.numbers(v4(everybody[::-1])) == first[::-1]).all()
    assert [table.tuples[n].first for n in first.tolist()] == [address for address, _ in everybody]


def test_a_hundred_thousand_flows_do_not_take_long() -> None:
    table = TupleTable(SALT)
    everybody = v4([(address * 7919, address % 65536) for address in range(100_000)])
    began = time.process_time()
    numbers = table.numbers(everybody)
    assert len(set(numbers.tolist())) == 100_000
    assert (table.numbers(everybody) == numbers).all()
    assert time.process_time() - began < 5


def test_another_salt_is_another_hash() -> None:
    """Nobody can prepare tuples that share a slot."""
    addresses = v4([(n, 443) for n in range(50)])
    slots = [
        TupleTable(bytes([salt] * 64))._slot_of(addresses.first, None, None, None, addresses.ports).tolist()
        for salt in (3, 5)
    ]
    assert slots[0] != slots[1]
