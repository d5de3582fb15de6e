"""Diagrams for tests: of a conversation written by hand, and of a capture."""

from __future__ import annotations

from datetime import UTC
from pathlib import Path

from rooms.ladder.talk import S, Talk, keepalive
from tcpladder.analysis import names
from tcpladder.analysis.beliefs import Believed
from tcpladder.analysis.view import Origin, Side
from tcpladder.ladder.diagram import Diagram, Provenance
from tcpladder.ladder.ladder import Ladder
from tcpladder.ladder.model import LANE_NAMES, Note
from tcpladder.render.formats import Format, Taste
from tcpladder.session.export import Wish, content
from tcpladder.session.files import FileSession

TESTS = Path(__file__).parent.parent.parent
CAPTURES = {
    "keepalive": TESTS.parent / "captures" / "keepalive" / "keepalive.pcap",
    "connect-timeout": TESTS / "truth" / "c1_connect_timeout_retries3_lin4.pcap",
    "ipv6": TESTS / "truth" / "t1_ipv6_veth_keepalive_client.pcap",
    "retransmission": TESTS / "truth" / "l4_fin_lost_orphan_retries.pcap",
}
"""A give-up, a connect() without an answer, IPv6 with both ends probing, retransmissions with a forecast."""
PROVENANCE = Provenance(
    source="trace.pcap",
    made_by="tcpladder 0",
    flow="1, 127.0.0.1:22345 → 127.0.0.1:12345",
    began="2013-09-01 17:16:22.217000000 UTC",
    rungs="10",
    client_timers="keepalive_time 30 s (socket)",
    server_timers="nothing known, defaults assumed",
    masked="",
)


def drawn(
    talk: Talk,
    notes: tuple[Note, ...] = (),
    *,
    lost: dict[int, str] | None = None,
    rungs: range | None = None,
    lane_names: tuple[str, str] = LANE_NAMES,
    now_ns: int | None = None,
    fold: bool = False,
) -> Diagram:
    """The diagram of a conversation written by hand."""
    talk.eaten.update(lost or {})
    ladder = Ladder(talk, notes, fold=fold)
    believed = {Side.CLIENT: {names.KEEPALIVE_TIME: Believed(30 * S, Origin.SOCKET)}, Side.SERVER: {}}
    return Diagram(
        ladder=ladder,
        rungs=range(ladder.segments) if rungs is None else rungs,
        pending=() if now_ns is None else ladder.pending_rows(now_ns),
        remarks=(("now", talk.why),) if talk.why else (),
        believed=believed,
        lane_names=lane_names,
        timezone=UTC,
        provenance=PROVENANCE,
    )


def told() -> Diagram:
    """The keepalive experiment: probes answered, a DROP noted, the last three eaten by a rule, the RST to come."""
    talk, notes = keepalive()
    talk.why = "the client probes: 3 keepalive probes without an answer so far"
    now_ns = talk.coming[0].armed_ns + 1_200_000_000
    return drawn(talk, notes, lost=dict.fromkeys((7, 8, 9), "rule 1"), now_ns=now_ns)


def exported(
    capture: Path | str,
    form: Format,
    *,
    flows: tuple[int, ...] = (1,),
    taste: Taste | None = None,
    **wish: object,
) -> str:
    """A flow of a capture in one of the formats, times in UTC."""
    session = FileSession([str(capture)])
    for _ in session.read():
        pass
    asked = Wish(form=form, flows=flows, taste=taste or Taste(), **wish)  # type: ignore[arg-type]
    text = b"".join(content(session, asked, UTC)).decode()
    session.close()
    return text
