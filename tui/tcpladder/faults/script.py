"""A fault as a shell script that a person could run by hand, and the script that takes it back.

Made from the same rules as the agent's netlink messages. By hand there is no owner: the table stays until it is taken
away, but its rules stop matching when the time is up.
"""

from __future__ import annotations

from tcpladder.faults import iptables
from tcpladder.faults.fault import Fault
from tcpladder.faults.places import Direction
from tcpladder.faults.rules import Family
from tcpladder.faults.ruleset import tables
from tcpladder.faults.words import table_text

TABLE = "by-hand"
SINK = ("sink0", "sink1")
_MAKE_SINK = f"""\
ip link add {SINK[0]} type veth peer name {SINK[1]}
ip link set {SINK[0]} addrgenmode none arp off up
ip link set {SINK[1]} addrgenmode none arp off up"""


def script(fault: Fault, ways: tuple[Direction, ...]) -> str:
    """The script that puts the fault in force: nft, with the iptables commands as a comment where there are any."""
    made = tables(fault, 1, ways, SINK[0])
    lines = ["#!/bin/sh -e", *(f"# {line}" for line in _with_iptables(fault, ways))]
    if any(table.family is Family.NETDEV for table in made):
        lines.append(_MAKE_SINK)
    lines += ["nft -f - <<'END'", *(table_text(table, TABLE) for table in made), "END"]
    return "\n".join(lines) + "\n"


def undo(fault: Fault, ways: tuple[Direction, ...]) -> str:
    """The script that takes it back."""
    made = tables(fault, 1, ways, SINK[0])
    lines = ["#!/bin/sh", *(f"nft delete table {table.family} {TABLE}" for table in made)]
    if any(table.family is Family.NETDEV for table in made):
        lines.append(f"ip link delete {SINK[0]}")
    lines += [f"# {command}" for command in iptables.commands(fault, ways, "-D")]
    return "\n".join(lines) + "\n"


def _with_iptables(fault: Fault, ways: tuple[Direction, ...]) -> list[str]:
    """What a person would type with iptables, as far as there is such a thing, and what differs."""
    commands, different = iptables.commands(fault, ways), iptables.differs(fault, ways)
    said = ["with iptables, which has no end to its time:", *commands] if commands else []
    return [*said, different] if different else said
