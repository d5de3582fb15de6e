"""The diagram that the author of an article wrote by hand, and ours of the same experiment: they tell the same.

The source is quoted from "tcpdumpとiptablesで理解するTCPのキープアライブ(TCP keepalive)", whose experiment
captures/keepalive repeats with shorter timers: three probes answered, then the answers stop.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from rooms.ladder.diagrams import CAPTURES, exported
from tcpladder.render.formats import Format

ARTICLE = """\
note over curl,nc: establish
note left of curl: keepalive probe packet (every 30 sec)
curl->nc: ack
nc->curl: ack
note left of curl: keepalive probe packet (every 30 sec)
curl->nc: ack
nc->curl: ack
note left of curl: keepalive probe packet (every 30 sec)
curl->nc: ack
nc->curl: ack
note left of curl: keepalive probe packet (every 30 sec)
curl->nc: ack
nc-->curl: ack
destroy nc
note left of curl: keepalive probe packet (3 sec)
curl->nc: ack
note left of curl: keepalive prove packet (3 sec)
curl->nc: ack
note left of curl: RST packet
curl->nc: rst
"""
FIRST_PROBE = 6
"""The rung of ours where the author's picture begins: what made the connection is his `establish`."""
WAITS = {"every 30 sec": "keepalive_time", "3 sec": "keepalive_intvl"}


@dataclass(frozen=True)
class Note:
    where: str
    ends: tuple[str, ...]
    text: str


@dataclass(frozen=True)
class Arrow:
    sender: str
    receiver: str
    dashed: bool
    text: str


def parsed(source: str) -> list[Note | Arrow]:
    """The notes and arrows of a websequencediagrams source, ends by what is shown of them, first line only."""
    shown: dict[str, str] = {}
    told: list[Note | Arrow] = []
    for line in source.splitlines():
        if line.startswith("#") or re.fullmatch(r"(activate|deactivate|destroy) \w+", line):
            continue
        if match := re.fullmatch(r'participant "([^"\\]*)(?:\\n[^"]*)?" as (\w+)', line):
            shown[match[2]] = match[1]
        elif match := re.fullmatch(r"note (left of|right of|over) ([\w,]+): (.+)", line):
            told.append(Note(match[1], tuple(shown.get(end, end) for end in match[2].split(",")), match[3]))
        elif match := re.fullmatch(r"(\w+)(-->|->)(\w+): (.+)", line):
            sender, arrow, receiver, text = match.groups()
            told.append(Arrow(shown.get(sender, sender), shown.get(receiver, receiver), arrow == "-->", text))
        else:
            raise AssertionError(f"no websequencediagrams: {line}")
    return told


def ours() -> list[Note | Arrow]:
    source = exported(
        CAPTURES["keepalive"], Format.WEBSEQUENCE, rungs=(FIRST_PROBE, 15), lane_names=("curl", "nc")
    )
    return parsed(source)


def author() -> list[Note | Arrow]:
    """Without the dashed answer: it is the one that never comes, and nobody sees it on the wire."""
    return [step for step in parsed(ARTICLE) if not (isinstance(step, Arrow) and step.dashed)]


def flag(arrow: Arrow) -> tuple[str, str, str]:
    """What the author calls the segment: by its flag."""
    word = "rst" if arrow.text.startswith("RST") or arrow.text == "rst" else "ack"
    return arrow.sender, arrow.receiver, word


def test_both_have_the_same_messages_in_the_same_order() -> None:
    arrows = [[flag(step) for step in told if isinstance(step, Arrow)] for told in (author(), ours())]
    assert arrows[0] == arrows[1]
    assert arrows[1].count(("nc", "curl", "ack")) == 3


def test_both_begin_with_an_established_connection() -> None:
    first, other = author()[0], ours()[0]
    assert isinstance(first, Note)
    assert isinstance(other, Note)
    assert (first.where, first.ends) == (other.where, other.ends) == ("over", ("curl", "nc"))
    assert other.text.startswith(first.text)


def test_a_note_stands_before_each_wait_and_names_its_timer() -> None:
    """Where the author counts the seconds by hand, ours has the length, the timer and its verdict."""
    steps = ours()
    assert isinstance(steps[-1], Note)
    assert steps[-1].text.startswith("no answer")
    steps = steps[:-1]
    assert [type(step) for step in steps] == [type(step) for step in author()]
    for by_hand, made in zip(author()[1:], steps[1:], strict=True):
        if isinstance(by_hand, Note) and isinstance(made, Note):
            assert (by_hand.where, by_hand.ends) == (made.where, made.ends) == ("left of", ("curl",))
            wait = re.search(r"\((.+)\)", by_hand.text)
            timer = "keepalive_intvl" if wait is None else WAITS[wait[1]]
            assert re.fullmatch(rf"\d\.\d+ s, {timer} \d s ✓ \+\d+ ms \(inferred\)", made.text)


def test_the_answer_that_never_comes_stands_at_the_same_probe() -> None:
    """The author draws it dashed; ours calls the probe before it the first of three unanswered ones."""
    by_hand = [step for step in parsed(ARTICLE) if isinstance(step, Arrow)]
    dashed = next(place for place, step in enumerate(by_hand) if step.dashed)
    made = [step for step in ours() if isinstance(step, Arrow)]
    assert made[dashed - 1].text == "keepalive probe 1/3"
