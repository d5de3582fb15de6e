"""Several lanes in a row of cells: an arrow runs between its own two, and where lanes have no room it says so."""

from __future__ import annotations

import pytest

from rooms.ladder.talk import MS, Talk
from tcpladder.analysis.kinds import Kind
from tcpladder.analysis.view import Endpoint, Side
from tcpladder.ladder.ladder import Ladder
from tcpladder.ladder.merged import MergedFlows
from tcpladder.ladder.model import TimeMode
from tcpladder.render.glyphs import glyphs
from tcpladder.render.grid import draw, host_lines, plain
from tcpladder.render.layout import Layout
from tcpladder.render.text import layout_of, sharing_words


def ladder(hosts: int, address: str = "10.0.0.{}") -> Ladder:
    """A client and servers: a SYN, data and a silence of each flow."""
    flows = []
    for number in range(1, hosts):
        talk = Talk(
            number=number,
            client=Endpoint(address.format(1), 40_000 + number),
            server=Endpoint(address.format(number + 1), 80),
        )
        talk.say(Side.CLIENT, Kind.SYN, after_ns=number * MS)
        talk.say(Side.SERVER, Kind.SYN_ACK, after_ns=20 * MS)
        talk.say(
            Side.CLIENT,
            Kind.KEEPALIVE_PROBE,
            after_ns=3_000 * MS,
            label="keepalive probe 1/3",
            name="unexplained",
        )
        talk.eaten = {2: "rule 1"}
        flows.append(talk)
    return Ladder(MergedFlows(flows))


def lines(of: Ladder, layout: Layout) -> list[str]:
    return [plain(draw(of.row(number), layout)) for number in range(len(of))]


@pytest.mark.parametrize("ascii_only", [False, True])
@pytest.mark.parametrize("width", [40, 60, 80, 111, 200])
@pytest.mark.parametrize("hosts", [3, 5, 12])
def test_every_line_is_as_wide_as_the_screen_and_says_its_flow(
    hosts: int, width: int, ascii_only: bool
) -> None:
    of = ladder(hosts, "2001:db8::a1:b2:c3:{}")
    for mode in (TimeMode.ABSOLUTE, TimeMode.DELTA):
        layout = layout_of(of, Layout(width=width, ascii=ascii_only, time_mode=mode))
        drawn = [*lines(of, layout), *map(plain, host_lines(of.lanes, layout))]
        assert {len(line) for line in drawn} == {width}
        assert not ascii_only or "".join(drawn).isascii()
        for number, line in enumerate(drawn[:-1]):
            column = line[layout.when_end : layout.left].strip()
            assert column == str(of.row(number).track.flow)  # type: ignore[union-attr]


def test_an_arrow_skips_the_lanes_between_its_own() -> None:
    of = ladder(4)
    layout = layout_of(of, Layout(width=80))
    first, second, third, fourth = layout.columns
    line = lines(of, layout)[2]
    assert line[first:].startswith("│── SYN ──")
    assert line[fourth - 1 : fourth + 1] == "▶│"
    assert line[second] == "─"
    answer = lines(of, layout)[3]
    assert answer[first : first + 2] == "│◀"
    assert (answer[second], answer[third], answer[fourth]) == ("│", "│", "│")


def test_words_without_room_stand_beside_their_arrow() -> None:
    of = ladder(5)
    layout = layout_of(of, Layout(width=80))
    rows = lines(of, layout)
    probe = next(row for row in rows if "keepalive probe 1/3" in row)
    assert glyphs(False).lost in probe[layout.columns[0] : layout.columns[1]]
    assert probe.index("keepalive") > layout.columns[1]


def test_hosts_without_room_share_the_last_lane_and_are_named() -> None:
    of = ladder(12)
    layout = layout_of(of, Layout(width=80))
    shown = len(layout.columns)
    assert layout.sharing == 12 - shown + 1
    (heading,) = map(plain, host_lines(of.lanes, layout))
    assert f"+{layout.sharing} hosts" in heading
    said = sharing_words(of.lanes, layout)
    assert said.startswith(f"{layout.sharing} of 12 hosts share the last lane")
    assert said.endswith("10.0.0.11, 10.0.0.12")
    wide = layout_of(of, Layout(width=200))
    assert (wide.sharing, sharing_words(of.lanes, wide)) == (1, "")
    assert len(layout_of(of, Layout(width=80, time_mode=TimeMode.DELTA)).columns) > shown


def test_flows_of_two_hosts_that_share_a_lane_still_have_their_words() -> None:
    flows = []
    for number in range(1, 12):
        talk = Talk(number=number, client=Endpoint("10.0.0.1", 4000), server=Endpoint(f"10.0.1.{number}", 80))
        flows.append(talk.say(Side.CLIENT, Kind.SYN, after_ns=number * MS))
    last = Talk(number=12, client=Endpoint("10.0.1.10", 5000), server=Endpoint("10.0.1.11", 81))
    flows.append(last.say(Side.CLIENT, Kind.SYN, after_ns=99 * MS))
    of = Ladder(MergedFlows(flows))
    line = lines(of, layout_of(of, Layout(width=80)))[-1]
    assert (len(line), "SYN" in line, ":5000" in line) == (80, True, True)
