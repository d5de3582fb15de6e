"""Configured lengths of time in the words of the field; the analysis needs them in its sentences."""

from __future__ import annotations

SECOND_NS = 1_000_000_000


def seconds_text(length_ns: int) -> str:
    """`3 s`, `1.5 s`, `7200 s`, `204 ms`: as sysctls and socket options count."""
    seconds, rest = divmod(length_ns, SECOND_NS)
    if not rest:
        return f"{seconds} s"
    if not seconds:
        return f"{rest // 1_000_000} ms"
    return f"{length_ns / SECOND_NS:.3f}".rstrip("0").rstrip(".") + " s"


def about(length_ns: int) -> str:
    """A measured length with one decimal, for sentences: `3.0 s`, `75.0 s`."""
    return f"{length_ns // (SECOND_NS // 10) / 10:.1f} s"


def milliseconds(length_ns: int) -> str:
    """A short measured length: `41 ms`."""
    return f"{length_ns // 1_000_000} ms"
