"""Who has a lane on a ladder: both ends of one flow, or each host of several."""

from __future__ import annotations

from collections.abc import Sequence

from tcpladder.analysis.view import Endpoint, FlowSummary
from tcpladder.ladder.model import ALONE, LANE_NAMES, Lane, Track

_Host = tuple[str, int]
"""An address, and the port where the lane is of that port alone, else 0."""


def lanes_of(flows: Sequence[FlowSummary]) -> tuple[tuple[Lane, ...], tuple[Track, ...]]:
    """The lanes from the left, and for each flow its track.

    One flow has its client and its server. Several have a lane for each host: those that only open connections, then
    those that do both, then those that only answer, each in the order in which they are met. An address that talks to
    itself has a further lane for each port that it answers at.
    """
    if len(flows) == 1:
        ends = (flows[0].client, flows[0].server)
        lanes = tuple(Lane(name, str(end)) for name, end in zip(LANE_NAMES, ends, strict=True))
        return lanes, (ALONE,)
    pairs = [_hosts(flow) for flow in flows]
    clients, servers = ([pair[side] for pair in pairs] for side in (0, 1))
    met = dict.fromkeys(host for pair in pairs for host in pair)
    hosts = sorted(met, key=lambda host: 1 if host in clients and host in servers else 2 * (host in servers))
    tracks = tuple(
        Track(
            client=hosts.index(client),
            server=hosts.index(server),
            flow=flow.number,
            place=place,
            port=flow.client.port,
        )
        for place, (flow, (client, server)) in enumerate(zip(flows, pairs, strict=True))
    )
    return tuple(_lane(host, number, flows, tracks) for number, host in enumerate(hosts)), tracks


def _hosts(flow: FlowSummary) -> tuple[_Host, _Host]:
    client, server = flow.client.address, flow.server.address
    return (client, 0), (server, flow.server.port if client == server else 0)


def _lane(host: _Host, number: int, flows: Sequence[FlowSummary], tracks: Sequence[Track]) -> Lane:
    """What stands above a lane: the host, and below that what it is in its flows."""
    ends: list[Endpoint] = []
    words: dict[str, None] = {}
    for flow, track in zip(flows, tracks, strict=True):
        if track.client == number:
            ends.append(flow.client)
            words["client"] = None
        if track.server == number:
            ends.append(flow.server)
            words[f":{flow.server.port}"] = None
    name = ends[0].name or ends[0].address
    if host[1]:
        name = str(ends[0])
        words = {"server": None}
    return Lane(name, ", ".join(words))
