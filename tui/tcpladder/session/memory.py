"""How the process gives memory back: late, because a session takes the same amount again with the next batch."""

from __future__ import annotations

import ctypes

_TRIM_THRESHOLD, _TOP_PAD, _MMAP_THRESHOLD = -1, -2, -3
"""M_* of malloc.h (mallopt(3), glibc)."""
_KEPT_BYTES = 256 << 20
_MAPPED_BYTES = 32 << 20
"""The largest that mallopt takes."""
_PAD_BYTES = 16 << 20


def keep_freed_memory() -> None:
    """Let malloc keep what is freed, up to 256 MiB; does nothing where the C library is not glibc.

    By itself it returns the columns of a batch to the kernel, which clears every page anew for the next batch: a third
    of what a live capture costs.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return
    for parameter, value in (
        (_MMAP_THRESHOLD, _MAPPED_BYTES),
        (_TRIM_THRESHOLD, _KEPT_BYTES),
        (_TOP_PAD, _PAD_BYTES),
    ):
        mallopt(parameter, value)
