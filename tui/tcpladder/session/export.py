"""A session's flows as a file in one of the formats: the diagrams, their content, and where it is written."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from pathlib import Path

from tcpladder import __version__
from tcpladder.errors import UsageError
from tcpladder.ladder.diagram import Diagram, diagram_of
from tcpladder.ladder.model import LANE_NAMES
from tcpladder.ladder.privacy import Mask
from tcpladder.render.formats import Format, Taste, lines
from tcpladder.session.exportable import Exportable, notes_of
from tcpladder.store.new_file import why_not


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What is exported, and how."""

    form: Format
    flows: Sequence[int]
    together: bool = False
    """Whether the flows are drawn on one ladder, a lane for each host."""
    taste: Taste = field(default_factory=Taste)
    mask: Mask | None = None
    """What hides addresses; None shows them, unless the session itself is masked."""
    rungs: tuple[int, int] | None = None
    """The first and the last one that is drawn, from 1."""
    fold: bool = False
    """Whether exchanges that repeat are one row."""
    lane_names: tuple[str, str] = LANE_NAMES


def content(session: Exportable, wish: Wish, timezone: tzinfo) -> Iterator[bytes]:
    """The bytes of the file. Raises UsageError for what the format cannot hold.

    The session stands still while the caller takes them, and only this thread sees it through the mask of the wish.
    """
    mask = wish.mask or session.mask
    with session.shown_by(mask):
        ladders = [sorted(wish.flows)] if wish.together else [[number] for number in wish.flows]
        diagrams = [_diagram(session, numbers, wish, timezone, mask) for numbers in ladders]
        text = (f"{line}\n".encode(errors="replace") for line in lines(wish.form, diagrams, wish.taste))
        if wish.form is Format.PNG:
            from tcpladder.render.png import png

            yield png(b"".join(text).decode())
        else:
            yield from text


def local_timezone() -> tzinfo:
    """Of the clock times in an export: this machine's."""
    timezone = datetime.now().astimezone().tzinfo
    assert timezone is not None
    return timezone


def save(path: Path, pieces: Iterable[bytes], *, overwrite: bool = True) -> int:
    """Write a file and return its size in bytes; nothing is opened before all of it is made.

    Raises UsageError where it cannot be written, and FileExistsError where it is there and `overwrite` is not said.
    """
    data = b"".join(pieces)
    try:
        with path.open("wb" if overwrite else "xb") as file:
            try:
                file.write(data)
                file.flush()
            except OSError:
                if path.is_file():
                    path.unlink()
                raise
    except FileExistsError:
        raise
    except OSError as refused:
        raise UsageError(f"cannot write {path}: {why_not(refused)}") from None
    return len(data)


def _diagram(
    session: Exportable, numbers: Sequence[int], wish: Wish, timezone: tzinfo, mask: Mask | None
) -> Diagram:
    return diagram_of(
        [session.view(number) for number in numbers],
        source=session.masked(", ".join(Path(name).name for name in session.sources)),
        made_by=f"tcpladder {__version__}",
        notes=notes_of(session, numbers),
        now_ns=session.now_ns(),
        rungs=wish.rungs,
        fold=wish.fold,
        lane_names=wish.lane_names,
        timezone=timezone,
        masked=_masked(mask),
    )


def _masked(mask: Mask | None) -> str:
    return "" if mask is None else "addresses and ports" if mask.ports else "addresses"
