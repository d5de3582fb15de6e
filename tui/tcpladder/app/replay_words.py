"""What a replay says of itself: its signs, its pace, how far it is behind."""

from __future__ import annotations

from datetime import tzinfo

from tcpladder.ladder import words
from tcpladder.session.playhead import pace_text
from tcpladder.session.replay_state import ReplayState

FINE_NS = 2 * words.MINUTE
"""A shorter capture has tenths of a second on its clock."""


def sign(state: ReplayState, *, ascii_only: bool) -> str:
    """Playing or not, two cells."""
    if ascii_only:
        return ">>" if state.playing else "||"
    return "▶▶" if state.playing else "▮▮"


def phase(state: ReplayState, *, ascii_only: bool) -> str:
    """`▶▶ replay 60×`, `▮▮ paused`, `▮▮ end`."""
    if state.playing:
        word = f"replay {_plain(pace_text(state.pace), ascii_only)}"
    else:
        word = "end" if state.now_ns >= state.end_ns and not state.growing else "paused"
    return f"{sign(state, ascii_only=ascii_only)} {word}"


def behind(behind_ns: int) -> str:
    """`12 s behind live`."""
    return f"{words.remaining(behind_ns)} behind live" if behind_ns >= words.SECOND else "live"


def clocks(state: ReplayState, timezone: tzinfo, *, ascii_only: bool) -> str:
    """`◀◀ 14:02:10 / 15:40:00  60×`: now, the end and the pace."""
    length = 10 if state.end_ns - state.begin_ns < FINE_NS else 8
    now, end = (words.clock(ns, timezone)[:length] for ns in (state.now_ns, state.end_ns))
    mark = "<<" if ascii_only else "◀◀"
    return f"{mark} {now} / {end}  {_plain(pace_text(state.pace), ascii_only)}"


def habits(state: ReplayState) -> str:
    """`silences ≤ 3 s  loop`: what is done with long silences and at the end."""
    idle = "full silences" if state.idle_s is None else f"silences to {state.idle_s:g} s"
    return f"{idle}  loop" if state.loop else idle


def _plain(text: str, ascii_only: bool) -> str:
    return text.replace("×", "x") if ascii_only else text
