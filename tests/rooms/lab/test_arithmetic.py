"""Numbers that follow from others, and nothing but numbers."""

from __future__ import annotations

import pytest

from tcpladder.errors import UsageError
from tcpladder.lab.arithmetic import evaluate


@pytest.mark.parametrize(
    ("written", "value"),
    [(3, 3), ("3", 3), ("retries", 5), ("2 ** (retries + 1) - 1", 63), ("-retries / 2", -2.5)],
)
def test_what_it_comes_to(written: float | str, value: float) -> None:
    assert evaluate(written, {"retries": 5}) == value


@pytest.mark.parametrize(
    "written",
    ["tries", "1 +", "1 / 0", "9 ** 99999", "'3'", "print(1)", "[1]", "retries.real", "__import__('os')"],
)
def test_anything_else_is_refused_with_what_there_is(written: str) -> None:
    with pytest.raises(UsageError, match=r"cannot calculate .* and retries"):
        evaluate(written, {"retries": 5})
