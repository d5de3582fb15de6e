"""What happens in a session while somebody looks on, in a few words without addresses: the chapters of a recording."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence

from tcpladder.agent.fault_messages import FaultState
from tcpladder.analysis.kinds import Kind
from tcpladder.faults import phrases
from tcpladder.session.base import Session
from tcpladder.session.status import Phase

MOST = 100
"""Characters of one chapter's name."""


class Happenings:
    """Notices what is new since it was asked last. What a file already held when it was opened does not happen."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self._seen: list[int] = []
        self._faults: dict[int, str] = {}
        self._begun = session.mode != "file"

    def new(self, phase: Phase, faults: Sequence[FaultState]) -> list[str]:
        """One name for the segments worth a look, `flow 1: keepalive probe`, and one for each fault."""
        self._seen, kinds = self.session.kinds_since(self._seen)
        if not self._begun:
            self._begun = phase != "loading"
            kinds = []
        return [*_segments(kinds), *self._new_faults(faults)]

    def _new_faults(self, faults: Sequence[FaultState]) -> list[str]:
        before, self._faults = self._faults, {s.number: phrases.broken(s.fault) for s in faults}
        begun = [f"fault {number}: {words}" for number, words in self._faults.items() if number not in before]
        ended = [f"fault {number} has ended" for number in before if number not in self._faults]
        return begun + ended


def _segments(kinds: list[tuple[int, Kind]]) -> list[str]:
    by_flow: dict[int, Counter[str]] = defaultdict(Counter)
    for flow, kind in kinds:
        by_flow[flow][kind.name.lower().replace("_", " ")] += 1
    words = "; ".join(
        f"flow {flow}: "
        + ", ".join(f"{count} × {name}" if count > 1 else name for name, count in names.items())
        for flow, names in by_flow.items()
    )
    if len(words) > MOST:
        words = f"{len(kinds)} segments worth a look, of {len(by_flow)} flows"
    return [words] if words else []
