"""The traces of four published articles: every gap explained, with the article's settings and without."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from talk import START_NS, Talk, write_pcap
from tcpladder.cli import main as run_main
from tcpladder.cli import tcpladder
from tcpladder.errors import ExitCode

SECOND_NS = 1_000_000_000


def at(talk: Talk, clock: str) -> Talk:
    """Move to a time of day, as tcpdump prints it; one hour is the talk's first."""
    hours, minutes, seconds = clock.split(":")
    whole, _, fraction = seconds.partition(".")
    passed = (int(hours) * 3600 + int(minutes) * 60 + int(whole)) * SECOND_NS + int(f"{fraction:0<9}")
    talk.now_ns = START_NS + passed - 50_000
    return talk


def keepalive_answered() -> Talk:
    """Probes every 30 s (tcpdump on lo)."""
    talk = at(Talk(server_port=12345, client_port=22345), "17:15:52.217").handshake()
    for clock in ("17:16:22.217222", "17:16:52.218130", "17:17:22.218192"):
        at(talk, clock).keepalive().ack("server")
    return talk


def keepalive_unanswered() -> Talk:
    """The last answer, then probes into a DROP, then RST."""
    talk = at(Talk(server_port=12345, client_port=22345), "18:28:52.306").handshake()
    for clock in ("18:29:22.307203", "18:29:25.307994", "18:29:28.308245"):
        at(talk, clock).keepalive(lost=True)
    return at(talk, "18:29:31.309769").rst()


def keepalive_server() -> Talk:
    """Probes of the server 55 s apart; then its firewall drops the answers, which the capture still shows."""
    talk = Talk(server_port=6699, client_port=51000).handshake()
    for _ in range(3):
        talk.silence(55).keepalive("server").ack()
    talk.silence(55).keepalive("server").ack(lost=True)
    talk.silence(6).keepalive("server").ack(lost=True)
    return talk.silence(6).rst("server")


def connect_timeout() -> Talk:
    """SYNs dropped on their way in."""
    talk = Talk(server_port=12345, client_port=60632)
    for clock in ("17:37:32.908573", "17:37:33.907642", "17:37:35.907653", "17:37:39.908743", "17:37:47.909561",
                  "17:38:03.910784"):  # fmt: skip
        at(talk, clock).syn(lost=True)
    return talk


def solaris() -> Talk:
    """snoop's listing: one byte a probe, no timestamps, distances that double."""
    talk = Talk(server_port=5000, client_port=1105, stamps=False, shift=None)
    says: Sequence[tuple[float, Any]] = (
        (0.00000, lambda: talk.syn()),
        (0.00076, lambda: talk.syn_ack()),
        (0.00293, lambda: talk.ack(window=32120)),
        (0.00570, lambda: talk.data(1, "server", window=64240)),
        (0.01798, lambda: talk.ack(window=32120)),
        (6.14229, lambda: talk.data(5, window=32120)),
        (0.04484, lambda: talk.ack("server", window=64240)),
    )
    for gap, say in says:
        talk.silence(gap - 50e-6)
        say()
    for gap in (12.54995, 1.46990, 2.93003, 5.85005, 11.69996, 23.40000, 46.80002, 56.25079):
        talk.silence(gap - 50e-6).keepalive("server", 1, lost=True)
    return talk


def records(talk: Talk, tmp_path: Path, *options: str) -> list[dict[str, Any]]:
    capture = write_pcap(tmp_path / "article.pcap", talk.frames)
    result = CliRunner().invoke(tcpladder, ["show", "--format", "jsonl", *options, str(capture)])
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


def gaps(talk: Talk, tmp_path: Path, *options: str) -> list[dict[str, Any]]:
    """The gaps of a second and more."""
    found = [record["gap"] for record in records(talk, tmp_path, *options) if record["gap"]]
    return [gap for gap in found if gap["observed_ns"] > SECOND_NS * 9 // 10]


ARTICLES = {
    "keepalive": (keepalive_answered, "keepalive=30/3/3", [30, 30, 30]),
    "keepalive, dropped": (keepalive_unanswered, "keepalive=30/3/3", [30, 3, 3, 3]),
    "keepalive-server": (keepalive_server, "server:keepalive=55/6/2", [55, 55, 55, 55, 6, 6]),
    "connect-timeout": (connect_timeout, "syn_retries=5,linear=0", [1, 2, 4, 8, 16]),
}


@pytest.mark.parametrize("name", ARTICLES)
def test_every_gap_is_on_time_with_the_values_of_the_article(name: str, tmp_path: Path) -> None:
    talk, values, seconds = ARTICLES[name]
    found = gaps(talk(), tmp_path, "--timers", values)
    assert [gap["expected_ns"] for gap in found] == [s * SECOND_NS for s in seconds]
    assert {(gap["verdict"], gap["origin"]) for gap in found} == {("on time", "user")}


@pytest.mark.parametrize("name", ARTICLES)
def test_every_gap_is_inferred_without_them(name: str, tmp_path: Path) -> None:
    talk, _, seconds = ARTICLES[name]
    found = gaps(talk(), tmp_path)
    assert [gap["expected_ns"] for gap in found] == [s * SECOND_NS for s in seconds]
    assert {(gap["verdict"], gap["origin"]) for gap in found} == {("on time", "inferred")}


SOLARIS_WAITS_S = [1.46, 2.92, 5.84, 11.68, 23.36, 46.72, 56.25]


def test_solaris_is_explained_by_its_profile_and_its_late_idle_is_not(tmp_path: Path) -> None:
    idle, *probes = gaps(solaris(), tmp_path, "--profile", "solaris", "--timers", "keepalive=10")[-8:]
    assert [gap["expected_ns"] / SECOND_NS for gap in probes] == SOLARIS_WAITS_S
    assert {(gap["timer"], gap["verdict"], gap["origin"]) for gap in probes} == {
        ("keepalive", "on time", "user")
    }
    assert (idle["timer"], idle["verdict"], idle["origin"]) == ("keepalive", "late", "user")
    assert idle["expected_ns"] == 10 * SECOND_NS
    assert idle["observed_ns"] == pytest.approx(12.54995 * SECOND_NS, abs=1000)


def test_solaris_is_recognised_by_its_doubling(tmp_path: Path) -> None:
    _, *probes = gaps(solaris(), tmp_path)[-8:]
    assert {(gap["timer"], gap["verdict"], gap["origin"]) for gap in probes} == {
        ("keepalive", "on time", "inferred")
    }
    text = CliRunner().invoke(tcpladder, ["show", str(tmp_path / "article.pcap")]).stdout
    assert "Solaris-like" in " ".join(text.split())
    assert "gaps double from 1.46 s" in " ".join(text.split())


def test_the_gap_that_no_timer_made_is_unexplained(tmp_path: Path) -> None:
    """The six seconds in which somebody typed a message."""
    typed = gaps(solaris(), tmp_path)[0]
    assert (typed["timer"], typed["verdict"]) == (None, "unexplained")


def check(talk: Talk, tmp_path: Path, *options: str) -> tuple[int, str]:
    """`tcpladder check` on a talk: exit code and stdout."""
    capture = write_pcap(tmp_path / "checked.pcap", talk.frames)
    result = CliRunner().invoke(tcpladder, ["check", *options, str(capture)])
    return result.exit_code, result.stdout


@pytest.mark.parametrize("name", ARTICLES)
def test_check_accepts_the_articles_values(name: str, tmp_path: Path) -> None:
    talk, values, _ = ARTICLES[name]
    assert check(talk(), tmp_path, "--timers", values) == (ExitCode.DONE, "")


@pytest.mark.parametrize(
    ("talk", "values", "says"),
    [
        (keepalive_unanswered, "keepalive=30/2/3", ["keepalive_intvl 2 s", "late by 1.000 s"]),
        (keepalive_unanswered, "keepalive=31/3/3", ["keepalive_time 31 s", "early by 998 ms"]),
        (keepalive_unanswered, "keepalive=30/3/2", ["keepalive_probes 2", "probe 3 without an answer"]),
        (keepalive_unanswered, "keepalive=30/3/4", ["keepalive_probes 4", "gave up after 3"]),
        (connect_timeout, "syn_retries=4,linear=0", ["syn_retries, 4 in all", "retry 5"]),
        (connect_timeout, "syn_retries=5,linear=4", ["SYN retry 2", "late by 1.000 s"]),
    ],
)
def test_check_names_what_was_not_kept(talk: Any, values: str, says: list[str], tmp_path: Path) -> None:
    code, table = check(talk(), tmp_path, "--timers", values)
    assert code == ExitCode.NO
    assert table.split()[:7] == ["flow", "frame", "end", "timer", "expected", "observed", "deviation"]
    for words in says:
        assert words in table


def test_check_numbers_the_flows_of_several_files_as_the_list_of_flows_does(tmp_path: Path) -> None:
    files = [str(write_pcap(tmp_path / f"{n}.pcap", keepalive_unanswered().frames)) for n in range(3)]
    result = CliRunner().invoke(tcpladder, ["check", "--timers", "keepalive=31/3/3", *files])
    assert [line.split()[0] for line in result.stdout.splitlines()] == ["flow", "1", "2", "3"]


def test_check_judges_solaris_by_its_profile(tmp_path: Path) -> None:
    code, out = check(
        solaris(), tmp_path, "--profile", "solaris", "--timers", "keepalive=10", "--format", "jsonl"
    )
    assert code == ExitCode.NO
    late = json.loads(out)
    assert (late["frame"], late["end"], late["because"]) == (8, "server", "late")
    assert late["deviation_ns"] == pytest.approx(2.54995 * SECOND_NS, abs=1000)


def test_check_takes_a_tolerance_in_place_of_the_kernels_own_lateness(tmp_path: Path) -> None:
    values = ("--timers", "keepalive=30/3/3", "--tolerance")
    assert check(keepalive_unanswered(), tmp_path, *values, "2ms")[0] == ExitCode.DONE
    assert check(keepalive_unanswered(), tmp_path, *values, "1ms")[0] == ExitCode.NO
    assert check(keepalive_unanswered(), tmp_path, *values, "0.1%")[0] == ExitCode.DONE


def test_check_judges_only_the_side_and_the_timers_that_were_given(tmp_path: Path) -> None:
    """The wrong values are those of the end that does not probe."""
    assert check(keepalive_unanswered(), tmp_path, "--timers", "server:keepalive=1/1/1")[0] == ExitCode.DONE
    assert check(keepalive_unanswered(), tmp_path, "--timers", "syn_retries=1")[0] == ExitCode.DONE


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["check", "nowhere.pcap", "--timers", "keepalive=1"], ExitCode.BAD_INPUT, "nowhere.pcap"),
        (["check", "nowhere.pcap"], ExitCode.USAGE, "--timers"),
        (["check", "nowhere.pcap", "--timers", "keepalve=1"], ExitCode.USAGE, "keepalive"),
        (["check", "nowhere.pcap", "--profile", "linux", "--tolerance", "5"], ExitCode.USAGE, "20ms"),
        (["check"], ExitCode.USAGE, "FILE"),
    ],
)
def test_check_refuses_in_one_sentence(
    arguments: list[str],
    code: int,
    says: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("sys.argv", ["tcpladder", *arguments])
    with pytest.raises(SystemExit) as ended:
        run_main()
    assert ended.value.code == code
    captured = capsys.readouterr()
    assert captured.out == ""
    assert says in captured.err
