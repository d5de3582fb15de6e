"""Run an experiment as an app would, with nothing but the standard library, the agent and the lab.

    python lab_driver.py '["idle=1"]' [hold]

Writes one JSON object a line: `started` with the agent's pid, each narration, `peers` when the client is connected,
`ended` with the outcome. With `hold` it stops at the first drop and waits until it is killed.
"""

from __future__ import annotations

import json
import mmap
import signal
import struct
import sys
import time
from collections.abc import Iterator

from tcpladder.agent.client import AgentClient
from tcpladder.agent.lab_messages import PeerStarted
from tcpladder.agent.messages import CaptureOpened, OpenCapture, Reply, Request
from tcpladder.agent.start import start_agent
from tcpladder.errors import TcpladderError
from tcpladder.hosts.network import PrivateNetwork
from tcpladder.lab.experiment import Role
from tcpladder.lab.observed import Observed
from tcpladder.lab.run import ExperimentRun
from tcpladder.lab.table import load

FROM_SERVER = ("from the server", "keepalive_ack")
ETHERNET, IPV4 = 14, 20
BLOCK_STATUS, FIRST_PACKET = 8, 12


def say(**facts: object) -> None:
    sys.stdout.write(json.dumps(facts) + "\n")
    sys.stdout.flush()


class Client(AgentClient):
    """Notes the pids of the peers."""

    peers: list[int]

    def request(self, message: Request) -> tuple[Reply, list[int]]:
        reply, descriptors = super().request(message)
        if isinstance(reply, PeerStarted):
            self.peers.append(reply.pid)
        return reply, descriptors


def frames(ring: mmap.mmap, opened: CaptureOpened) -> Iterator[bytes]:
    """Frames from a TPACKET_V3 ring for ever; an empty frame where there is none now (struct tpacket_block_desc)."""
    block = 0
    while True:
        start = block * opened.block_size
        (status,) = struct.unpack_from("=I", ring, start + BLOCK_STATUS)
        if not status & 1:
            yield b""
            continue
        packets, packet = struct.unpack_from("=II", ring, start + FIRST_PACKET)
        packet += start
        for _ in range(packets):
            step, _, _, captured, _, _, mac = struct.unpack_from("=IIIIIIH", ring, packet)
            yield ring[packet + mac : packet + mac + captured]
            packet += step
        struct.pack_into("=I", ring, start + BLOCK_STATUS, 0)
        block = (block + 1) % opened.block_count


def kind(frame: bytes, client_port: int, sent: int) -> tuple[str, int]:
    """A rough kind, enough for this flow, and the next sequence number of the client."""
    port, _, seq, _, _, flags = struct.unpack_from("!HHIIBB", frame, ETHERNET + IPV4)
    (total,) = struct.unpack_from("!H", frame, ETHERNET + 2)
    payload = total - IPV4 - (frame[ETHERNET + IPV4 + 12] >> 4) * 4
    if flags & 4:
        return "rst", sent
    if port != client_port:
        return "from the server", sent
    if seq == sent - 1 and not flags & 2:
        return "keepalive_probe", sent
    return "from the client", seq + payload + (flags >> 1 & 1)


def main() -> None:
    signal.alarm(60)
    channel, agent_pid = start_agent(PrivateNetwork())
    client = Client(channel.detach())
    client.peers = []
    say(started=agent_pid)
    opened, (packets,) = client.request(OpenCapture(interface="lo"))
    assert isinstance(opened, CaptureOpened)
    ring = mmap.mmap(packets, opened.block_size * opened.block_count)
    experiment = load("keepalive", tuple(json.loads(sys.argv[1])))
    run = ExperimentRun(experiment, client)
    kinds: list[str] = []
    sent, wire = 0, frames(ring, opened)
    try:
        while not run.finished:
            while frame := next(wire):
                name, sent = kind(frame, experiment.client.port, sent)
                if kinds[-1:] == ["keepalive_probe"] and name == "from the server":
                    name = "keepalive_ack"
                kinds.append(name)
            seen = [(one, Role.SERVER if one in FROM_SERVER else Role.CLIENT) for one in kinds]
            for narration in run.advance(time.time_ns(), Observed.of(seen)):
                say(time_ns=narration.time_ns, text=narration.text)
                if narration.text.startswith("rule") and sys.argv[2:] == ["hold"]:
                    say(peers=client.peers, kinds=kinds)
                    signal.pause()
            time.sleep(0.02)
    except TcpladderError as error:
        say(refused=str(error))
        return
    assert run.outcome is not None
    in_force = {role.value: dict(options) for role, options in run.options_in_force.items()}
    eaten = run.faults[-1].packets if run.faults else None
    say(ended=run.outcome.sentence, held=run.outcome.held, dropped=eaten, kinds=kinds, options=in_force)
    say(peers=client.peers, client_options=in_force[Role.CLIENT])
    run.close()
    client.close()


if __name__ == "__main__":
    main()
