"""What a segment can be: a closed set, each with the rule that decides it and the rule's source.

The classifier, the `because` sentences, the help screen and docs/KINDS.md are made from this table. Nothing here
computes; the rules are applied in `rules.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum


class Kind(IntEnum):
    """The kinds, in the order of docs/KINDS.md. The value is what the kind column of a SegmentLog holds."""

    SYN = 1
    SYN_RETRANSMISSION = 2
    SYN_ACK = 3
    SYN_ACK_RETRANSMISSION = 4
    HANDSHAKE_ACK = 5
    DATA = 6
    ACK = 7
    DUPLICATE_ACK = 8
    WINDOW_UPDATE = 9
    WINDOW_FULL = 10
    ZERO_WINDOW = 11
    ZERO_WINDOW_PROBE = 12
    ZERO_WINDOW_PROBE_ACK = 13
    KEEPALIVE_PROBE = 14
    KEEPALIVE_ACK = 15
    RETRANSMISSION = 16
    FAST_RETRANSMISSION = 17
    SPURIOUS_RETRANSMISSION = 18
    OUT_OF_ORDER = 19
    FIN = 20
    RST = 21
    REFUSED = 22
    ICMP_ERROR = 23
    CUT_SHORT = 24
    MALFORMED = 25
    DELAYED_ACK = 26
    TAIL_LOSS_PROBE = 27
    COPY = 28
    SYN_CROSSING = 29
    SYN_DATA = 30
    CHALLENGE_ACK = 31
    AFTER_HOLE = 32
    RST_GIVES_UP = 33
    RST_NO_CONNECTION = 34
    RST_FORGED = 35


@dataclass(frozen=True, slots=True)
class KindRule:
    """How a kind is called, decided and justified."""

    word: str
    """The word in JSON lines, stable."""
    label: str
    """The words on a rung."""
    rule: str
    """When a segment is of this kind, in one sentence."""
    source: str
    """Where the rule comes from."""


KINDS: dict[Kind, KindRule] = {
    Kind.SYN: KindRule(
        "syn", "SYN", "SYN without ACK, the first with this initial sequence number", "RFC 9293 3.5"
    ),
    Kind.SYN_CROSSING: KindRule(
        "syn_crossing",
        "SYN, simultaneous open",
        "SYN without ACK from an end whose peer has sent a SYN without ACK, too: they cross",
        "RFC 9293 3.5, figure 8",
    ),
    Kind.SYN_DATA: KindRule(
        "syn_data", "SYN with data, Fast Open", "SYN that carries data", "RFC 7413; net.ipv4.tcp_fastopen"
    ),
    Kind.SYN_RETRANSMISSION: KindRule(
        "syn_retransmission",
        "SYN retransmission",
        "SYN without ACK whose initial sequence number was sent before",
        "RFC 9293 3.8.1; RFC 6298 2.1",
    ),
    Kind.SYN_ACK: KindRule(
        "syn_ack", "SYN-ACK", "SYN and ACK, the first with this initial sequence number", "RFC 9293 3.5"
    ),
    Kind.SYN_ACK_RETRANSMISSION: KindRule(
        "syn_ack_retransmission",
        "SYN-ACK retransmission",
        "SYN and ACK whose initial sequence number was sent before",
        "RFC 9293 3.5; net.ipv4.tcp_synack_retries",
    ),
    Kind.HANDSHAKE_ACK: KindRule(
        "handshake_ack",
        "ACK",
        "the first ACK without data that acknowledges the SYN of a SYN-ACK",
        "RFC 9293 3.5",
    ),
    Kind.DATA: KindRule("data", "data", "carries data that continues what was sent before", "RFC 9293 3.8"),
    Kind.ACK: KindRule("ack", "ACK", "no data, acknowledges what the peer sent", "RFC 9293 3.8.6"),
    Kind.DELAYED_ACK: KindRule(
        "delayed_ack",
        "delayed ACK",
        "no data; acknowledges data that came 40 to 200 ms before, with nothing else that would have sent it",
        "RFC 9293 3.8.6.3; tcp_delack_timer of Linux",
    ),
    Kind.CHALLENGE_ACK: KindRule(
        "challenge_ack",
        "challenge ACK",
        "no data; answers a SYN without acknowledging it, or a RST by repeating the last acknowledgment",
        "RFC 5961 3.2 and 4.2; tcp_send_challenge_ack of Linux",
    ),
    Kind.DUPLICATE_ACK: KindRule(
        "duplicate_ack",
        "duplicate ACK",
        "no data; acknowledgment number and window as in the ACK before, while data of the peer is outstanding",
        "RFC 5681 2; Wireshark tcp.analysis.duplicate_ack",
    ),
    Kind.WINDOW_UPDATE: KindRule(
        "window_update",
        "window update",
        "no data; acknowledgment number as in the ACK before, another window that is not zero",
        "RFC 9293 3.8.6; Wireshark tcp.analysis.window_update",
    ),
    Kind.WINDOW_FULL: KindRule(
        "window_full",
        "data, window full",
        "carries data up to the last byte that the peer's window allows",
        "RFC 9293 3.8.6; Wireshark tcp.analysis.window_full",
    ),
    Kind.ZERO_WINDOW: KindRule(
        "zero_window",
        "zero window",
        "announces a receive window of zero, no SYN, FIN or RST",
        "RFC 9293 3.8.6.1; Wireshark tcp.analysis.zero_window",
    ),
    Kind.ZERO_WINDOW_PROBE: KindRule(
        "zero_window_probe",
        "zero-window probe",
        "the peer's window is zero, and the segment carries its next byte or repeats the last acknowledged number",
        "RFC 9293 3.8.6.1; tcp_send_probe0 of Linux sends it without data",
    ),
    Kind.ZERO_WINDOW_PROBE_ACK: KindRule(
        "zero_window_probe_ack",
        "zero window",
        "answers a zero-window probe, the window is still zero",
        "RFC 9293 3.8.6.1; Wireshark tcp.analysis.zero_window_probe_ack",
    ),
    Kind.KEEPALIVE_PROBE: KindRule(
        "keepalive_probe",
        "keepalive probe",
        "at most one byte, sequence number one below the next expected, a number that the peer has acknowledged",
        "RFC 9293 3.8.4; Wireshark tcp.analysis.keep_alive",
    ),
    Kind.KEEPALIVE_ACK: KindRule(
        "keepalive_ack",
        "keepalive ACK",
        "no data; repeats the last acknowledgment and is the first answer to a keepalive probe",
        "RFC 9293 3.8.4; Wireshark tcp.analysis.keep_alive_ack",
    ),
    Kind.RETRANSMISSION: KindRule(
        "retransmission",
        "retransmission",
        "carries data or FIN below the highest number sent before",
        "RFC 9293 3.8.1; Wireshark tcp.analysis.retransmission",
    ),
    Kind.FAST_RETRANSMISSION: KindRule(
        "fast_retransmission",
        "fast retransmission",
        "a retransmission of the number that at least two duplicate ACKs asked for within 20 ms",
        "RFC 5681 3.2; Wireshark tcp.analysis.fast_retransmission",
    ),
    Kind.SPURIOUS_RETRANSMISSION: KindRule(
        "spurious_retransmission",
        "spurious retransmission",
        "a retransmission of data that the peer has acknowledged before",
        "RFC 5682; Wireshark tcp.analysis.spurious_retransmission",
    ),
    Kind.TAIL_LOSS_PROBE: KindRule(
        "tail_loss_probe",
        "tail loss probe",
        "a retransmission of the last segment out of silence, the first since progress and with no loss before",
        "RFC 8985 7; tcp_send_loss_probe of Linux",
    ),
    Kind.AFTER_HOLE: KindRule(
        "after_hole",
        "data after a hole",
        "carries data above the next expected number: what lies between was lost or not captured",
        "Wireshark tcp.analysis.lost_segment",
    ),
    Kind.OUT_OF_ORDER: KindRule(
        "out_of_order",
        "out of order",
        "carries data below the highest number seen, sooner than a retransmission could come",
        "Wireshark tcp.analysis.out_of_order",
    ),
    Kind.FIN: KindRule("fin", "FIN", "FIN: its sender has no more data", "RFC 9293 3.6"),
    Kind.RST: KindRule(
        "rst",
        "RST",
        "RST with ACK: its sender held the connection and aborts it (close with unread data, SO_LINGER 0, a kill)",
        "RFC 9293 3.10.5; RFC 2525 2.17; tcp_send_active_reset of Linux",
    ),
    Kind.RST_GIVES_UP: KindRule(
        "rst_gives_up",
        "RST, gives up",
        "RST with ACK one keepalive_intvl behind an unanswered keepalive probe: the timer ends the connection",
        "tcp_keepalive_timer of Linux",
    ),
    Kind.RST_NO_CONNECTION: KindRule(
        "rst_no_connection",
        "RST, no such connection",
        "RST without ACK: a host without the connection answers a segment of it",
        "RFC 9293 3.5.2 group 1 and 3.10.7.1",
    ),
    Kind.RST_FORGED: KindRule(
        "rst_forged",
        "RST, forged",
        "RST whose time to live differs from its sender's segment before: something in between sent it",
        "RFC 3360; RFC 791 3.1",
    ),
    Kind.REFUSED: KindRule(
        "refused", "RST, refused", "RST that answers a SYN: nothing listens there", "RFC 9293 3.10.7.1"
    ),
    Kind.ICMP_ERROR: KindRule(
        "icmp_error", "ICMP error", "an ICMP error that quotes a segment of this flow", "RFC 792; RFC 4443"
    ),
    Kind.COPY: KindRule(
        "copy",
        "copy",
        "the same datagram as one just before, seen at another place or once more; shown with it, marked ×2",
        "RFC 6864; packet(7): an interface `any` sees a forwarded frame on its way in and out",
    ),
    Kind.CUT_SHORT: KindRule(
        "cut_short",
        "cut short",
        "the snap length cut the frame inside its TCP header",
        "the capture: fewer bytes than the header needs",
    ),
    Kind.MALFORMED: KindRule(
        "malformed",
        "malformed",
        "a length in the IP or TCP header contradicts the frame",
        "RFC 791 3.1; RFC 9293 3.1",
    ),
}
"""Every kind has its rule; a test holds the two together."""

RETRANSMISSIONS = frozenset(
    {
        Kind.SYN_RETRANSMISSION,
        Kind.SYN_ACK_RETRANSMISSION,
        Kind.RETRANSMISSION,
        Kind.FAST_RETRANSMISSION,
        Kind.SPURIOUS_RETRANSMISSION,
        Kind.TAIL_LOSS_PROBE,
    }
)
"""The kinds that count as retransmissions in the list of flows."""

RESETS = frozenset({Kind.RST, Kind.RST_GIVES_UP, Kind.RST_NO_CONNECTION, Kind.RST_FORGED, Kind.REFUSED})
"""The kinds that end a connection at once."""

PROBES = frozenset({Kind.KEEPALIVE_PROBE, Kind.ZERO_WINDOW_PROBE})
"""The kinds that ask whether the peer is still there."""
