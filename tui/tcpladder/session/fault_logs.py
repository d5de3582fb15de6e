"""What the fault logs tell, as it comes: one log for each host where something was broken."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator

from tcpladder.errors import SessionError, TcpladderError
from tcpladder.session.broken import sentence
from tcpladder.sources.fault_log import Eaten, FaultLog

LISTEN_S = 0.2
"""How long a log is waited for at once: the longest delay before a stop is noticed."""
MANY, GATHER_S = 256, 0.02
"""Where so many records came at once, more are gathered for so long: a few large reads cost less than many small."""


def as_the_hook_says(_host: str, eaten: Eaten) -> Eaten:
    """What leaves a host is eaten before its tap: true where frames are captured on the host that eats them."""
    return eaten


class FaultLogs:
    """Every log of a session. The methods may be called from any thread.

    Args:
        ask: opens the log of a host: the descriptor of FaultLogOpened. Raises TcpladderError.
        placed: says of what was eaten on a host whether the capture can have it (Eaten.before_tap).
    """

    def __init__(
        self, ask: Callable[[str], int], placed: Callable[[str, Eaten], Eaten] = as_the_hook_says
    ) -> None:
        self._ask = ask
        self._placed = placed
        self._lock = threading.Lock()
        self._logs: dict[str, FaultLog] = {}
        self._threads: list[threading.Thread] = []
        self._stop = threading.Event()
        self._eaten: deque[Eaten] = deque()
        self._failed: deque[SessionError] = deque()
        self.refused: dict[str, str] = {}
        """Host -> why it has no log."""

    @property
    def lost(self) -> int:
        """Records that found no room in the buffer of a log."""
        return sum(log.lost for log in self._logs.values())

    def open(self, host: str) -> None:
        """Listen before anything is eaten there; nothing where that is done already, or was refused."""
        with self._lock:
            if host in self._logs or host in self.refused:
                return
            try:
                log = self._logs[host] = FaultLog(self._ask(host))
            except TcpladderError as refused:
                self.refused[host] = str(refused)
                return
        thread = threading.Thread(target=self._run, args=(host, log), name="fault log", daemon=True)
        self._threads.append(thread)
        thread.start()

    def eaten(self) -> Iterator[Eaten]:
        """What the logs told since the last call. Raises SessionError, once, for a log that cannot be read on."""
        while self._eaten:
            yield self._eaten.popleft()
        if self._failed:
            raise self._failed.popleft()

    def close(self) -> None:
        """Release them."""
        self._stop.set()
        for thread in self._threads:
            thread.join(2)
        for log in self._logs.values():
            log.close()

    def _run(self, host: str, log: FaultLog) -> None:
        try:
            self._listen(host, log)
        except Exception as failed:
            self.refused[host] = sentence(failed, "the fault log")
            self._failed.append(SessionError(self.refused[host]))

    def _listen(self, host: str, log: FaultLog) -> None:
        """Read records as soon as they come: one without a time of its own gets that of its arrival."""
        while not self._stop.is_set():
            if not log.wait(LISTEN_S):
                continue
            eaten = log.read(time.time_ns())
            if eaten is not None:
                self._eaten.append(self._placed(host, eaten))
                if len(eaten.rule) > MANY:
                    self._stop.wait(GATHER_S)
