"""`--record`, `cast` and `demo` from a shell: what is made, and how it is told that nothing can be."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tcpladder.errors import ExitCode
from tcpladder.samples import capture

CAPTURE = str(capture("keepalive"))
CAST = (
    '{"version": 2, "width": 20, "height": 2, "title": "t"}\n[0.1, "o", "hello"]\n[2.0, "o", "\\r\\nworld"]\n'
)


def tcpladder(*words: object, **options: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tcpladder", *map(str, words)],
        capture_output=True, text=True, timeout=60, check=False, stdin=subprocess.DEVNULL, **options,  # type: ignore[call-overload]
    )  # fmt: skip


@pytest.fixture
def cast(tmp_path: Path) -> Path:
    path = tmp_path / "a.cast"
    path.write_text(CAST)
    return path


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("show", CAPTURE), "cannot record new.cast: `show` prints, and only the app is recorded"),
        ((), "cannot record new.cast: the app cannot open here: stdin and stdout must be a terminal"),
        (("lab", "keepalive", "--auto", "--format", "text"), "cannot record new.cast: text is printed"),
        (("lab", "keepalive", "--auto"), "cannot record new.cast: the app cannot open here"),
        (("live", "--format", "jsonl"), "cannot record new.cast: jsonl is printed"),
        (
            ("open", CAPTURE),
            "cannot record new.cast: the app cannot open here: stdin and stdout must be a terminal",
        ),
        (("demo", "--list"), "cannot record new.cast: a list is printed"),
    ],
)
def test_only_the_app_is_recorded(words: tuple[str, ...], sentence: str, tmp_path: Path) -> None:
    done = tcpladder("--record", "new.cast", *words, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (ExitCode.USAGE, "")
    assert sentence in done.stderr
    assert not (tmp_path / "new.cast").exists()


def test_the_last_screen_or_an_earlier_one_as_text(cast: Path) -> None:
    assert tcpladder("cast", cast, "--text").stdout == "hello\nworld\n"
    assert tcpladder("cast", cast, "--text", "--at", "1").stdout == "hello\n"
    done = tcpladder("cast", cast, "--text", "--at", "9")
    assert (done.returncode, done.stdout) == (ExitCode.USAGE, "")
    assert "there is nothing at 9 s: the recording has 2 s" in done.stderr


def test_svg_is_made_without_any_program(cast: Path, tmp_path: Path) -> None:
    done = tcpladder("cast", cast, "--svg", cwd=tmp_path, env={**os.environ, "PATH": ""})
    assert done.returncode == ExitCode.DONE
    assert "hello" in (tmp_path / "a.svg").read_text()
    again = tcpladder("cast", cast, "--svg", cwd=tmp_path)
    assert "cannot write a.svg: it exists, and nothing is written over" in again.stderr


@pytest.mark.parametrize(
    ("form", "first"), [("gif", "gif is made by agg (https"), ("mp4", "mp4 is made by rsvg")]
)
def test_what_lacks_for_a_film_is_told_with_what_to_do(cast: Path, form: str, first: str) -> None:
    done = tcpladder("cast", cast, f"--{form}", "-o", "-", env={**os.environ, "PATH": ""})
    assert (done.returncode, done.stdout) == (ExitCode.USAGE, "")
    assert first in done.stderr
    assert (
        "rsvg-convert and ffmpeg are not here: apt install librsvg2-bin ffmpeg, or take --svg" in done.stderr
    )


def test_what_is_no_recording_is_bad_input(tmp_path: Path) -> None:
    done = tcpladder("cast", CAPTURE, "--text")
    assert done.returncode == ExitCode.BAD_INPUT
    assert "it is no asciicast" in done.stderr


@pytest.mark.real("ffmpeg", "rsvg-convert", root=False)
@pytest.mark.parametrize(("form", "codec"), [("gif", "gif"), ("mp4", "h264")])
def test_a_film_has_its_length(cast: Path, tmp_path: Path, form: str, codec: str) -> None:
    """Two pictures for two seconds and two for the last one, as ffprobe reads it."""
    out = tmp_path / f"a.{form}"
    path = os.pathsep.join(f for f in os.environ["PATH"].split(os.pathsep) if not (Path(f) / "agg").exists())
    done = tcpladder("cast", cast, f"--{form}", "-o", out, env={**os.environ, "PATH": path})
    assert done.returncode == ExitCode.DONE, done.stderr
    asked = ["-show_entries", "stream=codec_name:format=duration", "-of", "default=nw=1:nk=1"]
    probed = subprocess.run(
        ["ffprobe", "-v", "error", *asked, out], capture_output=True, text=True, check=True
    )
    name, seconds = probed.stdout.split()
    assert name == codec
    assert 3.9 < float(seconds) < 4.3


def test_a_demo_needs_a_terminal_or_a_file() -> None:
    done = tcpladder("demo", "keepalive")
    assert done.returncode == ExitCode.USAGE
    assert (
        "a demo is played on a terminal: stdout is none; --record FILE.cast writes it to a file"
        in done.stderr
    )
    assert "keepalive" in tcpladder("demo", "--list").stdout
