"""The keys that change how a ladder is drawn, pressed on the app."""

from __future__ import annotations

from textual.widgets import Input

from rooms.app.scripted import ScriptedSession, app_for, keepalive_session, settle
from rooms.ladder.talk import S
from rooms.ladder.test_folds import answered, transfer
from tcpladder.analysis.kinds import Kind
from tcpladder.analysis.view import Side
from tcpladder.app.ladder_view import LadderView
from tcpladder.ladder.model import Rung

SIZE = (80, 24)


def session_of(*flows: object, **status: object) -> ScriptedSession:
    session = ScriptedSession(flows=list(flows))  # type: ignore[arg-type]
    session.change(**{"mode": "file", "phase": "ended", **status})
    return session


async def test_x_unfolds_what_repeats_and_folds_it_again() -> None:
    app = app_for(session_of(answered(240)), start_flow=1)
    async with app.run_test(size=SIZE) as pilot:
        text = await settle(pilot)
        assert "▸ 238 folded ┊ probe and answer × 238, 30.0 s ✓" in text
        view = app.screen.query_one(LadderView)
        await pilot.press(*"jjjjjj", "enter")
        assert view.cursor == 6
        assert len(view.ladder) == 483 + 240
        await pilot.press("G", "x")
        assert view.cursor == 6
        assert "238 folded" in await settle(pilot)
        await pilot.press("g", "x")
        assert len(view.ladder) == 10
        assert "no exchange repeats here" in str(list(app._notifications)[-1].message)
        await pilot.press("X")
        assert len(view.ladder) == 483 + 240


async def test_x_on_the_pending_rung_shows_what_follows_it() -> None:
    session = keepalive_session()
    (coming,) = session.flows[0].coming
    session.flows[0].coming = (coming, coming)
    app = app_for(session, start_flow=1)
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        view = app.screen.query_one(LadderView)
        await pilot.press("down", "x")
        assert len(view.pending) == 2
        await pilot.press("x")
        assert len(view.pending) == 1


async def test_the_newest_exchange_stays_visible_while_the_flow_goes_on() -> None:
    session = session_of(answered(6), mode="live", phase="running")
    app = app_for(session, start_flow=1)
    async with app.run_test(size=SIZE) as pilot:
        assert "▸ 4 folded" in await settle(pilot)
        view = app.screen.query_one(LadderView)
        assert view.following
        session.flows[0].say(Side.CLIENT, Kind.KEEPALIVE_PROBE, after_ns=30 * S, name="keepalive_time 30 s")
        session.change(segments=16)
        text = await settle(pilot)
        assert "▸ 4 folded" in text
        session.flows[0].say(Side.SERVER, Kind.KEEPALIVE_ACK, after_ns=1000)
        session.change(segments=17)
        text = await settle(pilot)
        assert "▸ 5 folded" in text
        assert view.cursor == len(view.ladder) - 1 == 9


async def test_gaps_are_drawn_to_scale_and_rows_evenly_again() -> None:
    app = app_for(keepalive_session(mode="file", phase="ended"), start_flow=1)
    async with app.run_test(size=(80, 40)) as pilot:
        await settle(pilot)
        view = app.screen.query_one(LadderView)
        rows = len(view.ladder)
        await pilot.press(*"jjjj")
        rung = view.selected
        await pilot.press("plus")
        assert "1 row = 10 s" in await settle(pilot)
        assert view.selected == rung
        await pilot.press("plus")
        assert "1 row = 3 s" in await settle(pilot)
        assert len(view.ladder) > rows
        await pilot.press("plus")
        assert "≈ 30.0 s, cut short ≈" in await settle(pilot)
        await pilot.press("0")
        assert len(view.ladder) == rows
        assert view.selected == rung
        await pilot.press("0")
        assert "evenly spaced" in str(list(app._notifications)[-1].message)


async def test_t_shows_times_from_the_marked_rung() -> None:
    app = app_for(keepalive_session(mode="file", phase="ended"), start_flow=1)
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        await pilot.press(*"jjjj", "space", "t", "t", "t")
        text = await settle(pilot)
        assert "from mark" in text
        assert "−30.001 s" in text
        assert "+30.001 s" in text
        assert "◆       +0 ns" in text
        await pilot.press("space")
        assert "17:16:22.217" in await settle(pilot)


async def test_another_flow_has_no_mark_and_is_folded_as_the_last_one_was() -> None:
    app = app_for(session_of(answered(20), transfer(30)), start_flow=1)
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        view = app.screen.query_one(LadderView)
        await pilot.press("space", "X", "escape", "down", "enter")
        await settle(pilot)
        view = app.screen.query_one(LadderView)
        assert view.marked is None
        assert len(view.ladder) == 63
        await pilot.press("X")
        assert "▸ 58 folded" in await settle(pilot)


async def test_search_counts_kinds_completes_them_and_goes_from_one_to_the_next() -> None:
    app = app_for(keepalive_session(mode="file", phase="ended"), start_flow=1)
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        view = app.screen.query_one(LadderView)
        await pilot.press("slash", *"keepalive p")
        assert "keepalive probe × 5" in await settle(pilot)
        await pilot.press("right")
        assert app.screen.query_one(Input).value == "keepalive probe"
        await pilot.press("enter")
        rows = []
        for key in ("n", "n", "N"):
            await settle(pilot, 1)
            rows.append(view.cursor)
            await pilot.press(key)
        await settle(pilot, 1)
        assert [*rows, view.cursor] == [4, 7, 11, 7]


async def test_a_letter_marks_a_rung_words_are_a_note_and_nothing_takes_them_away() -> None:
    session = keepalive_session(mode="file", phase="ended")
    app = app_for(session, start_flow=1)
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        view = app.screen.query_one(LadderView)
        await pilot.press("apostrophe")
        assert "no rung of this flow has a letter" in str(list(app._notifications)[-1].message)
        await pilot.press(*"jjjj", "m", "a", "enter")
        text = await settle(pilot)
        assert session.user_notes(1)[0].mark == "a"
        assert "mark a" in text
        await pilot.press("G", "m", *"who?", "enter")
        assert "who?" in await settle(pilot)
        await pilot.press("g", "apostrophe", "a")
        row = view.selected
        assert isinstance(row, Rung)
        assert row.segment == 3
        await pilot.press("j", "m", "ctrl+u", *"first", "enter")
        assert [(note.mark, note.text) for note in session.user_notes(1)] == [("a", "first"), ("", "who?")]
        await pilot.press("m", "ctrl+u", "enter")
        assert [note.text for note in session.user_notes(1)] == ["who?"]


async def test_d_compares_the_marked_rung_with_this_one() -> None:
    session = session_of(answered(1))
    app = app_for(session, start_flow=1)
    async with app.run_test(size=(100, 40)) as pilot:
        await settle(pilot)
        await pilot.press("d")
        assert "two rungs are compared" in str(list(app._notifications)[-1].message)
        await pilot.press("space", "j", "j", "d")
        await settle(pilot)
        await app.workers.wait_for_complete()
        text = await settle(pilot)
        assert "first   frame 1  SYN" in text
        assert "neither carries data, and both have the same sequence number" in text
        assert "kind" in text
        await pilot.press("escape")
        assert app.screen.query_one(LadderView)


async def test_v_shows_the_map_and_a_click_on_it_goes_there() -> None:
    app = app_for(keepalive_session(mode="file", phase="ended"), start_flow=1)
    async with app.run_test(size=SIZE) as pilot:
        assert "▕●" not in await settle(pilot)
        assert not app.screen.query_one("#map").display
        view = app.screen.query_one(LadderView)
        await pilot.press("v")
        line = next(line for line in (await settle(pilot)).splitlines() if "▕●" in line)
        assert line.strip().startswith("96.0 s")
        assert "p" in line
        assert "⚑" in line
        await pilot.click("#map", offset=(line.rindex("▏") - 1, 0))
        await settle(pilot, 1)
        assert view.segment == 9
        await pilot.press("v")
        assert "▕●" not in await settle(pilot)


async def test_a_wide_screen_has_the_map_unasked() -> None:
    app = app_for(keepalive_session(mode="file", phase="ended"), start_flow=1)
    async with app.run_test(size=(200, 50)) as pilot:
        assert "▕●" in await settle(pilot)
