"""The keys that break and mend, on the list and on the ladder: D, K, U, F."""

from __future__ import annotations

import asyncio
from time import monotonic
from typing import TYPE_CHECKING, ClassVar

from textual import work
from textual.binding import Binding, BindingType
from textual.screen import Screen

from tcpladder.app.page import Page
from tcpladder.app.status_words import plural
from tcpladder.app.terminal import Taste
from tcpladder.errors import TcpladderError

if TYPE_CHECKING:
    from tcpladder.agent.fault_messages import FaultState
    from tcpladder.analysis.view import FlowSummary
    from tcpladder.app.app import TcpladderApp
    from tcpladder.app.help_screen import HelpScreen

AGAIN_S = 2.0
"""Within which a second U means all."""


class FaultKeys(Page):
    """A page about flows: one of them is under the cursor."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("D", "break_flow", "break this flow: drop, reject, lose ..."),
        Binding("K", "reset", "reset this connection now"),
        Binding("U", "lift", "lift the last fault; twice: all"),
        Binding("F", "faults", "faults: time left, what each ate"),
    ]
    CHANGES: ClassVar[frozenset[str]] = frozenset({"break_flow", "reset", "lift"})

    _lifted_s = -AGAIN_S

    @property
    def flow_number(self) -> int | None:
        """The flow under the cursor."""
        raise NotImplementedError

    def _can_break(self) -> bool:
        why_not = self.session.faults.why_not
        if why_not:
            self.notify(why_not, severity="warning", markup=False)
        return not why_not

    # D

    def action_break_flow(self) -> None:
        if not self._can_break():
            return
        from tcpladder.app.fault_dialog import FaultDialog  # nobody waits for them at the start
        from tcpladder.app.fault_target import FaultTarget

        dialog = FaultDialog(self.session, FaultTarget(self.session, self.flow_number), self.taste)
        self.app.push_screen(dialog, self._broken)

    def _broken(self, state: FaultState | None) -> None:
        if state is not None:
            self.feed.wake()  # the status line says it

    # K

    def action_reset(self) -> None:
        number = self.flow_number
        if not self._can_break():
            return
        if number is None:
            self.notify("no flow to reset", timeout=2)
            return
        self._ask_and_reset(number, self.session.summary(number))

    @work
    async def _ask_and_reset(self, number: int, summary: FlowSummary) -> None:
        from tcpladder.app.confirm import Confirm
        from tcpladder.faults.fault import INSIST

        question = (
            f"Reset {summary.client} → {summary.server}?\n\nIts sockets here are destroyed: the programs get "
            "ECONNABORTED, the peer an RST. This cannot be taken back."
        )
        if not await self.app.push_screen_wait(Confirm(question, ascii_only=self.ascii_only)):
            return
        ended = self.session.summary(number).ended
        if ended is not None and ended != summary.ended:
            self.notify(f"it has ended meanwhile: {ended}; nothing was reset", markup=False)
            return
        refused = await self._reset(number, insist=False)
        if INSIST in refused:
            again = Confirm(self.session.masked(refused), ascii_only=self.ascii_only, word=INSIST)
            if not await self.app.push_screen_wait(again):
                return
            refused = await self._reset(number, insist=True)
        if refused:
            self.notify(self.session.masked(refused), severity="error", markup=False)

    async def _reset(self, number: int, *, insist: bool) -> str:
        """Do it; returns why not, empty where it was done."""
        try:
            sockets = await asyncio.to_thread(self.session.reset_connection, number, insist=insist)
        except TcpladderError as refused:
            return str(refused)
        self.notify(f"{plural(sockets, 'socket')} destroyed", markup=False)
        return ""

    # U

    def action_lift(self) -> None:
        if not self._can_break():
            return
        faults = self.session.faults
        standing = faults.in_force()
        again = monotonic() - self._lifted_s < AGAIN_S
        self._lifted_s = monotonic()
        if standing:
            self._lift(everything=again)
        elif not again:
            self.notify("no fault is in force", timeout=2)

    @work
    async def _lift(self, *, everything: bool) -> None:
        faults = self.session.faults
        try:
            if everything:
                lifted = await asyncio.to_thread(faults.lift_all)
            else:
                last = await asyncio.to_thread(faults.lift_last)
                lifted = [] if last is None else [last]
        except TcpladderError as refused:
            self.notify(self.session.masked(str(refused)), severity="error", markup=False)
            return
        from tcpladder.app.fault_words import fault_ended

        sentences = [fault_ended(state) for state in lifted]
        left = len(faults.in_force())
        if left and not everything:
            others = "the other one" if left == 1 else f"the other {left}"
            sentences.append(self.named(f"{{lift:U}} again within {AGAIN_S:.0f} s lifts {others}"))
        self.notify("\n".join(sentences), markup=False, timeout=3)
        self.feed.wake()

    # F

    def action_faults(self) -> None:
        from tcpladder.app.faults_screen import FaultsScreen

        self.app.push_screen(FaultsScreen(self.session, self.taste))


def help_of(screen: Screen[object], why_not: str, taste: Taste) -> HelpScreen:
    """The keys of a page or dialog; those that break are grey, with the reason, where nothing can be broken."""
    from tcpladder.app.help_screen import HelpScreen

    active = screen.active_bindings.values()
    bindings = [one.binding for one in active]
    if (
        not isinstance(screen, Page) and len(screen.focus_chain) > 1
    ):  # a dialog hides the keys of the app, but this
        every = [one for _, found in screen._binding_chain for _, one in found]
        bindings += [one for one in every if one.id == "jump_anywhere"]
    title = str(screen.title or screen.TITLE or "this dialog")
    can_break = any(isinstance(one.node, FaultKeys) for one in active)
    greyed = FaultKeys.CHANGES if why_not and can_break else frozenset()
    return HelpScreen(title, bindings, ascii_only=taste.ascii_only, greyed=greyed, why=why_not)


def leave(app: TcpladderApp) -> None:
    """End the app; ask first where something is broken, because that ends with it."""
    standing = app.session.faults.in_force()
    if not standing:
        app.exit()
        return
    from tcpladder.app.confirm import Confirm

    question = f"{plural(len(standing), 'fault')} in force. Leave, and lift {'it' if len(standing) == 1 else 'them'}?"
    app.push_screen(
        Confirm(question, ascii_only=app.taste.ascii_only), lambda yes: app.exit() if yes else None
    )
