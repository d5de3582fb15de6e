"""A whole flow as one line: blocks for segments, a sign where something happened, a head where the cursor is."""

from __future__ import annotations

from tcpladder.ladder.model import Role
from tcpladder.ladder.overview import Overview, Sign
from tcpladder.render.cells import Span

BLOCKS, BLOCKS_ASCII = " ▁▂▃▄▅▆▇█", " .:=#"
HEAD, HEAD_ASCII = "●", "O"
_SIGNS: dict[Sign, tuple[str, str, Role]] = {
    Sign.PROBE: ("p", "p", Role.ARROW_PROBE),
    Sign.RETRANSMISSION: ("r", "r", Role.ARROW_RETRANSMISSION),
    Sign.NOTE: ("⚑", "!", Role.NOTE),
    Sign.LOST: ("✗", "x", Role.LOST),
    Sign.RESET: ("R", "R", Role.ARROW_RESET),
}


def draw_overview(flow: Overview, cursor: int | None, *, ascii_only: bool) -> list[Span]:
    """The cells of a flow with their roles, neighbours of one role joined; `cursor` is a segment."""
    blocks = BLOCKS_ASCII if ascii_only else BLOCKS
    at = None if cursor is None else flow.cell_of(cursor)
    spans: list[Span] = []
    for cell, (height, sign) in enumerate(zip(flow.heights(len(blocks) - 1), flow.signs, strict=True)):
        if cell == at:
            text, role = (HEAD_ASCII if ascii_only else HEAD), Role.CURSOR
        elif sign:
            wide, plain, role = _SIGNS[Sign(int(sign))]
            text = plain if ascii_only else wide
        else:
            text, role = blocks[int(height)], Role.ARROW
        if spans and spans[-1][1] is role:
            spans[-1] = (spans[-1][0] + text, role)
        else:
            spans.append((text, role))
    return spans
