"""scapy, imported at the first call and quietly: no cache or configuration directory, no routes, a silent log."""

from __future__ import annotations

import functools
import logging
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tcpladder.wire.frames import (
    LINKTYPE_ETHERNET,
    LINKTYPE_IPV4,
    LINKTYPE_IPV6,
    LINKTYPE_LINUX_SLL,
    LINKTYPE_LINUX_SLL2,
    LINKTYPE_LOOP,
    LINKTYPE_NULL,
    LINKTYPE_RAW,
)

ETHERTYPE_MPLS = 0x8847
ETHERTYPE_MPLS_MULTICAST = 0x8848
ETHERTYPE_PPPOE = 0x8864


@functools.cache
def link_layers() -> dict[int, Any]:
    """LINKTYPE_* -> scapy's class of the outermost header, for every link type that scapy knows."""
    logging.getLogger("scapy").setLevel(logging.CRITICAL)
    with _no_home(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from scapy.config import conf

        conf.route_autoload = conf.route6_autoload = False
        from scapy.contrib import erspan, geneve, gtp, mpls  # noqa: F401  they bind themselves to UDP and GRE
        from scapy.layers import dot11, inet, inet6, l2, l2tp, ppi, ppp, vxlan  # noqa: F401
    conf.debug_dissector = False
    conf.noenum.add(inet.TCP.sport, inet.TCP.dport, inet.UDP.sport, inet.UDP.dport)
    return {
        **conf.l2types.num2layer,
        LINKTYPE_NULL: l2.Loopback,
        LINKTYPE_ETHERNET: l2.Ether,
        LINKTYPE_RAW: inet6.IPv46,
        LINKTYPE_LOOP: l2.LoopbackOpenBSD,
        LINKTYPE_LINUX_SLL: l2.CookedLinux,
        LINKTYPE_IPV4: inet.IP,
        LINKTYPE_IPV6: inet6.IPv6,
        LINKTYPE_LINUX_SLL2: l2.CookedLinuxV2,
    }


@functools.cache
def network_layers() -> dict[int, Any]:
    """Ethertype -> scapy's class of what follows it, for IP and what carries IP."""
    link_layers()
    from scapy.contrib.mpls import MPLS
    from scapy.layers.inet import IP
    from scapy.layers.inet6 import IPv6
    from scapy.layers.ppp import PPPoE

    return {
        0x0800: IP,
        0x86DD: IPv6,
        ETHERTYPE_MPLS: MPLS,
        ETHERTYPE_MPLS_MULTICAST: MPLS,
        ETHERTYPE_PPPOE: PPPoE,
    }


@contextmanager
def _no_home() -> Iterator[None]:
    """While scapy is imported, its directories cannot be made: it would leave files in the user's home."""
    names = ("XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME")
    before = {name: os.environ.get(name) for name in names}
    os.environ.update(dict.fromkeys(names, f"{os.devnull}/none"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
