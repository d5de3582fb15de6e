"""Notes on a capture file are found again by what is in it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tcpladder.store import note_file


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The state directory, of this test alone."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path / "state" / "tcpladder"


def test_notes_on_a_capture_whose_name_is_no_utf_8(tmp_path: Path, state: Path) -> None:
    capture = tmp_path / os.fsdecode(b"\xff.pcap")
    capture.write_bytes(b"frames")
    kept = note_file.write(str(capture), [{"frame": 1, "text": "größer"}])
    assert kept.parent == state / "notes"
    assert note_file.read(str(capture)) == [{"frame": 1, "text": "größer"}]
    assert list(kept.parent.iterdir()) == [kept], "nothing half written stays"
