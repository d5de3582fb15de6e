"""The one ladder screen: composed before anybody asks for it, then handed each flow that is opened."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tcpladder.app.flows_screen import FlowsScreen

if TYPE_CHECKING:
    from tcpladder.app.app import TcpladderApp
    from tcpladder.app.ladder_screen import LadderScreen

NAME = "ladder"
"""What the screen is installed as. An installed screen stays mounted when it is left."""


def show(app: TcpladderApp, numbers: tuple[int, ...]) -> None:
    """Put the ladder of one flow, or of several, on the screen."""
    from tcpladder.app.ladder_screen import LadderScreen

    if not app.is_screen_installed(NAME):
        ladder = _install(app, numbers)
    elif (ladder := app.get_screen(NAME, LadderScreen)).session is app.session:
        ladder.show_flows(numbers)
    else:  # a capture that was opened above it
        ladder = LadderScreen(app.session, app.feed, app.taste, numbers=numbers)
    if not ladder.is_open:  # two keys may ask before the first is answered
        app.push_screen(ladder)


def show_segment(app: TcpladderApp, number: int, index: int) -> None:
    """Put a segment of flow `number` on the screen, in full."""
    from tcpladder.app.detail_screen import DetailScreen

    app.push_screen(DetailScreen(app.session, app.feed, app.taste, number=number, index=index))


async def prepare(app: TcpladderApp) -> None:
    """Compose, style and lay out the ladder unseen: that takes longer than a key may wait.

    Does nothing where it is done, or while a person looks at something else than the list.
    """
    if app.is_screen_installed(NAME) or not isinstance(app.screen, FlowsScreen):
        return
    with app.batch_update():
        ladder = _install(app, (1,))
        await app.push_screen(ladder)
        await app.pop_screen()
    ladder._update_timer.resume()  # Textual lets a screen wait a sixtieth of a second before its first frame


def _install(app: TcpladderApp, numbers: tuple[int, ...]) -> LadderScreen:
    from tcpladder.app.ladder_screen import LadderScreen

    ladder = LadderScreen(app.session, app.feed, app.taste, numbers=numbers)
    app.install_screen(ladder, NAME)
    return ladder
