"""A fault in a few words, and whom it touches."""

from __future__ import annotations

import pytest

from tcpladder.faults import phrases
from tcpladder.faults.fault import Action, Fault, Match, Segments

FLOW = Match(source="10.0.0.1", source_port=5000, destination="fd00::2", destination_port=80)


def fault(**fields: object) -> Fault:
    return Fault(**{"match": FLOW, "probe_sequences": [], **fields})  # type: ignore[arg-type]


def test_what_happens() -> None:
    assert phrases.broken(fault()) == "DROP"
    assert phrases.broken(fault(segments=Segments.DATA)) == "DROP data"
    assert phrases.broken(fault(action=Action.LOSE, amount=30)) == "LOSE 30 %"
    assert phrases.broken(fault(action=Action.DROP_NEXT, amount=3)) == "DROP the next 3"
    assert len({phrases.action(fault(action=action)) for action in Action}) == len(Action)


@pytest.mark.parametrize(
    ("for_ms", "text"),
    [(60_000, "60 s"), (1500, "1.5 s"), (900_000, "900 s"), (1_200_000, "20 min"), (1_265_000, "21 min 05 s"),
     (7_875_000, "2 h 11 min"), (None, "forever")],
)  # fmt: skip
def test_how_long(for_ms: int | None, text: str) -> None:
    assert phrases.length(for_ms) == text


def test_to_whom() -> None:
    assert phrases.whom(FLOW) == "10.0.0.1:5000 → [fd00::2]:80"
    assert phrases.whom(Match(destination_port=80), "->") == "any -> any:80"
    assert phrases.ate(1, 52) == "ate 1 segment, 52 bytes"
    assert phrases.ate(3000, 1) == "ate 3,000 segments, 1 byte"


def test_whom_it_touches() -> None:
    there, back = ("10.0.0.1", 5000, "fd00::2", 80), ("fd00::2", 80, "10.0.0.1", 5000)
    assert phrases.touches(fault(), *there)
    assert not phrases.touches(fault(), *back)
    assert phrases.touches(fault(both=True), *back)
    by_port = fault(match=Match(destination_port=80))
    assert phrases.touches(by_port, *there)
    assert not phrases.touches(by_port, *back)
    assert not phrases.touches(by_port, "10.0.0.1", 5000, "fd00::2", 81)
