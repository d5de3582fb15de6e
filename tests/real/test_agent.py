"""The first process, the agent and the app, as real processes: who has which privilege, and who outlives whom."""

from __future__ import annotations

import ast
import contextlib
import json
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import tcpladder
from real.own_machine import wait_until

pytestmark = pytest.mark.real("ip", "setpriv")

SOURCES = Path(tcpladder.__file__).parent
NOBODY = pwd.getpwnam("nobody")
AS_NOBODY = ["setpriv", "--reuid=nobody", f"--regid={NOBODY.pw_gid}", "--clear-groups"]

FIRST = """
import sys
from pathlib import Path
from tcpladder.agent.start import *
from tcpladder.errors import TcpladderError
from tcpladder.hosts.network import PrivateNetwork
try:
    exec_app(eval(sys.argv[1]), eval(sys.argv[2]), sys.argv[3:], command=[sys.executable, "-u", {app!r}])
except TcpladderError as error:
    print(int(error.exit_code), error)
    sys.exit(int(error.exit_code))
"""
APP = """
import mmap, os, socket, sys, threading
from tcpladder.agent.client import AgentClient
from tcpladder.agent.fault_messages import *
from tcpladder.agent.lab_messages import *
from tcpladder.agent.messages import *
from tcpladder.faults.fault import *
from tcpladder.agent.start import handover
threading.Thread(target=threading.Event().wait, daemon=True).start()
left = handover()
client = AgentClient(left.agent)
def attempt(call, *arguments):
    try: return repr(call(*arguments))
    except Exception as error: return f"{type(error).__name__}: {error}"
print(repr("ready"))
for line in sys.stdin:
    try: print(repr(eval(line)))
    except Exception as error: print(repr(f"{type(error).__name__}: {error}"))
"""


SNIFFS = """
from tcpladder.agent.capture import open_capture
from tcpladder.agent.confine import Capability, keep_capabilities
from tcpladder.agent.messages import OpenCapture
for kept in ((Capability.NET_ADMIN, Capability.NET_RAW), (Capability.NET_RAW,)):
    keep_capabilities(kept)
    print(open_capture(OpenCapture(interface="lo"))[0].may_break)
"""


def test_who_may_sniff_and_not_break_is_told_so() -> None:
    environment = {"PYTHONPATH": str(SOURCES.parent)}
    done = subprocess.run([sys.executable, "-c", SNIFFS], env=environment, capture_output=True, text=True)
    assert done.stdout.split() == ["True", "False"], done.stderr


@dataclass
class App:
    """A running app: what it says to an expression, its process and its agent."""

    process: subprocess.Popen[str]

    def __call__(self, expression: str) -> Any:
        assert self.process.stdin is not None
        self.process.stdin.write(expression + "\n")
        self.process.stdin.flush()
        return self.hear()

    def hear(self) -> Any:
        assert self.process.stdout is not None
        return ast.literal_eval(self.process.stdout.readline())

    def tasks(self) -> list[dict[str, str]]:
        return [status(path) for path in Path(f"/proc/{self.process.pid}/task").iterdir()]


@pytest.fixture(scope="module")
def python() -> str:
    """An interpreter that the user nobody can run: ours may live in a home directory."""
    for candidate in (sys.executable, shutil.which("python3", path="/usr/local/bin:/usr/bin")):
        script = "import sys; sys.exit(sys.version_info < (3, 11))"
        probe = [*AS_NOBODY, "sh", "-c", 'exec "$0" -c "$1"', str(candidate), script]
        if subprocess.run(probe, capture_output=True).returncode == 0:
            return str(candidate)
    pytest.skip("needs a python3 >= 3.11 outside of root's home directory")


@pytest.fixture(scope="module")
def place() -> Iterator[Path]:
    """A directory that everyone may read, with the package and the two programs in it."""
    directory = Path(tempfile.mkdtemp(prefix="tcpladder-test-", dir="/var/tmp"))
    shutil.copytree(SOURCES, directory / "tcpladder", ignore=shutil.ignore_patterns("__pycache__"))
    (directory / "first.py").write_text(FIRST.format(app=str(directory / "app.py")))
    (directory / "app.py").write_text(APP)
    (directory / "nobody").mkdir()
    os.chown(directory / "nobody", NOBODY.pw_uid, NOBODY.pw_gid)
    (directory / "home").mkdir()
    directory.chmod(0o755)
    yield directory
    shutil.rmtree(directory)


def command(place: Path, python: str, network: str, outputs: dict[str, Path], *argv: str) -> list[str]:
    paths = {name: str(path) for name, path in outputs.items()}
    quoted = "{" + ", ".join(f"{name!r}: Path({path!r})" for name, path in paths.items()) + "}"
    return [python, str(place / "first.py"), network, quoted, *argv]


def environment(place: Path, **more: str) -> dict[str, str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("SUDO_", "XDG_"))}
    return clean | {"PYTHONPATH": str(place), "HOME": str(place / "home"), "PYTHONWARNINGS": "error"} | more


FAULT = "Fault(match=Match(destination='127.0.0.1', destination_port=7), probe_sequences=[])"
SUDO = {"SUDO_UID": str(NOBODY.pw_uid), "SUDO_GID": str(NOBODY.pw_gid), "SUDO_USER": "nobody"}


@contextlib.contextmanager
def started(line: list[str], env: dict[str, str]) -> Iterator[App]:
    process = subprocess.Popen(line, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    with process:
        app = App(process)
        assert app.hear() == "ready"
        yield app


def status(path: Path) -> dict[str, str]:
    return dict(line.split(":\t", 1) for line in (path / "status").read_text().splitlines() if ":\t" in line)


def ended(pid: int) -> bool:
    """Whether the process goes away within five seconds."""
    deadline = time.monotonic() + 5
    while Path(f"/proc/{pid}").exists():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def refusal(line: list[str], env: dict[str, str]) -> tuple[int, str]:
    done = subprocess.run(line, env=env, capture_output=True, text=True, timeout=20)
    assert done.stderr == ""
    return done.returncode, done.stdout.strip().removeprefix(f"{done.returncode} ")


CAPTURE = 'client.request(OpenCapture(interface="lo"))'


def test_under_sudo_every_task_of_the_app_is_the_user_and_has_nothing(place: Path, python: str) -> None:
    output = place / "nobody" / "out.pcapng"
    line = command(place, python, "HostNetwork()", {"capture": output}, "live", "-i", "lo")
    with started(line, environment(place, **SUDO, XDG_CACHE_HOME="/nowhere/.cache")) as app:
        tasks = app.tasks()
        assert len(tasks) >= 2
        for task in tasks:
            assert task["Uid"].split() == [str(NOBODY.pw_uid)] * 4
            assert task["Gid"].split() == [str(NOBODY.pw_gid)] * 4
            assert task["Groups"].split() == [str(NOBODY.pw_gid)]
            assert {int(task[name], 16) for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")} == {0}
            assert task["NoNewPrivs"] == "1"
        assert app("sys.argv[1:]") == ["live", "-i", "lo"]
        assert app("os.environ['HOME'], os.environ['USER']") == (NOBODY.pw_dir, "nobody")
        assert app("'XDG_CACHE_HOME' in os.environ, 'TCPLADDER_HANDOVER' in os.environ") == (False, False)
        assert app("handover()") is None
        assert app("os.write(left.outputs['capture'], b'frames')") == 6
        assert output.stat().st_uid == NOBODY.pw_uid
        assert app("attempt(socket.socket, socket.AF_PACKET, socket.SOCK_RAW, 0)").startswith(
            "PermissionError"
        )
        agent = app("left.agent_pid")
        kept = {bit for bit in range(64) if int(status(Path(f"/proc/{agent}"))["CapEff"], 16) >> bit & 1}
        assert kept == {2, 12, 13, 19}
    assert output.read_bytes() == b"frames"
    assert ended(agent)


def test_an_app_without_privilege_maps_the_ring_and_sees_frames(place: Path, python: str) -> None:
    with started(command(place, python, "HostNetwork()", {}), environment(place, **SUDO)) as app:
        app(f"globals().update(answer={CAPTURE})")
        app("globals().update(ring=mmap.mmap(answer[1][0], answer[0].block_size * answer[0].block_count))")
        app("globals().update(server=socket.create_server(('127.0.0.1', 0)))")
        app("socket.create_connection(server.getsockname()).close()")
        deadline = time.monotonic() + 5
        while not app("ring[8] & 1"):
            assert time.monotonic() < deadline
        assert app("int.from_bytes(ring[12:16], sys.byteorder)") >= 4
        assert app("os.get_inheritable(answer[1][0])") is False


def test_a_root_login_is_confined_by_landlock(place: Path) -> None:
    output = place / "root.pcapng"
    line = command(place, sys.executable, "HostNetwork()", {"capture": output})
    with started(line, environment(place)) as app:
        for task in app.tasks():
            assert task["Uid"].split() == ["0"] * 4
            assert {int(task[name], 16) for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")} == {0}
            assert task["NoNewPrivs"] == "1"
        if app("left.notices"):
            pytest.skip("this kernel has no Landlock")
        for forbidden in (place / "new", place / "first.py", place / "home" / "new", Path("/etc/hostname")):
            assert app(f"attempt(open, {str(forbidden)!r}, 'a')").startswith("PermissionError")
        for allowed in (output, place / "home/.cache/tcpladder/x", place / "home/.local/state/tcpladder/x"):
            assert not app(f"attempt(open, {str(allowed)!r}, 'w')").startswith("PermissionError")
        assert app("attempt(os.kill, 1, 0)").startswith("PermissionError")
        assert app(f"type({CAPTURE}[0]).__name__") == "CaptureOpened"


def test_what_exec_starts_below_the_app_gains_nothing(place: Path) -> None:
    with started(command(place, sys.executable, "HostNetwork()", {}), environment(place)) as app:
        shell = "__import__('subprocess').run(['cat', '/proc/self/status'], capture_output=True, text=True).stdout"
        lines = dict(line.split(":\t", 1) for line in app(shell).splitlines() if ":\t" in line)
        assert int(lines["CapEff"], 16) == int(lines["CapPrm"], 16) == 0


def test_an_app_killed_at_once_takes_the_agent_with_it(place: Path) -> None:
    with started(command(place, sys.executable, "HostNetwork()", {}), environment(place)) as app:
        agent = app("left.agent_pid")
        assert app(f"type({CAPTURE}[0]).__name__") == "CaptureOpened"
        assert Path(f"/proc/{agent}").exists()
        app.process.send_signal(signal.SIGKILL)
        assert ended(agent)


def test_in_the_private_network_peers_end_with_an_app_that_is_killed(place: Path, python: str) -> None:
    line = [*AS_NOBODY, *command(place, python, "PrivateNetwork()", {})]
    with started(line, environment(place)) as app:
        agent = app("left.agent_pid")
        names = "[i.name for i in client.request(ListInterfaces())[0].interfaces]"
        if "lo" not in str(interfaces := app(names)):
            pytest.fail(f"no private network: {interfaces}")
        server = 'StartPeer(role="server", options={}, address="127.0.0.1", port=7777, script=["listen"])'
        peer = app(f"client.request({server})[0].pid")
        assert app("len(client.request(OpenFaultLog())[1])") == 1
        assert app(f"client.request(ApplyFault(fault={FAULT}))[0].number") == 1
        assert app(f"type({CAPTURE}[0]).__name__") == "CaptureOpened"
        assert Path(f"/proc/{peer}").exists()
        app.process.kill()
        assert ended(agent)
        assert ended(peer)


def test_faults_on_the_host_need_no_more_than_the_agent_keeps(place: Path) -> None:
    wire = "ip link set lo up && ip link add va type veth peer name vb && ip addr add 10.9.0.1/24 dev va"
    network = ["unshare", "-n", "sh", "-c", f'{wire} && ip link set va up && exec "$@"', "sh"]
    leaving = "Fault(match=Match(destination='10.9.0.2', destination_port=7), both=True, probe_sequences=[])"
    with started([*network, *command(place, sys.executable, "HostNetwork()", {})], environment(place)) as app:
        agent = app("left.agent_pid")
        assert app(f"client.request(ApplyFault(fault={leaving}))[0].interfaces") == ["va", f"tl{agent}a"]
        assert app("len(client.request(OpenFaultLog())[1])") == 1
        assert app("client.request(LiftFault(number=1))[0].packets") == 0
        assert app("[one.name for one in client.request(ListInterfaces())[0].interfaces]") == [
            "lo",
            "vb",
            "va",
        ]


def test_keys_and_hangups_of_the_terminal_do_not_reach_the_agent(place: Path) -> None:
    with started(command(place, sys.executable, "HostNetwork()", {}), environment(place)) as app:
        agent = app("left.agent_pid")
        for number in (signal.SIGINT, signal.SIGHUP, signal.SIGQUIT):
            os.kill(agent, number)
        assert app(f"type({CAPTURE}[0]).__name__") == "CaptureOpened"
        assert os.getsid(agent) != os.getsid(0)
        assert [str(Path(f"/proc/{agent}/fd/{number}").readlink()) for number in range(3)] == [
            "/dev/null"
        ] * 3
        # The messages above may still hold one while they are answered.
        wait_until(lambda: len(list(Path(f"/proc/{agent}/fd").iterdir())) == 4, "four descriptors")


@pytest.mark.parametrize(
    "datagram",
    [b"nonsense", b"{}", b'["Reboot",{}]', b'["ListInterfaces",{"x":1}]', b"[" * 60000],
    ids=["nonsense", "no array", "unknown", "unknown field", "deep"],
)
def test_a_malformed_message_ends_the_agent(place: Path, datagram: bytes) -> None:
    with started(command(place, sys.executable, "HostNetwork()", {}), environment(place)) as app:
        agent = app("left.agent_pid")
        app(f"client._channel.send({datagram!r})")
        assert ended(agent)
        gone = "the agent is gone: start again to capture; its guardian puts back what it had changed"
        assert app("client.request(ListInterfaces())") == f"AgentGoneError: {gone}"
        assert app("client.request(ListInterfaces())") == f"AgentGoneError: {gone}"


def test_refusals_keep_their_class_and_the_agent_goes_on(place: Path) -> None:
    with started(command(place, sys.executable, "HostNetwork()", {}), environment(place)) as app:
        assert app('client.request(OpenCapture(interface="lo", filter="tcp prot 80"))') == (
            "UsageError: cannot use the filter 'tcp prot 80': syntax error"
        )
        assert (
            app('client.request(OpenCapture(interface="eth/7"))')
            == "UsageError: interface 'eth/7' is not acceptable"
        )
        assert app('client.request(OpenCapture(interface="none7"))').startswith(
            "InterfaceError: cannot open none7: no such interface (have: lo"
        )
        peer = 'StartPeer(role="server", options={}, address="127.0.0.1", port=7, script=["listen"])'
        assert app(f"client.request({peer})") == (
            "PermissionRefused: peers run only in the private network of `tcpladder lab`"
        )
        assert app("client.request(LiftFault(number=3))") == (
            "UsageError: cannot find fault 3: no such fault (have: none)"
        )
        assert app(
            'client.request(ReadSysctls(names=["net.ipv4.tcp_keepalive_time", "net.no.such"]))[0].values'
        ) == {
            "net.ipv4.tcp_keepalive_time": Path("/proc/sys/net/ipv4/tcp_keepalive_time").read_text().strip(),
            "net.no.such": None,
        }


def test_threads_that_ask_at_once_get_their_own_answers(place: Path) -> None:
    with started(command(place, sys.executable, "HostNetwork()", {}), environment(place)) as app:
        app("globals().update(pool=__import__('concurrent.futures').futures.ThreadPoolExecutor(8))")
        app(
            "globals().update(ask=lambda n: n % 2 and ListInterfaces() or ReadSysctls(names=['net.core.somaxconn']))"
        )
        answers = app("[type(a[0]).__name__ for a in pool.map(lambda n: client.request(ask(n)), range(100))]")
        assert answers == ["Sysctls", "Interfaces"] * 50


def test_without_privilege_one_sentence_says_what_to_do(place: Path, python: str) -> None:
    line = AS_NOBODY + command(place, python, "HostNetwork()", {}, "live", "-i", "lo")
    code, sentence = refusal(line, environment(place))
    assert code == 4
    assert sentence == (
        f"sniffing needs CAP_NET_RAW: run `sudo {place}/first.py live -i lo`, "
        "or `tcpladder lab keepalive`, which needs no privilege"
    )


def test_a_capability_counts_without_root(place: Path, python: str) -> None:
    line = [*AS_NOBODY, "--inh-caps=+net_raw", "--ambient-caps=+net_raw"]
    with started([*line, *command(place, python, "HostNetwork()", {})], environment(place)) as app:
        assert app(f"type({CAPTURE}[0]).__name__") == "CaptureOpened"
        for task in app.tasks():
            assert {int(task[name], 16) for name in ("CapInh", "CapPrm", "CapEff", "CapAmb")} == {0}
            assert task["NoNewPrivs"] == "1"


def test_an_output_that_the_user_may_not_write_is_refused(place: Path, python: str) -> None:
    line = command(place, python, "HostNetwork()", {"capture": place / "home" / "out.pcapng"})
    code, sentence = refusal(line, environment(place, **SUDO))
    assert (code, sentence) == (
        2,
        f"cannot write {place}/home/out.pcapng: permission denied; "
        "name a file in a directory that you may write, such as /tmp",
    )
    assert not (place / "home" / "out.pcapng").exists()


@pytest.fixture
def netns() -> Iterator[str]:
    name = f"tcpladder-test-{os.getpid()}"
    subprocess.run(["ip", "netns", "add", name], check=True)
    subprocess.run(
        ["ip", "-n", name, "link", "add", "only0", "type", "veth", "peer", "name", "only1"], check=True
    )
    subprocess.run(["ip", "-n", name, "addr", "add", "10.77.0.1/24", "dev", "only0"], check=True)
    yield name
    subprocess.run(["ip", "netns", "del", name], check=True)


def test_a_named_network_is_where_everything_happens(place: Path, netns: str) -> None:
    subprocess.run(
        ["ip", "netns", "exec", netns, "sysctl", "-qw", "net.ipv4.tcp_keepalive_time=77"], check=True
    )
    subprocess.run(["ip", "-n", netns, "link", "set", "lo", "up"], check=True)
    line = command(place, sys.executable, f"NetnsNetwork({netns!r})", {})
    with started(line, environment(place)) as app:
        names = app("[(i.name, i.addresses) for i in client.request(ListInterfaces())[0].interfaces]")
        assert sorted(names) == [("lo", ["127.0.0.1", "::1"]), ("only0", ["10.77.0.1"]), ("only1", [])]
        asked = 'client.request(ReadSysctls(names=["net.ipv4.tcp_keepalive_time"]))[0].values'
        assert app(asked) == {"net.ipv4.tcp_keepalive_time": "77"}
        assert app(f"{CAPTURE}[0].local_addresses") == ["127.0.0.1", "::1", "10.77.0.1"]
        assert int(status(Path(f"/proc/{app('left.agent_pid')}"))["CapEff"], 16) >> 21 & 1 == 0


def test_the_network_of_a_process_can_be_named_by_its_number(place: Path, netns: str) -> None:
    sleeper = subprocess.Popen(["ip", "netns", "exec", netns, "sleep", "60"])
    try:
        deadline = time.monotonic() + 5
        while Path(f"/proc/{sleeper.pid}/comm").read_text() != "sleep\n":
            assert time.monotonic() < deadline
        line = command(place, sys.executable, f"NetnsNetwork('{sleeper.pid}')", {})
        with started(line, environment(place)) as app:
            names = app("[i.name for i in client.request(ListInterfaces())[0].interfaces]")
            assert "only0" in names
    finally:
        sleeper.kill()
        sleeper.wait()


def test_an_unknown_network_lists_those_that_are_there(place: Path, netns: str) -> None:
    line = command(place, sys.executable, "NetnsNetwork('blue7')", {})
    code, sentence = refusal(line, environment(place))
    assert code == 3
    assert sentence.startswith("cannot enter blue7: no such network namespace (have: ")
    assert netns in sentence


def test_the_list_of_interfaces_needs_no_privilege(place: Path, python: str) -> None:
    script = (
        "import json; from dataclasses import asdict; from tcpladder.agent.interfaces import list_interfaces;"
        "print(json.dumps([asdict(one) for one in list_interfaces()]))"
    )
    line = [*AS_NOBODY, python, "-c", script]
    done = subprocess.run(line, env=environment(place), capture_output=True, text=True, check=True)
    ours = {one["name"]: one for one in json.loads(done.stdout)}
    theirs = {one["ifname"]: one for one in json.loads(subprocess.check_output(["ip", "-j", "addr"]))}
    assert ours.keys() == theirs.keys()
    for name, one in theirs.items():
        assert ours[name]["index"] == one["ifindex"]
        assert ours[name]["addresses"] == [address["local"] for address in one["addr_info"]]
        assert ours[name]["state"] == one["operstate"].lower()
