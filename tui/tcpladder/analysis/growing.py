"""An array that grows at its end without being copied each time."""

from __future__ import annotations

import copy
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import DTypeLike, NDArray

Scalar = TypeVar("Scalar", bound=np.generic)


class _Room(Generic[Scalar]):
    """Memory for values, and how far it is written."""

    def __init__(self, array: NDArray[Scalar], *, written: int = 0) -> None:
        self.array = array
        self.written = written


class Growing(Generic[Scalar]):
    """Room doubles when it is used up; `values` is a view of what is there.

    A copy (copy.copy, copy.deepcopy) costs nothing: it shares the room for as long as both hold the same values.
    """

    def __init__(self, dtype: DTypeLike) -> None:
        self._room: _Room[Scalar] = _Room(np.empty(64, dtype))
        self._size = 0

    def __deepcopy__(self, _memo: object) -> Growing[Scalar]:
        return copy.copy(self)

    def __len__(self) -> int:
        return self._size

    @property
    def values(self) -> NDArray[Scalar]:
        """(len(self),) all values so far; must not be written to after another `extend`."""
        return self._room.array[: self._size]

    def item(self, index: int) -> Any:
        """One value as a Python number, which costs a tenth of `values[index]`."""
        return self._room.array.item(index)

    def begin_with(self, values: NDArray[Scalar]) -> None:
        """Hold these values, without a copy until the next `extend`."""
        self._room, self._size = _Room(values, written=len(values)), len(values)

    def extend(self, more: NDArray[Scalar]) -> None:
        """Add values at the end. The first ones may be taken over without a copy: the caller leaves them alone."""
        room = self._room
        if not self._size and len(more) > len(room.array):
            self.begin_with(more)
            return
        size = self._size + len(more)
        behind = room.array[self._size : min(size, room.written)]
        if size > len(room.array) or not np.array_equal(behind, more[: len(behind)]):
            roomier: NDArray[Scalar] = np.empty(max(size, 2 * self._size, 64), room.array.dtype)
            roomier[: self._size] = room.array[: self._size]
            self._room = room = _Room(roomier)
        room.array[self._size : size] = more
        self._size = size
        room.written = max(room.written, size)
