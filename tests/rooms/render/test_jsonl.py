"""The JSON lines contract: these keys, these words, null for what is not known."""

from __future__ import annotations

import json
from dataclasses import replace

from rooms.ladder.talk import START_NS, S, Talk, keepalive
from tcpladder.analysis.kinds import Kind
from tcpladder.analysis.view import Side, Verdict
from tcpladder.render.jsonl import flow_record, segment_record
from tcpladder.wire.frames import UNKNOWN_TIME_NS


def test_a_probe_with_the_silence_before_it() -> None:
    talk, _ = keepalive()
    assert json.loads(json.dumps(segment_record(talk, 3, 7))) == {
        "record": "segment",
        "file": 0,
        "frame": 4,
        "time_ns": START_NS + 38_000 + 30 * S + 1_001_000,
        "flow": 7,
        "src": "127.0.0.1:22345",
        "dst": "127.0.0.1:12345",
        "kind": "keepalive_probe",
        "because": talk.because(3),
        "seq": 0,
        "ack": 1,
        "length": 0,
        "window": 65536,
        "flags": "ACK",
        "lost": None,
        "timer": "keepalive",
        "gap": {
            "observed_ns": 30_001_001_000,
            "expected_ns": 30_000_000_000,
            "since_frame": 3,
            "timer": "keepalive",
            "verdict": "on time",
            "origin": "socket",
        },
    }


def test_what_is_not_known_is_null() -> None:
    talk = Talk()
    talk.say(Side.SERVER, Kind.CUT_SHORT, seq=None, ack=None, length=None, flags=None)
    talk.said[0] = replace(talk.said[0], time_ns=None, window=None)
    record = json.loads(json.dumps(segment_record(talk, 0, 1)))
    unknown = ("time_ns", "seq", "ack", "length", "window", "flags", "timer", "gap")
    assert {key: record[key] for key in unknown} == dict.fromkeys(unknown)
    assert record["lost"] is None
    talk.eaten[0] = "rule 1"
    assert segment_record(talk, 0, 1)["lost"] == "rule 1"
    assert (record["src"], record["dst"]) == ("127.0.0.1:12345", "127.0.0.1:22345")


def test_an_unexplained_silence_has_a_length_and_nothing_else() -> None:
    talk = Talk()
    talk.say(Side.CLIENT, Kind.DATA)
    talk.say(Side.CLIENT, Kind.DATA, after_ns=S, name="unexplained", verdict=Verdict.UNEXPLAINED)
    assert json.loads(json.dumps(segment_record(talk, 1, 1)))["gap"] == {
        "observed_ns": S,
        "expected_ns": None,
        "since_frame": 1,
        "timer": None,
        "verdict": "unexplained",
        "origin": None,
    }


def test_an_icmp_error_is_another_record() -> None:
    talk = Talk()
    talk.say(Side.SERVER, Kind.ICMP_ERROR)
    assert segment_record(talk, 0, 1)["record"] == "icmp"


def test_a_flow() -> None:
    talk, _ = keepalive()
    summary = talk.summary
    assert json.loads(json.dumps(flow_record(summary))) == {
        "flow": 1,
        "client": "127.0.0.1:22345",
        "server": "127.0.0.1:12345",
        "state": "estab",
        "began": "handshake",
        "ended": None,
        "segments": 10,
        "bytes": 0,
        "first_ns": START_NS,
        "last_ns": summary.last_ns,
        "keepalive_probes": 5,
        "retransmissions": 0,
    }
    assert flow_record(replace(summary, first_ns=UNKNOWN_TIME_NS))["first_ns"] is None
