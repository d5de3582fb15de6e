"""Saves what a person chooses of the session on the screen, in a thread, and says how it went."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path

from textual.app import App

from tcpladder.app.flows_screen import FlowsScreen
from tcpladder.app.ladder_screen import LadderScreen
from tcpladder.app.page import Page
from tcpladder.app.save_screen import Choice, SaveScreen, proposed_name
from tcpladder.errors import TcpladderError
from tcpladder.session.base import Session
from tcpladder.session.replay import ReplaySession
from tcpladder.session.save_frames import Wanted, save


def ask(screen: Page) -> None:
    """Ask what to save where, and save it."""
    app, session = screen.app, screen.session
    if not isinstance(session, Session) or not isinstance(screen, FlowsScreen | LadderScreen):
        screen.notify(
            screen.named("{save:w} saves from the list or a ladder: {back:Esc} goes there"),
            markup=False,
            timeout=3,
        )
        return
    choices = _of_flows(screen) if isinstance(screen, FlowsScreen) else _of_ladder(screen)
    choices.append(("all flows", Wanted()))
    if isinstance(session, ReplaySession):
        choices.append(("all flows, up to the moment that is shown", Wanted(to_ns=session.now_ns())))
        numbers = session.number_in_source
        choices = [
            (words, replace(wanted, flows=tuple(map(numbers, wanted.flows)))) for words, wanted in choices
        ]
        session = session.source

    source = session

    def answered(answer: tuple[Path, Wanted] | None) -> None:
        if answer is not None:
            path, wanted = answer
            app.run_worker(lambda: _save(app, source, path, wanted), thread=True, exit_on_error=False)

    name = proposed_name(datetime.now().astimezone())
    app.push_screen(
        SaveScreen(choices, name=name, masked=session.mask is not None, ascii_only=screen.ascii_only),
        answered,
    )


def _of_flows(screen: FlowsScreen) -> list[Choice]:
    table = screen.table
    choices: list[Choice] = []
    if table.marked:
        count = len(table.marked)
        words = f"{count} marked flow{'' if count == 1 else 's'}"
        choices.append((words, Wanted(flows=tuple(sorted(table.marked)))))
    if table.selected is not None:
        choices.append((f"flow {table.selected}, under the cursor", Wanted(flows=(table.selected,))))
    return choices


def _of_ladder(screen: LadderScreen) -> list[Choice]:
    number = screen.number
    choices = [(f"flow {number}", Wanted(flows=(number,)))]
    if len(screen.numbers) > 1:
        choices.insert(0, (f"the {len(screen.numbers)} flows of this ladder", Wanted(flows=screen.numbers)))
    marked, here = screen.marked, screen.ladder.segment
    if marked is not None and here is not None and marked != here:
        times = screen.ladder.view.time_ns
        first, last = sorted((int(times[marked]), int(times[here])))
        words = "from the marked rung to this one"
        choices.append((f"flow {number}, {words}", Wanted(flows=(number,), from_ns=first, to_ns=last)))
        choices.append((f"all flows, {words}", Wanted(from_ns=first, to_ns=last)))
    return choices


def _save(app: App[object], session: Session, path: Path, wanted: Wanted) -> None:
    try:
        told, severity = save(session, path, wanted).sentence, "information"
    except (TcpladderError, OSError) as failed:
        told, severity = str(failed), "error"
    app.call_from_thread(app.notify, told, severity=severity, markup=False, timeout=8)
