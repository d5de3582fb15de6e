"""What tcpladder says of itself: its version, with those of what it stands on, and completion for shells."""

from __future__ import annotations

from pathlib import Path

import click
from click.shell_completion import CompletionItem, get_completion_class, shell_complete

from tcpladder import __version__

LIBRARIES = ("textual", "rich", "scapy", "pyroute2", "numpy", "click", "cypcap")
SHELLS = ("bash", "zsh", "fish")
COMPLETE = "_TCPLADDER_COMPLETE"
"""The variable in which a shell asks for completions; the name is click's convention."""


def versions() -> str:
    """Two lines below the version: what a report of a mistake needs to say."""
    import platform  # neither this nor the metadata is wanted by any other command

    here = (
        f"Python {platform.python_version()}, {platform.system()} {platform.release()} {platform.machine()}"
    )
    return "\n".join([f"tcpladder {__version__}", here, ", ".join(map(_version, LIBRARIES))])


def _version(library: str) -> str:
    from importlib import metadata  # half of what there is for mail comes with it

    try:
        return f"{library} {metadata.version(library)}"
    except metadata.PackageNotFoundError:
        return f"no {library}"


def show_versions(context: click.Context, _parameter: click.Parameter, asked: bool) -> None:
    """The callback of --version."""
    if asked and not context.resilient_parsing:
        click.echo(versions())
        context.exit()


def complete(command: click.Command, instruction: str) -> int:
    """Answer a shell; the exit code."""
    return shell_complete(command, {}, "tcpladder", COMPLETE, instruction)


def files(_context: click.Context, _parameter: click.Parameter, begun: str) -> list[CompletionItem]:
    """Any file: the shell knows them."""
    return [CompletionItem(begun, type="file")]


def interfaces(_context: click.Context, _parameter: click.Parameter, begun: str) -> list[str]:
    """The network interfaces of this machine, and `any`."""
    names = sorted(path.name for path in Path("/sys/class/net").glob("*"))
    return [name for name in [*names, "any"] if name.startswith(begun)]


def network_namespaces(_context: click.Context, _parameter: click.Parameter, begun: str) -> list[str]:
    """The named ones."""
    return sorted(path.name for path in Path("/run/netns").glob("*") if path.name.startswith(begun))


def experiments(_context: click.Context, _parameter: click.Parameter, begun: str) -> list[str]:
    """The experiments of the lab."""
    from tcpladder.lab.table import names

    return [name for name in names() if name.startswith(begun)]


@click.command()
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print what makes SHELL complete commands and options.

    \b
    bash: tcpladder completion bash > ~/.local/share/bash-completion/completions/tcpladder
    zsh:  tcpladder completion zsh > a folder of $fpath, as _tcpladder
    fish: tcpladder completion fish > ~/.config/fish/completions/tcpladder.fish
    """
    found = get_completion_class(shell)
    assert found is not None
    click.echo(found(context.find_root().command, {}, "tcpladder", COMPLETE).source())
