"""The fixed parts of the IPv4, IPv6 and TCP headers as numpy dtypes, and how to read them many at a time."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

IPV4_HEADER_BYTES = 20
IPV6_HEADER_BYTES = 40
TCP_HEADER_BYTES = 20

IPV4 = np.dtype(
    {
        "names": ["version_ihl", "total", "id", "fragment", "ttl", "protocol", "source", "destination"],
        "formats": ["u1", ">u2", ">u2", ">u2", "u1", "u1", ">u4", ">u4"],
        "offsets": [0, 2, 4, 6, 8, 9, 12, 16],
        "itemsize": IPV4_HEADER_BYTES,
    }
)
"""RFC 791 3.1."""

IPV6 = np.dtype(
    {
        "names": [
            "payload",
            "next",
            "hop_limit",
            "source_high",
            "source_low",
            "destination_high",
            "destination_low",
        ],
        "formats": [">u2", "u1", "u1", ">u8", ">u8", ">u8", ">u8"],
        "offsets": [4, 6, 7, 8, 16, 24, 32],
        "itemsize": IPV6_HEADER_BYTES,
    }
)
"""RFC 8200 3."""

TCP = np.dtype(
    {
        "names": ["ports", "seq", "ack", "offset_flags", "window", "first_option", "tsval", "tsecr"],
        "formats": [">u4", ">u4", ">u4", ">u2", ">u2", ">u4", ">u4", ">u4"],
        "offsets": [0, 4, 8, 12, 14, 20, 24, 28],
        "itemsize": 32,
    }
)
"""RFC 9293 3.1, and the option that stacks put first: NOP NOP timestamps (RFC 7323 appendix A)."""

NOP_NOP_TIMESTAMPS = 0x0101080A


def gather(data: NDArray[np.uint8], at: NDArray[np.int64], header: np.dtype[Any]) -> NDArray[Any]:
    """One structured record of type `header` for each offset in `at`: (len(at),).

    Reads header.itemsize bytes at each offset; the caller guarantees that they are inside `data`.
    """
    # Of an opaque type, each record is copied as one piece.
    windows: NDArray[np.void] = np.ndarray(
        len(data) - header.itemsize + 1, f"V{header.itemsize}", data, strides=(1,)
    )
    return windows[at].view(header)
