"""What a peer said: its report, read from a pipe without waiting."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields

_READ_BYTES = 65536


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One line of a peer's report; peer.py says which fields an event has."""

    event: str
    time_ns: int
    """When the call returned, ns since 1970 UTC: the clock of the capture."""
    address: str = ""
    port: int = 0
    bytes: int = 0
    options: Mapping[str, int] = field(default_factory=dict)
    call: str = ""
    error: str | None = None
    """The name of the error (`ETIMEDOUT`); None where there was none."""
    after_s: float = 0.0
    """How long the call took."""

    @property
    def failed(self) -> bool:
        """Whether it tells of a call that came to an error."""
        return self.error is not None


_FIELDS = frozenset(entry.name for entry in fields(Report))


class ReportPipe:
    """The read end of a peer's report; owns the descriptor."""

    def __init__(self, descriptor: int) -> None:
        os.set_blocking(descriptor, False)
        self._descriptor: int | None = descriptor
        self._rest = b""

    @property
    def ended(self) -> bool:
        """Whether the peer is gone and all it said was read."""
        return self._descriptor is None

    def read(self) -> Iterator[Report]:
        """Yield what has come since the last call. Lines that are no report are skipped."""
        while self._descriptor is not None:
            try:
                data = os.read(self._descriptor, _READ_BYTES)
            except BlockingIOError:
                break
            if not data:
                self.close()
            self._rest += data
        *lines, self._rest = self._rest.split(b"\n")
        for line in lines:
            report = _parsed(line)
            if report is not None:
                yield report

    def close(self) -> None:
        """Close the descriptor."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def _parsed(line: bytes) -> Report | None:
    try:
        said = json.loads(line)
        return Report(**{name: value for name, value in said.items() if name in _FIELDS})
    except (ValueError, TypeError, AttributeError):
        return None
