"""The round trip and the RTO of one end as Linux smooths them, from the ACKs that the capture shows.

tcp_rtt_estimator and __tcp_set_rto (net/ipv4/tcp_input.c), after RFC 6298 and with a variance of RTO_MIN at least. Read
from the latest LOOK_BACK segments of a flow, when somebody asks.
"""

from __future__ import annotations

from dataclasses import dataclass

from tcpladder.analysis.columns import NOTHING, FlowColumns
from tcpladder.analysis.kinds import RETRANSMISSIONS, Kind
from tcpladder.analysis.paths import Outgoing
from tcpladder.wire.segments import Flag

LOOK_BACK = 256
_AGAIN = frozenset({*RETRANSMISSIONS, Kind.OUT_OF_ORDER})
_ACK, _RST = int(Flag.ACK), int(Flag.RST)


@dataclass(slots=True)
class Smoothed:
    """The estimate so far; times in nanoseconds."""

    rto_min_ns: int
    round_trip_ns: int = 0
    """0 before the first sample."""
    _deviation_ns: int = 0
    _largest_ns: int = 0
    """The largest deviation of the current round trip."""
    _variance_ns: int = 0
    _until: int = NOTHING
    """Relative number behind what was sent when the current round trip began."""

    @property
    def rto_ns(self) -> int:
        """The retransmission timeout before any doubling."""
        return self.round_trip_ns + max(self._variance_ns, self.rto_min_ns)

    def add(self, sample_ns: int, acked: int, sent: int) -> None:
        """Take a sample in; `acked` and `sent` are the relative numbers up to which was acknowledged and sent."""
        if not self.round_trip_ns:
            self.round_trip_ns, self._deviation_ns = max(sample_ns, 1), 2 * sample_ns
            self._variance_ns = self._largest_ns = max(self._deviation_ns, self.rto_min_ns)
            self._until = sent
            return
        error_ns = sample_ns - self.round_trip_ns
        self.round_trip_ns = max(self.round_trip_ns + error_ns // 8, 1)
        change_ns = abs(error_ns) - self._deviation_ns // 4
        # A shorter round trip than expected may not raise the RTO much.
        self._deviation_ns += change_ns // 8 if error_ns < 0 < change_ns else change_ns
        self._largest_ns = max(self._largest_ns, self._deviation_ns)
        self._variance_ns = max(self._variance_ns, self._largest_ns)
        if acked > self._until:
            self._variance_ns -= max(self._variance_ns - self._largest_ns, 0) // 4
            self._until, self._largest_ns = sent, self.rto_min_ns


def smoothed(columns: FlowColumns, own: Outgoing, *, client: bool, rto_min_ns: int) -> Smoothed:
    """The estimate of one end of a flow: of what it has sent, `own`, against the ACKs of its peer."""
    found = Smoothed(rto_min_ns)
    begin, end = max(0, len(columns) - LOOK_BACK), len(columns)
    loop_ns = own.loop_ns(end) or 0
    acked = NOTHING if begin else -1
    known = not begin
    for at in range(begin, end):
        if columns.from_client.item(at) == client or columns.flags.item(at) & (_ACK | _RST) != _ACK:
            continue
        number, last = own.relative(columns.ack.item(at)), own.before(at)
        if last < 0 or not acked < number <= own.end(last):
            continue
        first = own.after(acked)
        sent_at = _timed(columns, own, first, last, at) if known and first <= last else NOTHING
        if sent_at != NOTHING:
            found.add(columns.at_ns(at) - columns.at_ns(sent_at) + loop_ns, number, own.end(last))
        acked, known = number, True
    return found


def _timed(columns: FlowColumns, own: Outgoing, first: int, last: int, ack: int) -> int:
    """Index of the segment whose round trip an ACK ends: among repeated ones the one whose timestamp it echoes.

    NOTHING where it cannot be told (Karn's rule, RFC 6298 3; RFC 7323 4.3).
    """
    sent = [own.index(place) for place in range(first, min(last + 1, first + LOOK_BACK))]
    if not any(columns.kind.item(at) in _AGAIN for at in sent):
        return sent[0]
    if not columns.value("has_timestamps", ack):
        return NOTHING
    echo = columns.value("tsecr", ack)
    return next((at for at in sent if columns.value("tsval", at) == echo), NOTHING)
