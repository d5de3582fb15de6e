"""A shell in a running lab: which one, and a prompt that says where it is."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from tcpladder.hosts import running
from tcpladder.hosts.inside import SIGNALLED, run_inside
from tcpladder.hosts.plan import HOME

_DEFAULT = "/bin/sh"
_ENDED_WITH_THE_LAB = (SIGNALLED + signal.SIGHUP, SIGNALLED + signal.SIGKILL)


def enter(wanted: str, host: str) -> int:
    """Run $SHELL in the lab with this number or name until it ends, or the lab does; its exit code.

    Raises what `running.find` and `run_inside` raise.
    """
    lab = running.find(wanted)
    lab.namespace(host)
    where = f"lab {lab.name}" + (f" {host}" if host != HOME else "")
    shell = os.environ.get("SHELL") or _DEFAULT
    environment = dict(os.environ) | {"TCPLADDER_LAB": str(lab.pid), "PS1": f"({where}) $ "}
    command = [shell]
    if Path(shell).name == "bash":
        command += ["--rcfile", _bash_startup(where), "-i"]
    hosts = f"; hosts: {', '.join(lab.hosts)}" if lab.hosts and host == HOME else ""
    sys.stderr.write(f"tcpladder: in {where}, `exit` leaves it{hosts}\n")
    code = run_inside(lab, command, environment, host=host)
    if code in _ENDED_WITH_THE_LAB:
        sys.stderr.write(f"tcpladder: lab {lab.pid} has ended, and the shell in it\n")
    return code


def _bash_startup(where: str) -> str:
    """The path, for the shell, of a file without a name that reads the user's own startup and changes the prompt."""
    startup = os.memfd_create("tcpladder-bashrc", 0)  # inherited
    os.write(startup, f'[ -r ~/.bashrc ] && . ~/.bashrc\nPS1="({where}) $PS1"\n'.encode())
    return f"/proc/self/fd/{startup}"
