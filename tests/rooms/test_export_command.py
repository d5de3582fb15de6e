"""`tcpladder export` as a user runs it: where it writes, what it says, and with which exit code."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from rooms.ladder.diagrams import CAPTURES
from talk import Talk, write_pcap
from tcpladder.errors import ExitCode
from tcpladder.exporting import names_of, rungs_of

KEEPALIVE = CAPTURES["keepalive"]


def run(*words: object, stdin: bytes = b"", **environment: str) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "tcpladder", "export", *map(str, words)]
    return subprocess.run(
        command, input=stdin, capture_output=True, timeout=60, check=False, env=os.environ | environment
    )


@pytest.fixture
def two(tmp_path: Path) -> Path:
    """Two flows from one client."""
    one, other = Talk().handshake().data().fin(), Talk(client_port=41000).handshake().silence(3).data()
    return write_pcap(tmp_path / "two.pcap", [*one.frames, *other.frames])


def test_without_a_word_it_is_text_on_stdout() -> None:
    done = run(KEEPALIVE)
    assert (done.returncode, done.stderr) == (ExitCode.DONE, b"")
    lines = done.stdout.decode().splitlines()
    assert lines[0].startswith("flow 1  127.0.0.1:22345 → 127.0.0.1:12345")
    assert max(map(len, lines)) <= 80


def test_ascii_and_width_are_kept() -> None:
    lines = run(KEEPALIVE, "--ascii", "--width", 100).stdout.decode().splitlines()
    assert "".join(lines).isascii()
    assert 80 < max(map(len, lines)) <= 100


def test_the_end_of_the_name_says_the_format_and_stderr_where_it_is(tmp_path: Path) -> None:
    done = run(KEEPALIVE, "-o", tmp_path / "ladder.mmd")
    written = (tmp_path / "ladder.mmd").read_bytes()
    assert written.startswith(b"sequenceDiagram\n")
    assert done.stdout == b""
    told = f"tcpladder: mermaid of flow 1 written to {tmp_path}/ladder.mmd, {len(written)} bytes\n"
    assert done.stderr.decode() == told


def test_several_flows_stand_in_one_file(two: Path) -> None:
    records = json.loads(run(two, "--as", "json").stdout)
    assert [(one["record"], one["flow"]) for one in records if one["record"] == "export"] == [
        ("export", 1),
        ("export", 2),
    ]
    only = json.loads(run(two, "--as", "json", "--flow", 2).stdout)
    assert {one["flow"] for one in only} == {2}
    page = run(two, "--as", "html", "--flow", 2, "--flow", 1).stdout.decode()
    assert page.index('id="flow-2"') < page.index('id="flow-1"')


def test_a_mask_is_the_same_for_every_flow_of_a_file(two: Path) -> None:
    """So that two exports can be read side by side."""
    whole = json.loads(run(two, "--as", "json", "--privacy", "--privacy-ports").stdout)
    alone = json.loads(run(two, "--as", "json", "--privacy", "--privacy-ports", "--flow", 2).stdout)
    assert [one for one in whole if one["flow"] == 2] == alone
    assert (alone[0]["client"], alone[0]["server"]) == ("192.0.2.1:3", "192.0.2.2:2")
    assert alone[0]["masked"] == "addresses and ports"


def test_times_are_those_of_this_machine() -> None:
    text = run(KEEPALIVE, TZ="Asia/Tokyo").stdout.decode()
    assert "  14:55:03.740" in text
    assert "2026-11-22 14:55:03.740608838 JST +0900" in " ".join(text.split())


def test_a_capture_may_come_from_stdin() -> None:
    done = run("-", "--as", "csv", stdin=KEEPALIVE.read_bytes())
    assert done.stdout.startswith(b"# source: -\n")
    assert len(done.stdout.splitlines()) == 7 + 1 + 15


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--as", "png"], ExitCode.USAGE, "png is no text: say where to write it with -o FILE"),
        (["-o", "x.doc"], ExitCode.USAGE, "x.doc: its end names no format"),
        (["--flow", "2"], ExitCode.USAGE, "there is no flow 2: "),
        (["--rungs", "16-20"], ExitCode.USAGE, "there are no rungs 16-20: the flow has 1-15"),
        (["--rungs", "5-2"], ExitCode.USAGE, "--rungs 5-2: give the first and the last"),
        (["--names", "curl"], ExitCode.USAGE, "--names curl: give the client's name and the server's"),
        (["-o", "/nowhere/x.svg"], ExitCode.USAGE, "cannot write /nowhere/x.svg: no such file or directory"),
        (["--as", "csv", "--fold"], ExitCode.USAGE, "csv has every segment: leave out --fold"),
        (["--as", "docx"], ExitCode.USAGE, "'docx' is not one of"),
    ],
)
def test_what_cannot_be_is_one_sentence(words: list[str], code: ExitCode, said: str) -> None:
    done = run(KEEPALIVE, *words)
    assert (done.returncode, done.stdout) == (code, b"")
    assert said in done.stderr.decode()
    assert "Traceback" not in done.stderr.decode()


def test_a_drawing_of_two_flows_has_both_on_one_ladder_and_a_script_is_refused(two: Path) -> None:
    named = run(two, "--as", "svg", "--flow", "1,2")
    assert named.returncode == ExitCode.DONE
    numbers = [one.text for one in ET.fromstring(named.stdout).iter() if "flow" in one.get("class", "")]
    assert {"1", "2"} <= set(numbers)
    script = run(two, "--as", "packetdrill", "--flow", 1, "--flow", 2)
    assert script.returncode == ExitCode.USAGE
    assert "packetdrill holds one flow, and 2 are named" in script.stderr.decode()
    left_open = run(two, "--as", "svg")
    assert left_open.returncode == ExitCode.USAGE
    assert "two.pcap has 2 flows: choose one with --flow" in left_open.stderr.decode()


def test_a_capture_without_tcp_has_nothing_to_export(tmp_path: Path) -> None:
    done = run(write_pcap(tmp_path / "none.pcap", []), "--as", "svg")
    assert done.returncode == ExitCode.BAD_INPUT
    assert "none.pcap has no TCP flow to export" in done.stderr.decode()


def test_png_without_its_program_is_told(tmp_path: Path) -> None:
    done = run(KEEPALIVE, "-o", tmp_path / "x.png", PATH="/nowhere")
    assert done.returncode == ExitCode.USAGE
    assert "rsvg-convert, which is not here" in done.stderr.decode()
    assert not (tmp_path / "x.png").exists()


def test_ranges_and_names_are_read() -> None:
    assert (rungs_of("6-15"), rungs_of("6"), rungs_of("6-")) == ((6, 15), (6, 6), (6, sys.maxsize))
    assert names_of("curl, nc") == ("curl", "nc")
