"""Segments as bytes: a signed manifest and its content (pure).

Content: a MessagePack array of changes, zstd level 3 with content checksum (RFC 8878). Manifest: a MessagePack array
of (core, signature); the core is the packed array of `Manifest`, signed as it stands, so that a later release may add
values at its end. It names the suite of digest and signature.
"""

from __future__ import annotations

from dataclasses import dataclass

import msgspec
import zstandard

from catalog import payload
from catalog.payload import Change
from config.errors import BadRecord
from exchange.model import (
    MOST_CHANGES,
    MOST_MANIFEST,
    MOST_PACKED,
    MOST_RAW,
    PROTO,
    Cursor,
    Damaged,
    Draft,
    Incompatible,
    Label,
    Segment,
    Signer,
    Trusted,
    Untrusted,
    Verifier,
    Waiting,
)

LEVEL = 3  # of zstd
WINDOW = 8 * 1024 * 1024  # bytes of the largest window that a peer may ask for (RFC 8878, 3.1.1.1.2)
LINK = 16  # bytes


class Manifest(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """What a segment is. New members go last and have a default."""

    proto: int
    suite: str
    origin: str  # symbol of the producer
    peer: str  # symbol of the consumer
    channel: str
    base: bytes  # link of the segment before this one, empty = the first
    epoch: int  # where the stream is after it
    seq: int
    count: int  # changes
    size: int  # bytes of the content, unpacked
    packed: int  # bytes of the content
    digest: bytes  # of the content
    repair: bool  # of a reconcile: an equal version with another digest counts too
    made: int  # seconds since 1970


class _Signed(msgspec.Struct, array_like=True, frozen=True, gc=False):
    core: bytes
    signature: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What was in a segment."""

    changes: tuple[Change, ...]
    unreadable: tuple[tuple[bytes, str], ...] = ()  # (bytes, reason) of elements that are no changes


_decode_signed = msgspec.msgpack.Decoder(_Signed).decode
_decode_core = msgspec.msgpack.Decoder(Manifest).decode
_decode_elements = msgspec.msgpack.Decoder(list[msgspec.Raw]).decode
_decode_change = msgspec.msgpack.Decoder(Change).decode


def pack(draft: Draft, label: Label, base: bytes, signer: Signer) -> Segment:
    """Make a segment that follows the one with link `base`. BadRecord if it is larger than a peer would take."""
    raw = payload.encode(draft.changes)
    if len(raw) > MOST_RAW or len(draft.changes) > MOST_CHANGES:
        raise BadRecord(f"a segment for {label.peer} has {len(draft.changes)} changes of {len(raw)} bytes: too large")
    content = zstandard.ZstdCompressor(level=LEVEL, write_checksum=True).compress(raw)
    core = payload.encode(
        Manifest(
            proto=PROTO[1],
            suite=signer.suite,
            origin=label.origin,
            peer=label.peer,
            channel=label.channel,
            base=base,
            epoch=draft.epoch,
            seq=draft.seq,
            count=len(draft.changes),
            size=len(raw),
            packed=len(content),
            digest=signer.digest(content),
            repair=draft.repair,
            made=label.made,
        )
    )
    manifest = payload.encode(_Signed(core, signer.sign(core)))
    link = signer.digest(manifest)[:LINK]
    return Segment(link=link, manifest=manifest, content=content, end=Cursor(draft.epoch, draft.seq, link))


def read(manifest: bytes) -> Manifest:
    """A manifest that this node keeps or has verified. Damaged if it isn't one."""
    return _core(_signed(manifest).core)


def waiting(number: int, link: bytes, manifest: bytes) -> Waiting:
    """A kept segment as the producer's rules look at it."""
    core = read(manifest)
    return Waiting(number=number, base=core.base, end=Cursor(core.epoch, core.seq, link))


def verify(manifest: bytes, trusted: Trusted) -> tuple[Manifest, bytes]:
    """(manifest, link) of bytes that the peer signed. Damaged, Untrusted, or Incompatible with this release."""
    if len(manifest) > MOST_MANIFEST:
        raise Damaged(f"a manifest has {len(manifest)} bytes, more than {MOST_MANIFEST}: ask for the segment again")
    signed = _signed(manifest)
    core = _core(signed.core)
    verifier = trusted.get(core.suite)
    if verifier is None:
        raise Untrusted(f"{core.origin} signs with {core.suite!r} and has no trusted key for it: join anew, or rekey")
    if not verifier.verify(signed.core, signed.signature):
        raise Untrusted(f"no trusted key of {core.origin} signed this segment: if it has a new key, rekey the peer")
    if not PROTO[0] <= core.proto <= PROTO[1]:
        raise Incompatible(
            f"{core.origin} speaks version {core.proto} of the protocol and this release {PROTO[0]} to {PROTO[1]}: "
            "upgrade the older of the two"
        )
    return core, verifier.digest(manifest)[:LINK]


def unpack(manifest: Manifest, content: bytes, verifier: Verifier) -> Content:
    """The changes in a verified segment's content.

    Damaged if the bytes are not the ones that were signed; Incompatible if they are, and break the limits or are no
    list. An element that can't be read is set apart, the others are not.
    """
    if len(content) != manifest.packed or verifier.digest(content) != manifest.digest:
        raise Damaged(f"the content of a segment of {manifest.origin} is not what was signed: ask for it again")
    raw = _raw(manifest, content)
    unreadable: list[tuple[bytes, str]] = []
    try:
        changes = payload.changes(raw)
    except BadRecord:
        changes, unreadable = _one_by_one(manifest, raw)
    if len(changes) + len(unreadable) != manifest.count:
        raise Incompatible(f"a segment of {manifest.origin} has not the {manifest.count} changes that it announced")
    return Content(changes=tuple(changes), unreadable=tuple(unreadable))


def join(manifest: bytes, content: bytes) -> bytes:
    """A segment as it travels: length of the manifest (4 bytes, big-endian), manifest, content."""
    return len(manifest).to_bytes(4, "big") + manifest + content


def split(segment: bytes) -> tuple[bytes, bytes]:
    """(manifest, content) of a segment as it travels. Damaged if it is too short."""
    end = 4 + int.from_bytes(segment[:4], "big")
    if len(segment) < end or not 4 < end <= 4 + MOST_MANIFEST:
        raise Damaged("a segment arrived without the whole of its manifest: ask for it again")
    return segment[4:end], segment[end:]


def _signed(manifest: bytes) -> _Signed:
    try:
        return _decode_signed(manifest)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Damaged(f"a manifest can't be read ({error}): ask for the segment again") from error


def _core(core: bytes) -> Manifest:
    try:
        return _decode_core(core)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Damaged(f"a manifest can't be read ({error}): ask for the segment again") from error


def _raw(manifest: Manifest, content: bytes) -> bytes:
    """The unpacked content, never more than was announced and allowed."""
    if manifest.size > MOST_RAW or manifest.packed > MOST_PACKED or manifest.count > MOST_CHANGES:
        raise Incompatible(f"a segment of {manifest.origin} is larger than any should be ({manifest.size} bytes)")
    try:
        frame = zstandard.get_frame_parameters(content)
        # Before anything of either size is set aside; unpacking in one go would not look at the window.
        if frame.content_size != manifest.size or frame.window_size > WINDOW:
            raise Incompatible(f"a segment of {manifest.origin} says two sizes of its content, or needs a huge window")
        opener = zstandard.ZstdDecompressor()
        return opener.decompress(content, max_output_size=max(manifest.size, 1), allow_extra_data=False)
    except zstandard.ZstdError as error:
        raise Incompatible(f"the content of a segment of {manifest.origin} can't be unpacked: {error}") from error


def _one_by_one(manifest: Manifest, raw: bytes) -> tuple[list[Change], list[tuple[bytes, str]]]:
    """What can be read of a list that can't be read as a whole."""
    try:
        elements = _decode_elements(raw)
    except msgspec.DecodeError as error:
        raise Incompatible(f"the content of a segment of {manifest.origin} is no list: {error}") from error
    changes, unreadable = [], []
    for element in elements:
        try:
            changes.append(_decode_change(element))
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            unreadable.append((bytes(element), str(error)))
    return changes, unreadable
