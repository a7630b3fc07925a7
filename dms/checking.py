"""`check`: what the rules say of every record of a stretch, and the records after their fixes (pure).

A stretch is looked at whole in one process of the pool; what goes back is ready to be written out, line by line.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

import msgspec

from catalog.model import Format
from config.errors import BadRecord
from dms import formats, identity, verdicts
from dms.rules import catalogue, check, mend
from dms.rules.model import Finding, Level, Profile, Receipt
from dms.verdicts import RETURNED, UNREADABLE, Court, Subject, Verdict
from protocols import landed, reading, writing
from protocols.charsets import codec
from protocols.charsets.encode import Encoded
from protocols.detect import ALEPHSEQ, ISO2709, MARCJSON, MARCXML, MRK
from protocols.marc import Record
from protocols.reading import Read

MOST_TOLD = 1000  # findings of one record that are told one by one
NO_LIMIT = 1 << 62
ROUNDS = 3  # of mending: a fix may bring to light what another one mends
NOTHING = Verdict((), verdicts.OK)
_LEVELS = {level: level.name.lower() for level in Level}
FIRST = "#1"  # of the records with the same bytes
INPUT_FAULT = "input-fault"  # the rule of what could not become a stretch
# Faults of the wrapping that go away when the record, which was read in spite of them, is written again.
WRITTEN_AWAY = ("iso2709-", "xml-", "json-", "leader-", "encoding-leader")


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """How to look at a file."""

    carrier: str
    encoding: str = "auto"
    format: str = "auto"  # marc21 or cnmarc where the caller knows it
    lang: str = "en"
    fix: bool = False
    most: int = NO_LIMIT  # mended records after which it is enough


@dataclass(slots=True, kw_only=True)
class Looked:
    """What was found in a stretch."""

    told: list[Told] = field(default_factory=list)
    verdicts: Counter[str] = field(default_factory=Counter)
    rules: Counter[str] = field(default_factory=Counter)  # findings by rule
    out: list[bytes] = field(default_factory=list)  # the readable records as they are after their fixes
    mended: int = 0  # records of those that differ from what came
    left: int = 0  # records that are unreadable, or are returned as they are in `out`
    records: int = 0


class Told(NamedTuple):
    """What is said of one record."""

    ordinal: int  # in its stretch, from 0
    digest: str  # that names it where it names itself by nothing, else ""
    line: bytes  # a JSON object, of whose digest's count the `#1` is still to be made right


class _Shown(msgspec.Struct, gc=False):
    """A finding in the answer."""

    rule: str
    level: str
    tag: str
    nth: int
    code: str
    at: int
    value: str
    wanted: str
    text: str


class _Line(msgspec.Struct, kw_only=True, omit_defaults=True):
    """One record in the answer."""

    position: int
    id: str
    verdict: str
    findings: list[_Shown]
    more: int = 0  # findings beyond those told
    rows: list[landed.Place] = []  # sheet and row of what was made of a table
    receipts: list[dict[str, object]] | None = None
    left: list[_Shown] | None = None  # findings after the fixes


def look(data: bytes, position: int, asked: Asked, profile: bytes) -> Looked:
    """Look at a stretch that begins at byte `position` of its file; `profile` is packed by `pack`."""
    batch = reading.read(data, asked.carrier, encoding=asked.encoding)
    work = _Work(asked, _court(profile), position)
    looks = iter(work.looks(batch.reads))
    every: list[Read | reading.Failed] = [*batch.reads, *batch.failed]
    for each in sorted(every, key=lambda one: one.ordinal) if batch.failed else every:
        work.found.records = each.ordinal + 1
        if isinstance(each, reading.Failed):
            work.unreadable(each)
        else:
            work.read(next(looks))
        if work.found.mended >= asked.most:
            break
    return work.found


def fault(reason: str, position: int, asked: Asked, profile: bytes) -> Looked:
    """What is said of bytes that could not even become a stretch."""
    work = _Work(asked, _court(profile), position)
    work.unreadable(reading.Failed(0, 0, b"", INPUT_FAULT, reason))
    work.found.records = 1
    return work.found


def pack(profile: Profile) -> bytes:
    """A profile as bytes, which are the same for the same profile."""
    return msgspec.msgpack.encode(
        [profile.name, profile.version, sorted(profile.levels.items()), sorted(profile.mends)], order="sorted"
    )


def levels(profile: bytes) -> Mapping[str, Level]:
    """The level of every rule under a packed profile."""
    unpacked = _unpacked(profile)
    return {id_: unpacked.level(rule) for id_, rule in catalogue.rules().items()}


def _unpacked(packed: bytes) -> Profile:
    name, version, levels, mends = msgspec.msgpack.decode(packed)
    return Profile(
        name=name, version=version, levels={id_: Level(level) for id_, level in levels}, mends=frozenset(mends)
    )


@lru_cache(maxsize=4)
def _court(packed: bytes) -> Court:
    return Court(_unpacked(packed))


@dataclass(slots=True)
class _Look:
    """A record that is looked at."""

    read: Read
    record: Record  # after its fixes
    format: Format
    before: Verdict = NOTHING
    after: Verdict = NOTHING  # after its fixes
    receipts: list[Receipt] = field(default_factory=list)
    away: list[tuple[str, str]] = field(default_factory=list)  # what its reader told that writing does away with
    failed: Finding | None = None

    def told(self) -> Sequence[tuple[str, str]]:
        """What its reader told of it and is still so."""
        return [one for one in self.read.findings if one not in self.away] if self.read.findings else ()


class _Work:
    """A stretch being looked at."""

    def __init__(self, asked: Asked, court: Court, position: int) -> None:
        self.asked = asked
        self.court = court
        self.position = position
        self.found = Looked()

    def looks(self, reads: Sequence[Read]) -> list[_Look]:
        """The records with what the court says of them; what can be mended is, and comes before it again."""
        looks = [_Look(each, each.record, formats.format_of(each.record, self.asked.format)) for each in reads]
        self._judge(looks)
        for each in looks:
            each.before = each.after
        waiting = looks if self.asked.fix else []
        for _ in range(ROUNDS):
            if not waiting:
                break
            waiting = [each for each in waiting if self._mend(each)]
            self._judge(waiting)
        return looks

    def _judge(self, looks: Sequence[_Look]) -> None:
        verdicts = self.court.judge([Subject(each.record, each.format, each.told()) for each in looks])
        for each, verdict in zip(looks, verdicts, strict=True):
            each.after = verdict

    def _mend(self, each: _Look) -> bool:
        """Mend what was found; whether anything was changed."""
        broken = {one.rule for one in each.after.findings}
        away = [one for one in each.told() if one[0] in broken and one[0].startswith(WRITTEN_AWAY)]
        try:
            mended = mend.mend(each.record, each.format, broken & self.court.mends)
        except Exception as error:  # a fix of ours failed on it: it stays as it is, and that is told
            each.failed = verdicts.fault(error)
            return False
        each.record = mended.record
        each.away += away
        each.receipts += [*(_away(rule, was) for rule, was in away), *mended.receipts]
        return bool(away or mended.receipts)

    def unreadable(self, each: reading.Failed) -> None:
        """Bytes that are no record."""
        told = Finding(each.rule, value=each.reason[: check.LONGEST_VALUE])
        self.found.left += 1
        self._say(each, "", Verdict([told], UNREADABLE))

    def read(self, look: _Look) -> None:
        """A record and what the court says of it."""
        each, verdict, after = look.read, look.before, look.after
        if look.failed:
            look.receipts = []
            verdict = after = Verdict([*verdict.findings, look.failed], RETURNED)
        if self.asked.fix and not (look.receipts and self._write(look)):
            self.found.out.append(_kept(each, self.asked.carrier, each.ordinal + 1))
            look.receipts, after = [], verdict
        self.found.mended += bool(look.receipts)
        self.found.left += after.verdict == RETURNED
        named = identity.named_id(each.record, "001")
        digest = "" if named else identity.digest_id(each.raw)
        self._say(each, named or digest + FIRST, verdict, look.receipts, after, digest)

    def _write(self, look: _Look) -> bool:
        try:
            data = written(look.record, self.asked.carrier, look.read.encoding, look.read.ordinal + 1)
        except BadRecord:  # it is longer than its carrier can say
            return False
        self.found.out.append(data)
        return True

    def _say(
        self,
        each: Read | reading.Failed,
        id_: str,
        verdict: Verdict,
        receipts: Sequence[Receipt] = (),
        after: Verdict | None = None,
        digest: str = "",
    ) -> None:
        self.found.verdicts[verdict.verdict] += 1
        if verdict.findings:
            self.found.rules.update([one.rule for one in verdict.findings])
        line = _Line(
            position=self.position + each.position,
            id=id_,
            verdict=verdict.verdict,
            findings=[self._shown(one) for one in verdict.findings[:MOST_TOLD]],
            more=max(len(verdict.findings) - MOST_TOLD, 0),
            rows=landed.places(each.raw),
        )
        if receipts and after:
            line.receipts = [one._asdict() for one in receipts[:MOST_TOLD]]
            line.left = [self._shown(one) for one in after.findings[:MOST_TOLD]]
        self.found.told.append(Told(each.ordinal, digest, _ENCODER.encode(line)))

    def _shown(self, each: Finding) -> _Shown:
        rule, tag, nth, code, at, value, wanted = each
        level = self.court.levels[rule]
        return _Shown(rule, _LEVELS[level], tag, nth, code, at, value, wanted, catalogue.text(each, self.asked.lang))


def _away(rule: str, was: str) -> Receipt:
    """The receipt of a fault that writing the record has done away with."""
    (found,) = check.of_reading([(rule, was)])
    return Receipt(rule, found.tag, found.nth, was, "")


def target(carrier: str) -> str:
    """The carrier in which mended records of one are written: the same, or MARCXML where we write no such files."""
    return carrier if carrier in writing.AROUND else MARCXML


def _kept(each: Read, carrier: str, ordinal: int) -> bytes:
    """A record that no fix has changed: byte for byte where it can stand in a file without its neighbours."""
    if carrier == ISO2709:
        return each.raw if each.raw.endswith(b"\x1d") else each.raw + b"\x1d"
    if carrier == MARCJSON and b"\n" not in each.raw:
        return each.raw + b"\n"
    if carrier in (MRK, ALEPHSEQ):
        return each.raw.rstrip(b"\r\n") + _AFTER[carrier]
    return written(each.record, carrier, each.encoding, ordinal)


def written(record: Record, carrier: str, encoding: str, ordinal: int = 1) -> bytes:
    """The record in the carrier and encoding that it came in; UTF-8 where that encoding can't say it. Raises
    `BadRecord` where the carrier can't.
    """
    try:
        told = writing.write(record, target(carrier), encoding, ordinal=ordinal)
    except LookupError:  # an encoding that is only read
        told = Encoded(b"", (encoding,))
    if not told.lost or encoding == codec.UTF8:
        return told.data
    if carrier == ISO2709 and formats.format_of(record, "auto") == Format.MARC21:
        record = Record(record.leader[:9] + "a" + record.leader[10:], record.fields)
    return writing.write(record, target(carrier), codec.UTF8, ordinal=ordinal).data


_AFTER = {MRK: b"\n\n", ALEPHSEQ: b"\n"}
_ENCODER = msgspec.json.Encoder()
