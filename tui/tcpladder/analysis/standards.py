"""What RFCs, sysctls and man pages say about each kind of segment and each timer: one sentence and where it stands.

The rule by which a kind is told is in `kinds.py`; here is what the standard wants, for a person who asks whether what
was seen is right.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tcpladder.analysis import names
from tcpladder.analysis.kinds import Kind
from tcpladder.analysis.view import Timer


@dataclass(frozen=True, slots=True)
class Saying:
    """What is written somewhere, in our words."""

    source: str
    text: str
    settings: tuple[str, ...] = ()
    """The values that it depends on, as in names.SETTINGS."""


KIND_SAYINGS: Mapping[Kind, Saying] = {
    Kind.SYN: Saying("RFC 9293 3.5", "each end opens with a SYN that carries its initial sequence number"),
    Kind.SYN_CROSSING: Saying(
        "RFC 9293 3.5", "two SYNs that cross make one connection: each end answers the SYN of the other"
    ),
    Kind.SYN_DATA: Saying(
        "RFC 7413 3.1",
        "a server that knows the cookie may hand on the data of a SYN before the handshake ends",
    ),
    Kind.SYN_RETRANSMISSION: Saying(
        "RFC 9293 3.8.3",
        "a SYN must be retransmitted for at least 3 minutes before the attempt is given up; RFC 6298: 1 s, doubling",
    ),
    Kind.SYN_ACK: Saying("RFC 9293 3.5", "it acknowledges the SYN: its number plus one is what comes next"),
    Kind.SYN_ACK_RETRANSMISSION: Saying(
        "ip-sysctl, tcp_synack_retries", "5 by default, so the last one is sent 31 s after the first"
    ),
    Kind.HANDSHAKE_ACK: Saying(
        "RFC 9293 3.5", "the third segment; with it both ends know both initial numbers"
    ),
    Kind.DATA: Saying(
        "RFC 9293 3.8.6", "a sender may send what lies within the window that its peer announced"
    ),
    Kind.ACK: Saying(
        "RFC 9293 3.4", "the acknowledgment number is the next one expected, and acknowledges all before it"
    ),
    Kind.DELAYED_ACK: Saying(
        "RFC 9293 3.8.6.3",
        "an ACK may be held back for less than 0.5 s, and every second full-sized segment should have one",
    ),
    Kind.CHALLENGE_ACK: Saying(
        "RFC 5961 3.2 and 4.2",
        "a RST or SYN that does not fit exactly is answered with an ACK, so that a guess ends no connection",
    ),
    Kind.DUPLICATE_ACK: Saying(
        "RFC 5681 3.2",
        "a segment that leaves a hole should be acknowledged at once; the third such ACK asks for it",
    ),
    Kind.WINDOW_UPDATE: Saying(
        "RFC 9293 3.8.6.2.2",
        "a receiver opens its window by a segment or half its buffer at least, not byte by byte",
    ),
    Kind.WINDOW_FULL: Saying(
        "RFC 9293 3.8.6", "behind this byte the sender must wait until the window moves"
    ),
    Kind.ZERO_WINDOW: Saying(
        "RFC 9293 3.8.6.1", "the window may stay closed for ever, as long as probes of it are answered"
    ),
    Kind.ZERO_WINDOW_PROBE: Saying(
        "RFC 9293 3.8.6.1",
        "the first probe when the window was zero for one RTO, each further one after twice the time",
    ),
    Kind.ZERO_WINDOW_PROBE_ACK: Saying(
        "RFC 9293 3.8.6.1",
        "a receiver must answer a probe with the next number it expects and its window now",
    ),
    Kind.KEEPALIVE_PROBE: Saying(
        "RFC 9293 3.8.4",
        "keepalive must be off unless the application asks, and its idle time must default to 2 h or more",
    ),
    Kind.KEEPALIVE_ACK: Saying(
        "RFC 9293 3.8.4", "one probe without an answer must not end a connection: ACKs without data get lost"
    ),
    Kind.RETRANSMISSION: Saying(
        "RFC 6298 2.4 and 5.5",
        "the RTO is at least 1 s (Linux: tcp_rto_min_us, 200 ms) and doubles each time it expires",
    ),
    Kind.FAST_RETRANSMISSION: Saying(
        "RFC 5681 3.2", "three duplicate ACKs have the missing segment sent again without waiting for the RTO"
    ),
    Kind.SPURIOUS_RETRANSMISSION: Saying(
        "RFC 5682 2",
        "the ACKs behind a timeout show whether it was needless (F-RTO), and then the window is put back",
    ),
    Kind.OUT_OF_ORDER: Saying(
        "RFC 9293 3.10.7.4", "a segment out of order should be kept until those before it have come"
    ),
    Kind.FIN: Saying(
        "RFC 9293 3.6", "its sender has no more data; it may go on receiving as long as it likes"
    ),
    Kind.RST: Saying(
        "RFC 9293 3.6.1",
        "an end that closes without having read all that came should send a RST, as data was lost",
    ),
    Kind.REFUSED: Saying(
        "RFC 9293 3.10.7.1", "a SYN to a port where nothing listens gets a RST that acknowledges it"
    ),
    Kind.ICMP_ERROR: Saying(
        "RFC 9293 3.9.2.2",
        "unreachable, time exceeded and parameter problem must not abort a connection that is open",
    ),
    Kind.CUT_SHORT: Saying(
        "pcap(3PCAP)", "what lies behind the snapshot length of a capture was not captured"
    ),
    Kind.MALFORMED: Saying("RFC 9293 3.1", "the data offset counts words of 32 bits and is 5 at least"),
    Kind.TAIL_LOSS_PROBE: Saying(
        "RFC 8985 7.2",
        "two round trips after the last segment one is sent again, to get an ACK before the RTO",
    ),
    Kind.COPY: Saying(
        "packet(7)",
        "a socket on all interfaces sees a frame that is forwarded once coming in and once going out",
    ),
    Kind.AFTER_HOLE: Saying("RFC 2018 3", "a receiver says with SACK what it has behind the first hole"),
    Kind.RST_GIVES_UP: Saying(
        "ip-sysctl, tcp_keepalive_probes",
        "so many unanswered probes, and the connection is taken to be broken",
    ),
    Kind.RST_NO_CONNECTION: Saying(
        "RFC 9293 3.5.2", "where there is no such connection any segment but a RST is answered with a RST"
    ),
    Kind.RST_FORGED: Saying(
        "RFC 3360 2.1",
        "what stands between two ends should not reset their connection: they take it for the peer's",
    ),
}
"""Every kind has one."""

TIMER_SAYINGS: Mapping[Timer, Saying] = {
    Timer.KEEPALIVE: Saying(
        "tcp(7)",
        "an idle connection is probed after keepalive_time, then every keepalive_intvl, and dropped after "
        "keepalive_probes without an answer, or by user_timeout where that is set (RFC 5482)",
        (names.KEEPALIVE_TIME, names.KEEPALIVE_INTVL, names.KEEPALIVE_PROBES, names.USER_TIMEOUT),
    ),
    Timer.RTO: Saying(
        "RFC 6298 5",
        "runs while anything is unacknowledged; when it expires the earliest segment is sent again and it doubles, "
        "until retries2 or user_timeout (RFC 5482) ends the connection",
        (names.RTO_MIN, names.RTO_MAX, names.RETRIES2, names.SYN_RETRIES, names.USER_TIMEOUT),
    ),
    Timer.TLP: Saying(
        "RFC 8985 7.2",
        "two smoothed round trips after the last segment that nothing acknowledged, before the RTO",
    ),
    Timer.PERSIST: Saying(
        "RFC 9293 3.8.6.1",
        "runs while the peer's window is zero; its first length is the RTO, and it doubles",
        (names.RTO_MIN, names.RTO_MAX, names.USER_TIMEOUT),
    ),
    Timer.SYNACK: Saying(
        "ip-sysctl, tcp_synack_retries",
        "a SYN-ACK without an answer is sent again after 1 s, doubling",
        (names.SYNACK_RETRIES,),
    ),
    Timer.DELAYED_ACK: Saying(
        "RFC 9293 3.8.6.3",
        "an ACK waits for data to ride on, for less than 0.5 s; Linux 40 ms at least",
        (names.DELAYED_ACK,),
    ),
}
"""Every timer has one."""


def setting_words(name: str) -> str:
    """`net.ipv4.tcp_keepalive_time, TCP_KEEPIDLE: idle time before the first probe`."""
    setting = names.SETTINGS[name]
    where = ", ".join(text for text in (setting.sysctl, setting.option) if text) or name
    return f"{where}: {setting.meaning}"
