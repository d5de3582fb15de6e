"""Which timer values have been told already to the capture that is being written, and which must be."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from tcpladder.analysis.beliefs import TimerValues
from tcpladder.analysis.captured import Entry, comments_of
from tcpladder.analysis.view import Endpoint, Origin


class ValuesTold:
    """Remembers, so that each value is written once, and once more when it changes."""

    def __init__(self) -> None:
        self._told: dict[object, Mapping[str, tuple[int, int]]] = {}
        self._waiting: list[str] = []

    def news(
        self,
        machine: TimerValues,
        addresses: Sequence[str],
        sockets: Mapping[tuple[Endpoint, Endpoint | None], TimerValues],
        *,
        most: int,
    ) -> list[str]:
        """At most so many comments that tell what is new: sysctls of the machine at `addresses`, and its sockets'
        options. What does not fit comes the next time."""
        self._waiting += comments_of(self._entries(machine, addresses, sockets))
        news, self._waiting = self._waiting[:most], self._waiting[most:]
        return news

    def _entries(
        self,
        machine: TimerValues,
        addresses: Sequence[str],
        sockets: Mapping[tuple[Endpoint, Endpoint | None], TimerValues],
    ) -> Iterator[Entry]:
        for since_ns, values in self._fresh(None, machine, Origin.NETNS).items():
            yield Entry(addresses=tuple(addresses), since_ns=since_ns, values=values)
        for (local, peer), held in sockets.items():
            for since_ns, values in self._fresh((local, peer), held, Origin.SOCKET).items():
                yield Entry(
                    addresses=(local.address,), port=local.port, peer=peer, since_ns=since_ns, values=values
                )

    def _fresh(self, key: object, held: TimerValues, origin: Origin) -> dict[int, dict[str, int]]:
        """What is not told yet, by the time from which it holds."""
        now = {n: (b.value, b.since_ns) for n, b in held.known.items() if b.origin is origin}
        before = self._told.get(key, {})
        self._told[key] = now
        fresh: dict[int, dict[str, int]] = {}
        for name, (value, since_ns) in now.items():
            if before.get(name) != (value, since_ns):
                fresh.setdefault(since_ns, {})[name] = value
        return fresh
