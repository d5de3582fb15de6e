"""The front end of `export`: flows of captures as a drawing, a page, a source, a table or a script."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tcpladder.analysis.expected import Given
from tcpladder.errors import CaptureError, UsageError
from tcpladder.ladder.model import LANE_NAMES
from tcpladder.ladder.privacy import Mask
from tcpladder.render.formats import EVERY_SEGMENT, SEVERAL_FLOWS, TOGETHER, Format, Taste, format_of
from tcpladder.session.export import Wish, content, local_timezone, save
from tcpladder.session.files import FileSession

STDOUT = "-"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the command line asks for."""

    form: str | None
    flows: Sequence[int]
    together: bool
    rungs: str | None
    fold: bool
    names: str | None
    output: str
    privacy: bool
    privacy_ports: bool
    taste: Taste


def export(files: Sequence[str], asked: Asked, *, given: Given | None = None) -> None:
    """Write an export where it is asked for, and say so on stderr; stdout gets nothing else."""
    form = _format(asked)
    rungs = None if asked.rungs is None else rungs_of(asked.rungs)
    names = LANE_NAMES if asked.names is None else names_of(asked.names)
    session = FileSession(files, given=given)
    try:
        for _ in session.read():
            pass
        flows = _flows(session, form, asked)
        mask = Mask(ports=asked.privacy_ports) if asked.privacy or asked.privacy_ports else None
        if mask is not None:
            _learn(mask, session, max(flows))
        wish = Wish(
            form=form,
            flows=flows,
            together=_is_together(form, flows, asked),
            taste=asked.taste,
            mask=mask,
            rungs=rungs,
            fold=asked.fold,
            lane_names=names,
        )
        pieces = content(session, wish, local_timezone())
        if asked.output == STDOUT:
            for piece in pieces:
                sys.stdout.buffer.write(piece)
            sys.stdout.flush()
        else:
            size = save(Path(asked.output), pieces)
            _say(f"{form} of {_named(flows)} written to {asked.output}, {size} bytes")
        for warning in session.status().warnings:
            _say(warning)
    finally:
        session.close()


def rungs_of(text: str) -> tuple[int, int]:
    """`6-15`, `6-` or `6`. Raises UsageError."""
    match = re.fullmatch(r"(\d+)(?:(-)(\d*))?", text.strip())
    if match is None or int(match[1]) == 0 or (match[3] and int(match[3]) < int(match[1])):
        raise UsageError(
            f"--rungs {text}: give the first and the last, such as 6-15, or 6- for all from the 6th"
        )
    first = int(match[1])
    return first, int(match[3]) if match[3] else sys.maxsize if match[2] else first


def names_of(text: str) -> tuple[str, str]:
    """`curl,nc`. Raises UsageError."""
    client, comma, server = (part.strip() for part in text.partition(","))
    if not (client and comma and server) or "," in server:
        raise UsageError(f"--names {text}: give the client's name and the server's, such as curl,nc")
    return client, server


def _format(asked: Asked) -> Format:
    """What --as says, else what the end of the file's name means, else text."""
    if asked.form is not None:
        form = Format(asked.form)
    else:
        form = Format.TEXT if asked.output == STDOUT else format_of(Path(asked.output))
    if form is Format.PNG and asked.output == STDOUT:
        raise UsageError("png is no text: say where to write it with -o FILE")
    if asked.fold and form in EVERY_SEGMENT:
        raise UsageError(f"{form} has every segment: leave out --fold")
    if asked.together and form not in TOGETHER:
        raise UsageError(
            f"{form} has no lanes: leave out --together, or choose one of {', '.join(sorted(TOGETHER))}"
        )
    if len(asked.flows) > 1 and form not in SEVERAL_FLOWS | TOGETHER:
        several = ", ".join(sorted(SEVERAL_FLOWS | TOGETHER))
        raise UsageError(
            f"{form} holds one flow, and {len(asked.flows)} are named: give one --flow, or one of {several}"
        )
    return form


def _is_together(form: Format, flows: Sequence[int], asked: Asked) -> bool:
    """Whether the flows are on one ladder: where that is asked, and in formats that are one drawing."""
    together = len(flows) > 1 and (asked.together or form not in SEVERAL_FLOWS)
    if together and asked.names is not None:
        raise UsageError("--names is for the two ends of one flow: several have a lane for each host")
    return together


def _flows(session: FileSession, form: Format, asked: Asked) -> list[int]:
    """The flows that are named, else all where the format holds them."""
    count = session.flow_count()
    missing = [number for number in asked.flows if number > count]
    if missing:
        raise UsageError(f"there is no flow {missing[0]}: {session.name} has {count}")
    if not count:
        raise CaptureError(f"{session.name} has no TCP flow to export")
    if asked.flows:
        return list(dict.fromkeys(asked.flows))
    if count > 1 and not asked.together and (form not in SEVERAL_FLOWS or asked.rungs is not None):
        raise UsageError(
            f"{session.name} has {count} flows: choose one with --flow, `tcpladder flows` lists them"
        )
    return list(range(1, count + 1))


def _learn(mask: Mask, session: FileSession, last: int) -> None:
    """Give each address its stand-in in the order of the list of flows, so that every export of a file has the same."""
    for number in range(1, last + 1):
        summary = session.summary(number)
        mask.endpoint(summary.client)
        mask.endpoint(summary.server)


def _named(flows: Sequence[int]) -> str:
    return f"flow {flows[0]}" if len(flows) == 1 else f"{len(flows)} flows"


def _say(sentence: str) -> None:
    sys.stdout.flush()
    sys.stderr.write(f"tcpladder: {sentence}\n")
