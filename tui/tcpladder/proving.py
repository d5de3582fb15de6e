"""The front end of `lab --all`: every experiment on this kernel, at once, each in a private network of its own."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from typing import Any
from xml.etree import ElementTree as ET

from tcpladder.errors import ExitCode, PermissionRefused, TcpladderError
from tcpladder.lab.table import load, names

AT_ONCE = 4 * (os.cpu_count() or 1)
"""They wait for timers most of the time; more of them would delay each other's start."""
LONGEST_S = 180.0
_TCPLADDER = (sys.executable, "-P", "-m", "tcpladder")


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """How one experiment went."""

    experiment: str
    held: bool
    said: str
    """The outcome, one sentence."""
    took_s: float


def prove(*, form: str) -> int:
    """Run them and print what came of each on stdout: text, jsonl or junit. 0 where all held, else 1.

    Raises PermissionRefused where this machine lets nobody run them.
    """
    verdicts: list[Verdict] = []
    for verdict in _all():
        verdicts.append(verdict)
        _say(f"{len(verdicts)} of {len(names())}: {verdict.said}")
    verdicts.sort(key=lambda verdict: verdict.experiment)
    sys.stdout.write(_FORMATS[form](verdicts))
    failed = sum(not verdict.held for verdict in verdicts)
    kernel = f"{platform.system()} {platform.release()}"
    if failed:
        _say(f"{kernel}: {failed} of {len(verdicts)} experiments did not go as expected")
        return ExitCode.NO
    _say(f"{kernel} keeps its timers: {len(verdicts)} experiments as expected")
    return ExitCode.DONE


class _Running:
    """The processes that were started, so that none is left when the user interrupts."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._processes: list[subprocess.Popen[str]] = []
        self._stopped = False

    def run(self, name: str) -> Verdict:
        """One experiment, at the numbers of its file."""
        began_s = time.monotonic()
        with self._lock:
            if self._stopped:
                raise TcpladderError("interrupted")
            command = [*_TCPLADDER, "lab", name, "--format", "jsonl"]
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                text=True,
            )
            self._processes.append(process)
        try:
            _, talk = process.communicate(timeout=LONGEST_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            talk = f"{name}: did not end within {LONGEST_S:g} s"
        lines = [line.removeprefix("tcpladder: ") for line in talk.splitlines()] or [f"{name}: said nothing"]
        held = lines[-1] == f"{name}: as expected"
        if process.returncode in (ExitCode.DONE, ExitCode.NOT_PERMITTED) and not held:
            raise PermissionRefused(lines[0])
        return Verdict(experiment=name, held=held, said=lines[-1], took_s=time.monotonic() - began_s)

    def stop(self) -> None:
        """End those that still run; their networks end with them."""
        with self._lock:
            self._stopped = True
            for process in self._processes:
                if process.poll() is None:
                    process.terminate()


def _all() -> Iterator[Verdict]:
    """Each as it is done."""
    running = _Running()
    pool = ThreadPoolExecutor(AT_ONCE)
    try:
        for done in as_completed([pool.submit(running.run, name) for name in names()]):
            yield done.result()
    finally:
        running.stop()
        pool.shutdown(cancel_futures=True)


def _text(verdicts: Sequence[Verdict]) -> str:
    indent = max(len(verdict.experiment) for verdict in verdicts) + 2
    lines = [
        f"{'ok' if one.held else 'NO':4}{one.experiment:{indent}}{one.took_s:5.1f} s  {_reason(one)}".rstrip()
        for one in verdicts
    ]
    return "\n".join(lines) + "\n"


def _reason(verdict: Verdict) -> str:
    return verdict.said.removeprefix(f"{verdict.experiment}: ")


def _records(verdicts: Sequence[Verdict]) -> str:
    return "".join(json.dumps({"record": "experiment", **asdict(one)}) + "\n" for one in verdicts)


def _junit(verdicts: Sequence[Verdict]) -> str:
    """The XML that CI servers read: a test case an experiment, and its kernel."""
    failed = sum(not verdict.held for verdict in verdicts)
    facts: dict[str, Any] = {
        "name": "tcpladder lab",
        "tests": len(verdicts),
        "failures": failed,
        "errors": 0,
        "time": f"{sum(verdict.took_s for verdict in verdicts):.3f}",
    }
    suite = ET.Element("testsuite", {name: str(value) for name, value in facts.items()})
    properties = ET.SubElement(suite, "properties")
    kernel = {"name": "kernel", "value": f"{platform.system()} {platform.release()}"}
    ET.SubElement(properties, "property", kernel)
    for one in verdicts:
        named = {"classname": "tcpladder.lab", "name": one.experiment, "time": f"{one.took_s:.3f}"}
        case = ET.SubElement(suite, "testcase", named)
        if not one.held:
            failure = ET.SubElement(case, "failure", {"message": _reason(one)})
            failure.text = load(one.experiment).sentence
    ET.indent(suite)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ET.tostring(suite, encoding="unicode") + "\n"


_FORMATS = {"text": _text, "jsonl": _records, "junit": _junit}


def _say(sentence: str) -> None:
    sys.stderr.write(f"tcpladder: {sentence}\n")
