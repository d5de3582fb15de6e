"""The segments that the fault log tells of, one by one, for those who print them."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from tcpladder.render.eaten import EatenSegment
from tcpladder.sources.fault_log import Eaten
from tcpladder.wire.decode import Decoder
from tcpladder.wire.segments import Flag, State


def eaten_segments(eaten: Eaten) -> Iterator[EatenSegment]:
    """The TCP segments among them, in order."""
    decoded = Decoder().decode(eaten.frames).segments
    for row in range(len(decoded)):
        if decoded.state[row] != State.WHOLE:
            continue
        frame = int(decoded.frame[row]) - eaten.frames.first_frame
        source, destination = _addresses(eaten, frame)
        smaller, larger = divmod(int(decoded.addresses.ports[row]), 1 << 16)
        swapped = bool(decoded.swapped[row])
        yield EatenSegment(
            fault=int(eaten.rule[frame]),
            time_ns=int(decoded.time_ns[row]),
            source=source,
            source_port=larger if swapped else smaller,
            destination=destination,
            destination_port=smaller if swapped else larger,
            flags=Flag(int(decoded.flags[row])),
            seq=int(decoded.seq[row]),
            ack=int(decoded.ack[row]),
            window=int(decoded.window[row]),
            length=int(decoded.length[row]),
        )


def _addresses(eaten: Eaten, frame: int) -> tuple[str, str]:
    """From the IP header, which the log begins with."""
    header = eaten.frames.data[int(eaten.frames.start[frame]) :][:40].tobytes()
    at, size = (12, 4) if header[0] >> 4 == 4 else (8, 16)
    source, destination = (header[at + size * place :][:size] for place in range(2))
    return str(ipaddress.ip_address(source)), str(ipaddress.ip_address(destination))
