"""Record the captures that ship, from the lab, at the scale of the articles where that takes less than three minutes.

    python tests/recordings.py [FOLDER]...    (make captures)

Each is run as a user would, with --save. captures/README.md is written anew, with a ladder of each.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Article:
    """Where an experiment was published, and which capture has it."""

    title: str
    shows: str
    published: str
    """The silences before what a timer sent, in s, and how long a call took, as far as it is printed."""
    folder: str
    besides: str
    """Where there is more of it."""


ARTICLES = (
    Article(
        title="tcpdumpとiptablesで理解するTCPのキープアライブ",
        shows="tcpdump and iptables: probes every 30 s are answered, then a DROP: three more, 3 s apart, then RST",
        published="30.001, 30.000; then 3.000, 3.001, 3.001",
        folder="keepalive-30s",
        besides="in 15 s: [keepalive](#keepalive); it names [half-open](#half-open) and [half-close](#half-close)",
    ),
    Article(
        title="TCP keepalive 机制 (Wireshark)",
        shows="the server probes after 55 s; its own rule drops the answers, which are on the wire: RST after 6 s, 6 s",
        published="55; then 6, 6",
        folder="keepalive-server",
        besides="",
    ),
    Article(
        title="tcpdumpとiptablesで理解するTCPのコネクションタイムアウト (connection timeout)",
        shows="nothing arrives: the SYN is sent again after 1, 2, 4, 8, 16 s, and connect() fails in silence",
        published="0.999, 2.000, 4.001, 8.001, 16.001; connect() took 63.02",
        folder="connect-timeout",
        besides="since Linux 6.5: [connect-timeout-modern](#connect-timeout-modern)",
    ),
    Article(
        title="Holger Trapp: Praktische Nutzung des Keepalive-Timers bei TCP (1998)",
        shows="Solaris 2.5.1: probes of one byte, at doubling intervals, no RST at the end",
        published="12.54995; then 1.46990, 2.93003, 5.85005, 11.69996, 23.40000, 46.80002, 56.25079",
        folder="solaris",
        besides="it is the published listing; the same on Linux: [unplugged](#unplugged)",
    ),
)
CAPTURES = Path(__file__).resolve().parent.parent / "captures"
RECORDED = {
    "keepalive-30s": ("keepalive", "idle=30", "intvl=3", "probes=3"),
    "keepalive-server": ("keepalive-server", "idle=55", "intvl=6", "probes=2"),
    "connect-timeout": ("connect-timeout", "retries=5"),
    "connect-timeout-modern": ("connect-timeout-modern",),
    "unplugged": ("unplugged",),
    "half-open": ("half-open",),
    "half-close": ("half-close",),
    "refused": ("refused",),
    "zero-window": ("zero-window",),
    "retransmission": ("retransmission",),
    "user-timeout": ("user-timeout",),
    "lossy": ("lossy",),
    "middlebox": ("middlebox",),
}
"""Folder -> the experiment and its numbers. keepalive/ is older than the lab, and solaris/ was published in 1998."""
LONGEST_S = 180
MOST_ROWS, FIRST_ROWS, LAST_ROWS = 36, 20, 8
TCPLADDER = [sys.executable, "-m", "tcpladder"]
HEAD = """# Sample captures

One directory a story: the capture, and `story.toml`, which says what truly happened in it: what was done and when, what
the applications saw, and what must be found. They are in the installed package too; `tests/stories` holds what
tcpladder says of each against its story. `make captures` records them again, from the lab; `tcpladder open
captures/refused/refused.pcapng` opens one. This page is written by it, too.

## From the articles

{articles}
A kernel's timer is never early and up to an eighth late; how late depends on the kernel, and the articles had others
than ours, which is Linux 6.18. What tcpdump printed there is exact to a millisecond.

## All of them

| story | what happens |
|---|---|
"""


def record(folders: list[str]) -> list[str]:
    """Run them at once: they wait for timers, and not for each other. Returns those that failed."""
    running = {}
    for folder in folders:
        name, *settings = RECORDED[folder]
        numbers = [word for setting in settings for word in ("--set", setting)]
        command = [*TCPLADDER, "lab", name, *numbers, "--format", "jsonl", "--save", str(CAPTURES / folder)]
        running[folder] = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        )
    failed = []
    for folder, process in running.items():
        _, talk = process.communicate(timeout=LONGEST_S)
        sys.stderr.write(f"{folder}: {talk.splitlines()[-1]}\n")
        if process.returncode:
            failed.append(folder)
    return failed


def page() -> str:
    """captures/README.md."""
    stories = {path.parent.name: tomllib.loads(path.read_text()) for path in CAPTURES.glob("*/story.toml")}
    table = [
        f"| [{name}]({name}/story.toml) | {story['sentence']} |" for name, story in sorted(stories.items())
    ]
    sections = [_section(name, story) for name, story in sorted(stories.items())]
    return HEAD.replace("{articles}", _articles()) + "\n".join(table) + "\n" + "".join(sections)


def _articles() -> str:
    """Each article, its figures and those of the capture."""
    rows = ["| article | what it shows | published, s | here, s |", "|---|---|---|---|"]
    for one in ARTICLES:
        here = f"[{one.folder}](#{one.folder}): {_figures(one.folder)}"
        here += f"; {one.besides}" if one.besides else ""
        rows.append(f"| {one.title} | {one.shows} | {one.published} | {here} |")
    return "\n".join(rows) + "\n"


def _figures(folder: str) -> str:
    """The silences before what a timer sent, and how long the connect() took that failed."""
    story = tomllib.loads((CAPTURES / folder / "story.toml").read_text())
    shown = _show(folder, story, "--format", "jsonl")
    records = [json.loads(line) for line in shown.splitlines()]
    silences = [
        f"{one['gap']['observed_ns'] / 1e9:.3f}"
        for one in records
        if one["timer"] in ("keepalive", "rto") and one["gap"]["timer"] is not None
    ]
    failed = [
        call for call in story.get("application", ()) if call.get("call") == "connect()" and call.get("error")
    ]
    return ", ".join(silences) + "".join(f"; connect() took {call['after_s']:.2f}" for call in failed)


def given(story: dict[str, Any]) -> list[str]:
    """What a story says of the timers that is not in its capture."""
    timers = [word for timer in story.get("timers", ()) for word in ("--timers", timer)]
    return timers + (["--profile", story["profile"]] if "profile" in story else [])


def _section(name: str, story: dict[str, Any]) -> str:
    rows = _show(name, story).rstrip().splitlines()
    if len(rows) > MOST_ROWS:
        rows = [*rows[:FIRST_ROWS], "  …", *rows[-LAST_ROWS:]]
    ladder = "\n".join(rows)
    return f"\n### {name}\n\n`{story['experiment']}`\n\n```\n{ladder}\n```\n"


def _show(name: str, story: dict[str, Any], *options: str) -> str:
    """What `show` says of the capture of a folder."""
    capture = CAPTURES / name / story["file"]
    shown = subprocess.run(
        [*TCPLADDER, "show", *options, *given(story), str(capture)],
        env={**os.environ, "TZ": "UTC"},
        capture_output=True,
        text=True,
        check=True,
    )
    return shown.stdout


def main(folders: list[str]) -> int:
    failed = record(folders or list(RECORDED))
    (CAPTURES / "README.md").write_text(page(), encoding="utf-8")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
