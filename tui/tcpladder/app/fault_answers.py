"""The questions of the fault dialog and their answers; no letter occurs twice."""

from __future__ import annotations

from collections.abc import Callable

from tcpladder.app.choice_row import Answer
from tcpladder.app.fault_choices import Choices, Direction, Scope
from tcpladder.faults.fault import Action, Segments

DIRECTIONS = (
    Answer(Direction.BOTH, "both", "b", "break both directions"),
    Answer(Direction.TO_SERVER, "client → server", ">", "break what the client sends"),
    Answer(Direction.TO_CLIENT, "server → client", "<", "break what the server sends"),
)
SEGMENTS = (
    Answer(Segments.ALL, "all", "a", "every segment"),
    Answer(Segments.SYN, "SYN", "y", "SYN and SYN-ACK"),
    Answer(Segments.DATA, "data", "d", "segments with payload"),
    Answer(Segments.PURE_ACK, "pure ACKs", "k", "ACKs without payload"),
    Answer(Segments.KEEPALIVE_PROBE, "probes", "o", "keepalive probes"),
    Answer(Segments.FIN_RST, "FIN/RST", "n", "FIN and RST"),
)
ACTIONS = (
    Answer(Action.DROP, "drop", "r", "drop them"),
    Answer(Action.REJECT_RST, "RST", "s", "reject with RST"),
    Answer(Action.REJECT_ICMP, "ICMP", "i", "reject with an ICMP error"),
    Answer(Action.LOSE, "lose %", "l", "lose some of them"),
    Answer(Action.DROP_NEXT, "next n", "x", "drop the next few"),
    Answer(Action.BLACKHOLE, "blackhole", "e", "a rule that discards what goes there"),
    Answer(Action.WITHDRAW, "no route", "w", "take the route away"),
    Answer(Action.LINK_DOWN, "link down", "u", "take the interface down"),
)


def scopes(choices: Choices, masked: Callable[[str], str]) -> tuple[Answer[Scope], ...]:
    """Whose segments; what belongs to a flow only where there is one. `masked`: a text as the privacy mask shows it."""
    typed = Answer(Scope.TYPED, "typed", "t", "a host and port that you type")
    if choices.server is None:
        return (typed,)
    return (
        Answer(Scope.FLOW, "this flow", "f", "this flow alone"),
        Answer(
            Scope.PORT, masked(f"port {choices.server.port}"), "p", "the server's port, whoever talks to it"
        ),
        Answer(Scope.HOST, "host", "h", "the server's host, every port"),
        typed,
    )
