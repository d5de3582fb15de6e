"""What was eaten on any host of a lab is marked where frames are captured, whether it came by there or not."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.real("ip", "nft", "unshare")

DRIVER = Path(__file__).parent / "eaten_hosts_driver.py"
EATS = 2
SEEN = {
    "client eth0": ({"router", "server"}, {"client"}),
    "router to-client": ({"router", "server"}, {"client"}),
    "server eth0": ({"server"}, {"router", "client"}),
}
"""Tap -> where what it has seen is eaten: of what the client sends, and of what the server sends."""
CASES = [(version, point) for version in (4, 6) for point in SEEN]


@pytest.fixture(scope="module")
def drivers() -> dict[tuple[int, str], dict[str, Any]]:
    """What each driver said; all run at once, since each mostly waits for timers."""
    running = {
        (version, point): subprocess.Popen(
            [sys.executable, str(DRIVER), str(version), *point.split()], stdout=subprocess.PIPE, text=True
        )
        for version, point in CASES
    }
    return {case: json.loads(process.communicate(timeout=60)[0]) for case, process in running.items()}


@pytest.mark.parametrize("case", CASES, ids=[f"v{version} {point}" for version, point in CASES])
def test_marks_are_exact_on_every_host(
    case: tuple[int, str], drivers: dict[tuple[int, str], dict[str, Any]]
) -> None:
    said, seen = drivers[case], SEEN[case[1]]
    expected = Counter(
        {
            (from_client, f"rule {number}" if host in seen[not from_client] else f"rule {number}, log"): EATS
            for number, (host, from_client) in said["where"].items()
        }
    )
    assert Counter((from_client, words) for from_client, words in said["rungs"]) == expected
    assert said["packets"] == dict.fromkeys(said["where"], EATS)
    assert said["warnings"] == []
    assert said["lost_records"] == 0


@pytest.mark.parametrize("case", CASES[:1])
def test_each_has_a_number_of_its_own_and_is_lifted_where_it_is(
    case: tuple[int, str], drivers: dict[tuple[int, str], dict[str, Any]]
) -> None:
    said = drivers[case]
    assert list(said["where"]) == ["1", "2", "3", "4", "5", "6"]
    assert said["lifted"] == [5, 4, 3, 2, 1], "another terminal had lifted the last"
    assert said["ends"] == ["lifted"] * 6
    assert 89_000 < said["left_ms"] <= 90_000, "that of the server was extended"
