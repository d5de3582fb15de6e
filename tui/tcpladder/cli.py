"""The command line: arguments, exit codes, which front end. Imports what a command needs when it runs."""

from __future__ import annotations

import errno
import gc
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import click

from tcpladder import about, record_commands
from tcpladder.errors import ExitCode, PermissionRefused, TcpladderError, UsageError
from tcpladder.fault_commands import doctor, fault
from tcpladder.record_commands import cast, demo, recordable

FORMATS = ("text", "jsonl")
EXPORTS = ("text", "svg", "png", "html", "mermaid", "plantuml", "websequence", "json", "csv", "packetdrill")
_format = click.option(
    "--format",
    "form",
    type=click.Choice(FORMATS),
    help="Print instead of opening the app: text or JSON lines.",
)
_ascii = click.option("--ascii", "ascii_only", is_flag=True, help="Draw with ASCII only.")
_no_mouse = click.option("--no-mouse", is_flag=True, help="Leave the mouse to the terminal.")
_flow = click.option("--flow", type=click.IntRange(min=1), help="Only this flow, by its number in the list.")
_timers = click.option(
    "--timers",
    metavar="[SIDE:]NAME=VALUE,...",
    multiple=True,
    help="Timers that hold: keepalive=55/6/2, server:keepalive=30, syn_retries=5, linear=4, user_timeout=5s …",
)
_profile = click.option("--profile", metavar="STACK", help="Defaults of linux, linux-old, solaris, freebsd, "
                        "macos, windows, or of [profiles.STACK] in your settings.")  # fmt: skip
_follow = click.option(
    "--follow", is_flag=True, help="Go on at the end of FILE, which is still being written."
)
_SHOW_THE_APP = frozenset({"live", "open", "replay", "lab", "demo"})
_REST = {"ignore_unknown_options": False, "allow_interspersed_args": False}


@click.group(context_settings={"help_option_names": ["-h", "--help"]}, invoke_without_command=True)
@click.option("--version", is_flag=True, is_eager=True, expose_value=False, callback=about.show_versions,
              help="Print the version, and those of what it stands on.")  # fmt: skip
@recordable
@click.pass_context
def tcpladder(context: click.Context) -> None:
    """Live ladder diagrams of TCP connections, and which timer caused each silence.

    Exit codes: 0 done, 1 the answer is no (check, an experiment), 2 wrong usage, 3 bad input, 4 not permitted,
    130 interrupted.
    """
    if context.invoked_subcommand not in _SHOW_THE_APP:
        shown = context.invoked_subcommand
        record_commands.refuse(f"`{shown}` prints" if shown else "no command is named, such as `live`")
    if context.invoked_subcommand is not None:
        return
    if _why_no_app() is not None:
        click.echo(context.get_help())
        return
    from tcpladder.app.start_screen import choose

    while (command := choose(ascii_only=False, mouse=True)) is not None:
        # A process of its own: `live` and `lab` give up privilege by exec, and this screen is there again afterwards.
        if subprocess.run([sys.executable, "-P", "-m", "tcpladder", *command]).returncode not in (0, 1):
            click.pause("press a key to go on", err=True)


@tcpladder.command(context_settings=_REST)
@click.option("-i", "--interface", default="lo", show_default=True, help="Where to sniff.",
              shell_complete=about.interfaces)  # fmt: skip
@click.option("--netns", metavar="NAME|PID", help="In another network namespace.",
              shell_complete=about.network_namespaces)  # fmt: skip
@click.option("-s", "--snap-length", type=click.IntRange(0, 262_144), default=256, show_default=True,
              help="Bytes kept of each frame; 0 for all.")  # fmt: skip
@click.option("-w", "--write", type=click.Path(path_type=Path), help="Save every frame, as pcapng.")
@click.option(
    "--keep", metavar="10m|200MB", help="How much can be looked into and saved later; default 64MiB."
)
@click.option("--save-when", metavar="ended:timeout|any", multiple=True, help="Save each flow that ends so by itself, "
              "into the directory -w names, else this one: ended:timeout, :reset, :refused, :closed, any.")  # fmt: skip
@click.option("--ssh", is_flag=True, help="Do not leave out this host's own SSH connections.")
@_timers
@_profile
@_format
@_ascii
@_no_mouse
@recordable
@click.argument("filter_words", metavar="[FILTER]...", nargs=-1)
def live(
    interface: str,
    netns: str | None,
    snap_length: int,
    write: Path | None,
    keep: str | None,
    save_when: tuple[str, ...],
    ssh: bool,
    timers: tuple[str, ...],
    profile: str | None,
    form: str | None,
    ascii_only: bool,
    no_mouse: bool,
    filter_words: tuple[str, ...],
) -> None:
    """Sniff an interface; FILTER is a tcpdump filter, such as: tcp port 12345."""
    from tcpladder.agent.messages import OpenCapture
    from tcpladder.session.keeping import keep_of, occasions_of

    kept, occasions = (None if keep is None else keep_of(keep)), occasions_of(save_when)
    if write is not None and write.is_dir() and not occasions:
        raise UsageError(f"-w {write}: it is a directory, which --save-when saves into; name a file")
    from tcpladder.agent.start import HostNetwork, NetnsNetwork, exec_app, handover

    outputs = {} if write is None else {"write": write.absolute()}
    folder = write if write is not None and write.is_dir() else None
    if folder is None and save_when:
        outputs["save"] = Path.cwd()
    left = handover()
    if left is None:
        # The user's settings wait until privilege is given up: the app reads them, as that user.
        _given(timers, None)
        form = _front_end(form, without_terminal="text")
        network = HostNetwork() if netns is None else NetnsNetwork(netns)
        outputs |= record_commands.outputs()
        exec_app(network, outputs, sys.argv[1:], new=frozenset({record_commands.OUTPUT}))
    from tcpladder.agent.client import AgentClient
    from tcpladder.session.live import LiveSession

    record_commands.take_over(left)
    request = OpenCapture(
        interface=interface, filter=" ".join(filter_words), snap_length=snap_length, include_ssh=ssh
    )
    output = None if write is None or folder is not None else (left.outputs["write"], str(write))
    given = _given(timers, profile)
    session = LiveSession(AgentClient(left.agent), request, write=output, given=given, keep=kept)
    if occasions:
        where = left.outputs["save"] if folder is None else left.outputs["write"]
        session.record(occasions, (where, str(folder or Path.cwd())))
    _say(left.notices)
    _show_live(session, _front_end(form, without_terminal="text"), ascii_only=ascii_only, no_mouse=no_mouse)
    if output is not None:
        _say([f"{session.frames_written} frames written to {write}"])


@tcpladder.command("open")
@click.argument("files", metavar="FILE...", nargs=-1, required=True, shell_complete=about.files)
@_flow
@_follow
@_timers
@_profile
@_ascii
@_no_mouse
@recordable
def open_(
    files: tuple[str, ...],
    flow: int | None,
    follow: bool,
    timers: tuple[str, ...],
    profile: str | None,
    ascii_only: bool,
    no_mouse: bool,
) -> None:
    """Show captures in the app; - is stdin."""
    from tcpladder.session.files import FileSession
    from tcpladder.store.recent import remember

    _front_end(None, without_terminal="")
    session = FileSession(files, read_again=True, follow=follow, given=_given(timers, profile))
    remember(files)
    _open_app(session, ascii_only=ascii_only, no_mouse=no_mouse, start_flow=flow)


@tcpladder.command()
@click.argument("files", metavar="FILE...", nargs=-1, required=True, shell_complete=about.files)
@_flow
@click.option(
    "--pace", default="1", show_default=True, metavar="60|max", help="How many times faster than recorded."
)
@click.option(
    "--idle", default="3s", show_default=True, metavar="3s|off", help="The longest silence to sit through."
)
@click.option("--at", metavar="TIME", help="Begin there: 14:02:10, 90 (seconds from the begin), 5m or 50%.")
@click.option("--loop", is_flag=True, help="Begin again at the end.")
@_timers
@_profile
@_ascii
@_no_mouse
@recordable
def replay(
    files: tuple[str, ...],
    flow: int | None,
    pace: str,
    idle: str,
    at: str | None,
    loop: bool,
    timers: tuple[str, ...],
    profile: str | None,
    ascii_only: bool,
    no_mouse: bool,
) -> None:
    """Play captures in the app, at the recorded pace; - is stdin."""
    from tcpladder.analysis.expected import given
    from tcpladder.session.files import FileSession
    from tcpladder.session.playhead import idle_of, pace_of
    from tcpladder.session.replay import ReplaySession
    from tcpladder.session.replay_state import ReplayState
    from tcpladder.store.recent import remember

    state = ReplayState(pace=pace_of(pace), idle_s=idle_of(idle), loop=loop)
    _front_end(None, without_terminal="")
    source = FileSession(files, read_again=True, given=given(timers, profile))
    remember(files)
    _open_app(ReplaySession(source, state, at=at), ascii_only=ascii_only, no_mouse=no_mouse, start_flow=flow)


@tcpladder.command()
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@_flow
@_follow
@_timers
@_profile
@click.option("--format", "form", type=click.Choice(FORMATS), default="text", show_default=True)
@_ascii
def show(
    files: tuple[str, ...],
    flow: int | None,
    follow: bool,
    timers: tuple[str, ...],
    profile: str | None,
    form: str,
    ascii_only: bool,
) -> None:
    """Print the ladders of captures on stdout; - is stdin."""
    from tcpladder import printing

    given = _given(timers, profile)
    if follow:
        if flow is not None:
            raise UsageError("--follow prints every flow as it comes, leave out --flow")
        printing.follow(files, form=form, ascii_only=ascii_only, given=given)
        return
    printing.show(files, flow=flow, form=form, ascii_only=ascii_only, given=given)


@tcpladder.command()
@click.argument("files", metavar="FILE...", nargs=-1, required=True, shell_complete=about.files)
@click.option("--flow", "flows", type=click.IntRange(min=1), multiple=True,
              help="This flow, by its number in the list; several times for text, html, json and csv.")  # fmt: skip
@click.option("--as", "form", type=click.Choice(EXPORTS), help="Else the end of the file's name says it.")
@click.option("-o", "--output", default="-", show_default=True, help="Where to write it; - is stdout.")
@click.option("--rungs", metavar="A-B", help="Only these segments of the flow, counted from 1.")
@click.option("--names", metavar="CLIENT,SERVER", help="What stands above the lifelines: curl,nc.")
@click.option("--theme", type=click.Choice(["light", "dark"]), help="Of svg, png and html; a page without it "
              "takes its reader's.")  # fmt: skip
@click.option("--width", type=click.IntRange(40, 1000), default=80, show_default=True, help="Of text.")
@click.option("--local", type=click.Choice(["client", "server"]), help="The end that packetdrill plays; else the one "
              "whose timers sent more.")  # fmt: skip
@click.option("--privacy", is_flag=True, help="Put addresses of documentation in place of those in the file.")
@click.option("--privacy-ports", is_flag=True, help="Ports, too.")
@_timers
@_profile
@_ascii
def export(
    files: tuple[str, ...],
    flows: tuple[int, ...],
    form: str | None,
    output: str,
    rungs: str | None,
    names: str | None,
    theme: str | None,
    width: int,
    local: str | None,
    privacy: bool,
    privacy_ports: bool,
    timers: tuple[str, ...],
    profile: str | None,
    ascii_only: bool,
) -> None:
    """Write a flow as a drawing, a page, a source for a diagram, a table or a script; FILE - is stdin."""
    from tcpladder import exporting
    from tcpladder.analysis.expected import given as read_given
    from tcpladder.analysis.view import Side
    from tcpladder.render.formats import Taste
    from tcpladder.render.palette import Theme

    taste = Taste(
        theme=None if theme is None else Theme(theme),
        width=width,
        ascii_only=ascii_only,
        local=None if local is None else Side[local.upper()],
    )
    asked = exporting.Asked(
        form=form,
        flows=flows,
        rungs=rungs,
        names=names,
        output=output,
        privacy=privacy,
        privacy_ports=privacy_ports,
        taste=taste,
    )
    exporting.export(files, asked, given=read_given(timers, profile))


@tcpladder.command()
@click.argument("files", metavar="FILE...", nargs=-1, required=True, shell_complete=about.files)
@_timers
@_profile
@click.option(
    "--tolerance", metavar="5%|20ms", help="How far a timer may be off; else as late as a kernel may be."
)
@click.option("--format", "form", type=click.Choice(FORMATS), default="text", show_default=True)
def check(
    files: tuple[str, ...], timers: tuple[str, ...], profile: str | None, tolerance: str | None, form: str
) -> None:
    """Judge captures by timers that must hold: exit 0 when all kept their schedule, 1 with those that did not."""
    from tcpladder import checking

    given = _given(timers, profile)
    if not given:
        raise UsageError(
            "check judges by what must hold: give --timers, such as keepalive=55/6/2, or --profile"
        )
    all_kept = checking.check(files, given=given, tolerance=tolerance, form=form)
    sys.exit(ExitCode.DONE if all_kept else ExitCode.NO)


@tcpladder.command()
@click.argument("files", metavar="FILE...", nargs=-1, required=True, shell_complete=about.files)
@click.option("--format", "form", type=click.Choice(FORMATS), default="text", show_default=True)
@click.option("--filter", "words", metavar="WORDS", default="", help='Such as "state:estab probes>0".')
@_ascii
def flows(files: tuple[str, ...], form: str, words: str, ascii_only: bool) -> None:
    """Print the list of flows of captures on stdout; - is stdin."""
    from tcpladder import printing

    printing.flows(files, form=form, words=words, ascii_only=ascii_only)


@tcpladder.command()
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@click.option(
    "--flow", "flows", type=click.IntRange(min=1), multiple=True, help="Only this flow; again for more."
)
@click.option(
    "--from", "begin", metavar="TIME", help="Only from then on: 14:02:10, 90 (seconds from the begin), 50%."
)
@click.option("--to", "end", metavar="TIME", help="Only until then; +90 counts from --from.")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), required=True, help="A new file, .pcapng or .pcap."
)
@click.option("--no-comments", is_flag=True, help="Do not write what is known of a frame beside it.")
@_timers
@_profile
def save(
    files: tuple[str, ...],
    flows: tuple[int, ...],
    begin: str | None,
    end: str | None,
    output: Path,
    no_comments: bool,
    timers: tuple[str, ...],
    profile: str | None,
) -> None:
    """Save the TCP frames of captures, or some of them, with kinds, timers and verdicts as packet comments."""
    from tcpladder import writing

    _say(
        writing.save(
            files,
            output,
            flows=flows,
            begin=begin,
            end=end,
            comments=not no_comments,
            given=_given(timers, profile),
        )
    )


class _WithCommand(click.Command):
    """What stands behind `--` is a command of the user's, with whatever options that has."""

    def parse_args(self, context: click.Context, args: list[str]) -> list[str]:
        """Take the command off, for `context.meta["command"]`."""
        end = args.index("--") if "--" in args else len(args)
        context.meta["command"] = tuple(args[end + 1 :])
        return super().parse_args(context, args[:end])

    def collect_usage_pieces(self, context: click.Context) -> list[str]:
        """Say so in the help."""
        return [*super().collect_usage_pieces(context), "[-- COMMAND...]"]


@tcpladder.command(cls=_WithCommand)
@click.argument("experiment", required=False, shell_complete=about.experiments)
@click.argument("lab_id", metavar="[ID]", required=False)
@click.option("--set", "settings", metavar="NAME=NUMBER", multiple=True, help="Change one of its numbers.")
@click.option(
    "--network", metavar="NAME", default="", help="For COMMAND without an experiment: pair, routed."
)
@click.option("--host", metavar="NAME", default="", help="Where COMMAND or the shell runs: client, server …")
@click.option(
    "--save", metavar="DIR", type=click.Path(path_type=Path), help="Keep the capture there, with its story."
)
@click.option("--auto", is_flag=True, help="All steps unattended, without the app.")
@click.option("--all", "every", is_flag=True, help="Run all: does this kernel keep its timers?")
@click.option("--format", "form", type=click.Choice([*FORMATS, "junit"]),
              help="Print instead of opening the app: text or JSON lines; with --all, junit, too.")  # fmt: skip
@_ascii
@_no_mouse
@recordable
@click.pass_context
def lab(
    context: click.Context,
    experiment: str | None,
    lab_id: str | None,
    settings: tuple[str, ...],
    network: str,
    host: str,
    save: Path | None,
    auto: bool,
    every: bool,
    form: str | None,
    ascii_only: bool,
    no_mouse: bool,
) -> None:
    """Run an experiment on this kernel, in a private network; needs no privilege. Without a name, list them.

    With COMMAND, run that in the network, and show what it sends. `tcpladder lab enter ID`, in another terminal, is a
    shell in the network of a lab that runs.
    """
    from tcpladder import laboratory

    command = context.meta["command"]
    if experiment == "enter":
        if command:
            raise UsageError("`lab enter` opens a shell: type the command there")
        sys.exit(laboratory.enter(lab_id or "", host))
    if every:
        if experiment is not None or command or settings or save is not None:
            raise UsageError("--all runs every experiment as it is: leave the others out")
        from tcpladder import proving

        sys.exit(proving.prove(form=form or "text"))
    if form == "junit":
        raise UsageError("junit is for --all")
    if lab_id is not None:
        raise UsageError(f"cannot use {lab_id!r}: one experiment at a time")
    if experiment is None and not command:
        laboratory.list_experiments()
        return
    if experiment in laboratory.PUBLISHED:
        path, timers, stack = laboratory.published(experiment, settings, save, command)
        form = _front_end(form or ("text" if auto else None), without_terminal="text")
        _show_shipped(path, form, _given(timers, stack), ascii_only=ascii_only, no_mouse=no_mouse)
        return
    chosen = laboratory.chosen(experiment, settings, network=network, host=host, save=save)
    from tcpladder.agent.start import handover

    left = handover()
    form = _front_end(form or ("text" if auto else None), without_terminal="jsonl")
    if left is None:
        try:
            laboratory.begin(chosen, command, sys.argv[1:], record_commands.outputs())
        except PermissionRefused as refused:
            if experiment is None:
                raise
            _shipped_instead(experiment, str(refused), form, ascii_only=ascii_only, no_mouse=no_mouse)
            return
    record_commands.take_over(left)
    session = laboratory.session(chosen, left, aloud=form is not None)
    _say(left.notices)
    _show_live(session, form, ascii_only=ascii_only, no_mouse=no_mouse)
    sys.exit(laboratory.finish(chosen, session, aloud=form is not None))


@tcpladder.command()
@click.option("--every", type=click.FloatRange(min=0.1), default=1.0, show_default=True,
              help="Seconds over which the rates are measured.")  # fmt: skip
def interfaces(every: float) -> None:
    """List the network interfaces: name, state, addresses, and what they carry now."""
    from tcpladder import printing

    printing.interfaces(every)


@tcpladder.command()
@click.option("--pid", type=click.IntRange(min=1), help="Only sockets that this process holds.")
@click.option("--netns", metavar="NAME|PID", help="In another network namespace.",
              shell_complete=about.network_namespaces)  # fmt: skip
@click.option("--watch", is_flag=True, help="Print them again every second, until interrupted.")
@click.option("--format", "form", type=click.Choice(FORMATS), default="text", show_default=True)
@_ascii
@click.argument("filter_words", metavar="[FILTER]...", nargs=-1)
def timers(
    pid: int | None,
    netns: str | None,
    watch: bool,
    form: str,
    ascii_only: bool,
    filter_words: tuple[str, ...],
) -> None:
    """List TCP sockets with the timers that are configured, and the one that runs.

    FILTER is any of: port N, sport N, dport N, addr A, src A, dst A (an address or a network), state S (as ss calls
    it), timer T (retransmission, keepalive, timewait, persist, none); all must hold.
    """
    from tcpladder import watching
    from tcpladder.agent.networks import NetnsNetwork
    from tcpladder.session.local_sockets import LocalSockets
    from tcpladder.session.socket_filter import parse_filter

    sockets = LocalSockets(pid=pid, wanted=parse_filter(filter_words))
    if netns is not None:
        NetnsNetwork(netns).enter()
    watching.timers(sockets, watch=watch, form=form, ascii_only=ascii_only)


@tcpladder.command()
@click.option("--sample", is_flag=True, help="Print a commented file to begin with instead.")
def config(*, sample: bool) -> None:
    """Print where your settings are, and what is in force, as TOML."""
    from tcpladder import settings

    sys.stdout.write(settings.SAMPLE if sample else settings.in_force(settings.load()))


tcpladder.add_command(fault)
tcpladder.add_command(about.completion)
tcpladder.add_command(doctor)
tcpladder.add_command(cast)
tcpladder.add_command(demo)


def main() -> None:
    """Run the command; errors are sentences on stderr, and the exit code says which."""
    # No matrix is multiplied here, and the threads that numpy's library starts for it cost 40 ms at each start.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    # Python looks for garbage after 700 new objects, and a start makes a hundred thousand that stay.
    gc.set_threshold(10_000)
    _fill_standard_streams()
    if instruction := os.environ.get(about.COMPLETE):
        sys.exit(about.complete(tcpladder, instruction))
    try:
        # Not tcpladder.main(), which makes exit code 1 of a broken pipe: here that says that the answer is no.
        with tcpladder.make_context("tcpladder", sys.argv[1:]) as context:
            tcpladder.invoke(context)
        sys.stdout.flush()
    except click.exceptions.Exit as done:
        sys.exit(done.exit_code)
    except TcpladderError as wrong:
        _fail(str(wrong), wrong.exit_code)
    except click.exceptions.NoArgsIsHelpError as asked:
        click.echo(asked.format_message())
        sys.exit(ExitCode.USAGE)
    except click.ClickException as wrong:
        wrong.show()
        sys.exit(ExitCode.USAGE)
    except (KeyboardInterrupt, click.Abort):
        sys.exit(ExitCode.INTERRUPTED)
    except BrokenPipeError:
        _leave_stdout()
        sys.exit(ExitCode.DONE)
    except OSError as failed:
        if failed.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO):
            raise
        _leave_stdout()
        _fail(f"cannot write the output: {os.strerror(failed.errno).lower()}", ExitCode.BAD_INPUT)


def _fill_standard_streams() -> None:
    """Open what the caller closed (`>&-`): else the next file would take its number, and be written to as stdout."""
    closed = sys.stdout is None
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        if getattr(sys, name) is None:
            null = os.open(os.devnull, os.O_RDWR)
            if null != number:
                os.dup2(null, number)
                os.close(null)
            setattr(sys, name, os.fdopen(number, mode, encoding="utf-8", closefd=False))
    if closed:
        _fail("cannot write the output: stdout is closed", ExitCode.BAD_INPUT)


def _leave_stdout() -> None:
    """Whoever read our stdout has enough, or its disk is full; a flush at exit would complain about it."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _why_no_app() -> str | None:
    """Why the app cannot open, None where it can: it needs a terminal that can draw."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        return "stdin and stdout must be a terminal"
    return "TERM is dumb, which cannot draw" if os.environ.get("TERM", "dumb") == "dumb" else None


def _given(timers: tuple[str, ...], profile: str | None) -> Any:
    """What the user says of timers; the settings are read where they may have the profile."""
    from tcpladder.analysis.expected import given
    from tcpladder.analysis.profiles import PROFILES

    if profile is None or profile.lower() in PROFILES:
        return given(timers, profile)
    from tcpladder.settings import load

    return given(timers, profile, {**PROFILES, **load().profiles})


def _front_end(form: str | None, *, without_terminal: str) -> str | None:
    """Which format to print, None for the app; the app needs a terminal that can draw."""
    if form is not None:
        record_commands.refuse(f"{form} is printed")
        return form
    why_not = _why_no_app()
    if why_not is None:
        return None
    record_commands.refuse(f"the app cannot open here: {why_not}")
    if without_terminal:
        return without_terminal
    raise UsageError(f"the app cannot open here: {why_not}; `tcpladder show FILE` prints the same")


def _shipped_instead(
    experiment: str, refused: str, form: str | None, *, ascii_only: bool, no_mouse: bool
) -> None:
    """Show the capture that comes with tcpladder where this machine forbids the experiment."""
    from tcpladder import samples

    _say([refused, f"showing the capture of {experiment} that comes with tcpladder instead"])
    _show_shipped(samples.capture(experiment), form, None, ascii_only=ascii_only, no_mouse=no_mouse)


def _show_shipped(path: Path, form: str | None, given: Any, *, ascii_only: bool, no_mouse: bool) -> None:
    if form is not None:
        from tcpladder import printing

        printing.show([str(path)], flow=None, form=form, ascii_only=ascii_only, given=given)
        return
    from tcpladder.session.files import FileSession

    click.pause("press a key to open it", err=True)
    session = FileSession([str(path)], read_again=True, given=given)
    _open_app(session, ascii_only=ascii_only, no_mouse=no_mouse, start_flow=1)


def _show_live(session: Any, form: str | None, *, ascii_only: bool, no_mouse: bool) -> None:
    if form is None:
        _open_app(session, ascii_only=ascii_only, no_mouse=no_mouse)
        return
    from tcpladder import printing

    printing.stream(session, form=form, ascii_only=ascii_only)


def _open_app(session: Any, *, ascii_only: bool, no_mouse: bool, start_flow: int | None = None) -> None:
    recording = record_commands.begin()
    if recording is None:
        from tcpladder.app.app import run

        run(session, ascii_only=ascii_only, mouse=not no_mouse, start_flow=start_flow)
        return
    from tcpladder.app.recording import run_recorded

    cast, keys = recording
    run_recorded(session, cast, keys=keys, ascii_only=ascii_only, mouse=not no_mouse, start_flow=start_flow)
    _say([cast.why_ended] if cast.why_ended else [f"recorded in {record_commands.asked().path}"])


def _say(sentences: list[str]) -> None:
    for sentence in sentences:
        click.echo(f"tcpladder: {sentence}", err=True)


def _fail(sentence: str, code: ExitCode) -> None:
    click.echo(f"tcpladder: {sentence}", err=True)
    sys.exit(code)
