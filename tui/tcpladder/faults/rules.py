"""What nf_tables rules are made of, as data: the script for a person and the netlink messages are both made from it.

Only what faults need. Words are those of nft(8); agent/nftables.py has the same things as the kernel wants them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class Family(StrEnum):
    """A table's address family."""

    INET = "inet"
    NETDEV = "netdev"


class Hook(StrEnum):
    """Where a chain is called."""

    INPUT = "input"
    FORWARD = "forward"
    OUTPUT = "output"
    EGRESS = "egress"


class Version(StrEnum):
    """IPv4 or IPv6, in the words of `meta nfproto`."""

    IPV4 = "ipv4"
    IPV6 = "ipv6"


class Header(StrEnum):
    """A field of the IP or TCP header, in the words of nft."""

    SOURCE = "saddr"
    DESTINATION = "daddr"
    LENGTH = "length"
    """The whole packet in IPv4, without the fixed header in IPv6."""
    SOURCE_PORT = "sport"
    DESTINATION_PORT = "dport"
    SEQUENCE = "sequence"
    OFFSET = "doff"
    """Length of the TCP header in words of 32 bits."""


IP_FIELDS = frozenset({Header.SOURCE, Header.DESTINATION, Header.LENGTH})
"""The fields whose place depends on the version of IP."""


class Operator(StrEnum):
    """How a field is compared."""

    EQUAL = "=="
    UNEQUAL = "!="
    BELOW = "<"


class Flag(StrEnum):
    """A TCP flag."""

    FIN = "fin"
    SYN = "syn"
    RST = "rst"
    ACK = "ack"


@dataclass(frozen=True, slots=True)
class Tcp:
    """Is TCP; must come before every other condition on TCP."""


@dataclass(frozen=True, slots=True)
class Alive:
    """TCP is still in the fault's set, from which the kernel removes it when the fault's time is up."""


@dataclass(frozen=True, slots=True)
class Speaks:
    """Is this version of IP; must come before a condition on the IP header."""

    version: Version


@dataclass(frozen=True, slots=True)
class Is:
    """A field compared with a value, an address as text or a number."""

    header: Header
    value: str | int
    operator: Operator = Operator.EQUAL
    version: Version | None = None
    """For fields of the IP header."""


@dataclass(frozen=True, slots=True)
class Flags:
    """Of the flags in `of`, exactly `set`; or any of them where `set` is None."""

    of: tuple[Flag, ...]
    set: Flag | None


@dataclass(frozen=True, slots=True)
class Chance:
    """True with this probability."""

    percent: int


@dataclass(frozen=True, slots=True)
class First:
    """True the first `count` times that it is asked."""

    count: int


@dataclass(frozen=True, slots=True)
class Count:
    """Counts packets and bytes."""


@dataclass(frozen=True, slots=True)
class Log:
    """Sends a copy to the fault's NFLOG group; the agent has it, the script does not."""


@dataclass(frozen=True, slots=True)
class Drop:
    """The verdict: gone."""


@dataclass(frozen=True, slots=True)
class Reset:
    """The verdict: gone, and an RST to the sender."""


@dataclass(frozen=True, slots=True)
class Unreachable:
    """The verdict: gone, and ICMP port unreachable to the sender."""


@dataclass(frozen=True, slots=True)
class Into:
    """The verdict: sent out by another device, as it is."""

    device: str


@dataclass(frozen=True, slots=True)
class Goto:
    """Go on in another chain of the table, and do not come back."""

    chain: str


Statement = (
    Tcp
    | Alive
    | Speaks
    | Is
    | Flags
    | Chance
    | First
    | Count
    | Log
    | Drop
    | Reset
    | Unreachable
    | Into
    | Goto
)
Rule = tuple[Statement, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """A chain and its rules; without a hook, it is gone to."""

    name: str
    hook: Hook | None = None
    devices: tuple[str, ...] = ()
    """For EGRESS."""
    rules: tuple[Rule, ...] = field(default=())


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """What one fault puts into a table; a chain stands before those that go to it."""

    family: Family
    number: int
    """The fault's, which is in every name."""
    for_ms: int | None
    """How long TCP stays in the set that Alive looks into; None for ever."""
    chains: tuple[Chain, ...]

    @property
    def alive(self) -> str:
        """The name of that set."""
        return f"alive-{self.number}"

    @property
    def eaten(self) -> str:
        """The name of the chain that counts, logs and takes away, in its only rule."""
        return eaten(self.number)


def eaten(number: int) -> str:
    """The name of the chain of fault `number` that counts, logs and takes away."""
    return f"eaten-{number}"
