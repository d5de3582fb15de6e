"""What the chapters of a recording are called."""

from __future__ import annotations

from collections.abc import Sequence

from rooms.app.scripted import fault_state
from tcpladder.analysis.kinds import Kind
from tcpladder.faults.fault import Action, Fault, Match, Segments
from tcpladder.samples import capture
from tcpladder.session.base import Session
from tcpladder.session.files import FileSession
from tcpladder.session.happenings import Happenings

DROP = Fault(
    match=Match(source=None, source_port=0, destination=None, destination_port=12345),
    both=False,
    segments=Segments.DATA,
    probe_sequences=[],
    action=Action.DROP,
    amount=0,
    for_ms=None,
    insist=False,
)


class Live(Session):
    """A session to which a test lets things happen."""

    mode = "live"

    def __init__(self) -> None:
        super().__init__("lo")
        self.coming: list[tuple[int, Kind]] = []

    def kinds_since(self, seen: Sequence[int]) -> tuple[list[int], list[tuple[int, Kind]]]:
        found, self.coming = self.coming, []
        return list(seen), found


def test_segments_worth_a_look_are_told_by_flow() -> None:
    session = Live()
    happenings = Happenings(session)
    session.coming = [(1, Kind.SYN), (2, Kind.KEEPALIVE_PROBE), (1, Kind.SYN_ACK), (2, Kind.KEEPALIVE_PROBE)]
    assert happenings.new("running", []) == ["flow 1: syn, syn ack; flow 2: 2 × keepalive probe"]
    assert happenings.new("running", []) == []


def test_many_at_once_are_counted() -> None:
    session = Live()
    session.coming = [(flow, Kind.SYN) for flow in range(1, 31)]
    assert Happenings(session).new("running", []) == ["30 segments worth a look, of 30 flows"]


def test_faults_come_and_go_without_addresses() -> None:
    happenings = Happenings(Live())
    assert happenings.new("running", [fault_state(1, DROP)]) == ["fault 1: DROP data"]
    assert happenings.new("running", [fault_state(1, DROP)]) == []
    assert happenings.new("running", []) == ["fault 1 has ended"]


def test_the_rows_of_a_capture_are_each_told_once() -> None:
    session = FileSession([str(capture("keepalive"))])
    for _ in session.read():
        pass
    seen, kinds = session.kinds_since([])
    assert seen == [15]
    assert [flow for flow, _ in kinds] == [1] * len(kinds)
    assert [kind for _, kind in kinds][:3] == [Kind.SYN, Kind.SYN_ACK, Kind.HANDSHAKE_ACK]
    assert [kind for _, kind in kinds].count(Kind.KEEPALIVE_PROBE) == 6
    assert session.kinds_since(seen) == ([15], [])
    assert len(session.kinds_since([14])[1]) == 1


def test_what_a_file_held_when_it_was_opened_does_not_happen() -> None:
    session = FileSession([str(capture("keepalive"))])
    happenings = Happenings(session)
    for _ in session.read():
        pass
    assert happenings.new("ended", []) == []
