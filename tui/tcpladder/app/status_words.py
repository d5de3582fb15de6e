"""What a session's status says to a person: sentences and words, no widgets."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import tzinfo
from pathlib import PurePath

from textual.content import Content

from tcpladder.agent.fault_messages import End, FaultState, Place
from tcpladder.app import replay_words
from tcpladder.app.contract import SessionStatus
from tcpladder.app.named_keys import named
from tcpladder.faults import phrases
from tcpladder.faults.fault import ROUTING
from tcpladder.ladder import words
from tcpladder.session.status import Privilege
from tcpladder.wire.frames import UNKNOWN_TIME_NS


def source(status: SessionStatus) -> str:
    """What is looked at: `lo  tcp port 12345`, `14 files`."""
    name = short_name(status) if ", " in status.name else status.name
    return f"{name}  {status.filter}".rstrip()


def short_name(status: SessionStatus) -> str:
    """An interface, a file without its directory, or how many files."""
    if status.mode not in ("file", "replay"):
        return status.name
    files = status.name.split(", ")
    return PurePath(status.name).name if len(files) == 1 else f"{len(files)} files"


def phase(status: SessionStatus, *, ascii_only: bool, seconds_left: float | None = None) -> Content:
    """`● live`, `loading 43 %, 12 s left`, `ended`: the sign and the word say the same."""
    if status.replay is not None and status.phase != "loading":
        return Content.styled(replay_words.phase(status.replay, ascii_only=ascii_only), "$text-accent bold")
    if status.phase == "loading":
        return Content.styled(_loading(status, seconds_left), "bold")
    if status.phase == "ended":
        return Content.styled("complete" if status.mode == "file" else "ended", "$text-muted")
    if status.phase == "waiting":
        return Content.styled("waiting", "$text-warning bold")
    sign = "*" if ascii_only else "●"
    return Content.styled(f"{sign} {'live' if status.mode == 'live' else status.mode}", "$text-success bold")


def _loading(status: SessionStatus, seconds_left: float | None) -> str:
    if status.progress is None:
        return "loading"
    text = f"loading {int(100 * status.progress)} %"
    return text if seconds_left is None else f"{text}, {seconds_left:.0f} s left"


def counters(status: SessionStatus) -> Content:
    """Frames seen and frames that the kernel dropped: always both, the second loud when it is not zero."""
    drops = f"kernel drops {status.kernel_drops:,}"
    loud = "bold $text-error reverse" if status.kernel_drops else ""
    return Content.assemble(f"{status.frames:,} frames  ", (f" {drops} " if loud else drops, loud))


def privilege(status: SessionStatus, keymap: Mapping[str, str]) -> tuple[str, str]:
    """With which privilege, and which keys are off: `agent root`, `no root; file: D K off`; then in a word."""
    word = status.privilege.value
    short = Privilege.ROOT.value if status.privilege is Privilege.AGENT else word
    off = named("{break_flow:D} {reset:K} off", keymap)
    if status.mode in ("file", "replay"):
        return f"{word}; {status.mode}: {off}", short
    return (f"{word}: {off}" if status.privilege is Privilege.CAPTURE else word), short


PLACES: dict[Place, str] = {
    Place.INPUT: "dropped on arrival, after the tap",
    Place.FORWARD: "dropped on its way through, after the tap",
    Place.SINK: "sent into a device that leads nowhere, before the tap",
    Place.OUTPUT: "refused on its way out, before the tap",
    Place.ROUTE: "no way there",
    Place.LINK: "interface down",
}
"""Where a fault takes segments away."""


def faults(status: SessionStatus) -> str:
    """`fault 1: 40 s left, ate 3`, `faults 1, 3: next ends in 40 s, ate 12`; empty where nothing is broken."""
    standing = status.faults
    if not standing:
        return ""
    eaten = f"ate {sum(state.packets for state in standing):,}"
    if len(standing) == 1:
        return f"fault {standing[0].number}: {time_left(standing[0])}, {eaten}"
    numbers = ", ".join(str(state.number) for state in standing[-3:])
    more = "…, " if len(standing) > 3 else ""
    ends = min((state.left_ms for state in standing if state.left_ms is not None), default=None)
    next_end = "no end" if ends is None else f"next ends in {seconds_left(ends)}"
    return f"faults {more}{numbers}: {next_end}, {eaten}"


def time_left(state: FaultState) -> str:
    """`40 s left`, `no end`, `over`, `lifted`; `not put back` for one that should be over."""
    if state.ended_ns is not None:
        return "lifted" if state.end is End.LIFTED else "over"
    if state.stuck:
        return "not put back"
    return "no end" if state.left_ms is None else f"{seconds_left(state.left_ms)} left"


def seconds_left(left_ms: int) -> str:
    """Whole seconds, so that a line changes once a second: `40 s`, `2 min 05 s`."""
    return phrases.length(max(0, -(-left_ms // 1000)) * 1000)


def fault_ended(state: FaultState) -> str:
    """What was put back: `rule 1 lifted: ate 3 segments, 156 bytes; the rule is gone`."""
    how = phrases.ENDED[state.end]
    if state.fault.action in ROUTING:
        return f"rule {state.number} {how}: routes and links are as they were"
    return f"rule {state.number} {how}: {phrases.ate(state.packets, state.bytes)}; the rule is gone"


def plural(number: int, noun: str) -> str:
    """`1 socket`, `2 sockets`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def alarm(status: SessionStatus) -> str:
    """The sentence that matters most now, empty where all is well."""
    if status.warnings:
        return status.warnings[-1]
    if status.kernel_drops:
        return (
            f"the kernel dropped {status.kernel_drops:,} frames: segments are missing;"
            " narrow the filter or lower -s"
        )
    return ""


def paused(new: int) -> str:
    """How much is new since a person stopped the screen."""
    return f"paused, {new:,} new, {{pause:p}} to go on"


def empty(status: SessionStatus, since_ns: int, timezone: tzinfo) -> str:
    """What to say where there is no flow, and what to do about it."""
    if status.phase == "loading":
        return f"Reading {status.name}."
    if status.mode == "replay":
        return (
            f"Nothing yet at {words.clock(status.now_ns, timezone)[:8]}."
            if status.now_ns > 0
            else status.notice
        )
    if status.mode == "file" and not status.frames:
        return f"No frames were read from {status.name}."
    if status.mode == "file":
        return f"No TCP in {status.name}: {status.frames:,} frames, none of them a TCP segment."
    if status.phase == "ended":
        return f"No TCP was seen on {status.name}."
    since = f" since {words.clock(since_ns, timezone)[:8]}" if since_ns not in (0, UNKNOWN_TIME_NS) else ""
    if status.mode == "lab":
        return f"No TCP in the lab{since}. The experiment starts its client and its server."
    narrowed = f" that matches `{status.filter}`" if status.filter else ""
    others = f"\n\n{status.not_tcp:,} other frames came by." if status.not_tcp else ""
    return (
        f"No TCP on {status.name}{narrowed}{since}.\n"
        f"Start something: curl localhost:8000.   {{interfaces:i}} another interface{others}"
    )
