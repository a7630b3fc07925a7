"""PREPARE: one stretch of input → what PLACE needs of each record (pure; runs in a process pool).

A stretch is read in two passes where the source has records already: `recognise` gives ids and digests, so that what is
unchanged ends there; `prepare` then works on the rest.
"""

from __future__ import annotations

import hashlib
import traceback
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from catalog import bodies
from catalog.facts import Facts
from catalog.model import CARRIER_NAMES, CARRIERS, Carrier, Format, Holding, Source, Visibility
from config.errors import TianluError
from dms import formats, garbled, holdings, identity
from dms.match import features, keys
from dms.pipeline import Back, Habits, Item, Prepared, Signed, Tally, Version, decode_versions, encode, habits_key
from protocols import dialect, reading
from protocols.marc import Record

SKETCH = ("001", "003", "005")  # what every identity rule and stamp may need


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What PREPARE hands back: `Prepared` and `Tally`, packed and compressed, what came back, trained dictionaries."""

    prepared: bytes
    tally: bytes
    back: tuple[Back, ...]
    samples: dict[int, bytes]  # by format: a dictionary trained on this stretch, where none is known yet


@dataclass(frozen=True, slots=True)
class Seen:
    """One record of a stretch, read. `gone` marks a version to be deleted by an undo."""

    position: int  # bytes from the start of the input
    ordinal: int
    raw: bytes
    record: Record
    carrier: Carrier
    encoding: str
    findings: tuple[tuple[str, str], ...]
    version: Version | None = None
    gone: bool = False


def recognise(data: bytes, habits: Habits) -> list[str]:
    """Local ids of the readable records of a stretch, cheaply."""
    if habits.carrier == "versions":
        return [version.local_id for version in decode_versions(data)]
    batch = reading.read(data, habits.carrier, encoding=habits.encoding, wanted=_identity_tags(habits.source.identity))
    return [_name(read.record, habits.source.identity, read.raw) for read in batch.reads]


def _name(record: Record, rule: str, raw: bytes) -> str:
    """The record's id. Records without one are numbered among equals when the load is judged; #1 is the first."""
    named = identity.named_id(record, rule)
    return named or identity.digest_id(raw) + "#1"


def prepare(
    data: bytes, position: int, ordinal: int, habits: Habits, known: Mapping[str, tuple[bytes, int]]
) -> Outcome:
    """Read, identify, compare, describe, sign, map holdings, compress. `known`: (digest, title hash) by local id."""
    batch = (
        None
        if habits.carrier == "versions"
        else reading.read(data, habits.carrier, encoding=habits.encoding, wanted=_wanted(habits.source))
    )
    back = (
        []
        if batch is None
        else [
            Back(
                position + f.position,
                ordinal + f.ordinal + 1,
                "",
                "unreadable",
                f.rule,
                _storable(f.reason),
                CARRIERS[habits.carrier],
                f.raw,
            )
            for f in batch.failed
        ]
    )
    seen = _versions(decode_versions(data)) if batch is None else _reads(batch, position, ordinal, habits)
    builder = _Builder(habits, known)
    for one in seen:
        returned = _taken(builder, one)
        if returned:
            back.append(returned)
    return builder.outcome(back)


def _taken(builder: _Builder, one: Seen) -> Back | None:
    """Add one record, or say why it comes back: a record on which our own rules fail must not stop the others."""
    try:
        return builder.take(one)
    except TianluError:
        raise  # a mistake in the source's habits, which is no record's fault
    except Exception as error:
        where = traceback.extract_tb(error.__traceback__)[-1]
        reason = f"a fault of ours: {type(error).__name__}: {error} ({where.name}, line {where.lineno})"
        local_id = builder.name(one)
        return Back(one.position, one.ordinal, local_id, "returned", "fault", _storable(reason), one.carrier, one.raw)


def _wanted(source: Source) -> frozenset[str]:
    """Tags that PREPARE reads of a source."""
    tags = set(formats.WANTED) | _identity_tags(source.identity)
    for fmt in Format:
        tags |= holdings.tags(source.mapping, fmt)
    return frozenset(tags | identity.suppress_tags(source.mapping))


def _identity_tags(rule: str) -> frozenset[str]:
    return frozenset((*SKETCH, rule[:3]))


def check_habits(source: Source) -> None:
    """Raise what is wrong with the source's identity rule or mapping, before any record is read by them."""
    identity.named_id(Record("", ()), source.identity)
    identity.suppressed(Record("", ()), source.mapping)
    _wanted(source)


def _reads(batch: reading.Batch, position: int, ordinal: int, habits: Habits) -> Iterator[Seen]:
    carrier = CARRIERS[habits.carrier]
    for read in batch.reads:
        place, number = position + read.position, ordinal + read.ordinal + 1
        yield Seen(place, number, read.raw, read.record, carrier, read.encoding, read.findings)


def _versions(versions: list[Version]) -> Iterator[Seen]:
    for n, version in enumerate(versions, 1):
        carrier = Carrier(version.carrier)
        if version.raw is None:
            yield Seen(0, n, b"", Record("", ()), carrier, version.encoding, (), version, True)
        else:
            record = reading.decode(version.raw, CARRIER_NAMES[carrier], version.encoding)
            yield Seen(0, n, version.raw, record, carrier, version.encoding, (), version)


class _Builder:
    """Collects one unit's items, signatures and tally."""

    def __init__(self, habits: Habits, known: Mapping[str, tuple[bytes, int]]) -> None:
        self.habits = habits
        self.known = known
        self.person = habits_key(habits)
        self.items: list[Item] = []
        self.signatures: dict[bytes, int] = {}
        self.signed: list[Signed] = []
        self.ids: list[str] = []
        self.stamps: list[str] = []
        self.digests: list[bytes] = []
        self.index: list[int] = []
        self.garbled = self.retitled = self.standing = 0
        self.raws: dict[int, list[bytes]] = {}

    def take(self, one: Seen) -> Back | None:
        """Add one record, or say why it comes back."""
        source = self.habits.source
        local_id = self.name(one)
        digest = hashlib.blake2b(one.raw, digest_size=16, person=self.person).digest()
        if one.version and not one.gone:
            digest = one.version.digest  # a version that comes back is again what it was
        standing = self.known.get(local_id)
        if standing is not None and standing[0] == digest and not local_id.startswith("sha256:"):
            self._tally(local_id, identity.stamp(one.record), digest, -1)
            return None
        if one.gone or identity.is_deleted(one.record):
            self._tally(local_id, identity.stamp(one.record), digest, len(self.items))
            self.items.append(_deletion(local_id, one, digest))
            return None
        fmt = _format(one.record, source.format)
        facts = formats.facts(one.record, fmt)
        if not _describable(facts):
            reason = "neither a title nor an identifier nor a name was found: nothing to describe it by"
            return Back(one.position, one.ordinal, local_id, "returned", "no-description", reason, one.carrier, one.raw)
        title = " ".join(facts.titles)
        title_hash = _hash(title)
        number, dictionary = self.habits.dictionaries.get(fmt, (0, b""))
        item = Item(
            local_id,
            one.ordinal,
            False,
            digest,
            identity.stamp(one.record),
            title_hash,
            fmt,
            one.carrier,
            one.encoding,
            self._visibility(one.record),
            number,
            bodies.shrink(one.raw, dictionary),
            self._sign(facts),
            tuple(_row(h) for h in holdings.holdings(one.record, source.mapping, source.library, fmt)),
            _findings(one, facts, local_id),
            one.version.load if one.version else 0,
        )
        # Nothing is counted before here: what fails above leaves no trace.
        self.garbled += garbled.is_garbled(title)
        self.retitled += standing is not None and standing[1] != title_hash
        if not number:
            self.raws.setdefault(fmt, []).append(one.raw)
        self._tally(local_id, item.stamp, digest, len(self.items))
        self.items.append(item)
        return None

    def name(self, one: Seen) -> str:
        """Its local id."""
        return one.version.local_id if one.version else _name(one.record, self.habits.source.identity, one.raw)

    def _tally(self, local_id: str, stamp: str, digest: bytes, index: int) -> None:
        self.standing += local_id in self.known
        self.ids.append(local_id)
        self.stamps.append(stamp)
        self.digests.append(digest)
        self.index.append(index)

    def _visibility(self, record: Record) -> int:
        source = self.habits.source
        if source.visibility == Visibility.PUBLIC and identity.suppressed(record, source.mapping):
            return Visibility.SUPPRESSED
        return source.visibility

    def _sign(self, facts: Facts) -> int:
        """Index of the record's signature in this unit; -1 for authority and holdings records."""
        if not facts.bibliographic:
            return -1
        described = features.features(facts)
        packed = features.pack(described)
        digest = features.signature(packed)
        index = self.signatures.get(digest)
        if index is None:
            index = self.signatures[digest] = len(self.signed)
            self.signed.append(Signed(digest, packed, keys.keys(described), features.uses(described)))
        return index

    def outcome(self, back: list[Back]) -> Outcome:
        """Pack what was collected."""
        verdicts: dict[str, int] = {}
        for one in back:
            verdicts[one.verdict] = verdicts.get(one.verdict, 0) + 1
        tally = Tally(
            self.ids,
            self.stamps,
            self.digests,
            self.index,
            list(verdicts.items()),
            self.garbled,
            self.retitled,
            self.standing,
        )
        return Outcome(
            prepared=bodies.shrink(encode(Prepared(self.items, self.signed))),
            tally=bodies.shrink(encode(tally)),
            back=tuple(back),
            samples={fmt: bodies.train(raws) for fmt, raws in self.raws.items() if len(raws) >= ENOUGH_TO_TRAIN},
        )


ENOUGH_TO_TRAIN = 400  # records of one format in one stretch


def _deletion(local_id: str, one: Seen, digest: bytes) -> Item:
    return Item(
        local_id,
        one.ordinal,
        True,
        digest,
        identity.stamp(one.record),
        0,
        0,
        one.carrier,
        one.encoding,
        0,
        0,
        b"",
        -1,
        (),
        (),
    )


def _format(record: Record, said: str) -> Format:
    family = dialect.family(record) if said == "auto" else said
    return Format.MARC21 if family == "marc21" else Format.CNMARC


def _describable(facts: Facts) -> bool:
    return not facts.bibliographic or bool(
        any(facts.titles)
        or facts.romanised
        or facts.parts
        or facts.isbns
        or facts.issns
        or facts.authors
        or facts.control_numbers
        or facts.unified_numbers
        or facts.responsibility
        or facts.host
    )


def _hash(text: str) -> int:
    return int.from_bytes(
        hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big", signed=True
    )


def _row(holding: Holding) -> tuple[str, str, str, str, str, str]:
    told = holding.library, holding.call_number, holding.item, holding.location, holding.status, holding.note
    if "".join(told).isprintable():
        return told
    library, number, item, location, status, note = map(_storable, told)
    return library, number, item, location, status, note


def _storable(text: str) -> str:
    """Without what no text column of PostgreSQL takes: NUL and halves of surrogate pairs."""
    if text.isprintable():  # which neither is
        return text
    return text.replace("\0", "").encode("utf-8", "replace").decode("utf-8")


def _findings(one: Seen, facts: Facts, local_id: str) -> tuple[tuple[str, str], ...]:
    found = list(one.findings)
    if local_id.startswith("sha256:"):
        found.append(("id.missing", "no usable control number: named by the digest of its bytes"))
    if facts.bibliographic and (facts.supplied_title or not any(facts.titles)):
        found.append(("title.missing", "no title proper"))
    return tuple((rule, _storable(detail)) for rule, detail in found)


def plain_digest(raw: bytes) -> bytes:
    """Digest of bytes alone, whatever the source's habits."""
    return hashlib.blake2b(raw, digest_size=16).digest()
