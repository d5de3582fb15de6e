"""Somebody who sits at a machine by SSH and breaks the line, and then captures the interface that it comes through.

    python ssh_driver.py FILE PORT [included]

PORT is where the line comes from. FILE gets one JSON object: what each command said and how it ended, and the ports
that a live capture saw while this terminal was written to; with `included`, those of one with --ssh, too. Run by
test_ssh_line.py.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

TCPLADDER = [sys.executable, "-m", "tcpladder"]
FAR, FAR_PORT, SSH_PORT = "10.9.0.2", 9, 2222
PATIENCE_S = 20.0


def run(*words: str) -> tuple[int, str]:
    """How it ended, and what it said to people."""
    done = subprocess.run([*TCPLADDER, *words], stdin=subprocess.DEVNULL, capture_output=True, text=True)
    return done.returncode, done.stderr


def captured(*words: str) -> tuple[list[int], str]:
    """The ports in what `live` sees, until it has seen a segment to FAR_PORT; what it said to people."""
    command = [*TCPLADDER, "live", "-i", "near", "--format", "jsonl", *words]
    with tempfile.TemporaryFile("r+") as out, tempfile.TemporaryFile("r+") as err:
        with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=err) as process:
            deadline = time.monotonic() + PATIENCE_S
            while f"{FAR}:{FAR_PORT}".encode() not in os.pread(out.fileno(), 1 << 20, 0):
                assert time.monotonic() < deadline, os.pread(err.fileno(), 4000, 0)
                sys.stdout.write("this is repaint, and goes over the line\n")
                sys.stdout.flush()
                with socket.socket() as refused:
                    refused.connect_ex((FAR, FAR_PORT))
                time.sleep(0.05)
            process.send_signal(signal.SIGINT)
        records = [json.loads(line) for line in os.pread(out.fileno(), 1 << 20, 0).splitlines()]
        ends = [record[end] for record in records for end in ("src", "dst") if record["record"] == "segment"]
        return sorted({int(end.rpartition(":")[2]) for end in ends}), os.pread(
            err.fileno(), 1 << 16, 0
        ).decode()


def main(file: str, port: str, also_included: str = "") -> None:
    line = ("--src", FAR, "--sport", port, "--dport", str(SSH_PORT))
    drop = ("fault", "drop", *line, "--for", "200ms")
    seen, notice = captured()
    said = {
        "refused": run(*drop),
        "insisted": run(*drop, "--insist"),
        "left_out": (seen, notice),
        "included": captured("--ssh")[0] if also_included else [],
        "port": int(port),
        "uid": os.getuid(),
        "environment": {
            name: os.environ[name] for name in ("TMUX", "STY", "SUDO_USER") if name in os.environ
        },
    }
    half = Path(f"{file}.half")
    half.write_text(json.dumps(said))
    half.rename(file)


if __name__ == "__main__":
    main(*sys.argv[1:])
