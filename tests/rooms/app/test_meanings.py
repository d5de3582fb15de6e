"""No meaning is told by a colour or a style alone: what each role of a theme marks has a sign or a word as well."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC

import pytest

from rooms.app.scripted import keepalive_session, settle
from rooms.ladder.talk import keepalive
from tcpladder import samples
from tcpladder.analysis.expected import given
from tcpladder.app.app import TcpladderApp
from tcpladder.app.ladder_view import LadderView
from tcpladder.app.roles import ROLE_CLASSES, ROLE_CSS
from tcpladder.app.terminal import Taste
from tcpladder.app.timers_view import TimersView
from tcpladder.lab import table as experiments
from tcpladder.ladder.ladder import Ladder
from tcpladder.ladder.model import FLOW_ROLES, Role
from tcpladder.render import grid
from tcpladder.render.layout import Layout
from tcpladder.session.files import FileSession

SIGNS: dict[Role, tuple[str, str]] = {
    Role.ARROW_HANDSHAKE: (r"SYN|FIN|established", r"SYN|FIN|established"),
    Role.ARROW_PROBE: (r"probe|keepalive ACK|window", r"probe|keepalive ACK|window"),
    Role.ARROW_RETRANSMISSION: (
        r"retransm|again|retry|out of order|loss probe",
        r"retransm|again|retry|out of order|loss probe",
    ),
    Role.ARROW_RESET: (r"RST|refused|ICMP", r"RST|refused|ICMP"),
    Role.LOST: (r"✗", r"-x |\bx-"),
    Role.GAP_ON_TIME: (r"✓", r"\bok\b"),
    Role.GAP_LOUD: (r"late|early", r"late|early"),
    Role.GAP_UNEXPLAINED: (r"\?", r"\?"),
    Role.FOLD: (r"▸", r"\+"),
    Role.NOTE: (r"⚑", r"!"),
    Role.PENDING: (r"╌|next", r"\.|next"),
    Role.COUNTDOWN: (r"\d|overdue|now", r"\d|overdue|now"),
}
"""Role -> what its row says too, with all characters and in ASCII."""
STRUCTURE = {
    Role.SPACE, Role.CURSOR, Role.HEADING, Role.TITLE, Role.STATE, Role.TIME, Role.DELTA, Role.LIFELINE, Role.ARROW,
    Role.LABEL, Role.LABEL_LOUD, Role.REMARK, Role.NUMBER, Role.ORIGIN, *FLOW_ROLES,
}  # fmt: skip
"""These mark a place in the grid or are words themselves: without style they stand where they stood."""
RARE = {Role.ARROW_DAMAGED, Role.SPACE_BREAK, Role.WARNING}
"""In no sample capture; tests/rooms/ladder and tests/rooms/render have their signs."""


def rows(*, ascii_only: bool) -> Iterator[tuple[set[Role], str]]:
    """The roles and the text of each row: of the sample captures, one also judged by other timers, and a live flow."""
    layout = Layout(width=120, ascii=ascii_only, timezone=UTC)
    ladders = []
    slower = given(["keepalive=5/3/9"], None)
    for name, values in [*((name, None) for name in experiments.names()), ("keepalive", slower)]:
        session = FileSession([str(samples.capture(name))], read_again=True, given=values)
        for _ in session.read():
            pass
        ladders += [
            Ladder(session.view(n), session.notes(n), fold=True) for n in range(1, session.flow_count() + 1)
        ]
    talk, notes = keepalive()
    ladders.append(Ladder(talk, notes, fold=True))
    for ladder in ladders:
        for at in range(len(ladder)):
            line = grid.draw(ladder.row(at), layout)
            yield {role for text, role in line if text.strip()}, grid.plain(line)


def test_every_style_of_a_theme_is_accounted_for() -> None:
    styled = {role for role, name in ROLE_CLASSES.items() if f".{name} " in ROLE_CSS}
    assert styled <= {*SIGNS, *STRUCTURE, *RARE}


@pytest.mark.parametrize("ascii_only", [False, True])
def test_a_row_says_in_words_or_signs_what_its_style_says(ascii_only: bool) -> None:
    seen: set[Role] = set()
    silent = []
    for roles, text in rows(ascii_only=ascii_only):
        for role in roles & set(SIGNS):
            seen.add(role)
            if not re.search(SIGNS[role][ascii_only], text):
                silent.append((role.name, text.rstrip()))
    assert silent == []
    assert seen >= set(SIGNS) - {Role.COUNTDOWN, Role.PENDING, Role.LOST, Role.FOLD}, set(SIGNS) - seen


async def test_without_colour_what_cannot_be_done_stands_in_brackets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    session = keepalive_session()
    for why_not, words in (
        ("it needs CAP_NET_ADMIN", "(D fault)  (U lift)"),
        ("", "D fault  U lift"),
    ):
        session.faults.why_not = why_not
        app = TcpladderApp(session, taste=Taste(timezone=UTC))
        async with app.run_test(size=(100, 24)) as pilot:
            hints = (await settle(pilot)).splitlines()[-1]
            assert words in hints
            assert ("(" in hints) == bool(why_not)


async def test_without_colour_the_choice_that_has_the_keys_has_a_sign(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    app = TcpladderApp(keepalive_session(), taste=Taste(timezone=UTC))
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press("e")
        before = [
            line for line in (await settle(pilot)).splitlines() if "│ format" in line or "│ theme" in line
        ]
        await pilot.press("down")
        after = [
            line for line in (await settle(pilot)).splitlines() if "│ format" in line or "│ theme" in line
        ]
        assert ["▌" in line for line in before] == [True, False]
        assert ["▌" in line for line in after] == [False, True]


async def test_the_row_of_the_timers_that_has_the_keys_has_a_sign() -> None:
    app = TcpladderApp(keepalive_session(), taste=Taste(timezone=UTC))
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press("enter", "T")
        await settle(pilot)
        view = app.screen.query_one(TimersView)
        area = view.region
        for focus, count in ((True, 1), (False, 0)):
            (view if focus else app.screen.query_one(LadderView)).focus()
            rows = (await settle(pilot)).splitlines()[area.y : area.bottom]
            assert sum(row.startswith("▌") for row in rows) == count
