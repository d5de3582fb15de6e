"""The front end of `cast`: a recording as text, as a picture, as a film."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

from tcpladder.agent.start import open_output
from tcpladder.errors import UsageError
from tcpladder.record.asciicast import SECOND_US
from tcpladder.record.cast_file import Cast, read_cast

MOST_FRAMES = 2_000
"""Of an SVG that plays: more, and browsers take seconds to open it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is wanted of a recording."""

    form: str
    """text, svg, gif or mp4."""
    output: str | None
    """A file, or `-` for stdout; None for the recording's own name with another end."""
    at_s: float | None
    """The moment of a single picture; None for all of it, and for the last screen as text."""


def cast(path: Path, asked: Asked) -> None:
    """Write what is wanted. Raises TcpladderError."""
    if asked.at_s is not None and asked.form not in ("svg", "text"):
        raise UsageError(f"--at is for a still, with --svg or --text, and not for {asked.form}")
    recording = read_cast(path)
    for warning in recording.warnings:
        _say(warning)
    made = _made(recording, asked)
    output = asked.output or ("-" if asked.form == "text" else str(path.with_suffix(f".{asked.form}").name))
    if output == "-":
        sys.stdout.buffer.write(made)
        return
    with open(open_output(Path(output), new=True), "wb") as file:
        file.write(made)
    _say(f"{len(made)} bytes written to {output}")


def _made(recording: Cast, asked: Asked) -> bytes:
    from tcpladder.record.frames import film, screen_at

    at_us = None if asked.at_s is None else round(asked.at_s * SECOND_US)
    if asked.form == "text":
        from tcpladder.record.plain import text

        return text(screen_at(recording, at_us)).encode()
    if asked.form == "svg":
        from tcpladder.record.cast_svg import animated, still

        title = recording.header.title
        if at_us is not None:
            return still(screen_at(recording, at_us), title).encode()
        frames = list(film(recording))
        if len(frames) > MOST_FRAMES:
            raise UsageError(
                f"the recording has {len(frames)} pictures, and an svg at most {MOST_FRAMES}: take --at, --gif or --mp4"
            )
        return animated(frames, title).encode()
    from tcpladder.record.movie import Movie, movie

    return movie(recording, Movie(asked.form), tell=_say)


def _say(sentence: str) -> None:
    sys.stderr.write(f"tcpladder: {sentence}\n")
