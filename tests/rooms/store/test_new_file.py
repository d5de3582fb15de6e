"""A new file that cannot be made: the sentence says what to do next."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tcpladder.store.new_file import why_not

REFUSED = PermissionError(errno.EACCES, "Permission denied")


@pytest.mark.parametrize(
    ("euid", "sentence"),
    [
        (1000, "permission denied; name a file in a directory that you may write, such as /tmp"),
        (0, "permission denied; as root without sudo it writes only below /tmp"),
    ],
)
def test_who_may_not_write_is_told_where_to(
    monkeypatch: pytest.MonkeyPatch, euid: int, sentence: str
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: euid)
    assert why_not(REFUSED) == sentence
    assert why_not(OSError(errno.ENOSPC, "No space left on device")) == "no space left on device"


def test_a_directory_of_somebody_else(tmp_path: Path) -> None:
    tmp_path.chmod(0o555)
    script = (
        "import os, sys\n"
        "from pathlib import Path\n"
        "from tcpladder.errors import TcpladderError\n"
        "from tcpladder.store.new_file import create\n"
        "os.chdir(sys.argv[1])\n"
        "if os.getuid() == 0:\n"
        "    os.setresuid(65534, 65534, 65534)\n"
        "try:\n"
        "    create(Path('new.pcapng'))\n"
        "except TcpladderError as error:\n"
        "    print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", script, tmp_path], capture_output=True, text=True)
    where_to = "name a file in a directory that you may write, such as /tmp"
    assert done.stdout == f"cannot write new.pcapng: permission denied; {where_to}\n", done.stderr
