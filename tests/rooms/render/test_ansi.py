"""Every meaning has a colour, or on purpose none."""

from __future__ import annotations

from tcpladder.ladder.model import Role
from tcpladder.render.ansi import SGR, coloured


def test_every_role_is_decided() -> None:
    assert set(SGR) == set(Role)


def test_a_coloured_span_ends_its_colour() -> None:
    assert coloured((("x", Role.LOST), (" ", Role.SPACE))) == "\x1b[1;31mx\x1b[0m "
