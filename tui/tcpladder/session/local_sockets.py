"""The sockets of this network namespace with what each is configured to do: what `tcpladder timers` prints.

Asks the agent's functions in this process: nothing that a stranger sent is looked at.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tcpladder.agent.socket_options import SocketReader
from tcpladder.agent.sockets import read_sockets
from tcpladder.agent.sysctls import read_sysctls
from tcpladder.errors import PermissionRefused, UsageError
from tcpladder.render.sockets import LocalSocket
from tcpladder.session.socket_filter import SocketFilter

_SYSCTLS = {
    "TCP_KEEPIDLE": "net.ipv4.tcp_keepalive_time",
    "TCP_KEEPINTVL": "net.ipv4.tcp_keepalive_intvl",
    "TCP_KEEPCNT": "net.ipv4.tcp_keepalive_probes",
}
"""What a socket runs with unless it sets the option (tcp(7))."""


class LocalSockets:
    """Reads the sockets as often as one likes.

    Args:
        pid: only those that this process holds, None for all.
        wanted: only those that pass.

    Raises UsageError for a process that is not there.
    """

    def __init__(self, *, pid: int | None, wanted: SocketFilter) -> None:
        if pid is not None and not Path("/proc", str(pid)).exists():
            raise UsageError(f"there is no process {pid}")
        self._pid, self._wanted = pid, wanted
        self._reader = SocketReader(pid)

    def read(self) -> Iterator[LocalSocket]:
        """The sockets now. Raises PermissionRefused where netlink is forbidden."""
        self._reader.look_through_processes()
        texts = read_sysctls(list(_SYSCTLS.values()))
        namespace = {
            option: int(text) for option, name in _SYSCTLS.items() if (text := texts[name]) and text.isdigit()
        }
        try:
            states = read_sockets()
        except OSError as refused:
            words = (refused.strerror or str(refused)).lower()
            raise PermissionRefused(f"cannot list the sockets (sock_diag): {words}") from None
        for state in states:
            if not self._wanted.passes(state):
                continue
            said = self._reader.read(state, search=False)
            if self._pid is None or said.owner is not None:
                yield LocalSocket(state=state, said=said, namespace=namespace)
