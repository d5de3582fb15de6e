"""A conversation written by hand, as the FlowView that a ladder is drawn from."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from tcpladder.analysis.kinds import KINDS, Kind
from tcpladder.analysis.view import Endpoint, FlowSummary, Gap, Origin, Pending, Side, Timer, Verdict
from tcpladder.ladder.model import Note
from tcpladder.wire.frames import LINKTYPE_ETHERNET, UNKNOWN_TIME_NS

MS = 1_000_000
S = 1_000_000_000
START_NS = 1_378_055_782_217_000_000
"""2013-09-01 17:16:22.217 UTC."""


CLIENT = Endpoint("127.0.0.1", 22345)
SERVER = Endpoint("127.0.0.1", 12345)


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One segment as a test writes it."""

    time_ns: int | None
    side: Side
    kind: Kind
    label: str
    gap: Gap | None = None
    seq: int | None = 1
    ack: int | None = 1
    length: int | None = 0
    window: int | None = 65536
    flags: str | None = "ACK"
    timer: Timer | None = None


@dataclass
class Talk:
    """A FlowView over a list; `say` appends."""

    client: Endpoint = CLIENT
    server: Endpoint = SERVER
    state: str = "estab"
    ended: str | None = None
    why: str = ""
    said: list[Said] = field(default_factory=list)
    coming: tuple[Pending, ...] = ()
    eaten: dict[int, str] = field(default_factory=dict)
    number: int = 1
    restarts: int = 0

    def say(
        self,
        side: Side,
        kind: Kind,
        *,
        after_ns: int = 0,
        label: str | None = None,
        timer: Timer | None = None,
        name: str | None = None,
        expected_ns: int | None = None,
        verdict: Verdict = Verdict.ON_TIME,
        origin: Origin | None = None,
        length: int | None = 0,
        flags: str | None = "ACK",
        seq: int | None = 1,
        ack: int | None = 1,
    ) -> Talk:
        """Append a segment `after_ns` after the one before; with `name` the silence before it is a gap."""
        before = self.said[-1].time_ns if self.said else START_NS
        assert before is not None
        gap = None
        if name is not None:
            gap = Gap(
                observed_ns=after_ns,
                since_frame=len(self.said),
                since_ns=before,
                timer=timer,
                expected_ns=expected_ns,
                verdict=verdict,
                origin=origin,
                name=name,
            )
        self.said.append(
            Said(
                time_ns=before + after_ns,
                side=side,
                kind=kind,
                label=KINDS[kind].label if label is None else label,
                gap=gap,
                timer=timer,
                length=length,
                flags=flags,
                seq=seq,
                ack=ack,
            )
        )
        return self

    @property
    def summary(self) -> FlowSummary:
        return FlowSummary(
            number=self.number,
            client=self.client,
            server=self.server,
            state=self.state,
            states=("ESTABLISHED", "ESTABLISHED"),
            segments=len(self.said),
            bytes=sum(one.length or 0 for one in self.said),
            first_ns=int(self.time_ns[0]) if self.said else UNKNOWN_TIME_NS,
            last_ns=int(self.time_ns[-1]) if self.said else UNKNOWN_TIME_NS,
            keepalive_probes=sum(one.kind is Kind.KEEPALIVE_PROBE for one in self.said),
            retransmissions=0,
            ended=self.ended,
            why=self.why,
        )

    @property
    def time_ns(self) -> NDArray[np.int64]:
        times = [UNKNOWN_TIME_NS if one.time_ns is None else one.time_ns for one in self.said]
        return np.array(times, np.int64)

    @property
    def from_client(self) -> NDArray[np.bool_]:
        return np.array([one.side is Side.CLIENT for one in self.said], np.bool_)

    @property
    def kind(self) -> NDArray[np.uint8]:
        return np.array([one.kind for one in self.said], np.uint8)

    @property
    def silent(self) -> NDArray[np.bool_]:
        return np.array([one.gap is not None for one in self.said], np.bool_)

    @property
    def flows(self) -> tuple[Talk]:
        return (self,)

    @property
    def flow(self) -> NDArray[np.uint8]:
        return np.zeros(len(self.said), np.uint8)

    @property
    def rows(self) -> NDArray[np.int64]:
        return np.arange(len(self.said), dtype=np.int64)

    def within(self, index: int) -> tuple[Talk, int]:
        return self, index

    def index_of(self, flow: int, index: int) -> int:
        return index

    def frame(self, index: int) -> int:
        return index + 1

    def index_of_frame(self, frame: int) -> int | None:
        return frame - 1 if 0 < frame <= len(self.said) else None

    def file(self, index: int) -> int:
        return 0

    def position(self, index: int) -> int:
        return index * 100

    def captured(self, index: int) -> int:
        return 66

    def original(self, index: int) -> int:
        return 66

    def link_type(self, index: int) -> int:
        return LINKTYPE_ETHERNET

    def relative_seq(self, index: int) -> int | None:
        return self.said[index].seq

    def relative_ack(self, index: int) -> int | None:
        return self.said[index].ack

    def raw_seq(self, index: int) -> int | None:
        seq = self.said[index].seq
        return None if seq is None else (4_294_967_000 + seq) % 2**32

    def raw_ack(self, index: int) -> int | None:
        ack = self.said[index].ack
        return None if ack is None else (1_000_000_000 + ack) % 2**32

    def length(self, index: int) -> int | None:
        return self.said[index].length

    def window(self, index: int) -> int | None:
        return self.said[index].window

    def flags(self, index: int) -> str | None:
        return self.said[index].flags

    def label(self, index: int) -> str:
        return self.said[index].label

    def lost(self, index: int) -> str | None:
        return self.eaten.get(index)

    def lost_segments(self) -> NDArray[np.int64]:
        return np.array(sorted(self.eaten), np.int64)

    @property
    def losses(self) -> int:
        return len(self.eaten)

    def payload(self, begin: int, end: int) -> int:
        return sum(one.length or 0 for one in self.said[begin:end])

    def because(self, index: int) -> str:
        return KINDS[self.said[index].kind].rule

    def timer(self, index: int) -> Timer | None:
        return self.said[index].timer

    def gap(self, index: int) -> Gap | None:
        return self.said[index].gap

    def pending(self, now_ns: int) -> tuple[Pending, ...]:
        return self.coming


def keepalive() -> tuple[Talk, tuple[Note, ...]]:
    """The keepalive experiment: answered probes, then a DROP, and two of three unanswered ones."""
    client, server = Side.CLIENT, Side.SERVER
    talk = Talk()
    talk.say(client, Kind.SYN, flags="SYN", seq=0, ack=None)
    talk.say(server, Kind.SYN_ACK, after_ns=21_000, flags="SYN,ACK", seq=0)
    talk.say(client, Kind.HANDSHAKE_ACK, after_ns=17_000)
    for deviation_ns in (1_001_000, 1_090_000):
        probe(talk, "keepalive probe", "keepalive_time 30 s", 30 * S, deviation_ns, Origin.SOCKET)
        talk.say(server, Kind.KEEPALIVE_ACK, after_ns=24_000)
    note_ns = START_NS + 77_823 * MS
    probe(talk, "keepalive probe 1/3", "keepalive_time 30 s", 30 * S, 4_100_000, Origin.SOCKET)
    for number in (2, 3):
        probe(talk, f"keepalive probe {number}/3", "keepalive_intvl 3 s", 3 * S, 8_000_000, Origin.NETNS)
    last = talk.said[-1].time_ns
    assert last is not None
    talk.coming = (
        Pending(
            due_ns=last + 3 * S,
            armed_ns=last,
            side=client,
            kind=Kind.RST,
            text="RST; application: ETIMEDOUT",
            origin=Origin.NETNS,
        ),
    )
    return talk, (Note(note_ns, "DROP client → server, rule 1, 60 s"),)


def probe(talk: Talk, label: str, name: str, expected_ns: int, deviation_ns: int, origin: Origin) -> None:
    """A keepalive probe of the client, after the silence of its timer."""
    talk.say(
        Side.CLIENT,
        Kind.KEEPALIVE_PROBE,
        after_ns=expected_ns + deviation_ns,
        label=label,
        timer=Timer.KEEPALIVE,
        name=name,
        expected_ns=expected_ns,
        origin=origin,
        seq=0,
    )
