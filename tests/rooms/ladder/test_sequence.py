"""From which message to which an end is connected, and where notes stand."""

from __future__ import annotations

from collections.abc import Sequence

from rooms.ladder.diagrams import drawn, told
from rooms.ladder.talk import Talk, keepalive
from tcpladder.analysis.kinds import Kind
from tcpladder.analysis.view import Side
from tcpladder.ladder.sequence import Activation, Message, NoteBeside, NoteOver, Step, steps

CLIENT, SERVER = Side.CLIENT, Side.SERVER


def handshake() -> Talk:
    talk = Talk().say(CLIENT, Kind.SYN, flags="SYN").say(SERVER, Kind.SYN_ACK, flags="SYN,ACK")
    return talk.say(CLIENT, Kind.HANDSHAKE_ACK)


def around(found: Sequence[Step]) -> list[str]:
    """Labels, and the changes behind them."""
    said = []
    for step in found:
        if isinstance(step, Message):
            said.append(step.text)
        if isinstance(step, Activation):
            said.append(("+" if step.begins else "-") + Side(step.lane).name.lower())
    return said


def test_ends_are_connected_from_the_last_ack_of_the_handshake() -> None:
    found = list(steps(drawn(handshake())))
    assert around(found) == ["SYN", "SYN-ACK", "ACK", "+client", "+server"]
    assert NoteOver((0, 1), "established") in found


def test_a_reset_cuts_both_ends_off_and_one_that_is_lost_only_its_sender() -> None:
    talk = handshake().say(CLIENT, Kind.RST)
    assert around(list(steps(drawn(talk))))[-3:] == ["RST", "-client", "-server"]
    lost = around(list(steps(drawn(talk, lost={3: "rule 1"}))))
    assert lost[-2:] == ["RST (lost: rule 1)", "-client"]


def test_a_connection_closed_in_order_ends_with_its_last_segment() -> None:
    talk = handshake().say(CLIENT, Kind.FIN).say(SERVER, Kind.FIN).say(CLIENT, Kind.ACK)
    talk.ended = "closed"
    assert around(list(steps(drawn(talk))))[-3:] == ["ACK", "-client", "-server"]


def test_a_connection_that_was_refused_was_never_there() -> None:
    talk = Talk().say(CLIENT, Kind.SYN, flags="SYN").say(SERVER, Kind.REFUSED, flags="RST,ACK")
    assert around(list(steps(drawn(talk)))) == ["SYN", "RST, refused"]


def test_a_part_that_begins_later_is_connected_from_its_first_message() -> None:
    talk, notes = keepalive()
    found = list(steps(drawn(talk, notes, rungs=range(3, 5))))
    assert found[0] == NoteOver((0, 1), "established, rungs 1-3 are left out")
    assert around(found) == ["keepalive probe", "+client", "+server", "keepalive ACK"]


def test_silences_stand_beside_who_waited_and_faults_across() -> None:
    found = list(steps(told()))
    beside = [step for step in found if isinstance(step, NoteBeside)]
    assert len(beside) == 5
    assert beside[0] == NoteBeside(0, "30.001 s, keepalive_time 30 s ✓ +1 ms (socket)")
    assert NoteOver((0, 1), "DROP client → server, rule 1, 60 s") in found


def test_what_was_lost_and_what_must_come_are_marked() -> None:
    messages = [step for step in steps(told()) if isinstance(step, Message)]
    assert [message.lost for message in messages[-4:]] == [True, True, True, False]
    text = "in 1.8 s: RST; application: ETIMEDOUT"
    assert messages[-1] == Message(sender=0, receiver=1, text=text, expected=True)
