"""What has been seen of an experiment's flow so far, in numbers that its steps wait for. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from tcpladder.lab.experiment import Role, Segments

_PROBE, _ANSWER, _RESET = "keepalive_probe", "keepalive_ack", "rst"


@dataclass(frozen=True, slots=True)
class Seen:
    """A segment that was captured."""

    kind: str
    """In the words of the JSON lines."""
    sender: Role
    time_ns: int

    def __str__(self) -> str:
        return f"{self.kind.replace('_', ' ')} from the {self.sender}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """Counts of segments, by what they are and who sent them."""

    answered_probes: int = 0
    unanswered_probes: int = 0
    """Keepalive probes since the last answer to one."""
    resets: int = 0
    """RST of any kind."""
    segments: Mapping[tuple[str, Role], int] = field(default_factory=dict)
    order: Sequence[Seen] = ()
    """The segments themselves; empty where whoever watches cannot name each."""
    ended: str | None = None
    """What the list of flows says of the end; None where no segment shows one."""
    tells_end: bool = False
    """Whether whoever watches can tell the end."""

    @classmethod
    def of_segments(cls, order: Sequence[Seen], ended: str | None) -> Observed:
        """Count them, and keep them."""
        counted = cls.of((one.kind, one.sender) for one in order)
        return replace(counted, order=order, ended=ended, tells_end=True)

    @classmethod
    def of(cls, seen: Iterable[tuple[str, Role]]) -> Observed:
        """Count a flow's segments in order: the kind in the words of the JSON lines, and the sender."""
        answered = unanswered = resets = 0
        segments: Counter[tuple[str, Role]] = Counter()
        for kind, sender in seen:
            segments[kind, sender] += 1
            if kind == _PROBE:
                unanswered += 1
            elif kind == _ANSWER:
                answered, unanswered = answered + 1, 0
            elif kind.startswith(_RESET):
                resets += 1
        return cls(answered_probes=answered, unanswered_probes=unanswered, resets=resets, segments=segments)

    def count(self, wanted: Segments) -> int:
        """How many of these segments there were."""
        senders = tuple(Role) if wanted.sender is None else (wanted.sender,)
        return sum(self.segments.get((kind, sender), 0) for kind in wanted.kinds for sender in senders)
