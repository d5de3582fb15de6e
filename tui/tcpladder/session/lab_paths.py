"""Which of the segments that were eaten on a host of a lab came by the tap before: what the cables between say."""

from __future__ import annotations

import ipaddress
from collections import deque
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from tcpladder.hosts.plan import Cable, End, Plan
from tcpladder.lab.experiment import Point
from tcpladder.sources.fault_log import Eaten

_ANY = "any"
_IPV6_BYTES = 40


class LabPaths:
    """The ways through a network of the lab, seen from where frames are captured.

    Args:
        plan: the network; there is one way from one host to another.
        points: the taps.
    """

    def __init__(self, plan: Plan, points: Sequence[Point]) -> None:
        self._cables = plan.cables
        self._points = points
        self._host_of = {
            ipaddress.ip_interface(address).ip: end.host
            for cable in plan.cables
            for end in cable.ends
            for address in end.addresses
        }

    def placed(self, host: str, eaten: Eaten) -> Eaten:
        """What was eaten on a host, with `before_tap` as it is for this capture."""
        if not self._host_of:
            return eaten
        head = eaten.frames.data[eaten.frames.start[:, None] + np.arange(_IPV6_BYTES)]
        is_v6 = head[:, :1] >> 4 == 6
        source = np.where(is_v6, head[:, 8:24], np.pad(head[:, 12:16], ((0, 0), (0, 12))))
        sources, which = np.unique(np.hstack([is_v6, source]), axis=0, return_inverse=True)
        told = [
            self.passed_tap(ipaddress.ip_address(bytes(one[1 : 17 if one[0] else 5])), host)
            for one in sources
        ]
        known = np.array([passed is not None for passed in told])[which.reshape(-1)]
        unseen = np.array([passed is False for passed in told])[which.reshape(-1)]
        return replace(eaten, before_tap=np.where(known, unseen, eaten.before_tap))

    def passed_tap(self, source: ipaddress.IPv4Address | ipaddress.IPv6Address, host: str) -> bool | None:
        """Whether what an address sent had come by a tap when it was eaten on `host`.

        None where only the hook knows: it was sent and eaten on the host of the tap.
        """
        sender = self._host_of.get(source, host)
        if sender == host and any(point.host == host for point in self._points):
            return None
        return any(self._tap(end) is not None for end in self._ends(sender, host))

    def taps(self, source: str, destination: str) -> tuple[int, ...]:
        """The taps between two addresses of the network, by number, in the order in which a segment comes by."""
        hosts = [self._host_of.get(ipaddress.ip_address(address)) for address in (source, destination)]
        if hosts[0] is None or hosts[1] is None:
            return ()
        seen = (self._tap(end) for end in self._ends(hosts[0], hosts[1]))
        return tuple(dict.fromkeys(tap for tap in seen if tap is not None))

    def _tap(self, end: End) -> int | None:
        """The number of the tap at an end of a cable."""
        for number, point in enumerate(self._points):
            if point.host == end.host and point.interface in (_ANY, end.interface):
                return number
        return None

    def _ends(self, sender: str, host: str) -> list[End]:
        """The ends of the cables between two hosts, in the order of the way."""
        ends, here = list[End](), sender
        for cable in self._way(sender, host):
            ends += cable.ends if cable.ends[0].host == here else cable.ends[::-1]
            here = ends[-1].host
        return ends

    def _way(self, sender: str, host: str) -> tuple[Cable, ...]:
        """The cables between two hosts; none where no way leads there."""
        ways: dict[str, tuple[Cable, ...]] = {sender: ()}
        reached = deque([sender])
        while reached and host not in ways:
            here = reached.popleft()
            for cable in self._cables:
                near, far = (end.host for end in cable.ends)
                for start, end in ((near, far), (far, near)):
                    if start == here and end not in ways:
                        ways[end] = (*ways[here], cable)
                        reached.append(end)
        return ways.get(host, ())
