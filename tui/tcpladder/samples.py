"""The captures that come with tcpladder: where they are, in a checkout and in an installed package."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from tcpladder.errors import CaptureError

_SUFFIXES = (".pcapng", ".pcap")


def capture(name: str) -> Path:
    """The capture of an experiment. Raises CaptureError where none is shipped."""
    folder = Path(str(resources.files("tcpladder").joinpath("captures", name)))
    for file in sorted(folder.glob("*")) if folder.is_dir() else ():
        if file.suffix in _SUFFIXES:
            return file
    raise CaptureError(f"no capture of {name} comes with tcpladder")
