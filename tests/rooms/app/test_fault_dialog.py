"""Breaking and mending by keys: the fault dialog, K, U, F, and q while something is broken."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from rooms.app.scripted import (
    ScriptedFaults,
    ScriptedSession,
    app_for,
    fault_state,
    keepalive_session,
    many_flows,
    settle,
)
from rooms.ladder.talk import keepalive
from tcpladder.agent.fault_messages import End
from tcpladder.app import fault_target
from tcpladder.app.app import TcpladderApp
from tcpladder.app.choice_row import ChoiceRow
from tcpladder.app.confirm import Confirm
from tcpladder.app.fault_dialog import FaultDialog
from tcpladder.app.faults_screen import FaultsScreen
from tcpladder.app.flows_screen import FlowsScreen
from tcpladder.app.help_screen import HelpScreen
from tcpladder.app.ladder_screen import LadderScreen
from tcpladder.faults.fault import Action, Fault, Match, Segments
from tcpladder.ladder.model import Note

SIZE = (80, 24)
TO_SERVER = Match(source="127.0.0.1", source_port=22345, destination="127.0.0.1", destination_port=12345)
DROP = Fault(match=TO_SERVER, probe_sequences=[])
NO_CAPTURE = "a capture cannot be broken: live or lab only"


async def keys(pilot: Pilot[None], *pressed: str) -> str:
    """Press keys one after the other, each when the screen stands still."""
    for key in pressed:
        await pilot.press(key)
        await pilot.pause(0.05)
    return await settle(pilot)


def applied(session: ScriptedSession) -> list[Fault]:
    return [what for name, what in session.faults.asked if name == "apply" and isinstance(what, Fault)]


async def test_what_is_shown_before_anything_happens() -> None:
    session = keepalive_session()
    app = app_for(session)
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        text = await keys(pilot, "enter", "D")
        assert isinstance(app.screen, FaultDialog)
        assert "Break 127.0.0.1:22345 → 127.0.0.1:12345" in text
        assert "(•) client → server" in text
        assert "(p) port 12345" in text
        assert "iptables -A INPUT -p tcp --dport 12345 -j DROP" in text
        assert "# undo" in text
        assert "iptables -D INPUT" in text
        assert "Taken away where it arrives" in text
        assert "The sender counts it as sent." not in text
        assert "The sender counts it as sent." in await keys(pilot, "f1")
        assert not applied(session)
        await keys(pilot, "escape")
        assert isinstance(app.screen, LadderScreen)
        assert not applied(session)


async def test_the_heading_says_whom() -> None:
    app = app_for(keepalive_session())
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        await keys(pilot, "enter", "D")
        assert "Break any → any:12345" in await keys(pilot, "p")
        assert "Break any ← 127.0.0.1" in await keys(pilot, "h", "<")
        await keys(pilot, "t", *["backspace"] * 20)
        assert "Break a connection that does not exist yet" in await keys(pilot)


@pytest.mark.parametrize(("typed", "stands"), [("", "24 s"), ("9 s", "9 s")])
async def test_the_time_proposed_follows_the_sockets_unless_it_was_touched(
    monkeypatch: pytest.MonkeyPatch, typed: str, stands: str
) -> None:
    believed = ("686 s", "assumed")
    monkeypatch.setattr(fault_target, "proposed_length", lambda *_: believed)
    app = app_for(keepalive_session())
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        text = await keys(pilot, "enter", "D")
        assert "assumed" in text
        length = app.screen.query_one("#for Input", Input)
        assert length.value == "686 s"
        length.value = typed or length.value
        believed = ("24 s", "read from the sockets")
        async with asyncio.timeout(10):
            while "read from the sockets" not in await settle(pilot):
                pass
        assert length.value == stands


async def test_what_is_typed_lasts_until_a_connection_that_opens_has_given_up() -> None:
    app = app_for(keepalive_session())
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        text = await keys(pilot, "D", "t")
        assert "60 s" in text, "what stands there is the flow itself"
        text = await keys(pilot, *"127.0.0.1:80")
        assert "Break any → 127.0.0.1:80" in text
        assert "until connect() gives up: 131 s + 10 s" in text
        assert app.screen.query_one("#for Input", Input).value == "141 s"
        text = await keys(pilot, "f")
        assert app.screen.query_one("#for Input", Input).value == "60 s"


async def test_a_flow_that_ends_meanwhile_and_the_one_after_it_are_said() -> None:
    session = keepalive_session()
    app = app_for(session)
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        assert "has ended" not in await keys(pilot, "D")
        session.flows[0].ended = "RST"
        session.change()
        async with asyncio.timeout(10):
            while "flow 1 has ended; what comes next" not in await settle(pilot):
                pass
        again, _ = keepalive()
        again.number = 2
        session.flows += [many_flows(1).flows[0], again]
        session.change()
        async with asyncio.timeout(10):
            while "flow 1 has ended; flow 3 has the same ends" not in await settle(pilot):
                pass
        await keys(pilot, "enter")
    (fault,) = applied(session)
    assert fault.match == TO_SERVER


async def test_the_privacy_mask_holds_for_faults_too() -> None:
    session = keepalive_session()
    app = app_for(session)
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        text = await keys(pilot, "enter", "P", "P", "D")
        assert "Break 192.0.2.1:2 → 192.0.2.1:1" in text
        assert "(p) port 1" in text
        assert "--dport 1 -j DROP" in text
        text += await keys(pilot, "t")
        assert "127.0.0.1" not in text
        assert "12345" not in text
        await keys(pilot, "escape", "D")
        assert "Break 127.0.0.1:22345 → 127.0.0.1:12345" in await keys(pilot, "P")
        assert "(p) port 12345" in await keys(pilot, "t")
        assert "[::1]:7" in await keys(pilot, *"[::1]:7")
        text = await keys(pilot, "P", "P")
        assert "127.0.0.1" not in text
        assert "::1" not in text, "what is typed is dots"
        assert "12345" not in text
        await keys(pilot, "up", "f", "S")
        assert "DROP  192.0.2.1:2 → 192.0.2.1:1" in await keys(pilot, "F")
        assert applied(session)[0].match == TO_SERVER


async def test_a_letter_chooses_and_enter_applies() -> None:
    session = keepalive_session()
    app = app_for(session)
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        text = await keys(pilot, "D", "less_than_sign", "p", "d", "l")
        assert "(•) lose %" in text
        assert isinstance(app.focused, Input), "the percentage is there to be typed"
        await keys(pilot, "backspace", "backspace", "2", "5", "enter")
        assert isinstance(app.screen, FlowsScreen)
    (fault,) = applied(session)
    assert fault.match == Match(source_port=12345)
    assert (fault.segments, fault.action, fault.amount) == (Segments.DATA, Action.LOSE, 25)
    assert fault.for_ms == 60_000


async def test_arrows_choose_too() -> None:
    session = keepalive_session()
    app = app_for(session)
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        await keys(pilot, "D", "left", "down", "right", "down", "space", "space", "enter")
    (fault,) = applied(session)
    assert (fault.both, fault.match, fault.segments) == (True, Match(destination_port=12345), Segments.DATA)


@pytest.mark.parametrize(("key", "match"), [("S", TO_SERVER), ("C", TO_SERVER.reverse())])
async def test_one_key_drops(key: str, match: Match) -> None:
    session = keepalive_session()
    app = app_for(session)
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        await keys(pilot, "enter", "D", "b", key)
        assert isinstance(app.screen, LadderScreen)
    (fault,) = applied(session)
    assert (fault.match, fault.both, fault.action) == (match, False, Action.DROP)


async def test_a_field_lets_keys_through_that_it_has_no_use_for() -> None:
    session = keepalive_session()
    app = app_for(session)
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        await keys(pilot, "D", "x", "5", "b")
        assert isinstance(app.focused, ChoiceRow), "b is no number: it chooses both directions"
        await keys(pilot, "enter")
    (fault,) = applied(session)
    assert (fault.action, fault.amount, fault.both) == (Action.DROP_NEXT, 5, True)


async def test_forever_must_be_typed_and_a_length_that_is_none_is_said() -> None:
    session = keepalive_session()
    app = app_for(session)
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        await keys(pilot, "D", "down", "down", "down", "down")
        field = app.screen.query_one("#for Input", Input)
        assert app.focused is field
        field.value = ""
        text = await keys(pilot, "x", "enter")
        assert "for how long? 60 s, 5 min, 2 h or forever, not 'x'" in text
        assert isinstance(app.screen, FaultDialog)
        field.value = ""
        await keys(pilot, *"forever", "enter")
    (fault,) = applied(session)
    assert fault.for_ms is None


async def test_a_connection_that_does_not_exist_yet_is_typed() -> None:
    session = ScriptedSession()
    app = app_for(session)
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        text = await keys(pilot, "D")
        assert "a connection that does not exist yet" in text
        assert "this flow" not in text
        await keys(pilot, "t", *"10.0.0.9:443", "enter")
    (fault,) = applied(session)
    assert fault.match == Match(destination="10.0.0.9", destination_port=443)


async def test_the_line_you_sit_on_needs_the_word() -> None:
    session = keepalive_session()
    session.faults.refused = "cannot drop it: it would cut the SSH connection of this machine"
    app = app_for(session)
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        text = await keys(pilot, "D")
        assert "refused: cannot drop it" in text
        assert "type insist to break it all the same" in " ".join(text.split())
        await keys(pilot, "enter")
        assert isinstance(app.screen, FaultDialog)
        assert not applied(session)
        await pilot.press(*"insist", "enter")  # as fast as a paste
        await settle(pilot)
        assert not isinstance(app.screen, FaultDialog)
    (fault,) = applied(session)
    assert fault.insist


async def test_a_flow_that_ended_while_the_question_stood_is_not_reset() -> None:
    session = keepalive_session()
    app = app_for(session)
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        await keys(pilot, "K")
        session.flows[0].ended = "RST"
        await keys(pilot, "y")
        assert [one.message for one in app._notifications] == [
            "it has ended meanwhile: RST; nothing was reset"
        ]
    assert not session.resets


async def test_a_fault_that_ends_while_the_screen_is_paused_is_gone_and_its_note_is_in_its_place() -> None:
    session = keepalive_session()
    session.faults.apply(DROP)
    session.change()
    app = app_for(session)
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        assert "fault 1: 40 s left" in await keys(pilot, "enter", "p")
        last_ns = int(session.flows[0].time_ns[-1])
        ended_ns = int(session.flows[0].time_ns[-2]) + 1
        session.faults.kept[1] = replace(
            session.faults.kept[1], ended_ns=ended_ns, left_ms=None, end=End.TIME_UP
        )
        session.marks += (Note(ended_ns, "rule 1 is over: ate 3 segments"),)
        session.change()
        text = await settle(pilot)
        assert "paused" in text
        assert "fault 1" not in text
        assert "rule 1 is over" not in text, "the ladder stands still"
        lines = (await keys(pilot, "p", "end")).splitlines()
        note = next(index for index, line in enumerate(lines) if "rule 1 is over" in line)
        rungs = [index for index, line in enumerate(lines) if "keepalive probe" in line]
        assert rungs[-2] < note < rungs[-1], (last_ns, "\n".join(lines))


async def test_copied_with_its_undo() -> None:
    session = keepalive_session()
    app = app_for(session)
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        await keys(pilot, "D", "c")
        assert app.clipboard.startswith("#!/bin/sh -e\niptables -A INPUT")
        assert "# undo\n#!/bin/sh\niptables -D INPUT" in app.clipboard


@pytest.mark.parametrize("ascii_only", [False, True])
async def test_it_can_be_used_on_a_small_screen(ascii_only: bool) -> None:
    session = keepalive_session()
    app = app_for(session, ascii_only=ascii_only)
    async with app.run_test(size=(60, 20)) as pilot:
        await settle(pilot)
        text = await keys(pilot, "D")
        for words in (
            "direction",
            "scope",
            "what",
            "how",
            "link down",
            "for ",
            "iptables",
            "enter break it",
            "cancel",
        ):
            assert words in text
        if ascii_only:
            assert text.isascii()


async def test_the_status_line_of_every_page_counts_down() -> None:
    session = keepalive_session()
    app = app_for(session)
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        await keys(pilot, "D", "S")
        session.faults.kept[1] = fault_state(1, applied(session)[0], packets=3, left_ms=39_400)
        session.change()
        assert "fault 1: 40 s left, ate 3" in await settle(pilot)
        assert "fault 1: 40 s left, ate 3" in await keys(pilot, "enter")
        assert "fault 1: 40 s left, ate 3" in await keys(pilot, "enter")
        session.faults.kept[2] = fault_state(2, DROP, packets=4, left_ms=None)
        session.change()
        assert "faults 1, 2: next ends in 40 s, ate 7" in await settle(pilot)


def broken(count: int) -> ScriptedSession:
    session = keepalive_session()
    for number in range(1, count + 1):
        session.faults.kept[number] = fault_state(number, DROP)
    session.change()
    return session


async def test_u_lifts_the_last_and_twice_all() -> None:
    session = broken(3)
    app = app_for(session)
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await settle(pilot)
        text = " ".join((await keys(pilot, "U")).split())
        assert "rule 3 lifted: ate 3 segments, 156" in text
        assert "U again within 2 s" in text
        assert [state.number for state in session.faults.in_force()] == [1, 2]
        await keys(pilot, "U")
        assert not session.faults.in_force()
        assert [number for name, number in session.faults.asked if name == "lift"] == [3, 2, 1]


async def test_q_asks_while_something_is_broken() -> None:
    app = app_for(broken(2))
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        text = await keys(pilot, "q")
        assert "2 faults in force. Leave, and lift them?" in text
        await keys(pilot, "n")
        assert isinstance(app.screen, FlowsScreen)
        assert app.is_running
        await keys(pilot, "q")
        await pilot.press("y")
        await pilot.pause()
        assert not app.is_running


async def test_k_asks_and_resets() -> None:
    session = keepalive_session()
    app = app_for(session)
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        text = await keys(pilot, "K")
        assert "Reset 127.0.0.1:22345 → 127.0.0.1:12345?" in text
        await keys(pilot, "escape")
        assert not session.resets
        await keys(pilot, "enter", "K", "y")
        assert session.resets == [(1, False)]
        session.reset_refused = "cannot reset it: it is an SSH connection of this machine, or insist"
        await keys(pilot, "K", "enter")
        assert isinstance(app.screen, Confirm)
        await keys(pilot, *"insist", "enter")
        assert session.resets == [(1, False), (1, True)]


async def test_the_panel_extends_lifts_and_repeats() -> None:
    session = broken(2)
    session.faults.kept[1] = replace(session.faults.kept[1], ended_ns=1, left_ms=None)
    app = app_for(session)
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        text = await keys(pilot, "F")
        assert isinstance(app.screen, FaultsScreen)
        newest = next(line for line in text.splitlines() if "40 s left" in line)
        assert newest.split()[:6] == ["│", "▌", "2", "40", "s", "left"]
        assert "breaks flow 1: 127.0.0.1:22345 → 127.0.0.1:12345" in text
        assert "DROP 127.0.0.1:22345 → 127.0.0.1:12345" in text
        await keys(pilot, "E")
        assert ("extend", (2, 60_000)) in session.faults.asked
        await keys(pilot, "U")
        assert session.faults.kept[2].ended_ns is not None
        await keys(pilot, "down", "R")
        assert applied(session) == [DROP]
        assert sorted(session.faults.kept) == [1, 2, 3]
        await keys(pilot, "escape")
        assert isinstance(app.screen, FlowsScreen)


async def test_a_capture_cannot_be_broken_and_says_so() -> None:
    session = keepalive_session(mode="file", phase="ended")
    session.faults = ScriptedFaults(why_not=NO_CAPTURE)
    app = app_for(session)
    app.NOTIFICATION_TIMEOUT = 600  # a slow machine must not outlast it
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        text = await settle(pilot)
        assert "D fault" in text, "the key is there, greyed"
        for key in ("D", "K", "U"):
            assert "a capture cannot be" not in text
            text = " ".join((await keys(pilot, key)).split())
            assert "a capture cannot be" in text
            assert isinstance(app.screen, FlowsScreen)
            app.clear_notifications()
            text = await settle(pilot)
        text = await keys(pilot, "question_mark")
        assert isinstance(app.screen, HelpScreen)
        assert "(break this flow: drop, reject, lose ...)" in app.screen.text
        assert f"In brackets: {NO_CAPTURE}" in app.screen.text
    assert not session.faults.asked


async def test_what_a_rule_ate_is_drawn_as_soon_as_it_is_known() -> None:
    session = keepalive_session()
    app = app_for(session)
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        assert "✗" not in await keys(pilot, "enter")
        session.flows[0].eaten[len(session.flows[0].said) - 1] = "rule 1"
        session.change()
        text = await settle(pilot)
        (line,) = [line for line in text.splitlines() if "✗" in line]
        assert "keepalive probe 3/3" in line
        assert line.rstrip().endswith("rule 1")
        await keys(pilot, "k", "k")
        await keys(pilot, "j", "j")
        assert isinstance(app, TcpladderApp)
        assert "eaten by rule 1" in await settle(pilot)


async def test_sysctls_are_set_and_put_back_from_the_timers() -> None:
    session = keepalive_session(now_ns=0)
    from rooms.app.test_timers_view import timed

    app = app_for(timed(session))
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        await keys(pilot, "enter", "3", "S")
        assert isinstance(app.screen, LadderScreen), "the heading has no sysctl"
        text = await keys(pilot, "down", "S")
        assert "net.ipv4.tcp_keepalive_time" in text
        await keys(pilot, "3", "0", "enter")
        assert ("set", ("net.ipv4.tcp_keepalive_time", 30)) in session.faults.asked
        text = " ".join((await settle(pilot)).split())
        assert "net.ipv4.tcp_keepalive_time 30, was" in text
        await keys(pilot, "B")
        assert ("set", ("net.ipv4.tcp_keepalive_time", None)) in session.faults.asked
        assert not session.faults.sysctls
