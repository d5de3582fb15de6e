"""What a rule of the real kernel ate is marked on the ladder, each segment exactly, and saved with the capture."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tcpladder.session.files import FileSession

pytestmark = pytest.mark.real("ip", "nft", "unshare")

DRIVER = Path(__file__).parent / "eaten_driver.py"
PLACES = {"lo": "input", "in": "input", "out": "sink"}
CASES = [(version, place) for version in (4, 6) for place in PLACES]


@pytest.fixture(scope="module")
def drivers(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[int, str], tuple[dict[str, Any], Path]]:
    """What each driver said, and its capture; all run at once, since each mostly waits for timers."""
    captures = {case: tmp_path_factory.mktemp("eaten") / "capture.pcapng" for case in CASES}
    running = {
        case: subprocess.Popen(
            [sys.executable, str(DRIVER), str(case[0]), case[1], str(captures[case])],
            stdout=subprocess.PIPE,
            text=True,
        )
        for case in CASES
    }
    said = {case: process.communicate(timeout=60)[0] for case, process in running.items()}
    return {case: (json.loads(text), captures[case]) for case, text in said.items()}


@pytest.mark.parametrize("case", CASES, ids=[f"v{version}-{place}" for version, place in CASES])
def test_marks_are_what_the_kernel_counted(
    case: tuple[int, str], drivers: dict[tuple[int, str], tuple[dict[str, Any], Path]]
) -> None:
    said, capture = drivers[case]
    assert said["places"] == [PLACES[case[1]]]
    assert said["warnings"] == []
    assert said["lost_records"] == 0
    marked = [rung for rung in said["rungs"] if rung[2] is not None]
    assert len(marked) == said["packets"] == said["told"] >= 2
    assert {words for _, _, words, _ in marked} == {"rule 1, log" if case[1] == "out" else "rule 1"}
    assert all(said["since_ns"] < time_ns < said["ended_ns"] for *_, time_ns in marked)
    inside = [rung for rung in said["rungs"] if said["since_ns"] < rung[3] < said["ended_ns"]]
    if case[1] != "in":  # from there nothing else comes meanwhile
        assert inside == marked, "every segment of that time was eaten"
    assert (
        said["notes"][0]
        == f"DROP {'server → client' if case[1] == 'in' else 'client → server'}, rule 1, 20 s"
    )
    assert said["notes"][-1] == "seen by a person"
    assert " ".join(said["notes"][-3:-1]) == (
        f"rule 1 lifted: ate {said['packets']} segments, {said['bytes']} bytes"
    )
    again = FileSession([str(capture)])
    for _ in again.read():
        view = again.view(1)
    assert sorted(note.text for note in again.notes(1)) == sorted(said["notes"])
    assert [note.mark for note in again.user_notes(1)] == ["a"]
    assert [
        [view.frame(i), view.label(i), view.lost(i), int(view.time_ns[i])] for i in range(len(view.time_ns))
    ] == said["rungs"], "the capture read whole is the capture that was watched"
