"""What a user without privilege can run: a copy of the package that everyone may read, an interpreter, a user."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

import tcpladder

NOBODY = pwd.getpwnam("nobody")
AS_NOBODY = ["setpriv", "--reuid=nobody", f"--regid={NOBODY.pw_gid}", "--clear-groups"]


@contextlib.contextmanager
def readable_copy(*more: Path) -> Iterator[Path]:
    """A folder with the package and some files: the checkout may lie in a home directory."""
    directory = Path(tempfile.mkdtemp(prefix="tcpladder-test-", dir="/var/tmp"))
    shutil.copytree(
        Path(tcpladder.__file__).parent,
        directory / "tcpladder",
        ignore=shutil.ignore_patterns("__pycache__"),
    )
    for file in more:
        shutil.copy(file, directory)
    directory.chmod(0o755)
    try:
        yield directory
    finally:
        shutil.rmtree(directory)


def interpreter(as_user: Sequence[str] = AS_NOBODY) -> str:
    """An interpreter that a user can run; skips the test where there is none."""
    for candidate in (sys.executable, shutil.which("python3", path="/usr/local/bin:/usr/bin")):
        script = "import sys; sys.exit(sys.version_info < (3, 11))"
        probe = [*as_user, "sh", "-c", 'exec "$0" -c "$1"', str(candidate), script]
        if subprocess.run(probe, capture_output=True).returncode == 0:
            return str(candidate)
    pytest.skip("needs a python3 >= 3.11 outside of root's home directory")


@contextlib.contextmanager
def ordinary_user() -> Iterator[pwd.struct_passwd]:
    """A user of this machine who was made for the test, and is removed after it; no password lets anybody in."""
    name = f"tcpladder{os.getpid()}"
    subprocess.run(["useradd", "--no-create-home", "--password", "*", "--shell", "/bin/sh", name], check=True)
    try:
        yield pwd.getpwnam(name)
    finally:
        subprocess.run(["userdel", name], check=True, capture_output=True)


def becoming(user: pwd.struct_passwd) -> list[str]:
    """What stands before a command to run it as somebody, without the groups of root."""
    return ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]
