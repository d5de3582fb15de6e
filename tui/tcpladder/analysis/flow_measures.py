"""What a list of flows is sorted by, as columns: one element a flow, in order of their numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowMeasures:
    """Columns of (flows,); each is what FlowSummary has under this name."""

    last_ns: NDArray[np.int64]
    segments: NDArray[np.int64]
    keepalive_probes: NDArray[np.int64]
    retransmissions: NDArray[np.int64]
    changes: NDArray[np.int64]
    """A number that is another one when anything in the summary is."""


def joined(parts: Sequence[FlowMeasures]) -> FlowMeasures:
    """Those of several captures, one behind the other."""
    if len(parts) == 1:
        return parts[0]
    empty = np.zeros(0, np.int64)
    return FlowMeasures(
        **{
            one.name: np.concatenate([empty, *(getattr(part, one.name) for part in parts)])
            for one in fields(FlowMeasures)
        }
    )
