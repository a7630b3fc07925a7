"""Records at hand as an input to be landed: out of quarantine, or copied from elsewhere (shell)."""

from __future__ import annotations

import hashlib
import io
import tempfile
from collections.abc import Sequence
from typing import IO, BinaryIO, Self, cast

from exchange.landing import Inputs
from protocols import detect
from protocols.gunzip import Input

IN_MEMORY = 1 << 24  # bytes of gathered records that wait in memory; more of them wait on disk


class Gathered:
    """Records' bytes, one after the other, that become an input once all are there. Closing it ends the input."""

    def __init__(self, carrier: str, name: str = "quarantine") -> None:
        self._carrier, self._name = carrier, name
        self._between = _between(carrier)
        self._file: IO[bytes] = tempfile.SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115 - closed by __exit__
        self._seen = hashlib.sha256(name.encode())
        self._size = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def add(self, raw: bytes) -> None:
        """One more record."""
        piece = raw + self._between
        self._file.write(piece)
        self._seen.update(piece)
        self._size += len(piece)

    def inputs(self) -> Inputs:
        """The input, to be read once."""
        self._file.seek(0)
        return _inputs(self._file, self._carrier, self._name, self._seen.digest(), self._size)


def inputs(raws: Sequence[bytes], carrier: str, name: str = "quarantine") -> Inputs:
    """One input of these few records' bytes, by the name of where they were."""
    between = _between(carrier)
    data = b"".join(raw + between for raw in raws)
    return _inputs(io.BytesIO(data), carrier, name, hashlib.sha256(name.encode() + data).digest(), len(data))


def _inputs(file: IO[bytes], carrier: str, name: str, digest: bytes, size: int) -> Inputs:
    """With a fingerprint of its own, so that it is never taken for the file that the records were in."""
    opened = Input(cast(BinaryIO, file), name)
    return Inputs(names=(name,), streams=(opened,), carrier=carrier, fingerprint=digest[:16], size=size)


def _between(carrier: str) -> bytes:
    """What stands between two records of a carrier."""
    if carrier == "iso2709":
        return b""
    return detect.LINES[carrier].BETWEEN if carrier in detect.LINES else b"\n"
