"""The commands below `tcpladder fault`: one for each way to break a connection, and list, lift, extend."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from typing import Any, NoReturn

import click

from tcpladder.errors import ExitCode, UsageError

_PORT = click.IntRange(0, 65535)
_format = click.option(
    "--format", "form", type=click.Choice(("text", "jsonl")), default="text", show_default=True
)
_instance = click.option(
    "--instance", metavar="PID", type=int, help="Of this tcpladder, as `fault list` says."
)
_WAYS = {
    "drop": "Drop segments, so that they look lost to their sender.",
    "rst": "Reject segments: their sender gets an RST.",
    "icmp": "Reject segments: their sender gets ICMP port unreachable.",
    "lose": "Lose some of the segments, --percent of them.",
    "next": "Drop the next segments, --count of them, and no more.",
    "blackhole": "Never send what goes to --dst or --dport (ip rule).",
    "withdraw": "Take the route to --dst away.",
    "link-down": "Take the interface down that leads to --dst.",
}


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def fault() -> None:
    """Break connections on purpose.

    Stays in the foreground, prints what is eaten, and takes it back when it ends, however it ends:

    tcpladder fault drop --dport 12345 --for 60s
    """


def _options(command: Callable[..., None]) -> Callable[..., None]:
    """What every way to break has; outermost first."""
    added = (
        click.option("--src", metavar="ADDRESS", help="Only segments from here."),
        click.option("--sport", type=_PORT, default=0, help="Only segments from this port."),
        click.option("--dst", metavar="ADDRESS", help="Only segments to here."),
        click.option("--dport", type=_PORT, default=0, help="Only segments to this port."),
        click.option("--both", is_flag=True, help="The answers, too."),
        click.option("--for", "lasts", metavar="60s|forever", default="60s", show_default=True,
                     help="How long: 500ms, 60s, 2m, 1h."),
        click.option("--netns", metavar="NAME|PID", help="In another network namespace."),
        click.option("--insist", is_flag=True, help="Even where it may cut the SSH connection that you sit on."),
        click.option("--dry-run", is_flag=True, help="Print the script and its undo, and change nothing."),
        _format,
    )  # fmt: skip
    return functools.reduce(lambda inner, add: add(inner), reversed(added), command)


_segments = click.option("--segments", type=click.Choice(("all", "syn", "data", "ack", "fin-rst")), default="all",
                         show_default=True, help="Which of them; ack: without data.")  # fmt: skip


def _add(action: str) -> None:
    """Make one of the commands."""

    def command(**said: Any) -> None:
        _break(action, said)

    command.__doc__ = _WAYS[action]
    command = _options(command)
    if action not in ("blackhole", "withdraw", "link-down"):
        command = _segments(command)
    if action == "lose":
        command = click.option("--percent", "amount", type=click.IntRange(1, 99), required=True)(command)
    if action == "next":
        command = click.option("--count", "amount", type=click.IntRange(1, 1_000_000), required=True)(command)
    fault.command(action)(command)


for _action in _WAYS:
    _add(_action)


def _break(action: str, said: dict[str, Any]) -> NoReturn:
    from tcpladder.agent.start import handover
    from tcpladder.faulting import break_it, duration_ms
    from tcpladder.faults.check import checked
    from tcpladder.faults.fault import Action, Fault, Match, Segments

    wanted = Fault(
        match=Match(
            source=said["src"],
            source_port=said["sport"],
            destination=said["dst"],
            destination_port=said["dport"],
        ),
        both=said["both"],
        segments=Segments(said.get("segments", "all")),
        probe_sequences=[],
        action=Action(action),
        amount=said.get("amount", 0),
        for_ms=duration_ms(said["lasts"]),
        insist=said["insist"],
    )
    checked(wanted)
    left = handover()
    if left is None:
        _start(said["netns"])
    from tcpladder.agent.client import AgentClient

    for sentence in left.notices:
        click.echo(f"tcpladder: {sentence}", err=True)
    sys.exit(break_it(AgentClient(left.agent), wanted, form=said["form"], dry_run=said["dry_run"]))


def _start(netns: str | None) -> NoReturn:
    """Become the app, with an agent that may break things."""
    from tcpladder.agent.confine import Capability
    from tcpladder.agent.start import HostNetwork, NetnsNetwork, exec_app

    network = HostNetwork() if netns is None else NetnsNetwork(netns)
    exec_app(
        network, {}, sys.argv[1:], purpose="breaking connections", needs=frozenset({Capability.NET_ADMIN})
    )


@fault.command("list")
@_format
def list_(form: str) -> None:
    """List the faults in force, of every tcpladder on this machine."""
    from tcpladder import lifting

    lifting.list_faults(form=form)


@fault.command()
@click.argument("number", type=click.IntRange(min=1), required=False)
@click.option("--all", "everything", is_flag=True, help="All of them, of all instances.")
@_instance
def lift(number: int | None, everything: bool, instance: int | None) -> None:
    """Take a fault back before its time, by its number in the list."""
    from tcpladder import lifting

    if (number is None) != everything:
        raise UsageError("say which fault, or --all")
    lifting.lift(number, instance=instance)


@fault.command()
@click.argument("number", type=click.IntRange(min=1))
@click.option("--for", "lasts", metavar="60s|forever", required=True, help="How long from now.")
@_instance
def extend(number: int, lasts: str, instance: int | None) -> None:
    """Let a fault last longer, or shorter."""
    from tcpladder import lifting
    from tcpladder.faulting import duration_ms

    lifting.extend(number, duration_ms(lasts), instance=instance)


@click.command()
@click.option("--fix", is_flag=True, help="Put back what was left over, without asking.")
def doctor(fix: bool) -> None:
    """Say what this machine lacks; put back what is left over.

    Left over is what a tcpladder that was killed together with its guardian had changed. Exit code 1 while it is there.
    """
    from tcpladder import examining

    sys.exit(ExitCode.DONE if examining.examine(fix=fix) else ExitCode.NO)
