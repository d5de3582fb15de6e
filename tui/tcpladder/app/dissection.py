"""The headers and the bytes of one frame, made in a thread because scapy takes 0.3 s to import."""

from __future__ import annotations

from tcpladder.app.contract import Session
from tcpladder.app.detail_view import DetailLine
from tcpladder.errors import TcpladderError
from tcpladder.ladder.model import Role


def dissected(session: Session, number: int, index: int) -> tuple[list[DetailLine], bytes]:
    """The tree of a segment's frame and its bytes; one sentence and none where its bytes are gone."""
    from tcpladder.store.dissect import dissect

    try:
        frame = session.frame_bytes(number, index)
    except (TcpladderError, OSError) as error:
        return _gone(f"the bytes of this frame cannot be read again: {error}")
    if not frame:
        return _gone("the bytes of this frame are gone: the spool is bounded")
    link_type = int(session.view(number).link_type(index))
    tree = [
        DetailLine("  " * line.depth + line.text, Role.LABEL if line.depth else Role.TITLE, span=line.span)
        for line in dissect(frame, link_type)
    ]
    return [DetailLine("", Role.SPACE), *tree], frame


def _gone(sentence: str) -> tuple[list[DetailLine], bytes]:
    return [DetailLine("", Role.SPACE), DetailLine(sentence, Role.WARNING)], b""
