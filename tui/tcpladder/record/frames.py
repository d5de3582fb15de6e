"""The screens of a recording: what stood there, from when on, for how long."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tcpladder.errors import UsageError
from tcpladder.record.asciicast import SECOND_US, Code, size_of
from tcpladder.record.cast_file import Cast
from tcpladder.record.terminal import Screen, Terminal

SHORTEST_US = 50_000
"""Screens that stand for less are not pictures of their own: twenty a second is a film."""
LAST_US = 2 * SECOND_US
"""How long the last screen stands."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """A screen and its time."""

    begin_us: int
    lasts_us: int
    screen: Screen


def screen_at(cast: Cast, time_us: int | None) -> Screen:
    """What stood there at a moment; None for the last picture. Raises UsageError behind the end."""
    frames = list(film(cast))
    if time_us is None:
        return frames[-1].screen
    end_us = cast.events[-1].time_us if cast.events else 0
    if time_us > end_us:
        raise UsageError(
            f"there is nothing at {time_us / SECOND_US:g} s: the recording has {end_us / SECOND_US:g} s"
        )
    return [frame.screen for frame in frames if frame.begin_us <= time_us][-1]


def film(cast: Cast) -> Iterator[Frame]:
    """All pictures, in order, each different from the one before it; what an app leaves behind at its end is none."""
    terminal = Terminal(cast.header.width, cast.header.height)
    shown, begin_us = terminal.screen(), 0
    end_us = cast.events[-1].time_us if cast.events else 0
    for time_us, screen in _changes(cast, terminal):
        if screen == shown:
            continue
        if time_us == end_us and _is_empty(screen):
            break  # the app has left the screen
        if time_us - begin_us >= SHORTEST_US:
            yield Frame(begin_us=begin_us, lasts_us=time_us - begin_us, screen=shown)
            begin_us = time_us
        shown = screen
    yield Frame(begin_us=begin_us, lasts_us=end_us - begin_us + LAST_US, screen=shown)


def _changes(cast: Cast, terminal: Terminal) -> Iterator[tuple[int, Screen]]:
    """The screen after all that happened in one moment."""
    for event, following in zip(cast.events, [*cast.events[1:], None], strict=False):
        if event.code is Code.OUTPUT:
            terminal.feed(event.data)
        elif event.code is Code.RESIZE:
            try:
                terminal.resize(*size_of(event.data))
            except ValueError:
                continue
        if following is None or following.time_us - event.time_us >= SHORTEST_US // 2:
            yield event.time_us, terminal.screen()


def _is_empty(screen: Screen) -> bool:
    return all(cell.text in (" ", "") for row in screen for cell in row)
