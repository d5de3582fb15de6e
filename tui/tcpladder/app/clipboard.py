"""Text for the clipboard of whoever sits in front of the terminal, near or far, and for a file in any case.

A terminal takes it as OSC 52. tmux ignores that from programs unless told otherwise (`set-clipboard`), and takes it
through its own command; GNU screen hands on what is wrapped for the terminal outside, in short pieces.
"""

from __future__ import annotations

import os
import subprocess
from base64 import b64encode
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from textual.app import App

from tcpladder.app.named_keys import keymap_of, named
from tcpladder.store.state_file import state_directory

LONGEST = 74_994
"""Bytes: many terminals take 100,000 characters of base64, and drop what is longer without a word."""
PIECE = 512
"""Characters that GNU screen hands on at once: its string has 768 at most."""
TMUX_S = 2.0


def copy(app: App[Any], text: str, what: str) -> None:
    """Copy a text, and say what was copied and where it is."""
    ways = []
    if len(text.encode()) <= LONGEST:
        app.copy_to_clipboard(text)
        ways.append(_send(app, text, os.environ))
    file = _keep(text)
    if file is not None:
        ways.append(f"in {file}")
    if ways:
        app.notify(f"copied {what}: {', and '.join(ways)}", markup=False, timeout=6)
    else:
        instead = named("{export:e} exports", keymap_of(app))
        app.notify(f"{what}: too long for a clipboard, and no file can be written: {instead}", markup=False)


def wrapped(text: str, environment: Mapping[str, str]) -> str:
    """What has to be sent besides plain OSC 52, so that it reaches the terminal outside of GNU screen or a far tmux."""
    osc = f"\x1b]52;c;{b64encode(text.encode()).decode()}\x07"
    term = environment.get("TERM", "")
    if environment.get("STY") or term.startswith("screen"):
        return "".join(f"\x1bP{osc[at : at + PIECE]}\x1b\\" for at in range(0, len(osc), PIECE))
    if term.startswith("tmux"):
        return "\x1bPtmux;" + osc.replace("\x1b", "\x1b\x1b") + "\x1b\\"
    return ""


def _send(app: App[Any], text: str, environment: Mapping[str, str]) -> str:
    """Send it on the ways that plain OSC 52 does not take; says which one it was."""
    if environment.get("TMUX") and _into_tmux(text):
        return "in tmux's buffer (prefix ] pastes it) and, where it may, on the clipboard"
    more = wrapped(text, environment)
    driver = app._driver
    if more and driver is not None:
        driver.write(more)
    return "on the clipboard, if the terminal allows it (OSC 52)"


def _into_tmux(text: str) -> bool:
    try:
        done = subprocess.run(
            ["tmux", "load-buffer", "-w", "-"], input=text.encode(), capture_output=True, timeout=TMUX_S
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def _keep(text: str) -> Path | None:
    """Write it where the next copy replaces it, readable by its owner alone; None where that is not possible."""
    try:
        file = state_directory() / "copied.txt"
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with os.fdopen(
            os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8"
        ) as out:
            out.write(text + "\n")
    except (OSError, RuntimeError):
        return None
    return file
