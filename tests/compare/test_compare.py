"""tshark names every segment as we do, or disagreements.toml says who is right and why."""

from __future__ import annotations

import functools
import tomllib
from pathlib import Path

import pytest

from bench.generate import generate
from compare.tshark import FAMILIES, OTHER, PRECEDENCE, Disagreement, agreement, captures, compare

pytestmark = pytest.mark.real("tshark", root=False)

LISTED = tomllib.loads(Path(__file__).with_name("disagreements.toml").read_text(encoding="utf-8"))[
    "disagreement"
]
BY_DESIGN = {
    ("zero_window_probe", "keep_alive"),
    ("zero_window_probe_ack", "zero_window"),
    ("keep_alive_ack", "window_update"),
}
"""What disagreements.toml explains of real captures, and what generated ones may differ in as well: (ours, tshark)."""
ENOUGH = 0.999


@functools.cache
def compared(capture: Path) -> tuple[int, list[Disagreement]]:
    return compare(capture)


@pytest.mark.parametrize("capture", captures(), ids=lambda path: path.name.split(".")[0])
def test_every_disagreement_is_listed_and_every_entry_is_one(capture: Path) -> None:
    segments, found = compared(capture)
    assert segments
    listed = [
        Disagreement(entry["capture"], entry["ours"], entry["tshark"], frame)
        for entry in LISTED
        for frame in entry["frames"]
        if entry["capture"] == capture.name
    ]
    assert sorted(found) == sorted(listed)


def test_every_entry_says_who_is_right_and_why() -> None:
    words = {*PRECEDENCE, OTHER, "copy"}
    names = {path.name for path in captures()}
    for entry in LISTED:
        assert entry["capture"] in names
        assert {entry["ours"], entry["tshark"]} <= words
        assert entry["right"] in {"ours", "tshark", "neither"}
        assert len(entry["why"]) > 20


@pytest.mark.parametrize("family", FAMILIES)
def test_what_is_not_explained_is_less_than_one_in_a_thousand(family: str) -> None:
    """Agreement over all captures, those segments left out of which the list says that we are right."""
    total, open_questions = 0, []
    explained = {
        (entry["capture"], frame) for entry in LISTED if entry["right"] == "ours" for frame in entry["frames"]
    }
    for capture in captures():
        segments, found = compared(capture)
        total += segments
        open_questions += [one for one in found if (one.capture, one.frame) not in explained]
    assert agreement(total, open_questions, family) >= ENOUGH


@pytest.mark.parametrize("payload", ["small", "large"])
def test_generated_traffic(tmp_path: Path, payload: str) -> None:
    """Losses, keepalives, zero windows and numbers that wrap, over IPv4 and IPv6, with and without VLAN tags."""
    capture = tmp_path / "generated.pcap"
    generate(capture, segments=20_000, flows=80, payload=payload, seed=3)
    segments, found = compare(capture)
    assert segments == 20_000
    assert {(one.ours, one.tshark) for one in found} <= BY_DESIGN
    for family in FAMILIES:
        assert agreement(segments, found, family) >= ENOUGH
