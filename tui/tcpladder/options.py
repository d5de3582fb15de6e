"""The options that several commands have, and what they mean together."""

from __future__ import annotations

import os
from typing import Any

import click

from tcpladder import about

FORMATS = ("text", "jsonl")
EXPORTS = ("text", "svg", "png", "html", "mermaid", "plantuml", "websequence", "json", "csv", "packetdrill")
form_option = click.option(
    "--format",
    "form",
    type=click.Choice(FORMATS),
    help="Print instead of opening the app: text or JSON lines.",
)


def _no_tour(_context: click.Context, _parameter: click.Parameter, given: bool) -> None:
    """Into the environment, which the app's process gets, too."""
    if given:
        os.environ["TCPLADDER_TOUR"] = "off"


ascii_option = click.option("--ascii", "ascii_only", is_flag=True, help="Draw with ASCII only.")
no_mouse_option = click.option("--no-mouse", is_flag=True, help="Leave the mouse to the terminal.")
no_tour_option = click.option(
    "--no-tour",
    is_flag=True,
    expose_value=False,
    callback=_no_tour,
    help="Show nobody around at the first start.",
)


class _Flows(click.ParamType[Any]):
    """`1`, `1,4,7`: numbers of flows, as a tuple."""

    name = "N[,N...]"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if isinstance(value, tuple):
            return value
        parts = [part.strip() for part in value.split(",")]
        if not all(part.isascii() and part.isdigit() and int(part) for part in parts):
            self.fail(f"{value!r}: give numbers of the list of flows, such as 1 or 1,4", param, ctx)
        return tuple(map(int, parts))


def _joined(
    _context: click.Context, _parameter: click.Parameter, given: tuple[tuple[int, ...], ...]
) -> tuple[int, ...]:
    """The numbers as they were given, each once."""
    return tuple(dict.fromkeys(number for numbers in given for number in numbers))


flows_option = click.option(
    "--flow", "flows", type=_Flows(), multiple=True, callback=_joined,
    help="Only these flows, by their numbers in the list: 2, or 1,4; may be given again.",
)  # fmt: skip
together_option = click.option(
    "--together", is_flag=True, help="These flows, or all, on one ladder: a lane for each host."
)
flow_option = click.option(
    "--flow", type=click.IntRange(min=1), help="Only this flow, by its number in the list."
)
timers_option = click.option(
    "--timers",
    metavar="[SIDE:]NAME=VALUE,...",
    multiple=True,
    help="Timers that hold: keepalive=55/6/2, server:keepalive=30, syn_retries=5, linear=4, user_timeout=5s …",
)
profile_option = click.option("--profile", metavar="STACK", help="Defaults of linux, linux-old, solaris, freebsd, "
                        "macos, windows, or of [profiles.STACK] in your settings.")  # fmt: skip
fold_option = click.option("--fold", is_flag=True, help="One row for exchanges that repeat: answered probes, data and "
                           "its ACKs.")  # fmt: skip
follow_option = click.option(
    "--follow", is_flag=True, help="Go on at the end of FILE, which is still being written."
)
files = click.argument("files", metavar="FILE...", nargs=-1, required=True, shell_complete=about.files)


def given(timers: tuple[str, ...], profile: str | None) -> Any:
    """What the user says of timers; the settings are read where they may have the profile."""
    from tcpladder.analysis.expected import given
    from tcpladder.analysis.profiles import PROFILES

    if profile is None or profile.lower() in PROFILES:
        return given(timers, profile)
    from tcpladder.settings.file import load

    return given(timers, profile, {**PROFILES, **load().profiles})
