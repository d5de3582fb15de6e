"""Timers on captures that nobody looked at before: what is claimed against what the kernel counted, run for run."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tcpladder.analysis.view import Timer
from tcpladder.session.files import FileSession

pytestmark = pytest.mark.real("tcpdump", "ip")

COUNTED = {
    Timer.DELAYED_ACK: "DelayedACKs",
    Timer.TLP: "TCPLossProbes",
    Timer.RTO: "TCPTimeouts",
    Timer.KEEPALIVE: "TCPKeepAlive",
    Timer.PERSIST: "TCPWinProbe",
}
"""The SNMP counter of each timer (net/ipv4/proc.c)."""
PATHS = {
    "beside": (1, 0, 0, 0, 5, 4, 0),
    "lossy": (2, 20, 0, 2, 6, 4, 0),
    "losing every eighth": (24, 5, 0, 12, 6, 4, 1),
    "far, reordering, keepalive": (3, 20, 8, 1, 7, 3, 1),
}
"""seed, delay and jitter in ms, loss in percent, seconds, connections, keepalive in s."""

MUCH_LOSS = 5
"""Percent, beyond which many a delayed ACK falls into a recovery, where nothing is claimed of it."""


def claimed(capture: Path, side: str) -> Counter[Timer]:
    """How many segments of one end a timer is said to have sent."""
    session = FileSession([str(capture)])
    for _ in session.read():
        pass
    found: Counter[Timer] = Counter()
    for number in range(1, session.flow_count() + 1):
        view = session.view(number)
        for index in range(len(view.time_ns)):
            timer = view.timer(index)
            if timer is not None and bool(view.from_client[index]) == (side == "client"):
                found[timer] += 1
    session.close()
    return found


@pytest.fixture(scope="module", params=PATHS.values(), ids=PATHS)
def recorded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where a run was written; `uneven` is its name where the path has jitter, or loses every eighth."""
    _, _, jitter_ms, loss, *_ = request.param
    out = tmp_path_factory.mktemp("path") / ("uneven" if jitter_ms or loss > MUCH_LOSS else "even")
    program = Path(__file__).with_name("long_path.py")
    subprocess.run([sys.executable, str(program), str(out), *map(str, request.param)], check=True, timeout=90)
    return out


@pytest.mark.parametrize("side", ["client", "server"])
def test_beside_the_sender_nothing_is_claimed_that_no_timer_sent(recorded: Path, side: str) -> None:
    counted = json.loads(Path(f"{recorded}.json").read_text())[side]
    found = claimed(Path(f"{recorded}.{side}.pcap"), side)
    for timer, counter in COUNTED.items():
        # Two more may be timers that fired while the counters were read.
        assert found[timer] <= counted.get(counter, 0) + 2, (timer, found, counter)


@pytest.mark.parametrize("side", ["client", "server"])
@pytest.mark.parametrize("seen_at", ["client", "server"])
def test_from_afar_little_is_claimed_that_no_timer_sent(recorded: Path, side: str, seen_at: str) -> None:
    counted = json.loads(Path(f"{recorded}.json").read_text())[side]
    found = claimed(Path(f"{recorded}.{seen_at}.pcap"), side)
    for timer, counter in COUNTED.items():
        sent = counted.get(counter, 0)
        # A keepalive probe looks like nothing else, but for ACKs that were overtaken.
        spare = 1 if timer is Timer.KEEPALIVE else 3 + sent // 4
        assert found[timer] <= sent + spare, (timer, found, sent)


@pytest.mark.parametrize("side", ["client", "server"])
def test_beside_the_sender_keepalive_and_delayed_acks_are_found(recorded: Path, side: str) -> None:
    # On an uneven path a short timer is often left unexplained.
    even = (Timer.DELAYED_ACK,) if recorded.name == "even" else ()
    counted = json.loads(Path(f"{recorded}.json").read_text())[side]
    found = claimed(Path(f"{recorded}.{side}.pcap"), side)
    for timer in (Timer.KEEPALIVE, *even):
        assert found[timer] >= counted[COUNTED[timer]] * 2 // 3 - 1, (timer, found)
