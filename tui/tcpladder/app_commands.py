"""The commands that open the app: a live capture, files, a replay, an experiment."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from tcpladder import about, opening, options, record_commands
from tcpladder.errors import PermissionRefused, UsageError

_REST = {"ignore_unknown_options": False, "allow_interspersed_args": False}


@click.command(context_settings=_REST)
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
@options.timers_option
@options.profile_option
@options.form_option
@options.ascii_option
@options.no_mouse_option
@options.no_tour_option
@record_commands.recordable
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
    from tcpladder.session.keeping import keep_of, kept, occasions_of

    asked, occasions = (None if keep is None else keep_of(keep)), occasions_of(save_when)
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
        options.given(timers, None)
        form = opening.front_end(form, without_terminal="text")
        network = HostNetwork() if netns is None else NetnsNetwork(netns)
        outputs |= record_commands.outputs()
        exec_app(network, outputs, sys.argv[1:], new=frozenset({record_commands.OUTPUT}))
    from tcpladder.agent.client import AgentClient
    from tcpladder.session.live import LiveSession
    from tcpladder.settings.file import load

    record_commands.take_over(left)
    request = OpenCapture(
        interface=interface, filter=" ".join(filter_words), snap_length=snap_length, include_ssh=ssh
    )
    output = None if write is None or folder is not None else (left.outputs["write"], str(write))
    given = options.given(timers, profile)
    session = LiveSession(
        AgentClient(left.agent), request, write=output, given=given, keep=asked or kept(load())
    )
    if occasions:
        where = left.outputs["save"] if folder is None else left.outputs["write"]
        session.record(occasions, (where, str(folder or Path.cwd())))
    opening.say(left.notices)
    opening.show_live(
        session, opening.front_end(form, without_terminal="text"), ascii_only=ascii_only, no_mouse=no_mouse
    )
    if output is not None:
        opening.say([f"{session.frames_written} frames written to {write}"])


@click.command("open")
@options.files
@options.flow_option
@options.follow_option
@options.timers_option
@options.profile_option
@options.ascii_option
@options.no_mouse_option
@options.no_tour_option
@record_commands.recordable
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
    from tcpladder.settings.file import load
    from tcpladder.store.recent import remember

    opening.front_end(None, without_terminal="")
    session = FileSession(files, read_again=True, follow=follow, given=options.given(timers, profile))
    remember(files, load().retention.recent)
    opening.open_app(session, ascii_only=ascii_only, no_mouse=no_mouse, start_flow=flow)


@click.command()
@options.files
@options.flow_option
@click.option(
    "--pace", default="1", show_default=True, metavar="60|max", help="How many times faster than recorded."
)
@click.option(
    "--idle", default="3s", show_default=True, metavar="3s|off", help="The longest silence to sit through."
)
@click.option("--at", metavar="TIME", help="Begin there: 14:02:10, 90 (seconds from the begin), 5m or 50%.")
@click.option("--loop", is_flag=True, help="Begin again at the end.")
@options.timers_option
@options.profile_option
@options.ascii_option
@options.no_mouse_option
@options.no_tour_option
@record_commands.recordable
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
    from tcpladder.settings.file import load
    from tcpladder.store.recent import remember

    state = ReplayState(pace=pace_of(pace), idle_s=idle_of(idle), loop=loop)
    opening.front_end(None, without_terminal="")
    source = FileSession(files, read_again=True, given=given(timers, profile))
    remember(files, load().retention.recent)
    opening.open_app(
        ReplaySession(source, state, at=at), ascii_only=ascii_only, no_mouse=no_mouse, start_flow=flow
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


@click.command(cls=_WithCommand)
@click.argument("experiment", required=False, shell_complete=about.experiments)
@click.argument("lab_id", metavar="[ID]", required=False)
@click.option("--set", "settings", metavar="NAME=NUMBER", multiple=True, help="Change one of its numbers.")
@click.option(
    "--network", metavar="NAME", default="", help="For COMMAND without an experiment: pair, routed."
)
@click.option("--host", metavar="NAME", default="", help="Where COMMAND or the shell runs: client, server …")
@click.option(
    "--at", metavar="HOST[:IF]", multiple=True, help="Capture there; twice: at both, on one ladder."
)
@click.option(
    "--save", metavar="DIR", type=click.Path(path_type=Path), help="Keep the capture there, with its story."
)
@click.option("--auto", is_flag=True, help="All steps unattended; else, at a terminal, you take them.")
@click.option("--all", "every", is_flag=True, help="Run all: does this kernel keep its timers?")
@click.option("--format", "form", type=click.Choice([*options.FORMATS, "junit"]),
              help="Print instead of opening the app: text or JSON lines; with --all, junit, too.")  # fmt: skip
@options.ascii_option
@options.no_mouse_option
@options.no_tour_option
@record_commands.recordable
@click.pass_context
def lab(
    context: click.Context,
    experiment: str | None,
    lab_id: str | None,
    settings: tuple[str, ...],
    network: str,
    host: str,
    at: tuple[str, ...],
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
        form = opening.front_end(form, without_terminal="text")
        opening.show_shipped(
            path, form, options.given(timers, stack), ascii_only=ascii_only, no_mouse=no_mouse
        )
        return
    chosen = laboratory.chosen(experiment, settings, network=network, host=host, at=at, save=save)
    from tcpladder.agent.start import handover

    left = handover()
    form = opening.front_end(form, without_terminal="text" if auto else "jsonl")
    if left is None:
        try:
            laboratory.begin(chosen, command, sys.argv[1:], record_commands.outputs())
        except PermissionRefused as refused:
            if experiment is None:
                raise
            opening.shipped_instead(experiment, str(refused), form, ascii_only=ascii_only, no_mouse=no_mouse)
            return
    record_commands.take_over(left)
    session = laboratory.session(chosen, left, form=form, auto=auto)
    opening.say(left.notices)
    opening.show_live(session, form, ascii_only=ascii_only, no_mouse=no_mouse, start_flow=1)
    sys.exit(laboratory.finish(chosen, session, form=form))
