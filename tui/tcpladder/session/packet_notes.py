"""What tcpladder knows of a segment, as a comment on its frame that any reader of pcapng shows."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tcpladder.analysis.flow_view import Findings
from tcpladder.analysis.view import Gap, Verdict
from tcpladder.ladder import words
from tcpladder.ladder.ladder import is_event

PREFIX = "tcpladder: "


def worth_a_note(view: Findings) -> NDArray[np.int64]:
    """(n,) the segments that get a comment: events, and what a timer sent or a silence came before."""
    chosen = is_event(view.kind) | view.silent
    chosen[[index for index in view.waits() if index < len(chosen)]] = True
    return np.flatnonzero(chosen)


def note_of(view: Findings, index: int) -> str:
    """`tcpladder: keepalive probe 2/3; keepalive_intvl 1 s: on time, +23 ms, 1.023 s observed, inferred; because …`."""
    parts = [PREFIX + view.label(index)]
    gap = view.gap(index)
    if gap is not None:
        parts.append(_silence(gap))
    elif (timer := view.timer(index)) is not None:
        parts.append(f"sent by its {timer} timer")
    parts.append(f"because {view.because(index)}")
    return "; ".join(parts)


def _silence(gap: Gap) -> str:
    observed = words.duration(gap.observed_ns)
    if gap.verdict is Verdict.UNEXPLAINED or gap.expected_ns is None:
        return f"{observed} of silence before it, unexplained"
    off = words.deviation(gap.observed_ns - gap.expected_ns)
    origin = "" if gap.origin is None else f", {gap.origin}"
    return f"{gap.name}: {gap.verdict}, {off}, {observed} observed{origin}"
