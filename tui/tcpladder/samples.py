"""The captures that come with tcpladder: where they are, in a checkout and in an installed package."""

from __future__ import annotations

import tomllib
from importlib import resources
from pathlib import Path
from typing import Any

from tcpladder.errors import CaptureError

_SUFFIXES = (".pcapng", ".pcap", ".txt")


def story(name: str) -> dict[str, Any]:
    """What truly happened in the capture of an experiment. Raises CaptureError where none is shipped."""
    return tomllib.loads((capture(name).parent / "story.toml").read_text(encoding="utf-8"))


def capture(name: str) -> Path:
    """The capture of an experiment. Raises CaptureError where none is shipped."""
    folder = Path(str(resources.files("tcpladder").joinpath("captures", name)))
    for file in sorted(folder.glob("*")) if folder.is_dir() else ():
        if file.suffix in _SUFFIXES:
            return file
    raise CaptureError(f"no capture of {name} comes with tcpladder")
