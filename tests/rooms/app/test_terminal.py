"""What a terminal is taken for, from its environment."""

from __future__ import annotations

import pytest
from textual.color import Color
from textual.filter import NoColor

from rooms.app.scripted import app_for, keepalive_session, settle
from tcpladder.app import terminal


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"LANG": "en_GB.UTF-8"}, False),
        ({"LANG": "C.utf8"}, False),
        ({"LC_ALL": "C", "LANG": "en_GB.UTF-8"}, True),
        ({"LC_ALL": "de_DE.UTF-8", "LANG": "C"}, False),
        ({"LC_CTYPE": "UTF-8"}, False),
        ({"LC_CTYPE": "en_US.UTF-8", "LANG": "C"}, False),
        ({"LC_CTYPE": "C.UTF-8", "LANG": "C"}, True),
        ({"LANG": "de_DE.ISO-8859-1"}, True),
        ({}, True),
        ({"LANG": "en_GB.UTF-8", "TERM": "linux"}, True),
    ],
)
def test_ascii_is_chosen_from_the_locale_the_user_set(environment: dict[str, str], expected: bool) -> None:
    assert terminal.wants_ascii(environment) is expected


def test_the_first_environment_is_that_of_the_process() -> None:
    assert "PATH" in terminal.first_environment()


async def test_no_color_sends_no_colour(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    app = app_for(keepalive_session())
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press("enter")
        await settle(pilot)
        ladder = app.screen.query_one("#ladder")
        (native,) = [line_filter for line_filter in app._filters if isinstance(line_filter, NoColor)]
        for strip in ladder.render_lines(ladder.size.region):
            for segment in strip.apply_filter(native, Color.parse("black")):
                assert segment.style is None or segment.style.color is None or segment.style.color.is_default


async def test_a_full_line_to_the_terminal_holds_drawing_back(monkeypatch: pytest.MonkeyPatch) -> None:
    session = keepalive_session()
    app = app_for(session)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        full = True
        monkeypatch.setattr("tcpladder.app.feed.rests", lambda _app: full)
        session.change(frames=99)
        assert "99 frames" not in await settle(pilot)
        full = False
        assert "99 frames" in await settle(pilot)
