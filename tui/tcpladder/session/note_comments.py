"""Notes as comments on frames of a saved capture, and back: what happened to a flow, and what a user remarks.

    tcpladder: at 2025-10-09 14:02:10.123456789 UTC: DROP both ways, rule 1,
    tcpladder: … until it is lifted
    tcpladder note: the first probe that nobody answers
    tcpladder mark a: the first probe that nobody answers

What happened stands on the next frame of its flow, a user's note on the frame that it is about. Where that frame is
written already, the line says which it is: `tcpladder note on frame 17: …`.

What is read may come from strangers: a line of another shape is no note. Our lines that start with `tcpladder: `
and have no time are about the frame (packet_notes.py); nobody reads them back.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from tcpladder.ladder import words
from tcpladder.ladder.model import Note
from tcpladder.session.notes import MOST_CHARACTERS, UserNote

_LINE = re.compile(
    r"tcpladder(?: (?P<what>note|mark (?P<mark>[A-Za-z])))?(?: on frame (?P<frame>\d{1,12}))?:(?: (?P<text>.*))?"
)
_AT = re.compile(r"at (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)\.(\d{9}) UTC: (.+)")
_GOES_ON = "… "


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """What a line of a comment says."""

    frame: int
    """The one that it is about."""
    happened: Note | None = None
    """Something that happened to the frame's flow; None for a user's note."""
    text: str = ""
    mark: str = ""


def happened_line(note: Note, frame: int | None = None) -> str:
    """What happened, as a line of a comment on a frame of the flow; `frame` where it stands on another flow's."""
    said = _GOES_ON if note.continues else f"at {words.exact_time(note.time_ns, UTC)}: "
    return f"tcpladder{_on(frame)}: {said}{note.text}"


def note_line(note: UserNote, frame: int | None = None) -> str:
    """A user's note, as a line of a comment on its frame; `frame` where it stands on another one."""
    what = f"mark {note.mark}" if note.mark else "note"
    return f"tcpladder {what}{_on(frame)}: {note.text}".rstrip()


def remarks_in(comment: str, frame: int) -> Iterator[Remark]:
    """What a comment on a frame says of what happened, and the users' notes in it."""
    above: Note | None = None
    for line in comment.splitlines():
        match = _LINE.fullmatch(line)
        text = (match["text"] or "") if match else ""
        if match is None or not text.isprintable() or len(text) > 2 * MOST_CHARACTERS:
            continue
        about = int(match["frame"]) if match["frame"] else frame
        if match["what"]:
            yield Remark(frame=about, text=text, mark=match["mark"] or "")
        elif (note := _note_of(text, above)) is not None:
            above = note
            yield Remark(frame=about, happened=note)


def _note_of(text: str, above: Note | None) -> Note | None:
    if text.startswith(_GOES_ON):
        return above and replace(above, text=text.removeprefix(_GOES_ON), continues=True)
    match = _AT.fullmatch(text)
    if match is None:
        return None
    try:
        moment = datetime.strptime(match[1], "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
    except ValueError:
        return None
    return Note(round(moment.timestamp()) * words.SECOND + int(match[2]), match[3])


def _on(frame: int | None) -> str:
    return "" if frame is None else f" on frame {frame}"
