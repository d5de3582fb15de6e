"""Record the captures that ship, from the lab, at the scale of the articles where that takes less than three minutes.

    python tests/recordings.py [FOLDER]...    (make captures)

Each is run as a user would, with --save. captures/README.md is written anew, with a ladder of each.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

ARTICLES = """\
| article | what it shows | here |
|---|---|---|
| tcpdumpとiptablesで理解するTCPのキープアライブ | tcpdump and iptables: probes every 30 s, then a DROP: \
three more, 3 s apart, then RST | [keepalive-30s](#keepalive-30s), in 15 s [keepalive](#keepalive); it names \
[half-open](#half-open) and [half-close](#half-close) |
| TCP keepalive 机制 (Wireshark) | the server probes after 55 s, its own rule drops the answers: 6 s, 6 s, RST | \
[keepalive-server](#keepalive-server) |
| tcpdumpとiptablesで理解するTCPのタイムアウト(connect timeout) | SYN after 1, 2, 4, 8, 16 s; connect() fails \
after 63 s | [connect-timeout](#connect-timeout); since Linux 6.5: \
[connect-timeout-modern](#connect-timeout-modern) |
| Holger Trapp: Praktische Nutzung des Keepalive-Timers bei TCP (1998) | Solaris 2.5.1: probes of one byte, at \
doubling intervals, no RST at the end | the published listing: [solaris](#solaris); the same on Linux: \
[unplugged](#unplugged) |
"""
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
    return HEAD.replace("{articles}\n", ARTICLES) + "\n".join(table) + "\n" + "".join(sections)


def given(story: dict[str, Any]) -> list[str]:
    """What a story says of the timers that is not in its capture."""
    timers = [word for timer in story.get("timers", ()) for word in ("--timers", timer)]
    return timers + (["--profile", story["profile"]] if "profile" in story else [])


def _section(name: str, story: dict[str, Any]) -> str:
    capture = CAPTURES / name / story["file"]
    shown = subprocess.run(
        [*TCPLADDER, "show", *given(story), str(capture)],
        env={**os.environ, "TZ": "UTC"},
        capture_output=True,
        text=True,
        check=True,
    )
    rows = shown.stdout.rstrip().splitlines()
    if len(rows) > MOST_ROWS:
        rows = [*rows[:FIRST_ROWS], "  …", *rows[-LAST_ROWS:]]
    ladder = "\n".join(rows)
    return f"\n### {name}\n\n`{story['experiment']}`\n\n```\n{ladder}\n```\n"


def main(folders: list[str]) -> int:
    failed = record(folders or list(RECORDED))
    (CAPTURES / "README.md").write_text(page(), encoding="utf-8")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
