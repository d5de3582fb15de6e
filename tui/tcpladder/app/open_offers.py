"""What can be opened, from what is typed so far: captures opened lately, those that come with tcpladder, files."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from tcpladder.app.start_entries import Entry, recently_opened, shipped

MOST_FILES = 2000
"""Looked at in one directory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """One line of the list."""

    name: str
    remark: str
    path: str
    """What is opened, or what stands in the prompt then: a directory ends with a slash."""

    @property
    def is_directory(self) -> bool:
        return self.path.endswith("/")


def offers(typed: str, recent: int) -> list[Offer]:
    """Without a word all captures that are known by name, at most `recent` of those that were opened lately.

    With one the files that begin so, then the captures that have it in their names.
    """
    known = [_of(entry, "opened lately") for entry in recently_opened(recent)]
    known += [_of(entry, "comes with tcpladder") for entry in shipped()]
    if not typed:
        return known
    word = typed.lower()
    return _files(typed) + [offer for offer in known if word in offer.name.lower()]


def completed(typed: str) -> str:
    """As much more of a path as all files agree on that begin so."""
    paths = [offer.path for offer in _files(typed)]
    common = os.path.commonprefix(paths) if paths else typed  # noqa: RUF071 - letters are completed, not folders
    return common if len(common) > len(typed) else typed


def _of(entry: Entry, where: str) -> Offer:
    return Offer(name=entry.name, remark=f"{where}  {entry.remark}", path=entry.command[-1])


def _files(typed: str) -> list[Offer]:
    """The files and directories whose path begins as typed; the one that is typed first."""
    folder, slash, begin = typed.rpartition("/")
    found = []
    try:
        with os.scandir(Path(f"{folder}{slash}" or ".").expanduser()) as entries:
            for entry, _ in zip(entries, range(MOST_FILES), strict=False):
                if not entry.name.startswith(begin) or (entry.name.startswith(".") and not begin):
                    continue
                end = "/" if entry.is_dir() else ""
                path = f"{folder}{slash}{entry.name}{end}"
                remark = "directory" if end else f"{entry.stat().st_size:,} bytes"
                found.append(Offer(name=f"{entry.name}{end}", remark=remark, path=path))
    except (OSError, RuntimeError, ValueError):
        return []
    return sorted(found, key=lambda offer: offer.name.lower())
