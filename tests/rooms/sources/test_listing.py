"""Text listings as they are pasted: what a line gives, what it does not give, and what stands between."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tcpladder.errors import CaptureError
from tcpladder.sources.files import open_capture
from tcpladder.sources.streams import Following
from tcpladder.wire.decode import Decoder
from tcpladder.wire.frames import LINKTYPE_LISTING, UNKNOWN_TIME_NS, Unknown
from tcpladder.wire.segments import Segments

LISTINGS = Path(__file__).parent / "listings"
SECOND = 10**9


def read(path: Path) -> tuple[Segments, list[str], dict[str, str]]:
    capture = open_capture(str(path))
    (segments,) = [Decoder().decode(batch).segments for batch in capture.batches()]
    capture.close()
    return segments, capture.warnings, dict(capture.names)


def listed(tmp_path: Path, *lines: str) -> Segments:
    path = tmp_path / "listing.txt"
    path.write_text("\n".join(lines) + "\n")
    segments, warnings, _ = read(path)
    assert warnings == []
    return segments


def seconds(segments: Segments) -> list[float]:
    """Gaps between segments."""
    return [round(float(gap) / SECOND, 6) for gap in np.diff(segments.time_ns)]


def test_the_keepalive_article() -> None:
    segments, warnings, names = read(LISTINGS / "keepalive-tcpdump.txt")
    assert (warnings, names) == ([], {})
    assert segments.flags.tolist() == [16] * 9 + [20]
    assert segments.length.tolist() == [0] * 10
    assert set(segments.unknown.tolist()) == {Unknown.SEQ | Unknown.ACK | Unknown.WINDOW}
    assert (segments.window != 0).all()
    assert seconds(segments)[-3:] == [3.000791, 3.000251, 3.001524]
    assert seconds(segments)[1:3] == [30.000892, 0.000024]


def test_the_connection_timeout_article() -> None:
    segments, warnings, _ = read(LISTINGS / "connect-timeout-tcpdump.txt")
    assert warnings == []
    assert segments.flags.tolist() == [2] * 6
    assert len(set(segments.seq.tolist())) == 1
    assert segments.unknown.tolist() == [Unknown.SEQ | Unknown.WINDOW | Unknown.LENGTH] * 6
    assert seconds(segments) == [0.999069, 2.000011, 4.00109, 8.000818, 16.001223]


def test_the_solaris_article() -> None:
    segments, warnings, names = read(LISTINGS / "solaris-snoop.txt")
    assert warnings == []
    assert names == {"0.0.0.1": "kirke", "0.0.0.2": "yang"}
    assert segments.unknown.tolist() == [0] * 15
    assert segments.seq[[0, 1, 7, 14]].tolist() == [3147275981, 528934210, 528934211, 528934211]
    assert segments.ack[[2, 14]].tolist() == [528934211, 3147275987]
    assert segments.length.tolist() == [0, 0, 0, 1, 0, 5, 0] + [1] * 8
    assert segments.window[[0, 1, 2]].tolist() == [512, 64240, 32120]
    assert seconds(segments)[6:] == [12.54995, 1.4699, 2.93003, 5.85005, 11.69996, 23.4, 46.80002, 56.25079]
    assert segments.flags[:3].tolist() == [2, 18, 16]


def test_the_line_is_what_is_read_again() -> None:
    capture = open_capture(str(LISTINGS / "solaris-snoop.txt"))
    (batch,) = capture.batches()
    segments = Decoder().decode(batch).segments
    assert set(segments.link_type.tolist()) == {LINKTYPE_LISTING}
    line = capture.frame_bytes(int(segments.position[7]), int(segments.captured[7]))
    assert line.startswith(b"  8  12.54995 yang -> kirke TCP")
    assert line.endswith(b"Win=64240")
    capture.close()


A = "IP 10.0.0.1.5000 > 10.0.0.2.80: Flags"
B = "IP 10.0.0.2.80 > 10.0.0.1.5000: Flags"
HANDSHAKE = (
    f"12:00:00.000000 {A} [S], seq 4000000000, win 64240, "
    "options [mss 1460,sackOK,TS val 7 ecr 0,nop,wscale 7], length 0",
    f"12:00:00.010000 {B} [S.], seq 100, ack 4000000001, win 65160, options [mss 1460,nop,wscale 9], length 0",
)


def test_relative_numbers_become_absolute(tmp_path: Path) -> None:
    segments = listed(
        tmp_path,
        *HANDSHAKE,
        f"12:00:00.020000 {A} [.], ack 1, win 502, length 0",
        f"12:00:00.030000 {A} [P.], seq 1:101, ack 1, win 502, length 100: HTTP: GET /?ack 9 win 8 HTTP/1.1",
        f"12:00:00.040000 {B} [.], ack 101, win 501, options [nop,nop,sack 1 {{201:301}}], length 0",
        f"12:00:00.050000 {A} [R], seq 4000000101, win 0, length 0",
    )
    assert segments.seq.tolist() == [4000000000, 100, 4000000001, 4000000001, 101, 4000000101]
    assert segments.ack.tolist() == [0, 4000000001, 101, 101, 4000000101, 0]
    assert segments.window.tolist() == [64240, 65160, 502, 502, 501, 0]
    assert segments.length.tolist() == [0, 0, 0, 100, 0, 0]
    assert segments.window_shift.tolist()[:2] == [7, 9]
    assert segments.unknown.tolist() == [0, 0, Unknown.SEQ, 0, Unknown.SEQ, 0]
    assert segments.sack == {0: (), 4: ((4000000201, 4000000301),)}
    assert segments.tsval[0] == 7


def test_absolute_numbers_stay(tmp_path: Path) -> None:
    segments = listed(
        tmp_path,
        *HANDSHAKE,
        f"12:00:00.020000 {A} [.], ack 101, win 502, length 0",
        f"12:00:00.030000 {A} [P.], seq 4000000001:4000000101, ack 101, win 502, length 100",
        f"12:00:00.040000 {B} [.], ack 4000000101, win 501, length 0",
    )
    assert segments.ack.tolist() == [0, 4000000001, 101, 101, 4000000101]
    assert segments.seq[3] == 4000000001


def test_a_capture_that_starts_in_the_middle(tmp_path: Path) -> None:
    segments = listed(
        tmp_path,
        f"12:00:00.0 {A} [P.], seq 900000:900010, ack 700000, win 5, length 10",
        f"12:00:00.1 {B} [.], ack 10, win 5, length 0",
        f"12:00:00.2 {B} [P.], seq 1:4, ack 10, win 5, length 3",
    )
    assert segments.ack.tolist() == [700000, 900010, 900010]
    assert segments.seq.tolist() == [900000, 700000, 700000]


@pytest.mark.parametrize(
    ("stamps", "gaps"),
    [
        (["23:59:59.5", "00:00:01.25"], [1.75]),
        (["00:00:00.1", "23:59:59.9"], [86399.8]),
        (["23:59:59.9", "00:00:00.1", "23:59:59.95", "00:00:00.2"], [0.2, -0.15, 0.25]),
        (["2013-10-08 23:59:59.0", "2013-10-09 00:00:02.0"], [3.0]),
        (["1381234567.123456", "1381234568.000001"], [0.876545]),
        ([" 00:00:00.000000", " 00:00:30.000000", " 00:00:00.000020", " 00:00:03.0"], [30, 0.00002, 3.0]),
        ([" 00:00:00.000000", " 00:00:30.000000", " 00:00:30.000020", " 00:00:33.0"], [30, 0.00002, 2.99998]),
        ([" 00:00:00.000000", " 00:00:01.000000", " 00:00:02.000000", " 00:00:04.0"], [1, 2, 4]),
    ],
    ids=["midnight", "a long day", "midnight twice", "dates", "epoch", "-ttt", "-ttttt", "a backoff is -ttt"],
)
def test_times(tmp_path: Path, stamps: list[str], gaps: list[float]) -> None:
    segments = listed(tmp_path, *(f"{stamp} {A} [.], ack 1, win 5, length 0" for stamp in stamps))
    assert seconds(segments) == gaps
    assert (segments.time_ns >= 0).all()


def test_the_epoch_is_exact_and_a_date_is_that_day(tmp_path: Path) -> None:
    epoch = listed(tmp_path, f"1381234567.123456 {A} [.], ack 1, win 5, length 0")
    assert epoch.time_ns.tolist() == [1381234567123456000]
    dated = listed(tmp_path, f"2013-10-08 12:00:00.5 {A} [.], ack 1, win 5, length 0")
    assert abs(int(dated.time_ns[0]) - 1381233600_500000000) <= 14 * 3600 * SECOND


def test_no_times_at_all(tmp_path: Path) -> None:
    segments = listed(tmp_path, f"{A} [.], ack 1, win 5, length 0", f"{B} [.], ack 1, win 5, length 0")
    assert segments.time_ns.tolist() == [UNKNOWN_TIME_NS] * 2
    assert (segments.unknown & Unknown.TIME).all()


@pytest.mark.parametrize(
    "line",
    [
        "12:00:00.1 IP web.example.org.http > client.49152: Flags [FP.], seq 5:6, ack 7, win 8, length 1",
        "    1  12:00:00.1 IP web.example.org.80 > client.49152: Flags [FP.], seq 5:6, ack 7, win 8, length 1",
        "12:00:00.1 lo    In  IP web.example.org.80 > client.49152: Flags [FP.], seq 5:6, ack 7, win 8, length 1",
        "12:00:00.1 IP web.example.org.80 > client.49152: FP 5:6(1) ack 7 win 8 <nop,nop,timestamp 1 2> (DF)",
        "12:00:00.1 web.example.org.80 > client.49152: FP 5:6(1) ack 7 win 8",
        "12:00:00.1 02:00:00:00:00:01 > 02:00:00:00:00:02, ethertype IPv4 (0x0800), length 67: "
        "web.example.org.80 > client.49152: Flags [FP.], seq 5:6, ack 7, win 8, length 1",
        "12:00:00.1 IP (tos 0x0, ttl 64, id 9, offset 0, flags [DF], proto TCP (6), length 41)\n"
        "    web.example.org.80 > client.49152: Flags [FP.], cksum 0x1 (correct), seq 5:6, ack 7, win 8, length 1",
        "  3  0.1 web.example.org -> client TCP D=49152 S=80 Fin Push Ack=7 Seq=5 Len=1 Win=8",
    ],
)
def test_many_ways_to_say_the_same(tmp_path: Path, line: str) -> None:
    path = tmp_path / "listing.txt"
    path.write_text(line)
    segments, warnings, names = read(path)
    assert warnings == []
    assert names == {"0.0.0.1": "web.example.org", "0.0.0.2": "client"}
    columns = [getattr(segments, name)[0] for name in ("flags", "seq", "ack", "window", "length", "unknown")]
    assert columns == [25, 5, 7, 8, 1, 0]
    assert segments.addresses.ports[0] == 80 << 16 | 49152


def test_names_of_ipv6_hosts_and_of_services_that_nobody_knows(tmp_path: Path) -> None:
    path = tmp_path / "listing.txt"
    path.write_text(
        "12:00:00.1 IP6 ::1.5000 > ip6-host.blurb: Flags [S], seq 1, win 8, length 0\n"
        "12:00:00.2 IP6 fe80::1.5000 > 2001:db8::2.80: Flags [S], seq 1, win 8, length 0\n"
    )
    segments, _, names = read(path)
    assert names == {"100::1": "ip6-host.blurb"}
    assert segments.addresses.is_v6.tolist() == [True, True]


def test_what_is_not_tcp_is_counted(tmp_path: Path) -> None:
    path = tmp_path / "listing.txt"
    path.write_text(
        "12:00:00.1 ARP, Request who-has 10.0.0.1 tell 10.0.0.2, length 28\n"
        "12:00:00.1 IP 10.0.0.1.53 > 10.0.0.2.5353: UDP, length 8\n"
        "12:00:00.1 IP 10.0.0.1 > 10.0.0.2: ICMP echo request, id 1, seq 1, length 64\n"
        f"12:00:00.1 {A} [.], ack 1, win 5, length 0\n"
        "  5   0.00000 yang -> kirke UDP D=5 S=6 LEN=7\n"
    )
    capture = open_capture(str(path))
    (batch,) = capture.batches()
    decoded = Decoder().decode(batch)
    assert (len(decoded.segments), decoded.not_tcp) == (1, 4)
    assert decoded.others == {"UDP": 2, "ARP": 1, "ICMP": 1}
    capture.close()


def test_a_line_that_was_meant_to_be_one(tmp_path: Path) -> None:
    path = tmp_path / "listing.txt"
    path.write_text(
        f"{A} [.], ack 1, win 5, length 0\n12:00:00 IP 10.0.0.1 > nothing: Flags [?], bla\n"
        "12:00:00 IP 10.0.0.1.1 > 10.0.0.2.2: tcp 0\n"
    )
    segments, warnings, _ = read(path)
    assert len(segments) == 1
    assert warnings == [f"2 lines look like a segment in {path} and could not be read, line 2 first"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("\n\nDear all,\nbye\n", "and no line of it is one of tcpdump or snoop: line 3 is 'Dear all,'"),
        ("x" * 5000, "line 1 is '" + "x" * 59 + "…'"),
        ("a\tb > c: d\n", "line 1 is 'a b > c: d'"),
        ("Gr\xfc\xdfe\n".encode("latin-1"), "line 1 is 'Gr"),
    ],
)
def test_text_that_is_no_listing(tmp_path: Path, text: str | bytes, words: str) -> None:
    path = tmp_path / "letter.txt"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    with pytest.raises(CaptureError) as caught:
        open_capture(str(path))
    assert words in str(caught.value)


def test_much_text_is_given_up(tmp_path: Path) -> None:
    path = tmp_path / "letter.txt"
    path.write_bytes(b"a line of prose\n" * (1 << 20))
    with pytest.raises(CaptureError, match="line 1 is 'a line of prose'"):
        open_capture(str(path))


def test_a_listing_grows(tmp_path: Path) -> None:
    path = tmp_path / "listing.txt"
    path.write_text(f"12:00:00.1 {A} [.], ack 1, win 5, length 0\n12:00:00.2 {B} [.], ac")
    capture = open_capture(str(path), following=Following(wait_s=0.01))
    batches = capture.batches()
    assert len(next(batches)) == 1
    assert len(next(batches)) == 0
    with path.open("a") as out:
        out.write("k 1, win 5, length 0\n")
    batch = next(batches)
    assert (len(batch), batch.first_frame) == (1, 2)
    assert Decoder().decode(batch).segments.flags.tolist() == [16]
    capture.close()


PIECES = st.sampled_from(
    [*HANDSHAKE, *(LISTINGS / "solaris-snoop.txt").read_text().splitlines(), " > ", ": Flags [", "]", "IP ", "seq ",
     "99999999999999999999", "-> ", "TCP D=", " ", "\t", "12:00:00.1 ", "{1:2}", "<", "id 9, (", "\n"]
)  # fmt: skip


@given(text=st.lists(PIECES | st.text(max_size=20), max_size=30).map("".join), follows=st.booleans())
@settings(deadline=None, max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text_is_read_or_refused(tmp_path: Path, text: str, follows: bool) -> None:
    path = tmp_path / "listing.txt"
    path.write_bytes(
        (HANDSHAKE[0] + "\n" if follows else "").encode() + text.encode("utf-8", "surrogatepass")
    )
    try:
        capture = open_capture(str(path), chunk_bytes=100)
    except CaptureError:
        return
    for batch in capture.batches():
        segments = Decoder().decode(batch).segments
        assert set(segments.state.tolist()) <= {0}
        assert batch.stored is not None
        for position, size in zip(batch.position.tolist(), batch.stored.captured.tolist(), strict=True):
            assert len(capture.frame_bytes(position, size)) == size
    capture.close()
