"""The Textual application: screens, theme and the keys that work everywhere. No logic."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING, ClassVar

from textual import events
from textual.app import App, SystemCommand
from textual.binding import Binding, BindingType
from textual.driver import Driver
from textual.screen import Screen

from tcpladder.app import address_names, fault_keys, narration_screen, open_ladder, palette, themes, tour
from tcpladder.app.address_names import AddressNames
from tcpladder.app.contract import Session, SessionStatus
from tcpladder.app.feed import Feed
from tcpladder.app.flows_screen import FlowsScreen
from tcpladder.app.jump import BINDINGS as JUMP
from tcpladder.app.jump import jump
from tcpladder.app.line_driver import LineDriver, redraw
from tcpladder.app.page import Page
from tcpladder.app.plain_widgets import make_plain
from tcpladder.app.privacy import Privacy
from tcpladder.app.rebinding import Rebindable
from tcpladder.app.replaying import Replaying, ask_what_to_open, flows_page, show_flows
from tcpladder.app.terminal import Taste
from tcpladder.app.too_small import TooSmallScreen, cover

if TYPE_CHECKING:
    from tcpladder.app.ladder_screen import LadderScreen


class TcpladderApp(Rebindable, App[None]):
    """A session on the screen."""

    TITLE = "tcpladder"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q", "leave", "back; at the top quit"),
        Binding("escape", "back", "back"),
        Binding("ctrl+q", "quit", "quit at once", show=False, priority=True),
        Binding("question_mark,f1", "help", "this help"),
        Binding("colon,ctrl+p", "command_palette", "commands"),
        Binding("P", "privacy", "mask addresses, ports"),
        Binding("R", "replay", "replay this; back to it"),
        Binding("o", "open_capture", "open a capture; back returns"),
        Binding("ctrl+l", "redraw", "draw all of it again"),
        Binding("ctrl+z", "suspend_process", "suspend; fg brings it back"),
        *JUMP,
    ]
    CSS = themes.CSS
    action_jump, action_open_capture, action_redraw = jump, ask_what_to_open, redraw

    def __init__(self, session: Session, *, taste: Taste, start_flow: int | None = None) -> None:
        # Textual takes NO_COLOR out of the environment, and greys what is not native before it knows the theme.
        super().__init__(ansi_color=True if "NO_COLOR" in os.environ else None)
        self.session = session
        self.taste = taste
        self.feed = Feed(self, session)
        self.replaying = Replaying(self)
        self._privacy = Privacy(lambda: self.session, taste.mask, taste.keymap)
        self.names = AddressNames(lambda: address_names.changed(self))
        self._start_flow, self._warned = start_flow, set[str]()
        self.animation_level = "none"
        self.set_class(taste.ascii_only, "-ascii")
        themes.install(self, taste.theme, os.environ)
        self.set_keymap(dict(taste.keymap))

    def get_driver_class(self) -> type[Driver]:
        return LineDriver

    def on_mount(self) -> None:
        if self.taste.ascii_only:
            make_plain()
        # Textual draws nothing after `fg`: the terminal shows the shell until something changes.
        self.app_resume_signal.subscribe(self, lambda _: self.refresh(layout=True))
        self.session.start()
        self.push_screen(flows_page(self))
        self.call_after_refresh(narration_screen.begin, self)
        self.call_after_refresh(self.feed.start)
        tour.begin(self)

    def on_unmount(self) -> None:
        self.replaying.close()

    def session_changed(self, status: SessionStatus) -> None:
        """Say new warnings in full; open the flow that the command line asked for as soon as it is there."""
        for warning in dict.fromkeys(status.warnings):
            if warning not in self._warned:
                self.notify(warning, severity="warning", markup=False, timeout=8)
        self._warned.update(status.warnings)
        if self._start_flow is not None and status.flows >= self._start_flow:
            number, self._start_flow = self._start_flow, None
            narration_screen.beneath(self, lambda: self.open_flow(number))
        elif status.flows and status.replay is None and not self.is_screen_installed(open_ladder.NAME):
            self.call_later(open_ladder.prepare, self)

    def open_flow(self, *numbers: int) -> None:
        """Show the ladder of a flow, or one of several."""
        show_flows(self, numbers)

    def on_flows_screen_opened(self, message: FlowsScreen.Opened) -> None:
        narration_screen.beneath(self, lambda: self.open_flow(*message.numbers))

    def on_ladder_screen_opened(self, message: LadderScreen.Opened) -> None:
        open_ladder.show_segment(self, message.number, message.index)

    def on_resize(self, event: events.Resize) -> None:
        cover(self, event.size)

    async def action_back(self) -> None:
        screen = self.screen
        if isinstance(screen, Page) and screen.go_back():
            return
        if not isinstance(screen, FlowsScreen | TooSmallScreen):
            self.pop_screen()

    async def action_leave(self) -> None:
        if not isinstance(self.screen, FlowsScreen | TooSmallScreen):
            await self.action_back()
        elif not self.replaying.leave_from(self.screen):
            fault_keys.leave(self)

    def action_help(self) -> None:
        """The keys of the page that is open."""
        self.push_screen(fault_keys.help_of(self.screen, self.session.faults.why_not, self.taste))

    def action_privacy(self) -> None:
        self.notify(self._privacy.next(), markup=False, timeout=4)
        address_names.draw_again(self)

    def action_replay(self, step_back: bool = False) -> None:
        self.replaying.toggle(step_back=step_back)

    def action_interfaces(self) -> None:
        from tcpladder.app.interfaces_screen import InterfacesScreen  # loads the agent's messages

        self.push_screen(InterfacesScreen(self.session.masked, ascii_only=self.taste.ascii_only))

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        return palette.commands(self, screen)


def run(session: Session, *, taste: Taste, mouse: bool = True, start_flow: int | None = None) -> None:
    """Show a session until its user leaves. Needs a terminal on stdin and stderr; the caller checks that."""
    TcpladderApp(session, taste=taste, start_flow=start_flow).run(mouse=mouse)
