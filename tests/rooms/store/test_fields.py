"""The fields of a frame by name, and what TCP carries in it."""

from __future__ import annotations

from pathlib import Path

from tcpladder.session.files import FileSession
from tcpladder.store.fields import fields, payload
from tcpladder.wire.frames import LINKTYPE_ETHERNET

CAPTURE = Path(__file__).parents[2] / "truth" / "g1_rto_retries2_3.pcap"


def test_options_are_told_apart_and_the_payload_is_not_a_field() -> None:
    session = FileSession([str(CAPTURE)])
    for _ in session.read():
        pass
    view = session.view(1)
    data = next(index for index in range(view.summary.segments) if view.length(index) == 50)
    frame, link_type = session.frame_bytes(1, data), int(view.link_type(data))
    found = fields(frame, link_type)
    assert found["IP ttl"] == "64"
    assert found["TCP option NOP"] == found["TCP option NOP 2"] == "there"
    assert found["TCP option Timestamp"].count(",") == 1
    assert {name.split()[0] for name in found} == {"Ethernet", "IP", "TCP"}
    assert payload(frame, link_type) == frame[-50:]
    session.close()


def test_a_frame_that_is_none_has_no_fields() -> None:
    assert payload(b"", LINKTYPE_ETHERNET) == b""
    assert not any("TCP" in name for name in fields(b"", LINKTYPE_ETHERNET))
