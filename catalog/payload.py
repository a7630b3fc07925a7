"""What nodes tell each other about a record: MessagePack arrays that may grow at the end.

An older release ignores trailing values that it doesn't know, a newer one takes the default for what isn't there: new
members of these structs go last and have a default. Exchange moves them, PREPARE reads them, so they live here.
"""

from __future__ import annotations

from enum import IntEnum

import blake3
import msgspec

from config.errors import BadRecord

CLUSTERS = "clusters"  # channel of bibs, and the feed behind it
NOTICES = "notices"  # channel of libraries, corrections and receipts
HANDOVER = "handover"  # channel of source records that move to another host
BUCKETS = 4096


class Kind(IntEnum):
    """What a change is about."""

    BIB = 1
    LIBRARY = 2
    CORRECTION = 3
    RECEIPT = 4
    # 5 is free
    RAW = 6  # a source record as received; its id is `<source>` TAB `<local id>`
    SAME = 7  # a bib that the receiver can put together itself: the payload is `proof` of the bib's


class Level(IntEnum):
    """How much of a record is shared."""

    ALL = 0
    HOLDINGS = 1  # a stub to match by, shown by no output, and the holdings


class Held(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """A holding. `origin` says whose record it was mapped from, so that two paths don't count it twice."""

    origin: str  # <library>/<source>/<local id>#<n>, see catalog.holdings
    library: str
    call_number: str = ""
    item: str = ""
    location: str = ""
    status: str = ""
    note: str = ""


class Bib(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """A merged record on its way to another node."""

    format: int
    level: int
    body: bytes  # catalog.packing.pack of the record
    holdings: tuple[Held, ...] = ()
    description: bytes = b""  # packed; only downwards, where nobody describes it anew
    yours: tuple[str, ...] = ()  # only downwards: the receiver's clusters in this one


class Entry(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """A library of the directory; its symbol is the change's id."""

    name: str
    name_en: str = ""
    area: str = ""
    state: str = "active"
    successor: str = ""
    node: str = ""  # that hosts it
    reign: int = 0  # rises with each hand-over


class Raw(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """A source record on its way to another host."""

    carrier: int
    encoding: str
    digest: bytes  # of the bytes and the source's habits: what the next load of the same file is compared with
    body: bytes  # as received
    parent: str = ""  # of a holdings record: what names its parent (catalog.attached)


class Habits(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """A source on its way to another host."""

    name: str
    format: str = "auto"
    encoding: str = "auto"
    identity: str = "001"
    mapping: bytes = b"{}"  # JSON, like the next
    sharing: bytes = b"{}"
    visibility: int = 0
    trust: int = 0
    template: str = ""
    characters: bytes = b""  # its table of private-use characters (protocols.charsets.private.body)


class Correction(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """A patch offered to the owner of a record; its id is the change's."""

    target: str  # the owner's cluster
    tag: str
    expected: bytes  # SHA-256 of the field as it must stand
    old: str
    new: str
    why: str = ""
    who: str = ""
    changes: tuple[tuple[str, str, str], ...] = ()  # of several fields (catalog.patches); then tag, old, new are empty


class Receipt(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """What became of a correction; its id is the change's."""

    state: str  # accepted, refused or stale
    why: str = ""
    who: str = ""


class Change(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """The latest state of one key. Its version is (epoch, seq); `payload` empty = a tombstone."""

    kind: int
    id: str
    epoch: int
    seq: int
    payload: bytes = b""
    redirect: str = ""

    @property
    def digest(self) -> bytes | None:
        """16 bytes over all but the version, None of a tombstone without redirect: equal means nothing to do."""
        if not self.payload and not self.redirect:
            return None
        hasher = blake3.blake3(b"%d\x1f%b\x1f%b\x1f" % (self.kind, self.id.encode(), self.redirect.encode()))
        return hasher.update(self.payload).digest(16)

    @property
    def bucket(self) -> int:
        """0 to 4095, by key: reconciling compares buckets first."""
        return bucket(self.kind, self.id)


def bucket(kind: int, ident: str) -> int:
    """The bucket of a key."""
    return int.from_bytes(blake3.blake3(b"%d\x1f%b" % (kind, ident.encode())).digest(2)) % BUCKETS


encode = msgspec.msgpack.Encoder().encode
_decode_bib = msgspec.msgpack.Decoder(Bib).decode
_decode_raw = msgspec.msgpack.Decoder(Raw).decode
_decode_changes = msgspec.msgpack.Decoder(list[Change]).decode
_decode_entry = msgspec.msgpack.Decoder(Entry).decode
_decode_correction = msgspec.msgpack.Decoder(Correction).decode
_decode_receipt = msgspec.msgpack.Decoder(Receipt).decode


def bib(payload: bytes) -> Bib:
    """The bib in a change; BadRecord if it isn't one."""
    try:
        return _decode_bib(payload)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadRecord(f"not a packed bib: {error}") from error


def entry(payload: bytes) -> Entry:
    """The library in a change; BadRecord if it isn't one."""
    try:
        return _decode_entry(payload)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadRecord(f"not a packed library: {error}") from error


def correction(payload: bytes) -> Correction:
    """The correction in a change; BadRecord if it isn't one."""
    try:
        return _decode_correction(payload)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadRecord(f"not a packed correction: {error}") from error


def receipt(payload: bytes) -> Receipt:
    """The receipt in a change; BadRecord if it isn't one."""
    try:
        return _decode_receipt(payload)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadRecord(f"not a packed receipt: {error}") from error


def raw(payload: bytes) -> Raw:
    """The source record in a change; BadRecord if it isn't one."""
    try:
        return _decode_raw(payload)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadRecord(f"not a packed source record: {error}") from error


def proof(payload: bytes) -> bytes:
    """16 bytes that stand for a bib's payload, whatever its id."""
    return blake3.blake3(payload).digest(16)


def changes(packed: bytes) -> list[Change]:
    """A packed list of changes; BadRecord if it isn't one."""
    try:
        return _decode_changes(packed)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadRecord(f"not a packed list of changes: {error}") from error
