"""Which rows a range of rungs is, and what stands around them."""

from __future__ import annotations

import pytest

from rooms.ladder.diagrams import CAPTURES, drawn, told
from rooms.ladder.talk import keepalive
from tcpladder.analysis.view import Side
from tcpladder.errors import UsageError
from tcpladder.ladder.diagram import Diagram, diagram_of
from tcpladder.ladder.model import GapRow, Note, PendingRow, Rung
from tcpladder.session.files import FileSession


def of(name: str, rungs: tuple[int, int] | None = None) -> Diagram:
    session = FileSession([str(CAPTURES[name])])
    for _ in session.read():
        pass
    view = session.view(1)
    return diagram_of(
        [view], source=f"{name}.pcap", made_by="tcpladder 0", now_ns=session.now_ns(), rungs=rungs
    )


def test_a_whole_flow_has_all_rows_and_what_must_come() -> None:
    diagram = told()
    assert diagram.complete
    assert [type(row) for row in diagram.rows()][-1] is PendingRow
    assert len(list(diagram.rows())) == len(diagram.ladder) + 1


def test_a_range_begins_with_the_silence_and_the_note_before_its_first_rung() -> None:
    talk, notes = keepalive()
    rows = list(drawn(talk, notes, rungs=range(7, 9)).rows())
    assert [type(row) for row in rows] == [Note, GapRow, Rung, GapRow, Rung]
    assert [row.segment for row in rows if isinstance(row, Rung)] == [7, 8]


def test_a_part_before_the_end_says_nothing_of_what_must_come() -> None:
    assert not of("connect-timeout", (1, 7)).pending
    assert of("connect-timeout", (7, 8)).pending
    assert of("connect-timeout", (7, 8)).provenance.rungs == "7-8 of 8"
    assert of("connect-timeout", (7, 99)).provenance.rungs == "7-8 of 8"


@pytest.mark.parametrize("rungs", [(9, 12), (0, 3), (5, 4)])
def test_rungs_that_are_not_there_are_an_error(rungs: tuple[int, int]) -> None:
    with pytest.raises(UsageError, match="the flow has 1-8"):
        of("connect-timeout", rungs)


def test_the_origins_of_timers_are_told_and_defaults_are_not_listed() -> None:
    provenance = of("ipv6").provenance
    assert provenance.client_timers.startswith(
        "keepalive_time 2 s (inferred), keepalive_intvl 1 s (inferred)"
    )
    assert provenance.server_timers.startswith("keepalive_time 3 s (inferred)")
    assert "syn_retries" not in provenance.client_timers
    assert "assumed" not in provenance.client_timers
    assert of("connect-timeout").believed[Side.SERVER]
