"""Sequence number arithmetic mod 2^32 (RFC 9293 3.4), at the seam above all."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tcpladder.flows.seqnum import MODULUS, advance, difference, differences

numbers = st.integers(0, MODULUS - 1)
steps = st.integers(-(1 << 31), (1 << 31) - 1)


@given(numbers, steps)
def test_difference_undoes_advance(seq: int, step: int) -> None:
    assert difference(advance(seq, step), seq) == step


@given(numbers, numbers)
def test_difference_is_antisymmetric_except_half_way_round(a: int, b: int) -> None:
    if (a - b) % MODULUS != 1 << 31:
        assert difference(a, b) == -difference(b, a)


@given(st.lists(st.tuples(numbers, numbers)))
def test_columns_agree_with_single_numbers(pairs: list[tuple[int, int]]) -> None:
    a, b = (np.array(column, np.uint32) for column in (zip(*pairs, strict=True) if pairs else ([], [])))
    found = differences(a, b)
    assert found.dtype == np.int64
    assert found.tolist() == [difference(x, y) for x, y in pairs]


def test_the_seam() -> None:
    assert difference(5, MODULUS - 5) == 10
    assert difference(MODULUS - 5, 5) == -10
    assert advance(MODULUS - 1, 2) == 1
