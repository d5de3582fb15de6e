"""Saves each flow that ends in a way that somebody waits for, by itself, into a directory."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from tcpladder.analysis.tracking import Ending
from tcpladder.analysis.view import Endpoint
from tcpladder.errors import TcpladderError
from tcpladder.session.base import Session
from tcpladder.session.keeping import Keep, Occasion
from tcpladder.session.save_frames import Wanted, save

ENDINGS = {
    Ending.KEEPALIVE: Occasion.TIMEOUT,
    Ending.RST: Occasion.RESET,
    Ending.RST_ANSWER: Occasion.RESET,
    Ending.REFUSED: Occasion.REFUSED,
    Ending.ICMP: Occasion.REFUSED,
    Ending.CLOSED: Occasion.CLOSED,
}
MOST_FILES = 100
"""What saves by itself must not fill a disk by itself."""
MARGIN_NS = 1_000_000_000
"""A timer that gives up in silence has done so this long after it was due."""
EVERY_NS = 500_000_000
"""Between two looks."""


class FlightRecorder:
    """Watches the flows of a live capture.

    Args:
        session: whose flows; saved while it goes on.
        occasions: what to wait for.
        directory: an open descriptor of the directory, and what to call it.
        keep: how much of the capture stays.
    """

    def __init__(
        self, session: Session, occasions: frozenset[Occasion], directory: tuple[int, str], keep: Keep
    ) -> None:
        self._session, self._occasions, self._keep = session, occasions, keep
        self._directory, self._directory_name = directory
        self.files = 0
        self.last = ""
        """Name of the last file."""
        self._rows = 0
        self._looked_ns = 0
        self._waiting: dict[int, int] = {}
        """Flow -> when a timer that has sent in vain so far gives up, if nothing else comes."""
        self._done: set[int] = set()

    @property
    def sentence(self) -> str:
        """For the status line."""
        if not self.files:
            words = ", ".join(sorted(occasion.value for occasion in self._occasions))
            return f"saves flows that end ({words}) into {self._directory_name}"
        counted = "1 flow" if self.files == 1 else f"{self.files} flows"
        return f"saved {counted}, the last as {self.last}"

    def look(self, now_ns: int, warn: Callable[[str], None]) -> None:
        """See what ended meanwhile, and save it."""
        if now_ns - self._looked_ns < EVERY_NS:
            return
        self._looked_ns = now_ns
        for number, occasion in self._ended(now_ns):
            if self.files >= MOST_FILES:
                warn(
                    f"{MOST_FILES} flows are saved, and no more: empty {self._directory_name} and start again"
                )
                return
            try:
                self._save(number, occasion, now_ns)
            except TcpladderError as failed:
                warn(str(failed))

    def _ended(self, now_ns: int) -> list[tuple[int, Occasion]]:
        """The flows that have ended since the last look."""
        found: list[tuple[int, Occasion]] = []
        with self._session.lock:
            capture = self._session.captures[0]
            fresh = capture.flows_since(self._rows)
            self._rows = len(capture.log)
            for number in fresh:
                ending = capture.ending(number)
                if ending is None:
                    self._expect(number)
                elif number not in self._done:
                    self._done.add(number)
                    self._waiting.pop(number, None)
                    found.append((number, ENDINGS[ending]))
            for number, due_ns in list(self._waiting.items()):
                if due_ns + MARGIN_NS <= now_ns:
                    del self._waiting[number]
                    found.append((number, Occasion.TIMEOUT))
        return [(number, occasion) for number, occasion in found if occasion in self._occasions]

    def _expect(self, number: int) -> None:
        """Remember when a timer gives up that sends in vain; anything new in the flow changes that."""
        self._waiting.pop(number, None)
        summary = self._session.captures[0].summary(number)
        if not (summary.retransmissions or summary.keepalive_probes or summary.began == "syn"):
            return
        due_ns = self._session.captures[0].view(number).gives_up_ns()
        if due_ns is not None:
            self._waiting[number] = due_ns

    def _save(self, number: int, occasion: Occasion, now_ns: int) -> None:
        summary = self._session.summary(number)
        name = file_name(now_ns, summary.client, summary.server, occasion)
        since_ns = None if self._keep.length_ns is None else now_ns - self._keep.length_ns
        save(self._session, Path(name), Wanted(flows=(number,), from_ns=since_ns), directory=self._directory)
        self.files += 1
        self.last = name


def file_name(now_ns: int, client: Endpoint, server: Endpoint, occasion: Occasion) -> str:
    """`20251124-143012-127.0.0.1.39476-127.0.0.1.80-timeout.pcapng`: local time, client, server, how it ended."""
    when = datetime.fromtimestamp(now_ns / 10**9).astimezone()
    ends = "-".join(f"{end.address.replace(':', '_')}.{end.port}" for end in (client, server))
    return f"{when:%Y%m%d-%H%M%S}-{ends}-{occasion.value}.pcapng"
