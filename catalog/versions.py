"""Versions of records as a load brings them: the units of an undo, and of a library that moves (pure)."""

from __future__ import annotations

import msgspec


class Version(msgspec.Struct, array_like=True, frozen=True):
    """A version on its way into its source; `raw` None = delete the record."""

    local_id: str
    raw: bytes | None
    carrier: int
    encoding: str
    digest: bytes
    load: int  # that first brought it; 0 = the load that it is in
    parent: str = ""  # of a holdings record: what names its parent (catalog.attached)
    said: str = "auto"  # of a recheck: the encoding that its load was told
    findings: tuple[tuple[str, str], ...] = ()  # of a recheck: what reading it found then


CARRIER = "versions"  # of loads whose units hold them
PAGE = 2000  # of a unit


def deletion(local_id: str) -> Version:
    """What takes a record away."""
    return Version(local_id, None, 1, "", b"", 0)


encode = msgspec.msgpack.Encoder().encode
decode = msgspec.msgpack.Decoder(list[Version]).decode
