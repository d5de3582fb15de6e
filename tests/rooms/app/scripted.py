"""A session that a test plays by hand: flows from rooms.ladder.talk, a clock that moves when told."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC
from typing import Literal

from textual.pilot import Pilot

from rooms.ladder.talk import START_NS, Talk, keepalive
from tcpladder.agent.fault_messages import End, FaultPlan, FaultState, Place, SysctlSet
from tcpladder.analysis.beliefs import TimerValues
from tcpladder.analysis.view import Endpoint, FlowSummary, FlowView, Side
from tcpladder.app.app import TcpladderApp
from tcpladder.app.terminal import Taste
from tcpladder.errors import PermissionRefused
from tcpladder.faults.fault import Fault
from tcpladder.ladder.model import Note
from tcpladder.ladder.privacy import Mask
from tcpladder.ladder.timers import EndTimers, FlowTimers
from tcpladder.session.notes import UserNote, UserNotes
from tcpladder.session.replay_state import ReplayState
from tcpladder.session.status import Privilege

S = 1_000_000_000
SYN_FRAME = bytes.fromhex(
    "000000000000000000000000080045000028000040004006 3cce7f0000017f000001 5749303900000001000000005002ffff5d930000"
)
"""Ethernet, IPv4, TCP: 127.0.0.1:22345 to :12345, SYN."""


@dataclass(frozen=True, kw_only=True)
class Status:
    """What tcpladder.session.SessionStatus has."""

    name: str = "lo"
    filter: str = "tcp port 12345"
    mode: Literal["live", "file", "lab"] = "live"
    privilege: Privilege = Privilege.AGENT
    phase: Literal["loading", "running", "waiting", "ended"] = "running"
    frames: int = 17
    segments: int = 17
    not_tcp: int = 0
    kernel_drops: int = 0
    flows: int = 0
    progress: float | None = None
    warnings: tuple[str, ...] = ()
    notice: str = ""
    faults: tuple[FaultState, ...] = ()
    now_ns: int = START_NS + 91 * S
    replay: ReplayState | None = None
    behind_ns: int | None = None


@dataclass
class ScriptedFaults:
    """What tcpladder.session.faults.SessionFaults has; notes what was asked of it."""

    why_not: str = ""
    kept: dict[int, FaultState] = field(default_factory=dict)
    asked: list[tuple[str, object]] = field(default_factory=list)
    refused: str = ""
    """Why a plan is refused; typing the word gets around it."""
    sysctls: dict[str, SysctlSet] = field(default_factory=dict)

    def states(self) -> tuple[FaultState, ...]:
        return tuple(self.kept[number] for number in sorted(self.kept))

    def in_force(self) -> tuple[FaultState, ...]:
        return tuple(state for state in self.states() if state.ended_ns is None)

    def plan(self, fault: Fault) -> FaultPlan:
        self.asked.append(("plan", fault))
        return FaultPlan(
            places=[Place.INPUT],
            script="#!/bin/sh -e\niptables -A INPUT -p tcp --dport 12345 -j DROP",
            undo="#!/bin/sh\niptables -D INPUT -p tcp --dport 12345 -j DROP",
            why="Taken away where it arrives. The sender counts it as sent.",
            refused=self.refused,
            needs_insist=bool(self.refused),
        )

    def apply(self, fault: Fault) -> FaultState:
        self.asked.append(("apply", fault))
        if self.refused and not fault.insist:
            raise PermissionRefused(self.refused)
        number = max(self.kept, default=0) + 1
        self.kept[number] = fault_state(number, fault)
        return self.kept[number]

    def lift(self, number: int) -> FaultState:
        self.asked.append(("lift", number))
        self.kept[number] = replace(
            self.kept[number], ended_ns=START_NS + 91 * S, left_ms=None, end=End.LIFTED
        )
        return self.kept[number]

    def lift_last(self) -> FaultState | None:
        return self.lift(self.in_force()[-1].number) if self.in_force() else None

    def lift_all(self) -> list[FaultState]:
        return [self.lift(state.number) for state in reversed(self.in_force())]

    def extend(self, number: int, for_ms: int | None) -> FaultState:
        self.asked.append(("extend", (number, for_ms)))
        self.kept[number] = replace(self.kept[number], left_ms=for_ms)
        return self.kept[number]

    def set_sysctl(self, name: str, value: int | None) -> SysctlSet:
        self.asked.append(("set", (name, value)))
        before = self.sysctls[name].before if name in self.sysctls else "7200"
        self.sysctls.pop(name, None)
        answer = SysctlSet(value=before if value is None else str(value), before=before)
        if value is not None:
            self.sysctls[name] = answer
        return answer


def fault_state(number: int, fault: Fault, *, packets: int = 3, left_ms: int | None = 40_000) -> FaultState:
    """A fault in force."""
    return FaultState(
        number=number,
        fault=fault,
        places=[Place.INPUT],
        since_ns=START_NS + 78 * S,
        ended_ns=None,
        left_ms=left_ms,
        packets=packets,
        bytes=52 * packets,
        interfaces=[],
    )


@dataclass
class ScriptedSession:
    """What tcpladder.session.Session has, and `change` to move it."""

    flows: list[Talk] = field(default_factory=list)
    marks: tuple[Note, ...] = ()
    now: Status = field(default_factory=Status)
    version: int = 0
    calls: list[str] = field(default_factory=list)
    timed: FlowTimers = field(
        default_factory=lambda: FlowTimers(
            ends={side: EndTimers(values={}, reading=None) for side in Side}, pending=(), notice="scripted"
        )
    )
    timers_asked: int = 0
    owner: str = ""
    faults: ScriptedFaults = field(default_factory=ScriptedFaults)
    resets: list[tuple[int, bool]] = field(default_factory=list)
    reset_refused: str = ""
    kept_notes: UserNotes = field(default_factory=lambda: UserNotes(lambda: None))
    mask: Mask | None = None
    sources: tuple[str, ...] = ("lo",)

    def change(self, **fields: object) -> None:
        """Let something happen."""
        self.now = replace(self.now, **fields)  # type: ignore[arg-type]
        self.version += 1

    def start(self) -> None:
        self.calls.append("start")

    def close(self) -> None:
        self.calls.append("close")

    def status(self) -> Status:
        return replace(self.now, flows=len(self.flows), faults=self.faults.in_force())

    def flow_count(self) -> int:
        return len(self.flows)

    def masked(self, text: str) -> str:
        return text if self.mask is None else self.mask.text(text)

    def summary(self, number: int) -> FlowSummary:
        return self.flows[number - 1].summary

    def activity(self, number: int) -> list[int]:
        return [0] * 11 + [self.flows[number - 1].summary.segments]

    def name_addresses(self, aliases: dict[str, str]) -> None:
        for talk in self.flows:
            talk.client = replace(talk.client, name=aliases.get(talk.client.address, ""))
            talk.server = replace(talk.server, name=aliases.get(talk.server.address, ""))

    def measures(self) -> None:
        return None

    def endpoints(self, number: int) -> tuple[Endpoint, Endpoint]:
        return self.flows[number - 1].client, self.flows[number - 1].server

    def view(self, number: int) -> FlowView:
        return self.flows[number - 1]

    def timers(self, number: int) -> FlowTimers:
        self.timers_asked += 1
        return self.timed

    def opening(self) -> TimerValues:
        return TimerValues()

    def owners(self, number: int) -> str:
        return self.owner

    def notes(self, number: int) -> tuple[Note, ...]:
        return (*self.marks, *(note.row() for note in self.user_notes(number)))

    def user_notes(self, number: int) -> tuple[UserNote, ...]:
        return self.kept_notes.of(number)

    def put_note(self, note: UserNote) -> UserNote | None:
        self.version += 1
        return self.kept_notes.put(note)

    def remove_note(self, note: UserNote) -> bool:
        self.version += 1
        return self.kept_notes.remove(note)

    def marked(self, number: int, mark: str) -> UserNote | None:
        return self.kept_notes.marked(number, mark)

    def reset_connection(self, number: int, *, insist: bool = False) -> int:
        if self.reset_refused and not insist:
            raise PermissionRefused(self.reset_refused)
        self.resets.append((number, insist))
        return 2

    def frame_bytes(self, number: int, index: int) -> bytes:
        return SYN_FRAME


def keepalive_session(**status: object) -> ScriptedSession:
    """One flow: the keepalive experiment, a probe unanswered, the RST pending."""
    talk, notes = keepalive()
    talk.why = "waits for the answer to keepalive probe 3/3"
    session = ScriptedSession(flows=[talk], marks=notes)
    session.change(**status)
    return session


def many_flows(count: int) -> ScriptedSession:
    """`count` flows of different ports, states and ends."""
    session = ScriptedSession()
    for number in range(1, count + 1):
        talk, _ = keepalive()
        talk.number = number
        talk.client = Endpoint("2001:db8::a1:b2:c3:d4" if number % 3 == 0 else "10.0.0.7", 40_000 + number)
        talk.server = Endpoint("2001:db8::9:8:7:6" if number % 3 == 0 else "10.0.0.9", 443)
        talk.state, talk.ended = ("closed", "no answer") if number % 2 == 0 else ("estab", None)
        talk.why = f"flow {number} is a test"
        session.flows.append(talk)
    session.change()
    return session


def app_for(
    session: ScriptedSession, *, ascii_only: bool = False, start_flow: int | None = None
) -> TcpladderApp:
    """The application about a scripted session, clock times in UTC."""
    return TcpladderApp(session, taste=Taste(ascii_only=ascii_only, timezone=UTC), start_flow=start_flow)


def screen_text(app: TcpladderApp) -> str:
    """What stands on the screen."""
    return "\n".join(strip.text for strip in app.screen._compositor.render_strips())


async def settle(pilot: Pilot[None], rounds: int = 3) -> str:
    """Let the feed look and the screen draw; the screen's text."""
    for _ in range(rounds):
        await pilot.pause(0.12)
    assert isinstance(pilot.app, TcpladderApp)
    return screen_text(pilot.app)
