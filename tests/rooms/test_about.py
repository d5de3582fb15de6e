"""What tcpladder says of itself: versions, completion for shells, the man page."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tcpladder import __version__, about
from tcpladder.cli import tcpladder

MAN_PAGE = Path(__file__).parent.parent.parent / "docs" / "tcpladder.1"


def run(*arguments: str, **environment: str) -> str:
    return subprocess.run(
        [sys.executable, "-m", "tcpladder", *arguments],
        env={**os.environ, **environment},
        check=True,
        capture_output=True,
        text=True,
    ).stdout


def completed(*words: str) -> list[str]:
    """What bash offers for the last of the words."""
    answer = run(
        COMP_WORDS=" ".join(["tcpladder", *words]),
        COMP_CWORD=str(len(words)),
        _TCPLADDER_COMPLETE="bash_complete",
    )
    return [line.partition(",")[2] for line in answer.splitlines()]


def test_the_version_names_what_it_stands_on() -> None:
    first, second, third = run("--version").splitlines()
    assert first == f"tcpladder {__version__}"
    assert second.startswith("Python 3.")
    assert os.uname().release in second
    assert all(name in third for name in about.LIBRARIES)


def test_what_is_not_installed_is_said() -> None:
    assert about._version("surely-not-installed") == "no surely-not-installed"


def test_commands_options_and_names_are_completed() -> None:
    assert completed("ch") == ["check"]
    assert "--profile" in completed("show", "--pro")
    assert "lo" in completed("live", "-i", "l")
    assert completed("lab", "refu") == ["refused"]


@pytest.mark.parametrize("shell", about.SHELLS)
def test_each_shell_gets_its_script(shell: str) -> None:
    script = run("completion", shell)
    assert about.COMPLETE in script
    assert f"{shell}_complete" in script


@pytest.mark.real("bash", root=False)
def test_bash_completes_with_it(tmp_path: Path) -> None:
    script = tmp_path / "completion"
    script.write_text(run("completion", "bash"))
    asks = f'. {script}; COMP_WORDS=(tcpladder che); COMP_CWORD=1; _tcpladder_completion tcpladder; echo "$COMPREPLY"'
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    found = subprocess.run(
        ["bash", "-c", asks], env={**os.environ, "PATH": path}, check=True, capture_output=True, text=True
    )
    assert found.stdout.strip() == "check"


def test_the_man_page_has_every_command() -> None:
    text = MAN_PAGE.read_text(encoding="utf-8")
    for name, command in tcpladder.commands.items():
        assert f".SS {name.replace('-', chr(92) + '-')} " in text, name
        for word in getattr(command, "commands", {}):
            assert f".SS {name} {word.replace('-', chr(92) + '-')} " in text, word


@pytest.mark.real("man", root=False)
def test_man_shows_it_without_a_warning() -> None:
    shown = subprocess.run(
        ["man", "--warnings", "-l", str(MAN_PAGE)],
        env={**os.environ, "MANWIDTH": "80", "LC_ALL": "C.UTF-8"},
        check=True,
        capture_output=True,
        text=True,
    )
    assert shown.stderr == ""
    assert "tcpladder fault drop --dport 12345 --for 60s" in shown.stdout
