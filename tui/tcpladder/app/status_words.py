"""What a session's status says to a person: sentences and words, no widgets."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import tzinfo
from pathlib import PurePath

from textual.content import Content

from tcpladder.app import replay_words
from tcpladder.app.contract import SessionStatus
from tcpladder.app.named_keys import named
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
    return Content.assemble(f"{plural(status.frames, 'frame')}  ", (f" {drops} " if loud else drops, loud))


def privilege(status: SessionStatus, keymap: Mapping[str, str]) -> tuple[str, str]:
    """With which privilege, and which keys are off: `agent root`, `no root; file: D K off`; then in a word."""
    word = status.privilege.value
    short = Privilege.ROOT.value if status.privilege is Privilege.AGENT else word
    off = named("{break_flow:D} {reset:K} off", keymap)
    if status.mode in ("file", "replay"):
        return f"{word}; {status.mode}: {off}", short
    return (f"{word}: {off}" if status.privilege is Privilege.CAPTURE else word), short


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
