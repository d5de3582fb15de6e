"""Every kind has a meaning on the ladder."""

from __future__ import annotations

from tcpladder.analysis.kinds import Kind
from tcpladder.ladder.model import ARROW_ROLES, EVENT_KINDS, Role


def test_every_kind_has_an_arrow() -> None:
    assert set(ARROW_ROLES) == set(Kind)


def test_what_asks_for_attention_is_never_drawn_as_an_ordinary_arrow() -> None:
    assert {kind for kind in EVENT_KINDS if ARROW_ROLES[kind] is Role.ARROW} == set()
    assert ARROW_ROLES[Kind.DATA] is ARROW_ROLES[Kind.ACK] is Role.ARROW
    assert ARROW_ROLES[Kind.REFUSED] is Role.ARROW_RESET
    assert ARROW_ROLES[Kind.SYN_RETRANSMISSION] is Role.ARROW_RETRANSMISSION
