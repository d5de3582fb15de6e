"""A drawing as PNG, by rsvg-convert, which draws with the fonts of this machine."""

from __future__ import annotations

import re
import shutil
import subprocess

from tcpladder.errors import UsageError

PROGRAM = "rsvg-convert"
ZOOM = 2
"""Pixels for each of the drawing's: sharp on a screen of today, and still small."""
MOST_PIXELS = 32_767
"""Of a side, for cairo: a longer drawing gets a pixel for a pixel."""
_TIMEOUT_S = 120


def png(drawing: str) -> bytes:
    """The picture of an SVG drawing. Raises UsageError where rsvg-convert is missing or refuses."""
    if shutil.which(PROGRAM) is None:
        raise UsageError(
            f"png is made by {PROGRAM}, which is not here: apt install librsvg2-bin, or export svg, which browsers open"
        )
    height = re.search(r'height="(\d+)"', drawing)
    zoom = 1 if height is None or ZOOM * int(height[1]) > MOST_PIXELS else ZOOM
    command = [PROGRAM, "--format", "png", "--zoom", str(zoom)]
    try:
        done = subprocess.run(
            command, input=drawing.encode(), capture_output=True, timeout=_TIMEOUT_S, check=True
        )
    except subprocess.CalledProcessError as refused:
        said = refused.stderr.decode(errors="replace").strip().splitlines()
        raise UsageError(f"{PROGRAM} cannot draw this: {said[-1] if said else refused}") from None
    except subprocess.TimeoutExpired:
        raise UsageError(
            f"{PROGRAM} has not drawn this in {_TIMEOUT_S} s: choose fewer rungs with --rungs"
        ) from None
    return done.stdout
