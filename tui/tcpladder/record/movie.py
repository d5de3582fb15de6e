"""A recording as GIF or MP4, by the programs of this machine that make them.

agg makes GIFs of asciicasts. Without it, and for MP4, the pictures are drawn by rsvg-convert and put together by
ffmpeg.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from enum import StrEnum
from pathlib import Path

from tcpladder.errors import UsageError
from tcpladder.record.asciicast import SECOND_US
from tcpladder.record.cast_file import Cast
from tcpladder.record.cast_svg import still
from tcpladder.record.frames import Frame, film
from tcpladder.render.png import png

_TIMEOUT_S = 600
_RATE = 10
"""Pictures a second. One for each screen would be less, but the last one would lose its time."""
_GIF = f"fps={_RATE},scale=iw/2:-1:flags=area,split[a][b];[a]palettegen=stats_mode=diff[p];[b][p]paletteuse=dither=none"
_MP4 = f"fps={_RATE},pad=ceil(iw/2)*2:ceil(ih/2)*2,format=yuv420p"
"""H.264 in yuv420p, which every player knows, has even sides only."""
EVERY = 20
"""So many pictures between two words about how far it is."""


class Movie(StrEnum):
    """Which kind."""

    GIF = "gif"
    MP4 = "mp4"


def movie(cast: Cast, kind: Movie, *, tell: Callable[[str], None]) -> bytes:
    """The file's bytes. Raises UsageError where the programs are missing or refuse."""
    agg = next(filter(None, map(shutil.which, ("agg", "asciinema-agg"))), None)
    with tempfile.TemporaryDirectory(prefix="tcpladder-cast-") as folder:
        out = Path(folder) / f"out.{kind}"
        if kind is Movie.GIF and agg is not None:
            _run([agg, _as_v2(cast, Path(folder)), out])
            return out.read_bytes()
        missing = [name for name in ("rsvg-convert", "ffmpeg") if shutil.which(name) is None]
        if missing:
            raise UsageError(_lacks(kind, missing))
        frames = list(film(cast))
        _draw(frames, Path(folder), tell)
        _run(
            [
                "ffmpeg",
                "-loglevel",
                "error",
                "-f",
                "concat",
                "-safe",
                "0",
                "-i",
                Path(folder) / "list",
                *_how(kind),
                out,
            ]
        )
        return out.read_bytes()


def _lacks(kind: Movie, missing: Sequence[str]) -> str:
    packages = " ".join("librsvg2-bin" if name == "rsvg-convert" else name for name in missing)
    agg = "agg (https://github.com/asciinema/agg), or by " if kind is Movie.GIF else ""
    here = f"{' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} not here"
    return (
        f"{kind} is made by {agg}rsvg-convert and ffmpeg, and {here}: apt install {packages}, "
        "or take --svg, which needs nothing"
    )


def _how(kind: Movie) -> list[str]:
    if kind is Movie.GIF:
        return ["-vf", _GIF, "-loop", "0"]
    return [
        "-vf",
        _MP4,
        "-c:v",
        "libx264",
        "-preset",
        "veryfast",
        "-movflags",
        "+faststart",
    ]


def _as_v2(cast: Cast, folder: Path) -> Path:
    """A complete file that every version of agg reads."""
    path = folder / "in.cast"
    lines = [replace(cast.header, version=2).line(), *(event.line(0) for event in cast.events)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def _draw(frames: Sequence[Frame], folder: Path, tell: Callable[[str], None]) -> None:
    """A PNG a screen, and the list with their times that ffmpeg reads."""
    listed = []
    size = max(len(frame.screen[0]) for frame in frames), max(len(frame.screen) for frame in frames)
    for number, frame in enumerate(frames):
        if number and number % EVERY == 0:
            tell(f"{number} of {len(frames)} pictures drawn")
        (folder / f"{number}.png").write_bytes(png(still(frame.screen, size=size)))
        listed.append(f"file {number}.png\nduration {frame.lasts_us / SECOND_US:.6f}")
    # Until when the last picture stands is said by what comes after it.
    (folder / "list").write_text("\n".join([*listed, f"file {len(frames) - 1}.png"]) + "\n", encoding="utf-8")


def _run(command: Sequence[str | Path]) -> None:
    name = Path(command[0]).name
    try:
        subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=_TIMEOUT_S, check=True)
    except subprocess.CalledProcessError as refused:
        said = refused.stderr.decode(errors="replace").strip().splitlines()
        raise UsageError(f"{name} cannot make this: {said[-1] if said else refused}") from None
    except subprocess.TimeoutExpired:
        raise UsageError(f"{name} has not made this in {_TIMEOUT_S} s: record less") from None
