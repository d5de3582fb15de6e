"""How long well-known middleboxes remember an idle connection by default, and what they do afterwards."""

from __future__ import annotations

from dataclasses import dataclass

from tcpladder.analysis.names import SECOND_NS

_MINUTE_NS = 60 * SECOND_NS


@dataclass(frozen=True, slots=True)
class IdleLimit:
    """One default, and where it is documented."""

    name: str
    limit_ns: int
    source: str


IDLE_LIMITS = (
    IdleLimit(
        "an Azure load balancer", 4 * _MINUTE_NS, "learn.microsoft.com: load-balancer-tcp-idle-timeout"
    ),
    IdleLimit("an AWS network load balancer", 350 * SECOND_NS, "docs.aws.amazon.com: update-idle-timeout"),
    IdleLimit(
        "a GCP VPC firewall", 10 * _MINUTE_NS, "cloud.google.com: compute troubleshooting general-tips"
    ),
    IdleLimit("a NAT as RFC 5382 wants it", 124 * _MINUTE_NS, "RFC 5382 REQ-5: no less than 2 h 4 min"),
)
"""Shortest first; all of them can be configured."""
