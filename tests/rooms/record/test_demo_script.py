"""Demos as TOML: what is understood, and how a slip is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from tcpladder.errors import UsageError
from tcpladder.record.demo_script import Pace, Step, load, names, parse

WHOLE = """
title = "a title"
capture = "keepalive"
columns = 90
rows = 20
[replay]
pace = 2
idle = 0.5
[[step]]
caption = "first"
keys = "enter end"
type = "ab"
wait = 1.5
until = "end"
[[step]]
"""


def test_every_word_is_understood() -> None:
    demo = parse(WHOLE, "x", Path("/somewhere"))
    assert (demo.title, demo.capture, demo.columns, demo.rows) == ("a title", "keepalive", 90, 20)
    assert demo.replay == Pace(pace=2, idle_s=0.5)
    assert demo.folder == Path("/somewhere")
    first = Step(caption="first", keys=("enter", "end", "a", "b"), wait_us=1_500_000, until_end=True)
    assert demo.steps == (first, Step(caption=None, keys=(), wait_us=0))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("capture = ", "cannot play x: invalid value"),
        ("[[step]]", 'say which capture, as in capture = "keepalive"'),
        ('capture = "a"', r"it has no \[\[step\]\]"),
        ('capture = "a"\nspeed = 2\n[[step]]', r"there is no word speed \(have: step, replay, title"),
        ('capture = "a"\n[[step]]\n[[step]]\nwiat = 1', "x, step 2: there is no word wiat"),
        ('capture = "a"\n[[step]]\nwait = "1"', "x, step 1: wait is '1', and must be a number from 0 to 600"),
        ('capture = "a"\ncolumns = 7\n[[step]]', "columns is 7, and must be a number from 60 to 300"),
        ("capture = 7\n[[step]]", "capture is 7, and must be text"),
        ('capture = "a"\nstep = 7', "step must be a table"),
        ('capture = "a"\n[replay]\npace = 0\n[[step]]', "x, replay: pace is 0"),
    ],
)
def test_a_slip_is_told_with_its_place(text: str, sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        parse(text, "x")


def test_those_that_come_along_can_be_read() -> None:
    assert "keepalive" in names()
    for demo in map(load, names()):
        assert demo.title
        assert sum(step.wait_us + 400_000 * len(step.keys) for step in demo.steps) < 60_000_000


def test_an_unknown_demo_is_told_with_the_known() -> None:
    with pytest.raises(UsageError, match=r"no such file, and no such demo \(have: .*keepalive"):
        load("keepalvie")
