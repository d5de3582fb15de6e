"""Which faults make sense. Whatever is refused here never comes near a rule."""

from __future__ import annotations

import ipaddress
from dataclasses import replace

from tcpladder.errors import UsageError
from tcpladder.faults.fault import Action, Fault, Match, Segments

MOST_NEXT = 1_000_000


def checked(fault: Fault) -> Fault:
    """The fault with addresses as the kernel writes them. Raises UsageError with the value that makes no sense."""
    match = replace(
        fault.match, source=_address(fault.match.source), destination=_address(fault.match.destination)
    )
    _check_match(match)
    _check_amount(fault)
    _check_probes(fault, match)
    return replace(fault, match=match)


def _check_match(match: Match) -> None:
    if match == Match():
        raise UsageError("cannot break everything: name an address or a port")
    if match.source and match.destination and (":" in match.source) != (":" in match.destination):
        raise UsageError(f"cannot break {match.source} → {match.destination}: one is IPv4 and the other IPv6")


def _check_amount(fault: Fault) -> None:
    low, high = {Action.LOSE: (1, 99), Action.DROP_NEXT: (1, MOST_NEXT)}.get(fault.action, (0, 0))
    if low <= fault.amount <= high:
        return
    match fault.action:
        case Action.LOSE:
            raise UsageError(f"cannot lose {fault.amount} %: say 1 to 99, or drop instead of losing all")
        case Action.DROP_NEXT:
            raise UsageError(f"cannot drop the next {fault.amount} segments: say 1 to {MOST_NEXT:,}")
        case _:
            raise UsageError(f"an amount of {fault.amount} means nothing to {fault.action}: leave it out")


def _check_probes(fault: Fault, match: Match) -> None:
    if fault.segments is not Segments.KEEPALIVE_PROBE:
        if fault.probe_sequences:
            raise UsageError(f"sequence numbers of probes mean nothing to {fault.segments}: leave them out")
        return
    if not (match.source and match.destination and match.source_port and match.destination_port):
        raise UsageError("cannot tell keepalive probes from other segments without a flow: name both ends")
    if len(fault.probe_sequences) != 1 + fault.both:
        raise UsageError(
            f"cannot tell keepalive probes apart by {len(fault.probe_sequences)} sequence numbers: "
            "one for each direction is needed"
        )


def _address(written: str | None) -> str | None:
    if written is None:
        return None
    try:
        address = ipaddress.ip_address(written)
    except ValueError:
        raise UsageError(f"cannot break segments of {written!r}: not an IPv4 or IPv6 address") from None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return str(mapped or address)
