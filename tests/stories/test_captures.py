"""Every capture that ships, against the story beside it."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

CAPTURES = Path(__file__).parent.parent.parent / "captures"
STORIES = sorted(CAPTURES.glob("*/story.toml"))


def read(story: Path) -> dict[str, Any]:
    return tomllib.loads(story.read_text(encoding="utf-8"))


def shown(capture: Path) -> list[dict[str, Any]]:
    command = [sys.executable, "-m", "tcpladder", "show", "--format", "jsonl", str(capture)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.parent.name)
def test_show_tells_the_story(story: Path) -> None:
    told = read(story)
    records = shown(story.parent / told["file"])
    client = records[0]["src"]
    segments = told["segment"]
    assert [("client" if record["src"] == client else "server", record["kind"]) for record in records] == [
        (segment["from"], segment["kind"]) for segment in segments
    ]
    assert [record["timer"] for record in records] == [segment.get("timer") for segment in segments]
    for record, segment in zip(records, segments, strict=True):
        if "after_s" in segment:
            assert record["gap"]["expected_ns"] == segment["after_s"] * 1_000_000_000
            assert record["gap"]["verdict"] == "on time"


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.parent.name)
def test_the_table_of_captures_has_it(story: Path) -> None:
    line = f"| [{story.parent.name}]({story.parent.name}/story.toml) | {read(story)['sentence']} |"
    assert line in (CAPTURES / "README.md").read_text(encoding="utf-8").splitlines()


def test_there_are_stories() -> None:
    assert STORIES
