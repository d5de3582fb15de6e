"""The demos that come with tcpladder, played to their end: the same bytes each time, in under a minute."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tcpladder import samples
from tcpladder.record import demo_script
from tcpladder.record.asciicast import SECOND_US, Code
from tcpladder.record.cast_file import read_cast
from tcpladder.record.frames import film, screen_at
from tcpladder.record.plain import text
from tcpladder.session.files import FileSession

MINUTE_US = 60 * SECOND_US


def test_every_capture_that_comes_along_has_its_demo() -> None:
    captures = samples.capture("keepalive").parent.parent
    assert {folder.name for folder in captures.iterdir() if folder.is_dir()} == set(demo_script.names())


@pytest.mark.slow
@pytest.mark.parametrize("name", ["keepalive", "refused"])
def test_two_runs_are_the_same_bytes(name: str, tmp_path: Path) -> None:
    paths = [tmp_path / "a.cast", tmp_path / "b.cast"]
    runs = [
        subprocess.Popen(
            [sys.executable, "-m", "tcpladder", "demo", name, "--record", path], stderr=subprocess.PIPE
        )
        for path in paths
    ]
    for run in runs:
        _, said = run.communicate(timeout=100)
        assert run.returncode == 0, said.decode()
    assert paths[0].read_bytes() == paths[1].read_bytes()
    cast = read_cast(paths[0])
    assert 5 * SECOND_US < cast.events[-1].time_us < MINUTE_US
    captions = [event.data for event in cast.events if event.code is Code.MARKER]
    assert captions == [step.caption for step in demo_script.load(name).steps]
    assert len(list(film(cast))) > len(captions)


SCRIPT = """
title = "a test"
capture = "keepalive"
columns = 80
rows = 25
[replay]
idle = 0.4
[[step]]
caption = "it grows"
keys = "enter"
wait = 1.2
[[step]]
caption = "masked"
keys = "P"
wait = 3
"""


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """SCRIPT, recorded."""
    folder = tmp_path_factory.mktemp("demo")
    (folder / "a.toml").write_text(SCRIPT)
    command = [sys.executable, "-m", "tcpladder", "--record", folder / "a.cast", "demo", folder / "a.toml"]
    subprocess.run(command, check=True, timeout=60, capture_output=True)
    return folder / "a.cast"


def test_the_ladder_grows_by_the_clock_of_the_demo(played: Path) -> None:
    cast = read_cast(played)
    probes = [
        text(screen_at(cast, at_us)).count("keepalive probe ─") for at_us in (100_000, 700_000, 1_500_000)
    ]
    assert probes == sorted(probes)
    assert probes[0] == 0
    assert probes[-1] >= 2


def test_captions_and_keys_stand_in_the_last_row(played: Path) -> None:
    cast = read_cast(played)
    rows = {at_us: text(screen_at(cast, at_us)).splitlines()[24] for at_us in (1_000_000, 1_700_000)}
    assert rows[1_000_000].split() == ["it", "grows", "Enter"]
    assert rows[1_700_000].split() == ["masked", "P"]


def test_what_is_masked_is_masked_in_the_recording(played: Path) -> None:
    cast = read_cast(played)
    assert "127.0.0.1" in text(screen_at(cast, 1_500_000))
    last = text(screen_at(cast, None))
    assert "192.0.2.1" in last
    assert "127.0.0.1" not in last


def test_a_message_goes_away_by_the_clock_of_the_demo(played: Path) -> None:
    cast = read_cast(played)
    pressed_us = [event.time_us for event in cast.events if event.code is Code.MARKER][1]
    said = "payload are masked"
    assert said in text(screen_at(cast, pressed_us + 3_000_000))


@pytest.mark.parametrize(
    ("step", "sentence"),
    [
        ('keys = "q"', "the demo ended in step 1: its keys leave the app"),
        ('keys = "R"', "the demo ended in step 1: R replays by the clock"),
    ],
)
def test_a_script_that_cannot_be_played_is_told(step: str, sentence: str, tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text(f'capture = "keepalive"\n[[step]]\n{step}\nwait = 0.5\n')
    command = [
        sys.executable,
        "-m",
        "tcpladder",
        "demo",
        tmp_path / "a.toml",
        "--record",
        tmp_path / "a.cast",
    ]
    done = subprocess.run(command, check=False, timeout=60, capture_output=True, text=True)
    assert done.returncode == 2
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("name", demo_script.names())
def test_each_demo_is_played_in_less_than_a_minute(name: str) -> None:
    """The waits are all the time that passes. What is replayed has times, or it would stand still until the last."""
    demo = demo_script.load(name)
    assert 0 < sum(step.wait_us for step in demo.steps) < MINUTE_US
    if name in demo_script._scripts():
        assert max(len(step.caption or "") for step in demo.steps) < 80, "it is played on 80 columns, too"
    if demo.replay is not None:
        session = FileSession([str(samples.capture(demo.capture))])
        (capture,) = session.read()
        assert capture.log.value("time_ns", 0) > 0
        session.close()
