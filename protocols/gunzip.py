"""A byte stream that un-gzips itself if its first bytes say so (RFC 1952, several members one after the other).

Unlike `gzip` it hands out everything readable of a damaged file before it complains, and it stops at a bomb.
"""

from __future__ import annotations

import hashlib
import io
import zlib
from typing import BinaryIO

from config.errors import BadRecord, Refused

MAGIC = b"\x1f\x8b\x08"
PIECE = 1 << 16  # compressed bytes read at once
FREE = 1 << 26  # bytes of output before the ratio counts
MAX_RATIO = 250  # catalogue data compresses 3-30 times, zeros 1,030 times
HEAD = 1 << 16


class DamagedGzip(BadRecord):
    """The compressed stream ends early or is corrupt; what came before it was delivered."""

    code = "damaged-gzip"


class Input(io.RawIOBase):
    """Bytes of `source`, decompressed where needed. `read(n)` gives fewer than n bytes only at the end.

    Raises `DamagedGzip` after the last readable byte and `Refused` when the output grows out of all proportion.
    """

    def __init__(self, source: BinaryIO, name: str) -> None:
        super().__init__()
        self._source = source
        self._name = name
        self._ahead = b""  # looked at by `head` and not read yet
        self._fault: BadRecord | Refused | None = None
        self._taken = self._given = 0  # bytes in, bytes out
        self._seen = hashlib.sha256()
        start = self._take(len(MAGIC))
        while len(start) < len(MAGIC) and (more := self._take(len(MAGIC) - len(start))):
            start += more
        self._rest = start  # read from the source and not used yet
        self._member = zlib.decompressobj(31) if start == MAGIC else None
        self._taken = len(start)

    @property
    def compressed(self) -> bool:
        """Whether the source is gzip."""
        return self._member is not None

    @property
    def digest(self) -> bytes:
        """SHA-256 of the source as it is (compressed, if it is) up to where it has been read, `seek` apart."""
        return self._seen.digest()

    def readable(self) -> bool:
        """Always."""
        return True

    def seekable(self) -> bool:
        """Plain files can be entered anywhere; compressed ones and pipes are read from the start."""
        return self._member is None and self._source.seekable()

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to an absolute place of a plain file."""
        if whence != io.SEEK_SET or not self.seekable():
            raise io.UnsupportedOperation("only absolute places of plain files can be sought")
        self._ahead = self._rest = b""
        return self._source.seek(offset)

    def head(self, size: int = HEAD) -> bytes:
        """The next bytes without taking them."""
        if len(self._ahead) < size:
            self._ahead += self._fill(size - len(self._ahead))
        return self._ahead[:size]

    def read(self, size: int = -1) -> bytes:
        """Up to `size` bytes; empty only at the end."""
        if size is None or size < 0:
            return b"".join(iter(lambda: self.read(1 << 20), b""))
        taken, self._ahead = self._ahead[:size], self._ahead[size:]
        if len(taken) == size:
            return taken
        if self._fault and not taken:
            raise self._fault
        return taken + self._fill(size - len(taken), quiet=bool(taken))

    def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]
        """Fill `buffer` and return how many bytes were written."""
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        """Close the source too."""
        if not self.closed:
            self._source.close()
        super().close()

    def _take(self, size: int) -> bytes:
        """From the source, and into the digest."""
        data = self._source.read(size)
        self._seen.update(data)
        return data

    def _fill(self, size: int, quiet: bool = True) -> bytes:
        parts: list[bytes] = []
        missing = size
        while missing > 0 and not self._fault:
            part = self._more(missing)
            if not part:
                break
            parts.append(part)
            missing -= len(part)
        if self._fault and not parts and not quiet:
            raise self._fault
        return b"".join(parts)

    def _more(self, size: int) -> bytes:
        """At least one byte, at most `size`, or nothing at the end or at a fault."""
        if self._member is None:
            if self._rest:
                part, self._rest = self._rest[:size], self._rest[size:]
                return part
            return self._take(size)
        while True:
            if not self._rest:
                self._rest = self._take(PIECE)
                self._taken += len(self._rest)
            at_end = not self._rest
            if self._member.eof:
                if not self._next_member(at_end):
                    return b""
                continue
            if at_end:
                self._fault = self._damaged("ends early")
                return b""
            try:
                part = self._member.decompress(self._rest, size)
            except zlib.error as error:
                self._fault = self._damaged(f"is corrupt ({error})")
                return b""
            self._rest = self._member.unconsumed_tail or self._member.unused_data
            self._given += len(part)
            if self._given > FREE and self._given > MAX_RATIO * self._taken:
                self._fault = Refused(
                    f"{self._name}: gzip data grew more than {MAX_RATIO} times, it is not read further"
                )
                return b""
            if part:
                return part

    def _next_member(self, at_end: bool) -> bool:
        """Begin the next member; zeros after the last one are padding."""
        if at_end:
            return False
        self._rest = self._rest.lstrip(b"\x00")
        while self._rest and len(self._rest) < len(MAGIC) and (more := self._take(PIECE)):
            self._taken += len(more)
            self._rest += more
        if not self._rest:
            return True
        if not self._rest.startswith(MAGIC):
            self._fault = self._damaged("is followed by bytes that are no gzip")
            return False
        self._member = zlib.decompressobj(31)
        return True

    def _damaged(self, what: str) -> DamagedGzip:
        read = self._taken - len(self._rest)
        return DamagedGzip(
            f"{self._name}: the gzip stream {what} near byte {read:,}; {self._given:,} bytes could be read before. "
            "Fetch the file again and load it once more"
        )
