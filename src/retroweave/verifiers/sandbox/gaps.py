"""Fills the gaps that a start of Python leaves in memory, so that what a forked child allocates lies close together.

A child is given a copy of each page of memory that it writes to, and a gap here and a gap there are two pages. What is
filled stays filled. Where the allocators are others than CPython's and glibc's, nothing is gained, and little is lost.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any

__all__ = ["fill"]

_IN_A_ROW = 4
"""So many blocks one beside the other come from fresh memory and not from gaps."""
_MOST = 1 << 19
"""Bytes to fill at most with blocks of one size."""
_LARGEST = 1 << 15
_SIZES = (*range(_LARGEST, 1 << 12, -2048), *range(1 << 12, 1024, -256), *range(1024, 16, -16))
"""Of the C library's blocks: the large ones first, for the small ones would split what they fit into."""
_SMALL = range(16, 513, 16)
"""Blocks that CPython cuts by itself, those of one size out of a pool."""
_POOL, _PAGE = 1 << 14, 1 << 12
"""Bytes of a pool, and of its first page, which is written to with every block that is cut, and so best cut from."""


def _function(name: str, result: type | None, argument: type) -> Callable[[int], int]:
    found: Any = getattr(ctypes.pythonapi, name)
    found.restype, found.argtypes = result, [argument]
    return found  # type: ignore[no-any-return]


_cut = _function("PyObject_Malloc", ctypes.c_void_p, ctypes.c_size_t)
_take = _function("PyMem_RawMalloc", ctypes.c_void_p, ctypes.c_size_t)
_give_back = _function("PyMem_RawFree", None, ctypes.c_void_p)


def fill() -> None:
    """Allocate blocks of each size until one comes from fresh memory, where the next ones will come from too."""
    fresh = _fresh()
    for size in _SIZES:
        _fill_below(fresh, size)
    for size in _SMALL:
        _fill_pools(size)


def _fresh() -> int:
    """Where the C library's fresh memory begins; 0 where that does not show."""
    blocks: list[int] = []
    for _ in range(_MOST // _LARGEST):
        blocks.append(_take(_LARGEST))
        row = blocks[-_IN_A_ROW:]
        if len(row) == _IN_A_ROW and row == sorted(row) and row[-1] - row[0] < _IN_A_ROW * _LARGEST:
            for block in reversed(row):
                _give_back(block)
            return row[0]
    return 0


def _fill_below(fresh: int, size: int) -> None:
    for _ in range(_MOST // size):
        block = _take(size)
        if block >= fresh:
            _give_back(block)
            return


def _fill_pools(size: int) -> None:
    before = row = 0
    for _ in range(_MOST // size):
        place = _cut(size)
        row = row + 1 if place == before + size and place % _POOL < _PAGE else 0
        before = place
        if row == _IN_A_ROW:
            return
