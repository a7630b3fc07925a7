"""The characters of a whole stretch as an array of code points: what is looked for in all of it at once (pure)."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from protocols.charsets import evidence


def code_points(text: str) -> NDArray[np.uint16] | NDArray[np.uint32]:
    """One a character, as narrow as the text allows."""
    narrow = np.frombuffer(text.encode("utf-16-le", "surrogatepass"), np.uint16)
    return narrow if len(narrow) == len(text) else np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)


def private(codes: NDArray[np.uint16] | NDArray[np.uint32]) -> frozenset[int]:
    """Numbers, from 0, of the records (each ends with 1D) with private use in the `code_points` of a stretch."""
    found = (codes - codes.dtype.type(0xE000)) < 0x1900  # wraps: what is below becomes more
    if codes.dtype == np.uint32:
        found |= codes >= 0xF0000
    if not found.any():
        return frozenset()
    return frozenset(np.searchsorted(np.flatnonzero(codes == 0x1D), np.flatnonzero(found)).tolist())


@cache
def _points() -> NDArray[np.uint8]:
    """Points of the pattern in `GB18030` that takes a character, by code point; four bytes beyond FFFF."""
    pairs = [bytes((lead, trail)) for lead in range(0x81, 0xFF) for trail in (*range(0x40, 0x7F), *range(0x80, 0xFF))]
    scorer = evidence.scorers()["gb18030"]
    each = np.full(0x10000, scorer.score(b"\x81\x30\x81\x30"), np.uint8)
    each[list(map(ord, b"".join(pairs).decode("gb18030")))] = list(map(scorer.score, pairs))
    each[0xFFFD] = 0  # bytes without meaning
    return each


def gb18030(codes: NDArray[np.uint16] | NDArray[np.uint32]) -> NDArray[np.float64]:
    """The score in GB 18030 of each terminated record, as `evidence.Scorer.score` gives it, in the `code_points` of a
    stretch that was decoded so."""
    high = np.flatnonzero(codes >= 0x80)
    taken = codes[high] if codes.dtype == np.uint16 else np.minimum(codes[high], 0xFFFF)
    sums = np.cumsum(_points()[taken], dtype=np.int64)
    ends = np.searchsorted(high, np.flatnonzero(codes == 0x1D))
    totals = np.diff(np.append(0, sums)[ends], prepend=0)
    return totals / np.maximum(np.diff(ends, prepend=0), 1)
