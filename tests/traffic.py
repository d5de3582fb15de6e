"""Traffic that hypothesis makes up: several conversations at once, with whatever happens to segments on their way."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import strategies as st

from talk import ACK, FIN, RST, SYN, By, Frame, Talk, other

Step = Callable[[Talk, By, int], object]
"""Does something to a conversation: (talk, who, a small number)."""
GAPS_NS = (0, 1_000, 300_000, 5_000_000, 40_000_000, 210_000_000, 1_000_000_000, 75_000_000_000)


def _cut(talk: Talk, number: int) -> None:
    if talk.frames:
        talk.frames[-1] = talk.frames[-1].cut(14 + 20 + number * 4)


def _reuse(talk: Talk, number: int) -> None:
    talk.reuse(client_isn=(1 << 32) - 40 * number, server_isn=77 * number)
    talk.handshake()


def _again(talk: Talk, number: int) -> None:
    if talk.frames:
        talk.again(-1 - number % len(talk.frames), after_ns=GAPS_NS[number], doubled=number % 3 == 0)


STEPS: dict[str, Step] = {
    "data": lambda talk, by, n: talk.data(1 + 137 * n, by),
    "one byte": lambda talk, by, n: talk.data(1, by, lost=n % 2),
    "lost": lambda talk, by, n: talk.data(1 + 100 * n, by, lost=True),
    "unseen": lambda talk, by, n: talk.data(1 + 100 * n, by, unseen=True),
    "ack": lambda talk, by, n: talk.ack(by),
    "acks": lambda talk, by, n: [talk.ack(by) for _ in range(n)],
    "window": lambda talk, by, n: talk.ack(by, window=n * 100),
    "close window": lambda talk, by, n: talk.ack(by, window=0),
    "keepalive": lambda talk, by, n: talk.keepalive(by, n % 2),
    "answered": lambda talk, by, n: talk.keepalive(by, n % 2).ack(other(by)),
    "again": lambda talk, by, n: _again(talk, n),
    "swap": lambda talk, by, n: talk.swap() if len(talk.frames) > 1 else None,
    "silence": lambda talk, by, n: talk.silence(GAPS_NS[n] / 1e9),
    "handshake": lambda talk, by, n: talk.syn(by).syn_ack(other(by)).ack(by),
    "syn": lambda talk, by, n: talk.syn(by),
    "syn-ack": lambda talk, by, n: talk.syn_ack(by),
    "fin": lambda talk, by, n: talk.fin(by),
    "fin with data": lambda talk, by, n: talk.say(by, FIN | ACK, n),
    "rst": lambda talk, by, n: talk.rst(by, RST | ACK if n % 2 else RST),
    "reuse": lambda talk, by, n: _reuse(talk, n),
    "icmp": lambda talk, by, n: talk.icmp(code=n) if talk.frames and not talk.v6 else None,
    "cut": lambda talk, by, n: _cut(talk, n),
    "odd": lambda talk, by, n: talk.say(by, SYN | FIN | RST if n % 2 else 0, n),
}
COMMON = ["data", "ack", "lost", "answered", "keepalive", "again", "window"]
_steps = st.tuples(
    st.sampled_from([*STEPS, *COMMON, *COMMON]), st.sampled_from(["client", "server"]), st.integers(0, 7)
)


@st.composite
def captures(draw: st.DrawFn) -> list[Frame]:
    """The frames of up to three conversations; some begin in the middle, some wrap around 2^32."""
    talks = [
        Talk(
            client_port=40000 + number,
            # Two numbers half the space apart have no order (RFC 9293 3.4), so none of these are.
            client_isn=draw(st.sampled_from([0, 1000, (1 << 32) - 200])),
            server_isn=draw(st.sampled_from([0, 5_000_000, (1 << 32) - 1])),
            v6=draw(st.booleans()),
            shift=draw(st.sampled_from([None, 0, 7])),
            stamps=draw(st.booleans()),
        )
        for number in range(draw(st.integers(1, 3)))
    ]
    for talk in talks:
        if draw(st.booleans()):
            talk.handshake()
        else:
            talk.established()
    for which, (name, by, number) in draw(
        st.lists(st.tuples(st.integers(0, len(talks) - 1), _steps), min_size=1, max_size=40)
    ):
        STEPS[name](talks[which], by, number)
    # Each conversation has a clock of its own; the capture is in order of time, equal times in order of conversation.
    frames = [frame for talk in talks for frame in talk.frames]
    return sorted(frames, key=lambda frame: frame.time_ns)
