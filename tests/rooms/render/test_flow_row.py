"""Lines of the list of flows are exactly as wide as asked, and the header stands above its columns."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from rooms.ladder.talk import Talk
from tcpladder.analysis.view import Endpoint
from tcpladder.render.flow_columns import Pen, flow_columns
from tcpladder.render.flow_row import draw_flow, flow_header
from tcpladder.render.grid import plain

ENDS = st.sampled_from(
    [
        Endpoint("10.0.0.7", 51022),
        Endpoint("192.168.100.100", 65535),
        Endpoint("2001:db8:85a3:1234:5678:8a2e:370:7334", 39218),
    ]
)
COUNTS = st.integers(0, 10**12)


@given(st.integers(40, 260), st.booleans(), ENDS, ENDS, COUNTS, COUNTS, st.none() | st.text(max_size=40))
def test_a_line_is_exactly_its_width_and_keeps_both_ports(
    width: int,
    ascii_only: bool,
    client: Endpoint,
    server: Endpoint,
    segments: int,
    probes: int,
    ended: str | None,
) -> None:
    talk = Talk(client=client, server=server, state="fin-wait-1", ended=ended)
    summary = replace(talk.summary, segments=segments, keepalive_probes=probes)
    columns = flow_columns(width)
    text = plain(draw_flow(summary, columns, Pen(ascii_only=ascii_only)))
    assert cell_len(text) == len(text) == width == len(plain(flow_header(columns)))
    assert f":{client.port} " in text
    assert f":{server.port} " in text
    assert "fin-wait-1" in text


def test_the_names_stand_above_their_columns() -> None:
    columns = flow_columns(80)
    header, line = plain(flow_header(columns)), plain(draw_flow(Talk(ended="refused").summary, columns))
    for name, value in (("client", "127.0.0.1:22345"), ("server", "127.0.0.1:12345"), ("end", "refused")):
        assert header.index(name) == line.index(value)
    assert header.index("state") == line.index("estab")


def test_a_narrow_list_gives_up_the_counters_and_not_the_end() -> None:
    text = plain(flow_header(flow_columns(60)))
    assert "prb" not in text
    assert "end" in text
