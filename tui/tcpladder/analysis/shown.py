"""What a flow shows of its timers, one sentence an end: `probes 55.0 s apart when answered …: idle 55 s`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tcpladder.analysis import names
from tcpladder.analysis.duration import seconds_text
from tcpladder.analysis.inference import constant, doubling, linear_timeouts
from tcpladder.analysis.judge import Judge
from tcpladder.analysis.schedule import SECOND_NS
from tcpladder.analysis.view import Side
from tcpladder.analysis.wait import Observed
from tcpladder.analysis.waits import Waits

_NAME = {Side.CLIENT: "client", Side.SERVER: "server"}


def shown(waits: Waits, judge: Judge) -> tuple[str, ...]:
    """What can be inferred of each end from its segments alone, with how sure that is; empty where nothing can."""
    sentences = []
    for side in Side:
        parts = [*_keepalive(waits.by_end[side], judge, side), *_connect(waits.by_end[side])]
        if parts:
            sentences.append(f"{_NAME[side]}: {'; '.join(parts)}")
    return tuple(sentences)


def _keepalive(observed: Observed, judge: Judge, side: Side) -> Iterator[str]:
    jitter_ns = judge.jitter_ns(side)
    answered = judge.observed_ns(side, names.KEEPALIVE_TIME)
    unanswered = judge.observed_ns(side, names.KEEPALIVE_INTVL)
    backoff = doubling(observed.unanswered_ns)
    seen, meant = [], []
    if answered:
        seen.append(f"probes {_apart(answered)} after the last answer")
        meant.append(_length("idle", answered, jitter_ns))
    if backoff is not None:
        seen.append(f"gaps double from {_seconds(observed.unanswered_ns[0])}")
        meant.append(
            "Solaris-like backoff" + (f" up to {_seconds(backoff.most_ns)}" if backoff.most_ns else "")
        )
    elif unanswered:
        seen.append(f"{_apart(unanswered)} apart when not answered")
        meant.append(_length("interval", unanswered, jitter_ns))
    if observed.gave_up_after is not None:
        seen.append(f"gave up after {observed.gave_up_after}")
        meant.append(f"count {observed.gave_up_after}")
    elif observed.most_probes > 1:
        meant.append(f"count at least {observed.most_probes}")
    if observed.garbage_bytes and backoff is None:
        meant.append("a byte of garbage in each probe, as Windows and old BSD send")
    if seen:
        yield f"{', '.join(seen)}: {', '.join(meant)}"


def _connect(observed: Observed) -> Iterator[str]:
    waits_ns = observed.syn_waits_ns
    if len(waits_ns) < 2:
        return
    linear = linear_timeouts(waits_ns)
    pattern = " ".join(str(round(wait / SECOND_NS)) for wait in waits_ns)
    doubled = len(waits_ns) > linear + 1
    if doubled:
        kernel = "Linux 6.5 or later" if linear else "doubles at once, as Linux before 6.5"
        yield f"SYNs at {pattern}: linear timeouts {linear} ({kernel}), {len(waits_ns)} retries seen"
    else:
        yield f"SYNs at {pattern}: linear timeouts at least {linear}"


def _length(word: str, observed_ns: Sequence[int], jitter_ns: int) -> str:
    """`idle 55 s, seen once (49 to 55 s would fit)`."""
    found = constant(observed_ns, jitter_ns)
    if found is None:
        return f"{word} no whole number of seconds"
    times = "once" if found.seen == 1 else f"{found.seen} times"
    sure = "" if found.least_ns == found.value_ns else f", {found.least_ns // SECOND_NS} s would fit too"
    if found.value_ns - found.least_ns > SECOND_NS:
        sure = f", from {found.least_ns // SECOND_NS} s on would fit too"
    odd = f", {found.odd} longer" if found.odd else ""
    return f"{word} {seconds_text(found.value_ns)} (seen {times}{sure}{odd})"


def _apart(observed_ns: Sequence[int]) -> str:
    shortest, longest = _seconds(min(observed_ns)), _seconds(max(observed_ns))
    return shortest if shortest == longest else f"{shortest.removesuffix(' s')} to {longest}"


def _seconds(length_ns: int) -> str:
    """With one decimal, two below 10 s, cut: `1.46 s`, `55.0 s`."""
    if length_ns < 10 * SECOND_NS:
        return f"{length_ns // (SECOND_NS // 100) / 100:.2f} s"
    return f"{length_ns // (SECOND_NS // 10) / 10:.1f} s"
