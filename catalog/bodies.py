"""Kept bytes: zstd level 3, with a trained dictionary where the catalogue has one (pure).

A short record alone compresses badly; with a dictionary of its format it takes about 40 % of its size. Dictionary 0 is
none. Old bodies name their dictionary, so a new one never makes an old body unreadable.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Mapping, Sequence

import zstandard

LEVEL = 3
DICTIONARY_BYTES = 64 * 1024
LARGEST = 64 * 1024 * 1024  # bytes of one decompressed body or stretch; no honest one comes near


def _compressor(dictionary: bytes) -> zstandard.ZstdCompressor:
    return _own_compressor(dictionary, threading.get_ident())


def _decompressor(dictionary: bytes) -> zstandard.ZstdDecompressor:
    return _own_decompressor(dictionary, threading.get_ident())


# One a thread: zstd's objects may not be used by two at once.
@functools.lru_cache(maxsize=64)
def _own_compressor(dictionary: bytes, thread: int) -> zstandard.ZstdCompressor:
    if not dictionary:
        return zstandard.ZstdCompressor(level=LEVEL)
    return zstandard.ZstdCompressor(level=LEVEL, dict_data=zstandard.ZstdCompressionDict(dictionary))


@functools.lru_cache(maxsize=64)
def _own_decompressor(dictionary: bytes, thread: int) -> zstandard.ZstdDecompressor:
    if not dictionary:
        return zstandard.ZstdDecompressor()
    return zstandard.ZstdDecompressor(dict_data=zstandard.ZstdCompressionDict(dictionary))


def shrink(body: bytes, dictionary: bytes = b"") -> bytes:
    """Compress."""
    return _compressor(dictionary).compress(body)


def pass_on(data: bytes) -> bytes:
    """Compress quickly what is kept for a short time only."""
    return zstandard.ZstdCompressor(level=1).compress(data)


def grow(body: bytes, dictionary: bytes = b"") -> bytes:
    """Decompress; never more than LARGEST bytes."""
    return _decompressor(dictionary).decompress(body, max_output_size=LARGEST)


def open_body(body: bytes, number: int, dictionaries: Mapping[int, bytes]) -> bytes:
    """Decompress a kept body by the number of its dictionary."""
    return grow(body, dictionaries[number] if number else b"")


def train(samples: Sequence[bytes]) -> bytes:
    """A dictionary from sample records, at least a hundred of them."""
    return bytes(zstandard.train_dictionary(DICTIONARY_BYTES, list(samples)).as_bytes())
