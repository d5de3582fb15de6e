"""Every capture that ships, against the story beside it: what must be in it comes from the experiment, not from us."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

import recordings
from rooms.ladder.diagrams import exported
from tcpladder import __version__
from tcpladder.lab.lateness import window_ns
from tcpladder.lab.table import load, names
from tcpladder.laboratory import PUBLISHED
from tcpladder.render.formats import SUFFIXES, Format

CAPTURES = recordings.CAPTURES
GOLDEN = Path(__file__).with_name("golden") / "captures"
STORIES = sorted(CAPTURES.glob("*/story.toml"))
DRAWN = {"keepalive-server", "connect-timeout", "half-open", "middlebox"}
LONG = {"lossy": (1, 60)}
"""Of what is long, the rungs that are held."""
each_story = pytest.mark.parametrize("story", STORIES, ids=lambda story: story.parent.name)


def read(story: Path) -> dict[str, Any]:
    return tomllib.loads(story.read_text(encoding="utf-8"))


def told(command: str, story: Path) -> list[dict[str, Any]]:
    """The JSON lines of a command."""
    said = read(story)
    given = recordings.given(said) if command == "show" else []
    line = [
        sys.executable,
        "-m",
        "tcpladder",
        command,
        *given,
        "--format",
        "jsonl",
        str(story.parent / said["file"]),
    ]
    done = subprocess.run(line, capture_output=True, text=True, timeout=60, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


@each_story
def test_show_tells_the_story(story: Path) -> None:
    said = read(story)
    records = told("show", story)
    client = records[0]["src"]
    seen = [("client" if record["src"] == client else "server", record["kind"]) for record in records]
    counts = Counter(seen)
    for must in said.get("expect", ()):
        kinds = [must["kind"]] if isinstance(must["kind"], str) else must["kind"]
        ends = [must["from"]] if "from" in must else ["client", "server"]
        count = sum(counts[end, kind] for end in ends for kind in kinds if (end, kind) in counts)
        if must["kind"] == "rst" and must.get("count"):
            count += counts[must["from"], "rst_gives_up"]
        assert count == must["count"] if "count" in must else count >= must["at_least"], must
    if "segment" not in said:
        return
    assert seen == [(segment["from"], segment["kind"]) for segment in said["segment"]]
    for record, segment in zip(records, said["segment"], strict=True):
        if "timer" not in segment:
            continue
        gap, after_ns = record["gap"], segment["after_s"] * 1e9
        assert (record["timer"], gap["verdict"]) == (segment["timer"], segment.get("verdict", "on time"))
        shortest_ns, longest_ns = window_ns(segment["after_s"])
        assert shortest_ns <= gap["observed_ns"] <= longest_ns
        assert gap["expected_ns"] == pytest.approx(segment.get("set_s", segment["after_s"]) * 1e9, rel=0.01)
        assert gap["observed_ns"] - after_ns > -2_000_000


@each_story
def test_the_list_of_flows_tells_its_end(story: Path) -> None:
    flow = told("flows", story)[0]
    assert flow["ended"] == read(story).get("ended")


@each_story
def test_the_ladder_is_as_it_was_looked_at(story: Path) -> None:
    """TCPLADDER_WRITE_GOLDEN=1 writes it anew."""
    name = story.parent.name
    for form in [Format.TEXT, Format.SVG] if name in DRAWN else [Format.TEXT]:
        text = exported(story.parent / read(story)["file"], form, rungs=LONG.get(name)).replace(
            f"tcpladder {__version__}", "tcpladder 0"
        )
        path = GOLDEN / f"{name}{SUFFIXES[form][0]}"
        if os.environ.get("TCPLADDER_WRITE_GOLDEN"):
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
        assert text == path.read_text(encoding="utf-8")


@pytest.mark.parametrize("folder", recordings.RECORDED)
def test_the_expectations_are_those_of_the_experiment_at_its_numbers(folder: str) -> None:
    said = read(CAPTURES / folder / "story.toml")
    name, *settings = recordings.RECORDED[folder]
    experiment = load(name, tuple(settings))
    assert said["outcome"] == f"{name}: as expected"
    order = [
        (rung.sender.value, rung.kinds[0], rung.after_s, rung.timer)
        for rung in experiment.order
        if not rung.optional
    ]
    assert [
        (one["from"], one["kind"], one.get("after_s"), one.get("timer", ""))
        for one in said.get("segment", ())
        if not one.get("optional")
    ] == order


def test_timer_values_travel_in_the_captures() -> None:
    """What the far host is set to, too: nothing else can say it of a file."""
    gaps = [record["gap"] for record in told("show", CAPTURES / "keepalive-server" / "story.toml")]
    assert {gap["origin"] for gap in gaps if gap} == {"capture"}


def test_there_is_a_story_of_every_experiment_and_the_page_has_them_all() -> None:
    told_of = {read(story)["name"] for story in STORIES}
    assert told_of == {*names(), *PUBLISHED}
    assert (CAPTURES / "README.md").read_text(encoding="utf-8") == recordings.page()


def test_the_experiment_that_no_kernel_here_can_run_is_the_published_listing_and_says_so() -> None:
    line = [sys.executable, "-m", "tcpladder", "lab", "solaris", "--format", "jsonl"]
    done = subprocess.run(line, capture_output=True, text=True, timeout=60, check=True)
    records = [json.loads(line) for line in done.stdout.splitlines()]
    assert [record["kind"] for record in records[7:]] == ["keepalive_probe"] * 8
    assert [record["gap"]["verdict"] for record in records[7:]] == ["late"] + ["on time"] * 7
    assert "there is no Solaris here" in done.stderr
    assert "1998" in done.stderr
