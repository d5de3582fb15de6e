"""The net.* sysctls of this thread's network namespace (/proc/sys/net resolves by the calling thread)."""

from __future__ import annotations

from pathlib import Path


def read_sysctls(names: list[str]) -> dict[str, str | None]:
    """The text of each; None for a name that this kernel or namespace does not have, or hides."""
    return {name: _read(name) for name in names}


def _read(name: str) -> str | None:
    first, *rest = name.split(".")
    if first != "net" or not rest or not all(rest):
        return None
    try:
        return Path("/proc/sys/net", *rest).read_text().strip()
    except OSError:
        return None
