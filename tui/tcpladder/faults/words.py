"""How rules are written in the language of nft(8)."""

from __future__ import annotations

from typing import assert_never

from tcpladder.faults.rules import (
    Alive,
    Chain,
    Chance,
    Count,
    Drop,
    Family,
    First,
    Flags,
    Goto,
    Header,
    Into,
    Is,
    Log,
    Operator,
    Reset,
    Speaks,
    Statement,
    Table,
    Tcp,
    Unreachable,
    Version,
)

_PROTOCOLS = {Version.IPV4: "ip", Version.IPV6: "ip6"}


def table_text(table: Table, name: str) -> str:
    """A table block that `nft -f` reads; several lines."""
    lifetime = "" if table.for_ms is None else f" timeout {duration(table.for_ms)}"
    lines = [
        f"table {table.family} {name} {{",
        f"  set {table.alive} {{ type inet_proto; flags timeout; elements = {{ tcp{lifetime} }}; }}",
        *(line for chain in table.chains for line in _chain_lines(chain, table)),
        "}",
    ]
    return "\n".join(lines)


def duration(milliseconds: int) -> str:
    """A time as nft reads it: `60s`, `1500ms`."""
    seconds, rest = divmod(milliseconds, 1000)
    return f"{milliseconds}ms" if rest else f"{seconds}s"


def _chain_lines(chain: Chain, table: Table) -> list[str]:
    lines = [f"  chain {chain.name} {{"]
    if chain.hook is not None:
        priority = "filter" if table.family is Family.NETDEV else "raw"
        names = ", ".join(f'"{device}"' for device in chain.devices)
        devices = f" devices = {{ {names} }}" if names else ""
        lines.append(f"    type filter hook {chain.hook}{devices} priority {priority}; policy accept;")
    for rule in chain.rules:
        words = (_words(statement, table) for statement in rule if not isinstance(statement, Log))
        lines.append(f"    {' '.join(words)}")
    return [*lines, "  }"]


def _words(statement: Statement, table: Table) -> str:
    match statement:
        case Tcp():
            return "meta l4proto tcp"
        case Alive():
            return f"meta l4proto @{table.alive}"
        case Speaks(version=version):
            spoken = f"meta nfproto {version}"
            return spoken if table.family is Family.INET else f"meta protocol {_PROTOCOLS[version]}"
        case Is():
            return _comparison(statement)
        case Flags(of=of, set=wanted):
            flags = " | ".join(of)
            return f"tcp flags & ({flags}) " + ("!= 0x0" if wanted is None else f"== {wanted}")
        case Chance(percent=percent):
            return f"numgen random mod 100 < {percent}"
        case First(count=count):
            return f"numgen inc mod 4294967295 < {count}"
        case Count():
            return "counter"
        case Log():
            return "log"
        case Drop():
            return "drop"
        case Reset():
            return "reject with tcp reset"
        case Unreachable():
            return "reject with icmpx type port-unreachable"
        case Into(device=device):
            return f'fwd to "{device}"'
        case Goto(chain=chain):
            return f"goto {chain}"
    assert_never(statement)


def _comparison(condition: Is) -> str:
    protocol = "tcp" if condition.version is None else _PROTOCOLS[condition.version]
    if condition.header is Header.OFFSET:
        return f"tcp doff {condition.value}"
    operator = "" if condition.operator is Operator.EQUAL else f" {condition.operator}"
    return f"{protocol} {condition.header}{operator} {condition.value}"
