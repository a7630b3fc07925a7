"""Records and descriptions as bytes: MessagePack arrays, equal values always to equal bytes.

Both shapes are arrays in field order, so that a later release may add fields at the end: an older one ignores what it
doesn't know, a newer one takes the default for what isn't there. For that reason new fields of `Description` go last.
"""

from __future__ import annotations

import msgspec

from catalog import model
from config import errors
from protocols import marc


class Unreadable(errors.Fatal):
    """Bytes that were not packed here, or that were damaged since."""

    code = "unreadable-packing"


class _Record(msgspec.Struct, array_like=True, frozen=True, gc=False):
    leader: str
    fields: tuple[tuple[str, str], ...]


_encoder = msgspec.msgpack.Encoder()
_record_decoder = msgspec.msgpack.Decoder(_Record)
_description_decoder = msgspec.msgpack.Decoder(model.Description)


def pack(record: marc.Record) -> bytes:
    """The record as bytes."""
    return _encoder.encode((record.leader, record.fields))


def unpack(body: bytes) -> marc.Record:
    """The record that `pack` was given; raises Unreadable."""
    try:
        packed = _record_decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Unreadable(f"A packed record can't be read ({error}); make the merged records again.") from error
    return marc.Record(packed.leader, packed.fields)


class _Content(msgspec.Struct, array_like=True, frozen=True, gc=False):
    body: bytes
    description: bytes


_decode_content = msgspec.msgpack.Decoder(_Content).decode


def pack_content(body: bytes, description: bytes) -> bytes:
    """What is kept of a merged record: the packed record and its packed description."""
    return msgspec.msgpack.encode(_Content(body, description))


def unpack_content(content: bytes) -> tuple[bytes, bytes]:
    """(packed record, packed description)."""
    try:
        found = _decode_content(content)
    except msgspec.DecodeError as error:
        raise Unreadable(f"A merged record can't be read ({error}); make the merged records again.") from error
    return found.body, found.description


def pack_description(description: model.Description) -> bytes:
    """The description as bytes."""
    return _encoder.encode(description)


def unpack_description(body: bytes) -> model.Description:
    """The description that `pack_description` was given; raises Unreadable."""
    try:
        return _description_decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Unreadable(f"A packed description can't be read ({error}); make the merged records again.") from error
