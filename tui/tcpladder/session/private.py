"""A session over a private network of the lab, and the command of the user's that runs in it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from tcpladder.agent.messages import OpenCapture
from tcpladder.analysis.beliefs import TimerValues
from tcpladder.analysis.view import Endpoint
from tcpladder.hosts.command import Command
from tcpladder.hosts.plan import Plan
from tcpladder.lab.experiment import Point
from tcpladder.lab.requests import on_host
from tcpladder.session.faults import SessionFaults
from tcpladder.session.lab_agent import LabAgent
from tcpladder.session.lab_paths import LabPaths
from tcpladder.session.live import LiveSession
from tcpladder.session.local_ends import SYSCTLS
from tcpladder.session.seen_at import SeenAt
from tcpladder.session.status import Privilege
from tcpladder.session.values_told import ValuesTold

_SETTLING_S = 0.5
"""After the end of the command, until what was sent last is captured."""
LOOKS_AT_POINTS = 12
"""The kernel hands over a block of the ring after 50 ms at the soonest: longer than seen_at.SETTLED_NS in all."""
MOST_LINES = 500
MOST_OUTPUT_BYTES = 1 << 20


class PrivateSession(LiveSession):
    """What one host of a private network carries. Ends live on every host of it, and are believed accordingly.

    Args:
        agent: it has built `plan`.
        points: where frames are captured; what is asked plainly is meant for the host of the first.
        command: begun when the capture runs; ended with the session.
        on_output: takes what the command says, as it comes.
        write: a descriptor to save every frame to, as pcapng, and its name.
    """

    def __init__(
        self,
        agent: LabAgent,
        plan: Plan,
        points: Sequence[Point],
        *,
        name: str,
        command: Command | None = None,
        on_output: Callable[[bytes], None] = lambda _said: None,
        write: tuple[int, str] | None = None,
    ) -> None:
        point, paths = points[0], LabPaths(plan, points)
        requests = {str(one): on_host(one.host, OpenCapture(interface=one.interface)) for one in points[1:]}
        super().__init__(
            agent,
            OpenCapture(interface=point.interface),
            called=str(point) if requests else "",
            more=requests,
            mode="lab",
            name=name,
            write=write,
        )
        self.faults = SessionFaults(agent, self._change, host=point.host, placed=paths.placed)
        self._seen_at = SeenAt(self.capture, paths, points) if requests else None
        self.has_command = command is not None
        self._command = command
        self._exit_code: int | None = None
        self.command_output = b""
        """The last of what the command said."""
        self._on_output = on_output
        self._lab = agent
        self._local |= agent.addresses
        self._values_on: dict[str, TimerValues] = {host: TimerValues() for host in plan.hosts}
        self._told_of = {host: ValuesTold() for host in plan.hosts if host != point.host}
        self._command_ended_s: float | None = None

    @property
    def privilege(self) -> Privilege:
        return Privilege.OWN_NETNS

    @property
    def finished(self) -> bool:
        """Whether the command has ended, and what it sent last was seen."""
        ended_s = self._command_ended_s
        return ended_s is not None and time.monotonic() - ended_s >= _SETTLING_S

    @property
    def exit_code(self) -> int | None:
        """The command's, None while it runs and without one."""
        return self._exit_code

    def look(self, wait_s: float) -> bool:
        """One look at the ring, then at what the command says."""
        came = super().look(wait_s)
        if self._command is not None and self._may_begin():
            self._command.begin()
            said = self._command.read()
            if said:
                self._on_output(said)
                self.command_output = (self.command_output + said)[-MOST_OUTPUT_BYTES:]
                self.version += 1
            if self._command.code is not None and self._command_ended_s is None:
                self._exit_code, self._command_ended_s = self._command.code, time.monotonic()
        return came

    @property
    def _looks_to_wait(self) -> int:
        return super()._looks_to_wait if self._seen_at is None else LOOKS_AT_POINTS

    def _mark_eaten(self) -> dict[int, str]:
        """As ever, and what did not come by the next point."""
        found = super()._mark_eaten()
        if self._seen_at is not None:
            with self._lock:
                missed = self._seen_at.mark(time.time_ns())
                self.version += bool(missed)
            found |= {self.capture.log.value("frame", row): words for row, words in missed.items()}
        return found

    def _may_begin(self) -> bool:
        """Whether it is the command's turn."""
        return True

    def _notice(self) -> str:
        """The last line that the command said, then how it ended."""
        if self._exit_code is not None:
            return f"the command has ended with exit code {self._exit_code}"
        said = self.command_output.decode(errors="replace").rstrip().rpartition("\n")[2]
        return "".join(letter if letter.isprintable() else " " for letter in said)

    @property
    def awaits_its_user(self) -> bool:
        """Whether a step waits for `step_on`."""
        return False

    @property
    def sums_up(self) -> bool:
        """Whether the narration is to be read from its first line on."""
        return False

    def step_on(self) -> str:
        """Take the step that waits; why there is none, empty where it was taken. May be called from any thread."""
        return "no experiment runs here, only your command"

    def narration(self, width: int) -> list[str]:
        """What the command says, its newest lines last."""
        del width
        if not self.has_command:
            return ["no experiment runs here, and no command"]
        said = self.command_output.decode(errors="replace").splitlines()[-MOST_LINES:]
        code = self._exit_code
        ended = [] if code is None else [f"the command has ended with exit code {code}"]
        return ["what the command says", "", *said, *ended]

    def _take_sysctls(self) -> bool:
        """As ever, and on every host."""
        before = self._values_on
        self._values_on = {
            host: self._sysctls(values, on_host(host, SYSCTLS)) for host, values in before.items()
        }
        return super()._take_sysctls() or self._values_on != before

    def _sysctls_of(self, endpoint: Endpoint) -> TimerValues:
        return self._values_on.get(self._lab.host_of(endpoint.address), self._values)

    def _news(self, frames: int) -> dict[int, str]:
        """As ever, and what holds on the other hosts."""
        news = super()._news(frames)
        for host, told in self._told_of.items():
            addresses = self._lab.addresses_of(host)
            fresh = told.news(self._values_on[host], addresses, {}, most=frames - len(news))
            news |= dict(enumerate(fresh, len(news)))
        return news

    def close(self) -> None:
        super().close()
        if self._command is not None:
            self._command.close()
            self._command = None
