"""The commands about this machine: its interfaces, its sockets, the user's settings."""

from __future__ import annotations

import sys

import click

from tcpladder import about, options


@click.command()
@click.option("--every", type=click.FloatRange(min=0.1), default=1.0, show_default=True,
              help="Seconds over which the rates are measured.")  # fmt: skip
def interfaces(every: float) -> None:
    """List the network interfaces: name, state, addresses, and what they carry now."""
    from tcpladder import printing

    printing.interfaces(every)


@click.command()
@click.option("--pid", type=click.IntRange(min=1), help="Only sockets that this process holds.")
@click.option("--netns", metavar="NAME|PID", help="In another network namespace.",
              shell_complete=about.network_namespaces)  # fmt: skip
@click.option("--watch", is_flag=True, help="Print them again every second, until interrupted.")
@click.option("--format", "form", type=click.Choice(options.FORMATS), default="text", show_default=True)
@options.ascii_option
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


@click.command()
@click.option("--sample", is_flag=True, help="Print a commented file to begin with instead.")
def config(*, sample: bool) -> None:
    """Print where your settings are, what is in force, and where each value comes from, as TOML."""
    from tcpladder.app import preferences
    from tcpladder.settings import file

    if sample:
        sys.stdout.write(preferences.sample())
        return
    settings = file.load()
    lines = [*file.in_force(settings), "", *preferences.in_force(settings)]
    sys.stdout.write("\n".join(lines) + "\n")
