"""What can happen to a segment between the node that signed it and the one that reads it."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

import zstandard

from catalog import payload
from catalog.payload import Change, Kind
from exchange import manifest
from exchange.model import Draft, Label
from tests.simulation.keys import Key
from tests.simulation.store import pack


def flipped(segment: bytes, seen: Sequence[bytes], chance: Random) -> bytes:
    """One bit."""
    at = chance.randrange(len(segment))
    return segment[:at] + bytes([segment[at] ^ 1 << chance.randrange(8)]) + segment[at + 1 :]


def truncated(segment: bytes, seen: Sequence[bytes], chance: Random) -> bytes:
    """The end is missing."""
    return segment[: chance.randrange(len(segment))]


def spliced(segment: bytes, seen: Sequence[bytes], chance: Random) -> bytes:
    """The content of another segment behind this one's manifest."""
    return manifest.join(manifest.split(segment)[0], manifest.split(chance.choice(seen))[1])


def replaced(segment: bytes, seen: Sequence[bytes], chance: Random) -> bytes:
    """Another segment of the stream, from before."""
    return chance.choice(seen)


def altered(segment: bytes, seen: Sequence[bytes], chance: Random) -> bytes:
    """Somebody changed what libraries say and packed it again, of the same size, behind the old manifest."""
    signed, content = manifest.split(segment)
    raw = zstandard.ZstdDecompressor().decompress(content)
    raw = raw.replace(b":", b";")  # stands in every text, see `scenario`
    return manifest.join(signed, zstandard.ZstdCompressor(level=3, write_checksum=True).compress(raw))


def forged(segment: bytes, seen: Sequence[bytes], chance: Random) -> bytes:
    """A segment of somebody who has another key, with everything else right."""
    core = manifest.read(manifest.split(segment)[0])
    made = pack(core.origin, (("L1", "forged"),))
    change = Change(Kind.BIB, f"t{chance.randrange(6)}", core.epoch, core.seq, made)
    draft = Draft(epoch=core.epoch, seq=core.seq, changes=(change,), repair=core.repair)
    label = Label(origin=core.origin, peer=core.peer, channel=core.channel, made=core.made)
    false = manifest.pack(draft, label, core.base, Key("a forger"))
    return manifest.join(false.manifest, false.content)


WAYS = (flipped, truncated, spliced, replaced, altered, forged)


def rogue(origin: str, peer: str, base: bytes, changes: tuple[Change, ...], place: tuple[int, int]) -> bytes:
    """A segment that its producer should not have signed, and did."""
    draft = Draft(epoch=place[0], seq=place[1], changes=changes)
    made = manifest.pack(draft, Label(origin=origin, peer=peer, channel=payload.CLUSTERS, made=0), base, Key(origin))
    return manifest.join(made.manifest, made.content)
