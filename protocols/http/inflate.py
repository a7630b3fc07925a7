"""The body of an answer, counted as it comes and unpacked within limits (pure).

A bomb is stopped by what it has grown to, before the next piece of it is unpacked. Only gzip is unpacked: it is the one
coding that the door asks for (RFC 9110, 8.4.1.3).
"""

from __future__ import annotations

import zlib

from config.errors import Refused, Unreachable

PIECE = 1 << 16  # bytes unpacked at once
FREE = 1 << 20  # bytes of output before the ratio counts
MAX_RATIO = 250  # catalogue data compresses 3-30 times, zeros 1,030 times
GZIP = ("gzip", "x-gzip")


class Excessive(Refused):
    """An answer is larger, packed tighter or further away than it may be."""

    code = "excessive-answer"


class Damaged(Unreachable):
    """What came is no answer."""

    code = "damaged-answer"


class Body:
    """Collects a body of at most `most` bytes, before and after unpacking. `coding`: of its Content-Encoding field."""

    def __init__(self, coding: str, most: int, shown: str) -> None:
        coding = coding.strip().lower()
        if coding not in ("", "identity", *GZIP):
            raise Damaged(f"{shown} answers in the coding {coding[:40]!r}, which nobody asked for")
        self._member = zlib.decompressobj(31) if coding in GZIP else None
        self._most = most
        self._shown = shown
        self._taken = self._given = 0  # bytes in, bytes out
        self._parts: list[bytes] = []

    def feed(self, data: bytes) -> None:
        """What came next. Excessive if it is too much, Damaged if it can't be unpacked."""
        self._taken += len(data)
        self._within(self._taken)
        if self._member is None:
            self._parts.append(data)
            return
        while data:
            try:
                part = self._member.decompress(data, PIECE)
            except zlib.error as error:
                raise Damaged(f"{self._shown} sends gzip that is corrupt ({error})") from error
            self._parts.append(part)
            self._given += len(part)
            self._within(self._given)
            if self._given > FREE and self._given > MAX_RATIO * self._taken:
                raise Excessive(f"{self._shown} sends gzip that grows more than {MAX_RATIO} times")
            if self._member.unused_data:
                raise Damaged(f"{self._shown} sends something behind the end of its gzip")
            data = self._member.unconsumed_tail

    def whole(self) -> bytes:
        """All of it, at the end. Damaged if it was cut short."""
        if self._member and self._taken and not self._member.eof:
            raise Damaged(f"{self._shown} sends gzip that ends early")
        return b"".join(self._parts)

    def _within(self, size: int) -> None:
        if size > self._most:
            raise Excessive(f"{self._shown} sends more than {self._most:,} bytes")
