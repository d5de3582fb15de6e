"""What every test runs under: a plain terminal, and one block that says what was not run and why.

`@pytest.mark.real` alone needs root and a network namespace of its own;
`@pytest.mark.real("tshark", root=False)` needs the programs named and no root. The fixture `needs` asks for a
program in the middle of a test, `needs_root` for root. With TCPLADDER_REQUIRE_ALL=1 (the continuous build
sets it) a test that is not run fails the run.
"""

from __future__ import annotations

import functools
import itertools
import os
import shutil
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("any machine", deadline=None)  # a busy machine is no bug
settings.load_profile("any machine")

UNSHARE = """
import ctypes, os
CLONE_NEWNET = 0x40000000
libc = ctypes.CDLL(None, use_errno=True)
if libc.unshare(CLONE_NEWNET):
    print(os.strerror(ctypes.get_errno()), end="")
"""
PACKAGES = {
    "asciinema": "asciinema",
    "capinfos": "wireshark-common",
    "cc": "gcc",
    "chromium": "chromium",
    "editcap": "wireshark-common",
    "ffmpeg": "ffmpeg",
    "ip": "iproute2",
    "iptables": "iptables",
    "man": "man-db",
    "nft": "nftables",
    "nsenter": "util-linux",
    "plantuml": "plantuml",
    "rsvg-convert": "librsvg2-bin",
    "screen": "screen",
    "setpriv": "util-linux",
    "ss": "iproute2",
    "ssh": "openssh-client",
    "ssh-keygen": "openssh-client",
    "sshd": "openssh-server",
    "sudo": "sudo",
    "tcpdump": "tcpdump",
    "tmux": "tmux",
    "tshark": "tshark",
    "unshare": "util-linux",
    "useradd": "passwd",
}
"""Program -> the Debian package that has it."""


def forget_the_terminal() -> None:
    """Textual reads these at import: the same pictures on every machine, and nothing moves."""
    for name in [
        name for name in os.environ if name in ("NO_COLOR", "TMUX", "STY") or name.startswith("TEXTUAL_")
    ]:
        del os.environ[name]
    os.environ["TEXTUAL_ANIMATIONS"] = "none"
    os.environ["TCPLADDER_TOUR"] = "off"


forget_the_terminal()


@pytest.fixture(scope="session")
def _states(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    base = tmp_path_factory.mktemp("states")
    return (base / str(number) for number in itertools.count())


@pytest.fixture(autouse=True)
def state_home(_states: Iterator[Path], monkeypatch: pytest.MonkeyPatch) -> Path:
    """What one test remembers of captures, no other test and no user finds."""
    path = next(_states)
    monkeypatch.setenv("XDG_STATE_HOME", str(path))
    return path


def missing_program(program: str) -> str | None:
    """Why a test that calls `program` cannot run, or None."""
    if shutil.which(program):
        return None
    return f"needs {program} (Debian package {PACKAGES.get(program, program)})"


@functools.cache
def missing_privilege() -> str | None:
    """Why a test with its own network namespace cannot run, or None. Asks the kernel, in a child."""
    if os.geteuid() != 0:
        return "needs root"
    answer = subprocess.run(
        [sys.executable, "-I", "-S", "-c", UNSHARE], capture_output=True, text=True, check=True
    )
    return f"needs a network namespace, and the kernel says: {answer.stdout}" if answer.stdout else None


def missing_for(item: pytest.Item) -> str | None:
    """Why a test marked `real` cannot run here, or None."""
    closest = item.get_closest_marker("real")
    if closest is None:
        return None
    reasons = [missing_program(program) for marker in item.iter_markers("real") for program in marker.args]
    if closest.kwargs.get("root", True):
        reasons.append(missing_privilege())
    return "; ".join(reason for reason in dict.fromkeys(reasons) if reason) or None


TOGETHER = {"test_lab_hosts.py": "hosts of this machine", "test_unseen_paths.py": "hosts of this machine"}
"""Files of tests/real that one process runs one after the other: the first looks at what is left of its networks, by
numbers that the kernel gives to those of the second as soon as they are free."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """For `--dist loadgroup`: a file of tests/real stays in one process."""
    for item in items:
        if item.path.parent.name == "real":
            item.add_marker(pytest.mark.xdist_group(TOGETHER.get(item.path.name, item.path.name)))


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip a real test where this machine lacks what it needs."""
    if reason := missing_for(item):
        pytest.skip(reason)


@pytest.fixture
def needs() -> Callable[[str], None]:
    """`needs("tshark")` skips the test, with the package to install, where the program is not there."""

    def need(program: str) -> None:
        if reason := missing_program(program):
            pytest.skip(reason)

    return need


@pytest.fixture
def needs_root() -> None:
    """Skip without root and a network namespace."""
    if reason := missing_privilege():
        pytest.skip(reason)


def not_run(reporter: pytest.TerminalReporter) -> dict[str, list[str]]:
    """Reason -> the tests that were not run because of it."""
    reasons: dict[str, list[str]] = defaultdict(list)
    for report in reporter.stats.get("skipped", []):
        words = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        reasons[words.removeprefix("Skipped: ")].append(report.nodeid)
    return dict(sorted(reasons.items()))


def summary_lines(reasons: dict[str, list[str]]) -> Iterator[str]:
    """One line a reason, one a file below it."""
    for reason, tests in reasons.items():
        yield f"{len(tests):4}  {reason}"
        files: dict[str, int] = defaultdict(int)
        for test in tests:
            files[test.split("::")[0]] += 1
        yield from (f"      {file}: {count}" for file, count in sorted(files.items()))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say in one block what was not run and why."""
    if reasons := not_run(terminalreporter):
        count = sum(map(len, reasons.values()))
        terminalreporter.section(f"{count} not run, and why", sep="-")
        for line in summary_lines(reasons):
            terminalreporter.write_line(line)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Where everything is installed, a test that was not run is a failure."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter and os.environ.get("TCPLADDER_REQUIRE_ALL") == "1" and not_run(reporter):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
