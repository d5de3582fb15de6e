"""Scripts follow packetdrill's grammar (lexer.l, parser.y), and make the application do what its kernel shows.

packetdrill itself, which Debian does not have, runs these scripts against a Linux 6.18 kernel: keepalive that gives
up, connect() that times out, retransmissions, a half-open end, both of IP version 4 and 6.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from rooms.ladder.diagrams import CAPTURES, TESTS, drawn, exported
from rooms.ladder.talk import MS, S, Talk
from talk import Talk as Frames
from talk import write_pcap
from tcpladder.analysis.kinds import Kind
from tcpladder.analysis.view import Side
from tcpladder.render.formats import Format, Taste
from tcpladder.render.packetdrill import packetdrill

TIME = r"(0|\+\d*\.?\d+)"
COMMENT = r"(\s*//.*)?"
SYMBOL = r"[A-Z][A-Z_0-9]+"
ARGUMENT = rf"(\.\.\.|\d+|{SYMBOL}(\|{SYMBOL})*|\[\d+\]|\{{onoff=\d+, linger=\d+\}})"
CALL = rf"{TIME} [a-z]+\({ARGUMENT}(, {ARGUMENT})*\) = (-1 E[A-Z]+ \([A-Za-z ]+\)|\d+){COMMENT}"
SEGMENT = re.compile(
    rf"{TIME} (?P<way>[<>]) (?P<flags>[FSRPEWU]*\.?|-) (?P<start>\d+):(?P<end>\d+)\((?P<length>\d+)\)"
    rf"(?P<ack> ack \d+)?(?P<window> win \d+)?(?P<options> <(\.\.\.|mss \d+,nop,nop,sackOK)>)?{COMMENT}"
)
ICMP = rf"{TIME} < icmp unreachable [a-z_]+ \[\d+:\d+\(\d+\)\]{COMMENT}"


def held(source: str) -> list[str]:
    """Check each line, and return those that do something, without their comments."""
    lines = source.splitlines()
    acts = []
    for line in lines:
        if not line or line.startswith("//"):
            continue
        if line.startswith("--"):
            assert line == lines[0]  # options stand before everything else
            assert re.fullmatch(r"--ip_version=ipv[46]", line)
            continue
        if match := SEGMENT.fullmatch(line):
            assert int(match["end"]) == int(match["start"]) + int(match["length"])
            assert int(match["length"]) <= 65535
            # `<...>` is for what the kernel sends; what is injected must say its window.
            assert match["way"] == ">" or (match["window"] and match["options"] != " <...>"), line
            assert int((match["window"] or "win 0").split()[1]) <= 65535
            assert ("." in match["flags"]) == bool(match["ack"])
        else:
            assert re.fullmatch(CALL, line) or re.fullmatch(ICMP, line), line
        acts.append(line.split("//")[0].strip())
    return acts


@pytest.mark.parametrize("capture", sorted((TESTS / "truth").glob("*.pcap*")), ids=lambda path: path.stem)
def test_captures_follow_the_grammar(capture: Path) -> None:
    acts = held(exported(capture, Format.PACKETDRILL, rungs=(1, 200)))
    assert acts[0] in ("0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3",) or " < S" in acts[0]


def test_keepalive_is_set_waited_for_and_given_up() -> None:
    acts = held(exported(CAPTURES["keepalive"], Format.PACKETDRILL))
    assert acts[:5] == [
        "0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3",
        "+0 setsockopt(3, SOL_SOCKET, SO_KEEPALIVE, [1], 4) = 0",
        "+0 setsockopt(3, SOL_TCP, TCP_KEEPIDLE, [3], 4) = 0",
        "+0 setsockopt(3, SOL_TCP, TCP_KEEPINTVL, [1], 4) = 0",
        "+0 setsockopt(3, SOL_TCP, TCP_KEEPCNT, [3], 4) = 0",
    ]
    assert "+3.216214 > . 77:77(0) ack 1" in acts
    assert acts[-3:] == [
        "+1.024121 > . 77:77(0) ack 1",
        "+1.023956 > R. 78:78(0) ack 1",
        "+0 read(3, ..., 1) = -1 ETIMEDOUT (Connection timed out)",
    ]


def test_an_answer_that_the_local_end_cannot_have_heard_is_left_out() -> None:
    """b1: the server probes again after 2 s although the capture shows an answer."""
    source = exported(TESTS / "truth" / "b1_ka_server_5_2_2.pcapng", Format.PACKETDRILL)
    acts = held(source)
    assert source.count("// left out: keepalive ACK, which did not arrive") == 2
    probes = [place for place, act in enumerate(acts) if act.startswith("+2.01")]
    assert [acts[place - 1][0:2] for place in probes] == ["+5", "+2"]  # nothing comes in between


def test_the_other_end_is_played_on_demand() -> None:
    source = exported(CAPTURES["ipv6"], Format.PACKETDRILL, taste=Taste(local=Side.SERVER))
    acts = held(source)
    assert source.splitlines()[0] == "--ip_version=ipv6"
    assert "+0 listen(3, 1) = 0" in acts
    assert "+0 accept(3, ..., ...) = 4" in acts
    assert "+0 setsockopt(3, SOL_TCP, TCP_KEEPIDLE, [3], 4) = 0" in acts


def test_one_write_makes_the_segments_up_to_the_next_push() -> None:
    talk = Talk().say(Side.CLIENT, Kind.SYN, flags="SYN", seq=0, ack=None)
    talk.say(Side.SERVER, Kind.SYN_ACK, flags="SYN,ACK", seq=0).say(Side.CLIENT, Kind.HANDSHAKE_ACK)
    for seq, flags in ((1, "ACK"), (1001, "PSH,ACK"), (2001, "PSH,ACK")):
        talk.say(Side.CLIENT, Kind.DATA, after_ns=MS, length=1000, seq=seq, flags=flags)
    acts = held("\n".join(packetdrill(drawn(talk), Side.CLIENT)))
    assert acts[-5:] == [
        "+.001 write(3, ..., 2000) = 2000",
        "+0 > . 1:1001(1000) ack 1",
        "+.001 > P. 1001:2001(1000) ack 1",
        "+.001 write(3, ..., 1000) = 1000",
        "+0 > P. 2001:3001(1000) ack 1",
    ]


def test_an_acknowledgment_in_between_is_no_reason_to_write_again() -> None:
    talk = Talk().say(Side.CLIENT, Kind.DATA, length=1000, seq=1, flags="ACK")
    talk.say(Side.SERVER, Kind.ACK, ack=1001).say(
        Side.CLIENT, Kind.DATA, length=10, seq=1001, flags="PSH,ACK"
    )
    acts = held("\n".join(packetdrill(drawn(talk), Side.CLIENT)))
    assert [act for act in acts if " write(" in act] == ["+0 write(3, ..., 1010) = 1010"]


def test_what_is_left_out_leaves_its_time_to_the_next() -> None:
    talk = Talk().say(Side.CLIENT, Kind.DATA, length=5, seq=1, flags="PSH,ACK")
    talk.say(Side.SERVER, Kind.ACK, after_ns=300 * MS, ack=6)
    talk.say(Side.CLIENT, Kind.RETRANSMISSION, after_ns=700 * MS, length=5, seq=1, flags="PSH,ACK")
    source = "\n".join(packetdrill(drawn(talk, lost={1: "rule 1"}), Side.CLIENT))
    assert "// left out: ACK, which did not arrive: rule 1" in source
    assert held(source)[-1] == "+1 > P. 1:6(5) ack 1"


def test_the_application_reads_closes_and_aborts_as_its_kernel_shows(tmp_path: Path) -> None:
    talk = Frames().handshake().data(100, "server").ack().silence(1).fin().fin("server").ack()
    acts = held(
        exported(
            write_pcap(tmp_path / "closed.pcap", talk.frames),
            Format.PACKETDRILL,
            taste=Taste(local=Side.CLIENT),
        )
    )
    assert "+0 read(3, ..., 100) = 100" in acts
    assert any(act.endswith("shutdown(3, SHUT_WR) = 0") for act in acts)
    aborted = Talk().say(Side.CLIENT, Kind.RST, after_ns=S, flags="RST,ACK")
    acts = held("\n".join(packetdrill(drawn(aborted), Side.CLIENT)))
    assert "+0 setsockopt(3, SOL_SOCKET, SO_LINGER, {onoff=1, linger=0}, 8) = 0" in acts
    assert "+0 > . 1:1(0) ack 1" in acts  # a handshake that was not captured is made up


def test_an_icmp_error_is_injected(tmp_path: Path) -> None:
    acts = held(
        exported(write_pcap(tmp_path / "icmp.pcap", Frames().syn().icmp().frames), Format.PACKETDRILL)
    )
    assert re.fullmatch(r"\+\S+ < icmp unreachable [a-z_]+ \[0:0\(0\)\]", acts[-1])
