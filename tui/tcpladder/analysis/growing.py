"""An array that grows at its end without being copied each time."""

from __future__ import annotations

from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import DTypeLike, NDArray

Scalar = TypeVar("Scalar", bound=np.generic)


class Growing(Generic[Scalar]):
    """Room doubles when it is used up; `values` is a view of what is there."""

    def __init__(self, dtype: DTypeLike) -> None:
        self._room: NDArray[Scalar] = np.empty(64, dtype)
        self._size = 0

    def __len__(self) -> int:
        return self._size

    @property
    def values(self) -> NDArray[Scalar]:
        """(len(self),) all values so far; must not be written to after another `extend`."""
        return self._room[: self._size]

    def item(self, index: int) -> Any:
        """One value as a Python number, which costs a tenth of `values[index]`."""
        return self._room.item(index)

    def begin_with(self, values: NDArray[Scalar]) -> None:
        """Hold these values, without a copy until the next `extend`."""
        self._room, self._size = values, len(values)

    def extend(self, more: NDArray[Scalar]) -> None:
        """Add values at the end. The first ones may be taken over without a copy: the caller leaves them alone."""
        if not self._size and len(more) > len(self._room):
            self.begin_with(more)
            return
        size = self._size + len(more)
        if size > len(self._room):
            room: NDArray[Scalar] = np.empty(max(size, 2 * len(self._room)), self._room.dtype)
            room[: self._size] = self._room[: self._size]
            self._room = room
        self._room[self._size : size] = more
        self._size = size
