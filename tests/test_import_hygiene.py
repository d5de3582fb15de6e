"""What is imported when, seen in a fresh interpreter: the import contracts of pyproject.toml, at run time.

The contracts read the source; a deferred import counts for them. What counts for a user is what is loaded: the
first moments of `--help`, the size of the privileged child, and a core that runs where no terminal is.
"""

from __future__ import annotations

import importlib
import json
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

KEEPALIVE = Path(__file__).parents[1] / "captures/keepalive/keepalive.pcap"
LOADED = "import json, sys; print(json.dumps(sorted(name.split('.')[0] for name in sys.modules)))"


def loaded_after(statement: str) -> set[str]:
    """The top-level names in sys.modules after `statement` in a fresh interpreter."""
    run = subprocess.run([sys.executable, "-c", f"{statement}\n{LOADED}"], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    return set(json.loads(run.stdout.splitlines()[-1]))


def modules_of(package: str) -> str:
    """An import statement for every module of a room."""
    path = importlib.import_module(package).__path__
    return "import " + ", ".join(
        [package, *(f"{package}.{module.name}" for module in pkgutil.iter_modules(path))]
    )


def test_drawing_loads_no_terminal_and_no_network() -> None:
    """The ladder and its text are made in a script, a service, a notebook."""
    loaded = loaded_after(modules_of("tcpladder.ladder") + "\nimport tcpladder.render.text")
    assert not loaded & {"textual", "rich", "scapy", "pyroute2", "cypcap"}


def test_the_agent_loads_nothing_that_looks_inside_frames() -> None:
    """Code with privilege is code that was read: the standard library and this room."""
    loaded = loaded_after(modules_of("tcpladder.agent"))
    assert not loaded & {"numpy", "scapy", "textual", "rich", "click"}


def test_an_agent_outside_of_the_lab_has_nothing_of_the_lab() -> None:
    """What makes networks and starts processes in them is not there where it could do harm."""
    statement = modules_of("tcpladder.agent") + "\nimport sys"
    statement += "\nassert not [name for name in sys.modules if name.startswith('tcpladder.hosts')]"
    loaded_after(statement)


def test_the_package_itself_loads_nothing() -> None:
    """`import tcpladder` costs what its docstring costs."""
    assert not loaded_after("import tcpladder") & {"numpy", "scapy", "textual", "rich", "click", "pyroute2"}


NOT_FOR_A_LIST = (
    "agent",
    "app",
    "faults",
    "hosts",
    "lab",
    "analysis.flow_view",
    "analysis.waits",
    "ladder.diagram",
)


def test_a_list_of_flows_loads_no_agent_and_no_timers() -> None:
    """What is started in every directory of captures reads headers, and nothing else is waited for."""
    statement = f"""
import sys
sys.argv = ["tcpladder", "flows", {str(KEEPALIVE)!r}]
from tcpladder.cli import main
try:
    main()
except SystemExit as end:
    assert not end.code, end.code
rooms = tuple(f"tcpladder.{{room}}." for room in {NOT_FOR_A_LIST!r})
loaded = [name for name in sys.modules if f"{{name}}.".startswith(rooms)]
assert not loaded, loaded
"""
    assert not loaded_after(statement) & {"textual", "rich", "scapy", "pyroute2", "cypcap"}


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["show", "--help"], ["live", "--help"]])
def test_help_loads_neither_numpy_nor_textual(arguments: list[str]) -> None:
    """Help is there before a finger is off the key."""
    statement = f"""
import sys
sys.argv = ["tcpladder", *{arguments!r}]
from tcpladder.cli import main
try:
    main()
except SystemExit as end:
    assert not end.code, end.code
"""
    assert not loaded_after(statement) & {"numpy", "scapy", "textual", "pyroute2", "cypcap"}
