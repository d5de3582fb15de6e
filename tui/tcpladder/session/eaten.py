"""Which captured segments a rule ate: the records of the fault log, found again in the capture by their content.

A record and a frame are the same segment where addresses, ports and every TCP header field agree (the IPv4
identification, too), and no other frame that agrees was nearer in time. Times alone prove nothing: the log and the tap
differ by microseconds, and IPv6 probes are alike to the last bit but for their time.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tcpladder.analysis.capture import CaptureAnalysis
from tcpladder.analysis.log import NO_FLOW
from tcpladder.flows.tuples import Tuple4
from tcpladder.sources.fault_log import Eaten
from tcpladder.sources.merge import UNSEEN_INTERFACE, at_interface, merged, take
from tcpladder.wire.decode import Decoder
from tcpladder.wire.frames import FrameBatch
from tcpladder.wire.segments import Segments, State

_MILLISECOND_NS = 1_000_000
AT_ONCE_NS = _MILLISECOND_NS // 2
"""A frame that agrees and is as near in time as this is the one: nothing sends the same bytes twice so fast."""
APART_NS = 50 * _MILLISECOND_NS
"""The log and the tap are never further apart than this, on a busy machine either."""
SETTLED_NS = 300 * _MILLISECOND_NS
"""So long after a record, every frame from before it has come out of the ring."""
_FIELDS = ("seq", "ack", "flags", "window", "length", "ip_id", "tsval", "tsecr")
_FACTORS = tuple(
    np.uint64(0x9E37_79B9_7F4A_7C15 * odd % (1 << 64) | 1) for odd in range(1, 2 * len(_FIELDS) + 1, 2)
)


class _Record(NamedTuple):
    """One record that waits for its frame."""

    time_ns: int
    rule: int
    unseen: bool

    @property
    def words(self) -> str:
        """What stands beside the rung."""
        return f"rule {self.rule}, log" if self.unseen else f"rule {self.rule}"


@dataclass(slots=True)
class _Frames:
    """The frames that came last: (n,) columns, those that are spoken for are left out."""

    key: NDArray[np.uint64] = field(default_factory=lambda: np.zeros(0, np.uint64))
    row: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    time_ns: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))

    def kept(self, which: NDArray[np.bool_]) -> _Frames:
        """Some of them."""
        return _Frames(self.key[which], self.row[which], self.time_ns[which])


class EatenSegments:
    """What the fault log told, and where it is in the capture. Belongs to the thread that reads the capture."""

    def __init__(self, capture: CaptureAnalysis) -> None:
        self._capture = capture
        self._waiting: dict[int, list[_Record]] = defaultdict(list)
        self._held: list[FrameBatch] = []
        """Segments that no tap could see, which wait for their place among the frames."""
        self._recent = _Frames()
        self._seen = 0
        self._last_ns = 0
        self._ends: dict[int, tuple[int, bool]] = {}
        self.told: Counter[int] = Counter()
        """Fault -> segments that the log told of."""
        self.bytes: Counter[int] = Counter()
        """Fault -> bytes of them, from the IP header on."""
        self.marked: Counter[int] = Counter()
        """Fault -> segments that are marked in the capture."""

    def take(self, eaten: Eaten) -> None:
        """Take in what the log says."""
        segments = Decoder().decode(eaten.frames).segments
        of = (segments.frame - 1)[segments.state != State.ICMP]
        keys = _keys(segments, _end_keys(segments), segments.swapped)[segments.state != State.ICMP]
        columns = (eaten.frames.time_ns[of], eaten.rule[of], eaten.before_tap[of])
        records = map(_Record, *(column.tolist() for column in columns))
        for key, record in zip(keys.tolist(), records, strict=True):
            self._waiting[key].append(record)
        for rule in np.unique(eaten.rule).tolist():
            mine = eaten.rule == rule
            self.told[rule] += int(mine.sum())
            self.bytes[rule] += int(eaten.frames.original[mine].sum())
        if eaten.before_tap.any():
            self._held.append(at_interface(take(eaten.frames, eaten.before_tap), UNSEEN_INTERFACE))

    def with_unseen(self, batch: FrameBatch | None, now_ns: int) -> FrameBatch | None:
        """The frames that came, and among them those of the log that no tap could see and whose time has come."""
        if not self._held:
            return batch
        until_ns = now_ns - SETTLED_NS
        if batch is not None and len(batch):
            until_ns = max(until_ns, int(batch.time_ns.max()))
        due = [
            take(held, held.time_ns <= until_ns) for held in self._held if (held.time_ns <= until_ns).any()
        ]
        self._held = [
            take(held, held.time_ns > until_ns) for held in self._held if (held.time_ns > until_ns).any()
        ]
        for held in due:
            batch = held if batch is None else merged(batch, held)
        return batch

    def pass_over(self) -> None:
        """Nothing was broken when these frames came: none of them is looked for."""
        self._seen, self._recent = len(self._capture.log), _Frames()

    def mark(self, now_ns: int) -> dict[int, str]:
        """Look for the records among the frames; returns what is newly known: row of the log -> words."""
        self._look_at_new_rows()
        if not self._waiting:
            self._forget(now_ns)
            return {}
        found = dict(self._matches(now_ns))
        self._capture.log.lost.update({row: record.words for row, record in found.items()})
        self.marked.update(record.rule for record in found.values())
        self._recent = self._recent.kept(~np.isin(self._recent.row, list(found)))
        self._forget(now_ns)
        return {row: record.words for row, record in found.items()}

    def _look_at_new_rows(self) -> None:
        log = self._capture.log
        rows = np.arange(self._seen, len(log))
        self._seen = len(log)
        if not len(rows):
            return
        flow = log.column("flow", rows)
        mine = (flow != NO_FLOW) & (log.column("state", rows) != State.ICMP)
        rows, flow = rows[mine], flow[mine]
        if not len(rows):
            return
        flows, which = np.unique(flow, return_inverse=True)
        ends = [self._flow_ends(number) for number in flows.tolist()]
        end_keys = np.array([key for key, _ in ends], np.uint64)[which]
        swapped = np.array([larger for _, larger in ends], np.bool_)[which] ^ log.column("from_server", rows)
        fresh = _Frames(
            _keys(_Rows(self._capture, rows), end_keys, swapped), rows, log.column("time_ns", rows)
        )
        before = self._recent
        self._recent = _Frames(
            np.concatenate([before.key, fresh.key]),
            np.concatenate([before.row, fresh.row]),
            np.concatenate([before.time_ns, fresh.time_ns]),
        )
        self._last_ns = max(self._last_ns, int(fresh.time_ns.max()))

    def _flow_ends(self, flow: int) -> tuple[int, bool]:
        """The key of a flow's ends, and whether its client is the larger of them."""
        known = self._ends.get(flow)
        if known is None:
            ends, client_is_larger = self._capture.tuple_of(flow + 1)
            known = self._ends[flow] = _end_key(ends), client_is_larger
        return known

    def _matches(self, now_ns: int) -> Iterator[tuple[int, _Record]]:
        """(row of the log, the record of it); the records are taken from those that wait."""
        recent = self._recent
        agree = np.isin(recent.key, np.fromiter(self._waiting, np.uint64, len(self._waiting)))
        candidates: dict[int, list[tuple[int, int]]] = defaultdict(list)
        for key, time_ns, row in zip(
            recent.key[agree].tolist(),
            recent.time_ns[agree].tolist(),
            recent.row[agree].tolist(),
            strict=True,
        ):
            candidates[key].append((time_ns, row))
        for key, frames in candidates.items():
            left, at = [], 0
            for record in sorted(self._waiting[key]):
                # What is not the nearest to this record is further still from those behind it.
                while at + 1 < len(frames) and _apart(frames[at + 1], record) <= _apart(frames[at], record):
                    at += 1
                if at < len(frames) and self._belongs(_apart(frames[at], record), record.time_ns, now_ns):
                    yield frames[at][1], record
                    at += 1
                else:
                    left.append(record)
            self._waiting[key] = left
        self._waiting = defaultdict(list, {key: left for key, left in self._waiting.items() if left})

    def _belongs(self, apart_ns: int, record_ns: int, now_ns: int) -> bool:
        """Whether the nearest frame so far is the one of the record: a nearer one may still be in the ring."""
        if apart_ns <= AT_ONCE_NS:
            return True
        settled = self._last_ns > record_ns + APART_NS or now_ns > record_ns + SETTLED_NS
        return settled and apart_ns <= APART_NS

    def _forget(self, now_ns: int) -> None:
        """Frames and records whose counterpart will not come any more."""
        old_ns = min(self._last_ns, now_ns) - 2 * SETTLED_NS
        self._recent = self._recent.kept(self._recent.time_ns >= old_ns)
        old_ns = now_ns - 4 * SETTLED_NS
        for key in [key for key, records in self._waiting.items() if records[0].time_ns < old_ns]:
            self._waiting[key] = [record for record in self._waiting[key] if record.time_ns >= old_ns]
            if not self._waiting[key]:
                del self._waiting[key]


def _apart(frame: tuple[int, int], record: _Record) -> int:
    return abs(frame[0] - record.time_ns)


class _Rows:
    """Columns of some rows of a log, by name, as Segments has them."""

    def __init__(self, capture: CaptureAnalysis, rows: NDArray[np.int64]) -> None:
        self._log, self._rows = capture.log, rows

    def __getattr__(self, name: str) -> NDArray[np.int64]:
        return self._log.column(name, self._rows)


def _keys(
    columns: Segments | _Rows, end_keys: NDArray[np.uint64], swapped: NDArray[np.bool_]
) -> NDArray[np.uint64]:
    """(n,) a number of everything that must agree; two that differ share one in 2^64 cases."""
    key = end_keys + swapped
    for name, factor in zip(_FIELDS, _FACTORS, strict=True):
        key = (key ^ key >> np.uint64(29)) * factor + getattr(columns, name).astype(np.int64).view(np.uint64)
    return key


def _end_keys(segments: Segments) -> NDArray[np.uint64]:
    """(n,) `_end_key` of each segment."""
    addresses = segments.addresses
    none = np.zeros(len(segments), np.uint64)
    columns = [
        addresses.first,
        *(none if c is None else c for c in (addresses.second, addresses.third, addresses.fourth)),
    ]
    key = addresses.is_v6.astype(np.uint64)
    for column in (*columns, addresses.ports.astype(np.uint64)):
        key = (key ^ key >> np.uint64(31)) * _FACTORS[0] + column
    return key


def _end_key(ends: Tuple4) -> int:
    key = int(ends.is_v6)
    for value in ends[1:]:
        key = ((key ^ key >> 31) * int(_FACTORS[0]) + value) % (1 << 64)
    return key
