"""How what is shown is shown: in the app, or printed where there is no terminal that can draw."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import click

from tcpladder import record_commands
from tcpladder.errors import SessionError, UsageError


def why_no_app() -> str | None:
    """Why the app cannot open, None where it can: it needs a terminal that can draw."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        return "stdin and stdout must be a terminal"
    term = os.environ.get("TERM", "")
    if term in ("", "dumb", "unknown"):
        return f"TERM is {term or 'not set'}, and such a terminal cannot draw"
    return None


def front_end(form: str | None, *, without_terminal: str) -> str | None:
    """Which format to print, None for the app; the app needs a terminal that can draw."""
    if form is not None:
        record_commands.refuse(f"{form} is printed")
        return form
    why_not = why_no_app()
    if why_not is None:
        return None
    record_commands.refuse(f"the app cannot open here: {why_not}")
    if without_terminal:
        return without_terminal
    raise UsageError(f"the app cannot open here: {why_not}; `tcpladder show FILE` prints the same")


def start_screen() -> None:
    """Let a person choose what to do, again and again.

    What is chosen runs in a process of its own: `live` and `lab` give up privilege by exec, and this screen is there
    again afterwards.
    """
    from tcpladder.app.preferences import taste_of
    from tcpladder.app.start_screen import choose
    from tcpladder.settings.file import load

    settings = load()
    taste, mouse = taste_of(settings, ascii_only=False), settings.screen.mouse
    record_commands.begin_start_screen()
    words, descriptors = record_commands.handed_on()
    while (command := choose(taste, mouse=mouse, recording=record_commands.go_on())) is not None:
        started = [sys.executable, "-P", "-m", "tcpladder", *words, *command]
        if subprocess.run(started, pass_fds=descriptors).returncode not in (0, 1):
            click.pause("press a key to go on", err=True)
    if words:
        say([f"recorded in {record_commands.asked().path}"])


def shipped_instead(
    experiment: str, refused: str, form: str | None, *, ascii_only: bool, no_mouse: bool
) -> None:
    """Show the capture that comes with tcpladder where this machine forbids the experiment."""
    from tcpladder import samples

    say([refused, f"showing the capture of {experiment} that comes with tcpladder instead"])
    show_shipped(samples.capture(experiment), form, None, ascii_only=ascii_only, no_mouse=no_mouse)


def show_shipped(path: Path, form: str | None, given: Any, *, ascii_only: bool, no_mouse: bool) -> None:
    if form is not None:
        from tcpladder import printing

        printing.show([str(path)], flows=(), form=form, ascii_only=ascii_only, given=given)
        return
    from tcpladder.session.files import FileSession

    click.pause("press a key to open it", err=True)
    session = FileSession([str(path)], read_again=True, given=given)
    open_app(session, ascii_only=ascii_only, no_mouse=no_mouse, start_flow=1)


def show_live(
    session: Any, form: str | None, *, ascii_only: bool, no_mouse: bool, start_flow: int | None = None
) -> None:
    if form is None:
        open_app(session, ascii_only=ascii_only, no_mouse=no_mouse, start_flow=start_flow)
        return
    from tcpladder import printing

    printing.stream(session, form=form, ascii_only=ascii_only)


def open_app(session: Any, *, ascii_only: bool, no_mouse: bool, start_flow: int | None = None) -> None:
    from tcpladder.app.preferences import taste_of
    from tcpladder.settings.file import load

    settings = load()
    taste, mouse = taste_of(settings, ascii_only=ascii_only), settings.screen.mouse and not no_mouse
    recording = record_commands.begin()
    if recording is None:
        from tcpladder.app.app import run

        run(session, taste=taste, mouse=mouse, start_flow=start_flow)
        _end(session)
        return
    from tcpladder.app.recording import run_recorded

    cast, keys = recording
    run_recorded(session, cast, keys=keys, taste=taste, mouse=mouse, start_flow=start_flow)
    path = record_commands.asked().path
    say([cast.why_ended] if cast.why_ended else [f"recorded in {path}"] if path else [])
    _end(session)


def _end(session: Any) -> None:
    """Say again what the screen said, which is gone. Raises SessionError where the session ended before its time."""
    if session.broken:
        raise SessionError(session.broken)


def say(sentences: list[str]) -> None:
    for sentence in sentences:
        click.echo(f"tcpladder: {sentence}", err=True)
