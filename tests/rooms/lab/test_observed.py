"""Counting what was seen of a flow, in the words of the JSON lines."""

from __future__ import annotations

from tcpladder.lab.experiment import Role, Segments
from tcpladder.lab.observed import Observed

CLIENT, SERVER = Role
HANDSHAKE = [("syn", CLIENT), ("syn_ack", SERVER), ("handshake_ack", CLIENT)]
ANSWERED = [("keepalive_probe", CLIENT), ("keepalive_ack", SERVER)]


def test_probes_count_as_unanswered_until_an_answer_comes() -> None:
    seen = Observed.of([*HANDSHAKE, *ANSWERED * 2])
    assert (seen.answered_probes, seen.unanswered_probes) == (2, 0)
    seen = Observed.of([*HANDSHAKE, *ANSWERED * 2, ("keepalive_probe", CLIENT)])
    assert (seen.answered_probes, seen.unanswered_probes) == (2, 1)


def test_a_reset_of_any_kind_is_a_reset() -> None:
    assert Observed.of([*HANDSHAKE, ("rst", CLIENT), ("rst_no_connection", SERVER)]).resets == 2


def test_segments_are_counted_by_kind_and_sender() -> None:
    seen = Observed.of([*HANDSHAKE, *ANSWERED * 3])
    assert seen.count(Segments(kinds=("keepalive_probe",), sender=CLIENT)) == 3
    assert seen.count(Segments(kinds=("keepalive_probe",), sender=SERVER)) == 0
    assert seen.count(Segments(kinds=("keepalive_probe",))) == 3
    assert seen.count(Segments(kinds=("keepalive_probe", "keepalive_ack", "syn"))) == 7
