"""Frames of two sources in one order of time: those of a capture, and those that its tap could not see."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from tcpladder.wire.frames import PADDING, FrameBatch

UNSEEN_INTERFACE = 0xFFFF
"""The interface of frames that came by none: a tap could not see them."""


def take(batch: FrameBatch, rows: NDArray[np.int64] | NDArray[np.bool_]) -> FrameBatch:
    """Some frames of a batch, in a buffer of their own that nobody reuses; `position` counts from its beginning."""
    start, captured = batch.start[rows], batch.captured[rows]
    ends = np.cumsum(captured)
    begins = ends - captured
    pieces = [batch.data[at : at + size] for at, size in zip(start.tolist(), captured.tolist(), strict=True)]
    return replace(
        batch,
        data=np.concatenate([*pieces, np.zeros(PADDING, np.uint8)]),
        start=begins,
        captured=captured,
        original=batch.original[rows],
        time_ns=batch.time_ns[rows],
        position=begins,
        link_type=batch.link_type[rows],
        interface=batch.interface[rows],
        vlan_tci=None if batch.vlan_tci is None else batch.vlan_tci[rows],
    )


def at_interface(batch: FrameBatch, number: int) -> FrameBatch:
    """The same frames as those of another interface."""
    return replace(batch, interface=np.full(len(batch), number, np.uint16))


def _tags(batch: FrameBatch) -> NDArray[np.int32]:
    return np.full(len(batch), -1, np.int32) if batch.vlan_tci is None else batch.vlan_tci


def merged(batch: FrameBatch, unseen: FrameBatch) -> FrameBatch:
    """Both in order of time; of equal times, those of `batch` first. Its order among themselves stays.

    `position` counts from the beginning of the new buffer.
    """
    data = np.concatenate([batch.data[:-PADDING], unseen.data])
    shift = len(batch.data) - PADDING
    behind = np.searchsorted(np.maximum.accumulate(batch.time_ns), unseen.time_ns, side="right")
    order = np.argsort(np.concatenate([2 * np.arange(len(batch)), 2 * behind - 1]), kind="stable")

    def both(name: str) -> NDArray[np.int64]:
        joined: NDArray[np.int64] = np.concatenate([getattr(batch, name), getattr(unseen, name)])[order]
        return joined

    start = np.concatenate([batch.start, unseen.start + shift])[order]
    return replace(
        batch,
        data=data,
        start=start,
        captured=both("captured"),
        original=both("original"),
        time_ns=both("time_ns"),
        position=start,
        link_type=both("link_type").astype(np.uint16),
        interface=both("interface").astype(np.uint16),
        vlan_tci=np.concatenate([_tags(batch), _tags(unseen)])[order],
    )
