"""What stays of a live capture, as a person writes it."""

from __future__ import annotations

import pytest

from tcpladder.errors import UsageError
from tcpladder.session.keeping import MOST_BYTES, Keep, Occasion, keep_of, occasions_of


def test_times_and_sizes() -> None:
    assert keep_of("10m") == Keep(bytes=MOST_BYTES, length_ns=600 * 10**9)
    assert keep_of("90s").length_ns == 90 * 10**9
    assert keep_of("200MB") == Keep(bytes=200_000_000)
    assert keep_of("1GiB") == Keep(bytes=1 << 30)
    assert str(keep_of("10m")) == "600 s, at most 1024 MiB"
    assert str(keep_of("100KiB")) == "100 KiB"
    for wrong in ("", "10", "0s", "1kb", "many", "-5m", "9999999GB"):
        with pytest.raises(UsageError, match="give a time such as 10m"):
            keep_of(wrong)


def test_occasions() -> None:
    assert occasions_of(("ended:timeout", "ended:reset,ended:refused")) == {
        Occasion.TIMEOUT,
        Occasion.RESET,
        Occasion.REFUSED,
    }
    assert occasions_of(("any",)) == set(Occasion)
    assert occasions_of(()) == frozenset()
    with pytest.raises(UsageError, match="there are ended:timeout"):
        occasions_of(("timeout",))
