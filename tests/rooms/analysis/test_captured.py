"""Timer values inside a capture: what is written is read again, and what strangers wrote does no harm."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner

from talk import SECOND_NS, Talk, batch
from tcpladder.analysis import names
from tcpladder.analysis.beliefs import TimerValues
from tcpladder.analysis.captured import PREFIX, CapturedValues, Entry, comments_of, entries_of
from tcpladder.analysis.view import Endpoint, Origin
from tcpladder.cli import tcpladder
from tcpladder.session.values_told import ValuesTold
from tcpladder.store.pcapng import CapturedInterface, PcapngWriter

CLIENT, SERVER = Endpoint("10.0.0.1", 40000), Endpoint("10.0.0.2", 80)
MACHINE = Entry(
    addresses=("10.0.0.1", "fd00::1", "127.0.0.1"),
    values={names.KEEPALIVE_TIME: 7200 * SECOND_NS, names.SYN_RETRIES: 5},
)
SOCKET = Entry(
    addresses=("10.0.0.1",),
    port=40000,
    peer=SERVER,
    since_ns=17,
    values={names.KEEPALIVE_TIME: 30 * SECOND_NS, names.USER_TIMEOUT: 4_500_000_000},
)


def believed(*comments: str, end: Endpoint = CLIENT, peer: Endpoint = SERVER) -> TimerValues:
    values = CapturedValues()
    values.read(dict(enumerate(comments)))
    return values.believed(end, peer)


def test_what_is_written_is_read_again() -> None:
    comments = comments_of([MACHINE, SOCKET])
    assert len(comments) == 1
    assert entries_of(f"somebody's words\n{comments[0]}") == [MACHINE, SOCKET]


def test_many_entries_are_cut_into_comments_that_every_reader_keeps() -> None:
    entries = [Entry(addresses=("10.0.0.1",), port=port, values=SOCKET.values) for port in range(1, 200)]
    comments = comments_of(entries)
    assert max(map(len, comments)) < 4096
    assert [entry for comment in comments for entry in entries_of(comment)] == entries


def test_a_socket_is_believed_before_its_machine() -> None:
    values = believed(*comments_of([SOCKET, MACHINE]))
    assert values.get(names.KEEPALIVE_TIME).value == 30 * SECOND_NS
    assert values.get(names.SYN_RETRIES).value == 5
    assert values.get(names.SYN_RETRIES).origin is Origin.CAPTURE
    assert values.is_firm(names.KEEPALIVE_TIME)
    assert not values.is_firm(names.SYN_RETRIES)


def test_values_hold_for_their_own_end_only() -> None:
    comments = comments_of([SOCKET, MACHINE])
    assert not believed(*comments, end=SERVER, peer=CLIENT).known
    assert names.USER_TIMEOUT not in believed(*comments, peer=Endpoint("10.0.0.3", 80)).known
    assert names.SYN_RETRIES in believed(*comments, end=Endpoint("127.3.2.1", 9)).known


@pytest.mark.parametrize(
    "text",
    ["", "[", "{}", "[1]", "[null]", '[{"end": 3, "keepalive_time": "30s"}]', '[{"addresses": {}, "retries2": "3"}]',
     '[{"addresses": ["10.0.0.1"], "retries2": 3}]', '[{"addresses": ["10.0.0.1"], "retries2": "3 nonsense"}]',
     '[{"addresses": ["10.0.0.1"], "since_ns": "x", "retries2": "3"}]', "[" * 100_000,
     '[{"addresses": ["10.0.0.1"], "since_ns": 99999999999999999999, "retries2": "3"}]'],
)  # fmt: skip
def test_what_makes_no_sense_is_left_out(text: str) -> None:
    assert entries_of(PREFIX + text) == []


def test_each_value_is_told_once_and_again_when_it_changes() -> None:
    told = ValuesTold()
    machine = TimerValues().with_values({names.SYN_RETRIES: 6}, Origin.NETNS)
    first = told.news(machine, ["10.0.0.1"], {}, most=9)
    assert entries_of(first[0]) == [Entry(addresses=("10.0.0.1",), values={names.SYN_RETRIES: 6})]
    assert told.news(machine, ["10.0.0.1"], {}, most=9) == []
    changed = machine.with_values({names.SYN_RETRIES: 2}, Origin.NETNS, 99)
    (again,) = told.news(changed, ["10.0.0.1"], {}, most=9)
    assert entries_of(again) == [Entry(addresses=("10.0.0.1",), since_ns=99, values={names.SYN_RETRIES: 2})]


def test_what_finds_no_frame_waits_for_the_next() -> None:
    told = ValuesTold()
    machine = TimerValues().with_values({names.SYN_RETRIES: 6}, Origin.NETNS)
    assert told.news(machine, ["10.0.0.1"], {}, most=0) == []
    assert len(told.news(machine, ["10.0.0.1"], {}, most=1)) == 1


def saved(path: Path) -> Path:
    """A capture of a connect that nobody answers, in which tcpladder has said what the client's machine had set."""
    talk = Talk().syn(lost=True).silence(1).syn(lost=True).silence(1).syn(lost=True)
    entry = Entry(addresses=("10.0.0.1",), values={names.SYN_RETRIES: 3, names.SYN_LINEAR_TIMEOUTS: 1})
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
    with PcapngWriter(descriptor, [CapturedInterface(name="lo", link_type=1)], name=path.name) as writer:
        writer.write(batch(talk.frames), dict(enumerate(comments_of([entry]))))
    return path


def test_a_capture_explains_itself(tmp_path: Path) -> None:
    """SYNs a second apart, as the machine's linear timeouts say; and the end is that of its retries: 1 + 15 s."""
    path = saved(tmp_path / "saved.pcapng")
    shown = CliRunner().invoke(tcpladder, ["show", "--format", "jsonl", str(path)]).stdout
    gaps = [json.loads(line)["gap"] for line in shown.splitlines()]
    assert [(gap["origin"], gap["verdict"]) for gap in gaps if gap] == [
        ("capture", "on time"),
        ("capture", "on time"),
    ]

    text = " ".join(CliRunner().invoke(tcpladder, ["show", str(path)]).stdout.split())
    assert "fails with ETIMEDOUT 14.0 s after the last segment;" in text


@pytest.mark.real("tshark", root=False)
def test_other_tools_show_it_as_a_comment(tmp_path: Path) -> None:
    path = saved(tmp_path / "saved.pcapng")
    command = ["tshark", "-r", str(path), "-T", "fields", "-e", "frame.comment"]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    assert "tcpladder timers: " in lines[0]
    assert "syn_retries" in lines[0]
    assert lines[1:] == ["", ""]
