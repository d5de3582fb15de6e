"""Where a replay stands, as a value."""

from __future__ import annotations

from dataclasses import dataclass

DEFAULT_IDLE_S = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayState:
    """Where a replay stands."""

    playing: bool = True
    pace: float = 1.0
    """How much faster than recorded; infinite for as fast as possible."""
    idle_s: float | None = DEFAULT_IDLE_S
    """The longest silence that a viewer sits through."""
    loop: bool = False
    begin_ns: int = 0
    now_ns: int = 0
    end_ns: int = 0
    growing: bool = False
    """Whether the end still moves: the file loads, the capture goes on."""
