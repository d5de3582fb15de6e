"""The arguments of recording: --record on what shows the app, `cast` and `demo`."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from tcpladder.errors import UsageError

if TYPE_CHECKING:
    from tcpladder.agent.start import Handover
    from tcpladder.record.asciicast import Header
    from tcpladder.record.writer import CastWriter

_Command = TypeVar("_Command", bound=Callable[..., Any])
_META = "tcpladder.record"
OUTPUT = "record"
"""What the file is called among those that are opened before privilege is given up."""


@dataclass(slots=True, kw_only=True)
class Asked:
    """What the command line says of recording, before and behind the command."""

    path: Path | None = None
    version: int = 2
    keys: bool = False
    descriptor: int | None = None
    """The file, where an earlier process has opened it."""
    goes_on: bool = False
    """Whether the start screen has begun the recording in that file."""


def asked() -> Asked:
    """Of this run."""
    meta = click.get_current_context().find_root().meta
    found: Asked = meta.setdefault(_META, Asked())
    return found


def _note(context: click.Context, option: click.Parameter, value: Any) -> None:
    """Keep what is said; the options are before the command or behind it, and not saying it says nothing."""
    said: Asked = context.find_root().meta.setdefault(_META, Asked())
    if option.name == "record" and value is not None:
        said.path = value
    elif option.name == "record_format" and value is not None:
        said.version = int(value[1:])
    elif option.name == "record_keys" and value:
        said.keys = True


def recordable(command: _Command) -> _Command:
    """Give a command the options of recording."""
    for option in (
        click.option("--record-keys", is_flag=True, expose_value=False, callback=_note,
                     help="Record what is typed, too."),
        click.option("--record-format", type=click.Choice(("v2", "v3")), expose_value=False, callback=_note,
                     help="Version of the asciicast, v2 unless said."),
        click.option("--record", metavar="FILE.cast", type=click.Path(path_type=Path), expose_value=False,
                     callback=_note, help="Record what the app shows as an asciicast; a new file."),
    ):  # fmt: skip
        command = option(command)
    return command


def _go_on(context: click.Context, _option: click.Parameter, descriptor: int | None) -> None:
    """Record into the file that the start screen records into."""
    if descriptor is not None:
        said: Asked = context.find_root().meta.setdefault(_META, Asked())
        said.descriptor, said.goes_on = descriptor, True


continuable = click.option("--record-onto", type=int, hidden=True, expose_value=False, callback=_go_on)
"""The option that the start screen gives to what is chosen on it."""


def refuse(why: str) -> None:
    """Say that there is nothing to record, if that is wanted. Raises UsageError."""
    if (path := asked().path) is not None:
        raise UsageError(f"cannot record {path}: {why}, and only the app is recorded")


def outputs() -> dict[str, Path]:
    """What must be opened before privilege is given up."""
    path = asked().path
    return {} if path is None else {OUTPUT: path.absolute()}


def take_over(left: Handover) -> None:
    """Record into the file that was opened while there was privilege."""
    if OUTPUT in left.outputs:
        asked().descriptor = left.outputs[OUTPUT]


@contextlib.contextmanager
def nothing_left_empty() -> Iterator[None]:
    """Remove the file in which nothing was recorded, where what should have been is refused."""
    try:
        yield
    except BaseException:
        said = asked()
        if said.path is not None and said.descriptor is not None:
            with contextlib.suppress(OSError):
                made, named = os.fstat(said.descriptor), said.path.stat()
                if not made.st_size and os.path.samestat(made, named):
                    said.path.unlink()
        raise


def _open(path: Path) -> int:
    from tcpladder.agent.confine import invoking_user
    from tcpladder.agent.start import open_output

    descriptor = open_output(path, new=True)
    if (user := invoking_user()) is not None:
        os.fchown(descriptor, user.pw_uid, user.pw_gid)
    return descriptor


def begin() -> tuple[CastWriter, bool] | None:
    """The recording that the command line asks for, and whether keys are recorded; None without one.

    Raises UsageError where the file cannot be made.
    """
    from tcpladder.record.writer import CastWriter

    said = asked()
    if said.goes_on and said.descriptor is not None:
        os.set_inheritable(said.descriptor, False)
        return CastWriter(said.descriptor, None), said.keys
    if said.path is None:
        return None
    descriptor = _open(said.path) if said.descriptor is None else said.descriptor
    return CastWriter(descriptor, _header(said.version)), said.keys


def _header(version: int) -> Header:
    import shutil
    import time

    from tcpladder.record.asciicast import Header

    width, height = shutil.get_terminal_size()
    # The command alone: its arguments may name what the privacy mask hides.
    title = f"tcpladder {click.get_current_context().info_name}".replace("tcpladder tcpladder", "tcpladder")
    return Header(
        width=width, height=height, version=version, title=title, timestamp_s=time.time_ns() // 10**9
    )


def begin_start_screen() -> None:
    """Begin the recording of the start screen and all that is chosen on it, if one is wanted."""
    recording = begin()
    if recording is not None:
        asked().descriptor, asked().goes_on = recording[0].detach(), True


def go_on() -> tuple[CastWriter, bool] | None:
    """That recording for the next screen of this process; None without one."""
    from tcpladder.record.writer import CastWriter

    said = asked()
    return None if said.descriptor is None else (CastWriter(os.dup(said.descriptor), None), said.keys)


def handed_on() -> tuple[list[str], tuple[int, ...]]:
    """The words that make another process record into the same file, and the descriptors that it needs."""
    said = asked()
    if said.descriptor is None:
        return [], ()
    words = ["--record-onto", str(said.descriptor), *(["--record-keys"] if said.keys else [])]
    return words, (said.descriptor,)


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--text", "form", flag_value="text", help="The last screen, or the one --at a moment.")
@click.option("--svg", "form", flag_value="svg", help="A film that browsers play; with --at a still.")
@click.option("--gif", "form", flag_value="gif", help="By agg, or by rsvg-convert and ffmpeg.")
@click.option("--mp4", "form", flag_value="mp4", help="By rsvg-convert and ffmpeg.")
@click.option("-o", "--output", help="A new file, - for stdout; else FILE's name with another end, in this "
              "directory.")  # fmt: skip
@click.option(
    "--at", "at_s", metavar="SECONDS", type=click.FloatRange(min=0), help="One picture only: this one."
)
def cast(file: Path, form: str | None, output: str | None, at_s: float | None) -> None:
    """Make a picture or a film of a recording (an asciicast, version 2 or 3)."""
    from tcpladder import casting

    if form is None:
        raise UsageError("say what to make of it: --svg, --gif, --mp4 or --text")
    casting.cast(file, casting.Asked(form=form, output=output, at_s=at_s))


@click.command()
@click.argument("demo", metavar="[NAME|SCRIPT]", required=False)
@click.option("--list", "list_them", is_flag=True, help="The demos that come with tcpladder.")
@recordable
def demo(demo: str | None, list_them: bool) -> None:
    """Play a demo: a capture, keys and captions, on a clock of its own, the same each time.

    SCRIPT is a TOML file; docs/RECORD.md has its words. With --record it is written to a file instead, at once.
    """
    from tcpladder.record import demo_script

    if list_them:
        refuse("a list is printed")
        names = demo_script.names()
        for name in names:
            click.echo(f"{name:{max(map(len, names)) + 2}}{demo_script.load(name).title}")
        return
    if demo is None:
        raise UsageError(f"say which demo: a file, or one of {', '.join(demo_script.names())}")
    script = demo_script.load(demo)
    said = asked()
    from tcpladder import demonstrating

    if said.path is None:
        demonstrating.play(script)
        return
    if said.keys:
        raise UsageError("nobody types in a demo: leave out --record-keys")
    demonstrating.write(script, _open(said.path), version=said.version)
    click.echo(f"tcpladder: recorded in {said.path}", err=True)
