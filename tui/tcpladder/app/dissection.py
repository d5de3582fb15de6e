"""The headers and the bytes of one frame as lines, made in a thread because scapy takes 0.3 s to import."""

from __future__ import annotations

from tcpladder.app.contract import Session
from tcpladder.app.detail_view import Line
from tcpladder.errors import TcpladderError
from tcpladder.ladder.model import Role


def dissected(session: Session, number: int, index: int) -> list[Line]:
    """The tree and the hex dump of a segment's frame; one sentence where its bytes are gone."""
    from tcpladder.store.dissect import dissect, hexdump

    try:
        frame = session.frame_bytes(number, index)
    except (TcpladderError, OSError) as error:
        return [("", Role.SPACE), (f"the bytes of this frame cannot be read again: {error}", Role.WARNING)]
    if not frame:
        return [("", Role.SPACE), ("the bytes of this frame are gone: the spool is bounded", Role.WARNING)]
    link_type = int(session.view(number).link_type(index))
    tree: list[Line] = [
        ("  " * line.depth + line.text, Role.LABEL if line.depth else Role.TITLE)
        for line in dissect(frame, link_type)
    ]
    hexes: list[Line] = [(line, Role.NUMBER) for line in hexdump(frame)]
    return [("", Role.SPACE), *tree, ("", Role.SPACE), (f"{len(frame)} bytes", Role.TITLE), *hexes]
