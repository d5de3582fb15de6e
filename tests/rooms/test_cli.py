"""The program as a user runs it: what goes to stdout, what to stderr, and with which exit code."""

from __future__ import annotations

import gzip
import json
import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from talk import Talk, ethernet, frame, ipv4, write_pcap
from tcpladder.errors import ExitCode
from tcpladder.faulting import duration_ms
from waiting import until

TRUTH = Path(__file__).parent.parent / "truth"
KEEPALIVE = TRUTH / "a1_ka_client_3_1_3.pcap"
LONG = TRUTH / "o1_bulk_20MB_keepalive.pcap"
COMMAND = [sys.executable, "-m", "tcpladder"]


def run(*words: object, **how: Any) -> subprocess.CompletedProcess[str]:
    how.setdefault("stdin", subprocess.DEVNULL)
    how.setdefault("stdout", subprocess.PIPE)
    return subprocess.run([*COMMAND, *map(str, words)], stderr=subprocess.PIPE, text=True, timeout=60, **how)


def records(done: subprocess.CompletedProcess[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.fixture
def capture(tmp_path: Path) -> Path:
    """Two flows, an ICMP error and a frame that is not TCP."""
    one, two = Talk().handshake().data().fin().fin("server").ack(), Talk(client_port=41000).syn().icmp()
    other = frame(ethernet(ipv4(bytes(8), protocol=17)))
    return write_pcap(tmp_path / "two.pcap", [*one.frames, *two.frames, other])


# ---- what is said, and where --------------------------------------------------------------------------------------


def test_json_lines_are_alone_on_stdout_and_in_the_order_of_the_file(capture: Path) -> None:
    done = run("show", "--format", "jsonl", capture)
    said = records(done)
    assert done.returncode == ExitCode.DONE
    assert [one["frame"] for one in said] == list(range(1, 10))
    assert [one["flow"] for one in said] == [1] * 7 + [2] * 2
    assert [one["record"] for one in said] == ["segment"] * 8 + ["icmp"]
    assert done.stderr.splitlines() == ["tcpladder: 1 of 10 frames are not TCP: 1 UDP"]


def test_what_is_not_known_is_null(capture: Path) -> None:
    syn, icmp = records(run("show", "--format", "jsonl", "--flow", 2, capture))
    assert (syn["ack"], syn["timer"], syn["gap"]) == (None, None, None)
    assert [icmp[key] for key in ("ack", "length", "window", "flags", "timer", "gap")] == [None] * 6


def test_a_folded_ladder_is_short_and_a_stream_has_every_segment() -> None:
    folded, whole = run("show", LONG, "--fold"), run("show", LONG)
    assert len(folded.stdout.splitlines()) < 50 < 485 < len(whole.stdout.splitlines())
    assert "464 folded" in folded.stdout
    refused = run("show", LONG, "--fold", "--format", "jsonl")
    assert (refused.returncode, refused.stdout) == (ExitCode.USAGE, "")
    assert "leave out --follow and --format jsonl" in refused.stderr


def test_flows_one_a_line(capture: Path) -> None:
    one, two = records(run("flows", "--format", "jsonl", capture))
    assert (one["flow"], one["client"], one["server"], one["state"], one["ended"]) == (
        1, "10.0.0.1:40000", "10.0.0.2:80", "time-wait", "closed",
    )  # fmt: skip
    assert (one["segments"], one["bytes"]) == (7, 100)
    assert one["last_ns"] > one["first_ns"]
    assert (two["flow"], two["ended"]) == (2, "port unreachable")
    text = run("flows", capture).stdout.splitlines()
    assert [line.split()[:3] for line in text[1:]] == [
        ["1", "10.0.0.1:40000", "10.0.0.2:80"],
        ["2", "10.0.0.1:41000", "10.0.0.2:80"],
    ]


def test_flows_of_several_files_are_numbered_through(capture: Path) -> None:
    listed = records(run("flows", "--format", "jsonl", capture, KEEPALIVE))
    assert [one["flow"] for one in listed] == [1, 2, 3]
    shown = records(run("show", "--format", "jsonl", capture, KEEPALIVE))
    assert {(one["file"], one["flow"]) for one in shown} == {(0, 1), (0, 2), (1, 3)}
    assert {
        one["file"] for one in records(run("show", "--format", "jsonl", "--flow", 3, capture, KEEPALIVE))
    } == {1}


def test_a_pipe_says_what_the_file_says() -> None:
    with gzip.open(TRUTH.parent / "compare" / "captures" / "loss.pcap.gz") as squeezed:
        content = squeezed.read()
    piped = subprocess.run(
        [*COMMAND, "show", "--format", "jsonl", "-"],
        input=content,
        capture_output=True,
        timeout=60,
        check=True,
    )
    whole = run("show", "--format", "jsonl", TRUTH.parent / "compare" / "captures" / "loss.pcap.gz")
    assert piped.stdout.decode() == whole.stdout
    assert whole.stdout.count("\n") > 1000


def test_a_ladder_is_plain_text_where_stdout_is_no_terminal() -> None:
    done = run("show", KEEPALIVE)
    assert "keepalive probe" in done.stdout
    assert "\x1b" not in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 80


@pytest.mark.parametrize("how", [{"--ascii": None}, {"PYTHONIOENCODING": "ascii"}])
def test_ascii(how: dict[str, str | None]) -> None:
    words = [word for word, value in how.items() if value is None]
    environment = {**os.environ, **{name: value for name, value in how.items() if value}}
    done = run("show", *words, KEEPALIVE, env=environment)
    assert done.returncode == 0
    assert done.stdout.isascii()


def test_nothing_at_all_is_help() -> None:
    done = run()
    assert (done.returncode, done.stderr) == (0, "")
    assert "Usage: tcpladder" in done.stdout


# ---- what goes wrong ----------------------------------------------------------------------------------------------

BAD: dict[str, tuple[Callable[[Path], object], str]] = {
    "empty": (lambda path: path.write_bytes(b""), "it is empty"),
    "directory": (lambda path: path.mkdir(), "it is a directory"),
    "missing": (lambda path: None, "no such file"),
    "no capture": (lambda path: path.write_bytes(b"\x7fELF" + bytes(100)), "ELF"),
    "text": (lambda path: path.write_text("hello\n"), "looks like text"),
    "its header is cut": (lambda path: path.write_bytes(KEEPALIVE.read_bytes()[:10]), "10 of 24 bytes"),
}


@pytest.mark.parametrize("command", ["show", "flows"])
@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_is_one_sentence(tmp_path: Path, name: str, command: str) -> None:
    make, sentence = BAD[name]
    path = tmp_path / "trace"
    make(path)
    done = run(command, path)
    assert done.returncode == ExitCode.BAD_INPUT
    assert done.stdout == ""
    assert done.stderr.startswith(f"tcpladder: cannot read {path}: ")
    assert done.stderr.count("\n") == 1
    assert sentence in done.stderr


def test_a_file_that_is_cut_shows_what_is_there_and_says_where(tmp_path: Path) -> None:
    path = tmp_path / "cut.pcap"
    path.write_bytes(KEEPALIVE.read_bytes()[:900])
    done = run("show", "--format", "jsonl", path)
    assert done.returncode == 0
    assert len(records(done)) == 9
    assert done.stderr.count("\n") == 1
    assert "offset 900" in done.stderr


def test_frames_cut_by_the_snap_length_and_lies_are_rungs(tmp_path: Path) -> None:
    talk = Talk().handshake().data()
    frames = [f.cut(14 + 20 + 10) for f in talk.frames[:2]] + [talk.frames[2]]
    lying = frame(ethernet(ipv4(b"\x9c@\0P" + bytes(16), total=9000)))
    done = run("show", "--format", "jsonl", write_pcap(tmp_path / "cut.pcap", [*frames, lying]))
    assert [one["kind"] for one in records(done)] == ["cut_short", "cut_short", "ack", "malformed"]
    assert done.returncode == 0


@pytest.mark.parametrize(("content", "sentence"), [([], "has no frames"), ([bytes(60)], "none of them TCP")])
def test_nothing_to_show_is_said(tmp_path: Path, content: list[bytes], sentence: str) -> None:
    done = run("show", write_pcap(tmp_path / "few.pcap", map(frame, content)))
    assert (done.returncode, done.stdout) == (0, "")
    assert sentence in done.stderr


@pytest.mark.parametrize("words", [
    ["show"], ["show", "--nope", KEEPALIVE], ["nope"], ["show", "--flow", "0", KEEPALIVE],
    ["show", "--flow", "9", KEEPALIVE],
    ["show", "--format", "xml", KEEPALIVE], ["open", KEEPALIVE], ["lab", "nope", "--auto"],
    ["live", "--format", "nope"], ["lab", "refused", "half-open"], ["lab", "enter", "1", "--", "true"],
    ["lab", "--network", "ring", "--", "true"], ["lab", "--host", "mars", "--", "true"],
    ["lab", "refused", "--network", "pair"], ["lab", "refused", "--host", "router"],
    ["lab", "--set", "a=1", "--", "true"], ["lab", "refused", "--all"], ["lab", "refused", "--format", "junit"],
    ["lab", "solaris", "--set", "idle=1"], ["lab", "--save", "kept", "--", "true"],
])  # fmt: skip
def test_wrong_usage_is_a_sentence_and_exit_code_2(words: list[object]) -> None:
    done = run(*words)
    assert done.returncode == ExitCode.USAGE
    assert done.stderr
    assert "Traceback" not in done.stderr


def test_open_without_a_terminal_says_what_works() -> None:
    assert "tcpladder show" in run("open", KEEPALIVE).stderr


def test_whoever_reads_may_stop_reading() -> None:
    with subprocess.Popen(
        [*COMMAND, "show", "--format", "jsonl", str(LONG)], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(30) == ExitCode.DONE


@pytest.mark.parametrize("form", ["text", "jsonl"])
def test_a_full_disk_is_a_sentence(form: str) -> None:
    with open("/dev/full", "w") as full:
        done = run("flows", "--format", form, KEEPALIVE, stdout=full)
    assert done.returncode == ExitCode.BAD_INPUT
    assert done.stderr == "tcpladder: cannot write the output: no space left on device\n"


@pytest.mark.parametrize("closed", ["<&-", "2>&-", "<&- 2>&-"])
def test_closed_streams_that_are_not_needed_change_nothing(closed: str) -> None:
    line = f"exec {shlex.join([*COMMAND, 'flows', str(KEEPALIVE)])} {closed}"
    done = subprocess.run(["/bin/sh", "-c", line], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, run("flows", KEEPALIVE).stdout, "")


@pytest.mark.parametrize("command", ["show", "flows"])
def test_a_closed_stdout_is_a_sentence(command: str) -> None:
    line = f"exec {shlex.join([*COMMAND, command, str(KEEPALIVE)])} >&-"
    done = subprocess.run(["/bin/sh", "-c", line], capture_output=True, text=True, timeout=60)
    assert done.returncode == ExitCode.BAD_INPUT
    assert done.stderr == "tcpladder: cannot write the output: stdout is closed\n"


def test_an_interrupt_is_130_and_silent() -> None:
    with subprocess.Popen(
        [*COMMAND, "show", "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdin is not None
        process.stdin.write(KEEPALIVE.read_bytes()[:200])
        process.stdin.flush()
        until(lambda: waits_for_a_pipe(process.pid))
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
    assert process.returncode == ExitCode.INTERRUPTED
    assert (out, err) == (b"", b"")


def waits_for_a_pipe(pid: int) -> bool:
    """Whether the process sleeps reading a pipe: anon_pipe_read or pipe_read, as the kernel calls it."""
    return "pipe_read" in Path(f"/proc/{pid}/wchan").read_text(encoding="ascii")


# ---- fault --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["drop"], "cannot break everything: name an address or a port"),
        (
            ["drop", "--dport", 7, "--for", "soon"],
            "cannot break it for 'soon': say 60s, 2m, 1h, at most 7 days",
        ),
        (["drop", "--dport", 7, "--for", "0s"], "cannot break it for '0s'"),
        (["drop", "--dport", 7, "--for", "8h30"], "cannot break it for '8h30'"),
        (["drop", "--dst", "localhost"], "cannot break segments of 'localhost': not an IPv4 or IPv6 address"),
        (["drop", "--src", "::1", "--dst", "127.0.0.1"], "one is IPv4 and the other IPv6"),
        (["lift"], "say which fault, or --all"),
        (["lift", 3, "--all"], "say which fault, or --all"),
    ],
)
def test_a_fault_that_makes_no_sense_is_refused_before_privilege_is_asked_for(
    words: list[object], sentence: str
) -> None:
    done = run("fault", *words)
    assert done.returncode == ExitCode.USAGE
    assert sentence in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("written", "milliseconds"),
    [
        ("60s", 60_000),
        ("60", 60_000),
        ("1500ms", 1500),
        ("2m", 120_000),
        ("1.5h", 5_400_000),
        ("forever", None),
    ],
)
def test_how_long_a_fault_lasts(written: str, milliseconds: int | None) -> None:
    assert duration_ms(written) == milliseconds
