"""Which faults make sense."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tcpladder.errors import UsageError
from tcpladder.faults.check import checked
from tcpladder.faults.fault import Action, Fault, Match, Segments

FLOW = Match(source="10.0.0.1", source_port=5000, destination="10.0.0.2", destination_port=80)
DROP = Fault(match=FLOW, probe_sequences=[])
PROBES = replace(DROP, segments=Segments.KEEPALIVE_PROBE, probe_sequences=[7])


def test_addresses_are_written_as_the_kernel_writes_them() -> None:
    match = Match(source="2001:DB8:0::1", destination="0:0::1")
    assert checked(replace(DROP, match=match)).match == Match(source="2001:db8::1", destination="::1")
    mapped = checked(replace(DROP, match=Match(destination="::ffff:10.0.0.2")))
    assert mapped.match.destination == "10.0.0.2", "that is what is on the wire"


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        (replace(DROP, match=Match()), "cannot break everything: name an address or a port"),
        (
            replace(DROP, match=Match(destination="localhost")),
            "cannot break segments of 'localhost': not an IPv4 or IPv6 address",
        ),
        (
            replace(DROP, match=Match(source="::1", destination="127.0.0.1")),
            "cannot break ::1 → 127.0.0.1: one is IPv4 and the other IPv6",
        ),
        (
            replace(DROP, action=Action.LOSE),
            "cannot lose 0 %: say 1 to 99, or drop instead of losing all",
        ),
        (replace(DROP, action=Action.LOSE, amount=100), "cannot lose 100 %"),
        (replace(DROP, action=Action.DROP_NEXT), "cannot drop the next 0 segments: say 1 to 1,000,000"),
        (replace(DROP, amount=5), "an amount of 5 means nothing to drop: leave it out"),
        (
            replace(DROP, probe_sequences=[1]),
            "sequence numbers of probes mean nothing to all: leave them out",
        ),
        (replace(PROBES, match=Match(destination_port=80)), "without a flow: name both ends"),
        (replace(PROBES, both=True), "by 1 sequence numbers: one for each direction is needed"),
    ],
    ids=lambda value: value[:40] if isinstance(value, str) else "",
)
def test_what_makes_no_sense_is_refused_with_the_value(fault: Fault, sentence: str) -> None:
    with pytest.raises(UsageError) as refused:
        checked(fault)
    assert sentence in str(refused.value)


def test_what_makes_sense_stays_as_it_is() -> None:
    for fault in (
        DROP,
        PROBES,
        replace(PROBES, both=True, probe_sequences=[7, 8]),
        replace(DROP, action=Action.LOSE, amount=99),
        replace(DROP, action=Action.DROP_NEXT, amount=1_000_000),
    ):
        assert checked(fault) == fault
