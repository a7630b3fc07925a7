"""**Read this first.** What happens to a record, as two tuples of stages.

PREPARE (pure, batch in and batch out, in a process pool on any worker): bytes → records → identity → digest → facts →
signature, keys, holdings, kept body. `dms.prepare` runs it over one stretch of input.

PLACE (one matcher a node): signatures looked up → candidates → edges → constrained union → clusters to merge again.
`dms.place` writes records, `dms.graph` the signature graph; `dms.merging` then makes the merged records and publishes.

    landed stretch ──PREPARE──▶ Prepared ──judge the load──▶ PLACE ──dirty clusters──▶ MERGE ──▶ feed
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field

import msgspec

from catalog.model import Source
from catalog.naming import Heading
from dms import quality_profile
from dms.rules.model import Profile
from protocols import landed

VERSION = 3  # part of every digest: raise it when PREPARE reads records differently, so that reloads are not skipped

PREPARE = ("read", "identify", "compare digests", "mend", "describe facts", "judge", "sign", "map holdings", "compress")
PLACE = ("look signatures up", "find candidates", "judge pairs", "unite", "mark clusters")


DEFAULT = Profile()


@dataclass(frozen=True, slots=True, kw_only=True)
class Habits:
    """What PREPARE must know of the source and the node."""

    source: Source
    carrier: str  # iso2709, marcxml, marcjson, packed (of a feed) or versions (of an undo)
    encoding: str
    dictionaries: dict[int, tuple[int, bytes]] = field(default_factory=dict)  # by format: number, bytes
    characters: bytes = b""  # the source's table of private-use characters
    profile: Profile = DEFAULT  # of quality rules
    # Rules whose fixes are made in this load, beside the profile's. No part of the key: when the library sends the same
    # bytes again, what was made of them stands.
    mends: frozenset[str] = frozenset()
    recheck: bool = False  # the records are the source's own, to be judged by a profile that they were not judged by


def habits_key(habits: Habits) -> bytes:
    """Whatever of the habits changes what PREPARE makes of the same bytes; part of every record's digest."""
    source = habits.source
    said = [
        VERSION,
        source.library,
        source.format,
        habits.encoding,
        source.identity,
        source.mapping,
        int(source.visibility),
    ]
    if source.characters:
        said.append(source.characters)
    if profile := quality_profile.digest(habits.profile):
        said.append(profile.hex())
    text = json.dumps(said, ensure_ascii=False, sort_keys=True, default=str)
    return hashlib.blake2b(text.encode(), digest_size=16).digest()


def plain_digest(raw: bytes) -> bytes:
    """Digest of bytes alone, whatever the source's habits."""
    return hashlib.blake2b(landed.content(raw), digest_size=16).digest()


class Signed(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """A signature with all that the graph needs of it."""

    digest: bytes
    features: bytes  # dms.match.features.pack
    keys: tuple[int, ...]
    uses: tuple[tuple[int, int], ...]  # (identifier, token)


class Item(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """A record ready to be placed. `signature` is an index into Prepared.signatures, -1 = takes no part in matching."""

    local_id: str
    ordinal: int  # 1 = first record of the input
    deleted: bool
    digest: bytes
    stamp: str
    title_hash: int
    format: int
    carrier: int
    encoding: str
    visibility: int
    dictionary: int
    body: bytes
    signature: int
    holdings: tuple[tuple[str, str, str, str, str, str, str], ...]  # dms.holdings.Copy
    findings: tuple[tuple[str, str], ...]
    load: int = 0  # that brought this version; 0 = the load being placed
    redirect: str = ""  # of a deletion: the local id of the record that took this one over
    score: int | None = None  # 0 to 100; None = not judged
    same: bool = False  # of a recheck: score and digest are new, all else stays
    kind: int = 0  # dms.rules.model.Kind
    parent: str = ""  # of a holdings record: what names its parent (catalog.attached)
    heading: tuple[Heading, str] | None = None  # of an authority record, with its lexemes (catalog.heading)
    dropped: tuple[tuple[int, int], ...] = ()  # edits (batch, which) that this version puts an end to
    position: int = 0  # byte of the input at which the record begins
    edits: tuple[tuple[int, tuple[str, int, str, str]], ...] = ()  # of a version put back: batch, edit that it bears


class Prepared(msgspec.Struct, array_like=True, frozen=True):
    """What PREPARE made of a unit."""

    items: list[Item]
    signatures: list[Signed]
    profile: bytes = b""  # digest of the sharing profile that `visibility` follows (dms.sharing)


class Back(msgspec.Struct, array_like=True, frozen=True):
    """A record that came back: unreadable, or returned by a rule."""

    position: int
    ordinal: int
    local_id: str
    verdict: str
    rule: str
    reason: str
    carrier: int
    raw: bytes


class RuleCount(msgspec.Struct, array_like=True, gc=False):
    """What a rule found in a stretch or a load."""

    level: int  # dms.rules.model.Level, under the profile
    findings: int = 0
    records: int = 0
    mended: int = 0  # records that its fix changed
    examples: list[str] = []  # local ids


class Tally(msgspec.Struct, array_like=True, frozen=True):
    """What judging a load needs of one unit. Four columns in step; `index` is the item's place, -1 = unchanged."""

    ids: list[str]
    stamps: list[str]
    digests: list[bytes]
    index: list[int]
    back: list[tuple[str, int]]  # (verdict, count)
    garbled: int  # titles that look like mojibake
    retitled: int  # records whose title differs from the standing one
    standing: int  # records that were there already
    judged: int = 0  # records that the rules looked at
    score: int = 0  # sum of theirs
    mended: int = 0
    rules: dict[str, RuleCount] = {}
    follows: bool = False  # it begins with holdings records whose parent is before the unit
    last: str = "follows"  # the parent of holdings records at the beginning of the next unit (dms.mfhd.Order)
    numbers: list[str] = []  # other numbers of that
    led: list[tuple[int, str, str]] = []  # (place, id instead, 004) of holdings records at this unit's beginning


class Orders(msgspec.Struct, array_like=True, frozen=True):
    """What judging decided on a unit: items that lost to a repeat of their id, items that got a number, and the parent
    of holdings records at its beginning.
    """

    drop: list[int]
    rename: list[tuple[int, str]]
    lead: str = ""
    parents: list[tuple[int, str]] = []


encode = msgspec.msgpack.Encoder().encode
decode_prepared = msgspec.msgpack.Decoder(Prepared).decode
decode_tally = msgspec.msgpack.Decoder(Tally).decode
decode_orders = msgspec.msgpack.Decoder(Orders).decode
