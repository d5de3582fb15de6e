"""The narration of the lab: opened by its key, goes on while it is open, masks what is masked."""

from __future__ import annotations

from textual.widgets import Static

from rooms.app.scripted import ScriptedSession, app_for, keepalive_session, settle
from tcpladder.app.narration_screen import NarrationScreen


class InLab(ScriptedSession):
    """A session with a narration."""

    finished = False
    lines: tuple[str, ...] = ()

    def narration(self, width: int) -> list[str]:
        assert width < 80
        return list(self.lines)


async def test_the_key_opens_it_and_what_is_new_appears() -> None:
    session = keepalive_session()
    session.__class__ = InLab
    assert isinstance(session, InLab)
    session.lines = ("now   wait for the last probe",)
    async with app_for(session).run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press("L")
        await settle(pilot)
        assert isinstance(pilot.app.screen, NarrationScreen)
        said = pilot.app.screen.query_one(Static)
        assert "wait for the last probe" in str(said.content)
        session.lines += ("next  wait for reset",)
        for _ in range(40):
            await pilot.pause(0.05)
            if "reset" in str(said.content):
                break
        assert "next  wait for reset" in str(said.content)
        await pilot.press("L")
        await settle(pilot)
        assert not isinstance(pilot.app.screen, NarrationScreen)


async def test_without_a_lab_it_says_so() -> None:
    async with app_for(keepalive_session()).run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press("L")
        await settle(pilot)
        assert not isinstance(pilot.app.screen, NarrationScreen)
        assert any("no experiment runs here" in note.message for note in pilot.app._notifications)
