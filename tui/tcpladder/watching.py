"""The front end of `timers`: local sockets as text or JSON lines, once or every second."""

from __future__ import annotations

import json
import shutil
import signal
import sys
import threading
from collections.abc import Sequence

from tcpladder.render.sockets import LocalSocket, socket_record, sockets_table
from tcpladder.session.local_sockets import LocalSockets

EVERY_S = 1.0


def timers(sockets: LocalSockets, *, watch: bool, form: str, ascii_only: bool) -> None:
    """Print the sockets with their timers; with `watch` every second, until the user interrupts."""
    stopped = threading.Event()
    if watch:
        for ending in (signal.SIGINT, signal.SIGTERM):
            signal.signal(ending, lambda _signal, _frame: stopped.set())
    ascii_only = ascii_only or not (sys.stdout.encoding or "ascii").lower().startswith("utf")
    while True:
        _print(
            list(sockets.read()), form, ascii_only, redraw=watch and form == "text" and sys.stdout.isatty()
        )
        if not watch or stopped.wait(EVERY_S):
            return


def _print(found: Sequence[LocalSocket], form: str, ascii_only: bool, *, redraw: bool) -> None:
    """The sockets on stdout; on stderr, or below them where the screen is drawn anew, what could not be read."""
    if form == "jsonl":
        lines = [json.dumps(socket_record(one), ensure_ascii=False) for one in found]
    else:
        lines = list(sockets_table(found, ascii_only=ascii_only))
    hidden = sum(1 for one in found if one.state.inode and not one.said.options)
    missing = f"tcpladder: the options of {hidden} of {len(found)} sockets are hidden from this user: sudo shows them"
    if redraw:
        sys.stdout.write(_page([*lines, missing] if hidden else lines))
    else:
        sys.stdout.writelines(f"{line}\n" for line in lines)
    sys.stdout.flush()
    if hidden and not redraw:
        sys.stderr.write(f"{missing}\n")


def _page(lines: Sequence[str]) -> str:
    """The lines over those of the last time, as many and as much of each as the terminal shows."""
    columns, rows = shutil.get_terminal_size()
    shown = [line[:columns] for line in lines[: rows - 1]]
    return "\x1b[H" + "".join(f"{line}\x1b[K\n" for line in shown) + "\x1b[J"
