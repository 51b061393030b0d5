"""Fills the gaps that a start of Python leaves in memory, so that what a forked child allocates lies close together.

A child is given a copy of each page of memory that it writes to, and a gap here and a gap there are two pages. What is
filled stays filled. Where the allocators are others than CPython's and glibc's, nothing is gained, and little is lost.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from itertools import islice

__all__ = ["fill"]

_IN_A_ROW = 8
"""So many blocks one beside the other come from fresh memory and not from gaps."""
_MOST = 1 << 19
"""Bytes to fill at most with blocks of one size."""
_SMALL = 512
"""CPython allocates by itself up to this size, in steps of sixteen bytes, and asks the C library for more."""
_HEADER = 33
"""Bytes of a `bytes` beside its content."""
_SIZES = (*range(1 << 15, 1 << 12, -2048), *range(1 << 12, 1024, -256), *range(1024, 16, -16))
"""Of the C library's blocks: the large ones first, for the small ones would split what they fit into."""

_held: list[object] = []


def fill() -> None:
    """Allocate blocks of each size until they come in a row, and give back those that did."""
    for size in _SIZES:
        blocks = list(_until_in_a_row(_raw(size), size))
        for block, _ in reversed(blocks[-_IN_A_ROW:]):
            ctypes.pythonapi.PyMem_RawFree(ctypes.c_void_p(block))
    for size in range(48, _SMALL + 1, 16):
        _held.extend(list(_until_in_a_row(_small(size), size))[:-_IN_A_ROW])


def _until_in_a_row(blocks: Iterator[tuple[int, object]], size: int) -> Iterator[tuple[int, object]]:
    before = step = row = 0
    for address, block in islice(blocks, _IN_A_ROW + _MOST // size):
        yield address, block
        row = row + 1 if address - before == step > 0 else 0
        before, step = address, address - before
        if row == _IN_A_ROW:
            return


def _raw(size: int) -> Iterator[tuple[int, object]]:
    malloc = ctypes.pythonapi.PyMem_RawMalloc
    malloc.restype, malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
    while True:
        address = malloc(size)
        yield address, address


def _small(size: int) -> Iterator[tuple[int, object]]:
    while True:
        block = bytes(size - _HEADER)
        yield id(block), block
