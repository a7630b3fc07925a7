"""`check`: what the rules say of every record of a stretch, and the records after their fixes (pure).

Readings and verdicts are those of PREPARE: `formats.described` tells for both whether a record can be described at all.
A stretch is looked at whole in one process of the pool; what goes back is ready to be written out, line by line.
"""

from __future__ import annotations

import traceback
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

import msgspec

from catalog.model import Format
from config.errors import BadRecord
from dms import formats, identity, quality
from dms.rules import catalogue, check, kinds, mend
from dms.rules.model import LEADER, Finding, Kind, Level, Profile, Receipt
from protocols import reading, writing
from protocols.charsets import codec
from protocols.detect import ALEPHSEQ, ISO2709, MARCJSON, MARCXML, MRK
from protocols.marc import Record
from protocols.reading import Read

MOST_TOLD = 1000  # findings of one record that are told one by one
OK, WARNED, RETURNED, UNREADABLE = "ok", "warned", "returned", "unreadable"
VERDICTS = (OK, WARNED, RETURNED, UNREADABLE)
NO_LIMIT = 1 << 62
FIRST = "#1"  # of the records with the same bytes
INPUT_FAULT = "input-fault"  # the rule of what could not become a stretch
TITLE_TAG = {Format.MARC21: "245", Format.CNMARC: "200"}
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


class _Line(msgspec.Struct, kw_only=True, omit_defaults=True):
    """One record in the answer."""

    position: int
    id: str
    verdict: str
    findings: list[dict[str, object]]
    more: int = 0  # findings beyond those told
    receipts: list[dict[str, object]] | None = None
    left: list[dict[str, object]] | None = None  # findings after the fixes


class Judged(NamedTuple):
    """The findings on a record, and what becomes of it."""

    findings: Sequence[Finding]
    verdict: str


def look(data: bytes, position: int, asked: Asked, profile: bytes) -> Looked:
    """Look at a stretch that begins at byte `position` of its file; `profile` is packed by `pack`."""
    work = _Work(asked, _judge(profile), position)
    for each in _in_order(reading.read(data, asked.carrier, encoding=asked.encoding)):
        work.found.records = each.ordinal + 1
        if isinstance(each, reading.Failed):
            work.unreadable(each.position, each.ordinal, each.rule, each.reason)
        else:
            work.read(each)
        if work.found.mended >= asked.most:
            break
    return work.found


def fault(reason: str, position: int, asked: Asked, profile: bytes) -> Looked:
    """What is said of bytes that could not even become a stretch."""
    work = _Work(asked, _judge(profile), position)
    work.unreadable(0, 0, INPUT_FAULT, reason)
    work.found.records = 1
    return work.found


def pack(profile: Profile) -> bytes:
    """A profile as bytes, which are the same for the same profile."""
    return msgspec.msgpack.encode(
        [profile.name, profile.version, sorted(profile.levels.items()), sorted(profile.mends)], order="sorted"
    )


def levels(profile: bytes) -> Mapping[str, Level]:
    """The level of every rule under a packed profile."""
    return _judge(profile).levels


class Judge:
    """A profile at work, as PREPARE has it, and what it mends when it is asked to: all that it can unless it says."""

    def __init__(self, profile: Profile) -> None:
        self.inspector = quality.inspector(profile)
        self.levels = self.inspector.levels
        able = frozenset(id_ for id_, rule in catalogue.rules().items() if rule.fix and self.levels[id_] != Level.OFF)
        self.mends = profile.mends or able

    def judge(self, record: Record, fmt: Format, told: Sequence[tuple[str, str]]) -> Judged:
        """Everything said of a record; `told` by its reader. A deletion is told nothing: it says only what is gone."""
        if identity.is_deleted(record):
            return Judged((), OK)
        kind = kinds.kind_of(record, fmt)
        judged = self.inspector.judge(record, fmt, told, kind)
        findings = judged.findings
        if not described(record, fmt, kind):
            findings = [*findings, Finding("no-description")]
        worst = max((self.levels[each.rule] for each in findings), default=Level.OFF)
        return Judged(findings, RETURNED if worst == Level.ERROR else WARNED if worst == Level.WARNING else OK)


def described(record: Record, fmt: Format, kind: Kind) -> bool:
    """Whether there is anything to describe the record by, as PREPARE asks of its facts; a title answers at once."""
    if kind is not Kind.BIBLIOGRAPHIC:
        return True
    title = record.first(TITLE_TAG[fmt])
    if title is not None and any(map(str.isalnum, title.partition("\x1fa")[2].partition("\x1f")[0])):
        return True
    return formats.describable(formats.facts(record, fmt, kind=kind))


@lru_cache(maxsize=4)
def _judge(packed: bytes) -> Judge:
    name, version, levels, mends = msgspec.msgpack.decode(packed)
    return Judge(
        Profile(
            name=name,
            version=version,
            levels={id_: Level(level) for id_, level in levels},
            mends=frozenset(mends),
        )
    )


def _in_order(batch: reading.Batch) -> Sequence[Read | reading.Failed]:
    every: list[Read | reading.Failed] = [*batch.reads, *batch.failed]
    return sorted(every, key=lambda each: each.ordinal) if batch.failed else every


class _Work:
    """A stretch being looked at."""

    def __init__(self, asked: Asked, judge: Judge, position: int) -> None:
        self.asked = asked
        self.judge = judge
        self.position = position
        self.found = Looked()

    def unreadable(self, at: int, ordinal: int, rule: str, reason: str) -> None:
        """Bytes that are no record."""
        told = Finding(rule, value=reason[: check.LONGEST_VALUE])
        self.found.left += 1
        self._say(at, ordinal, "", Judged([told], UNREADABLE))

    def read(self, each: Read) -> None:
        """A record."""
        receipts: list[Receipt] | None = None
        after: Judged | None = None
        try:
            fmt = formats.format_of(each.record, self.asked.format)
            judged = self.judge.judge(each.record, fmt, each.findings)
            if self.asked.fix:
                receipts, after = self._fix(each, fmt, judged)
        except Exception as error:  # one of our own rules failed on it, which must not stop the others
            where = traceback.extract_tb(error.__traceback__)[-1]
            reason = f"{type(error).__name__}: {error} ({where.name}, line {where.lineno})"
            judged = Judged([Finding("fault", value=reason[: check.LONGEST_VALUE])], RETURNED)
        if self.asked.fix and receipts is None:
            self.found.out.append(_kept(each, self.asked.carrier, each.ordinal + 1))
        self.found.left += (after or judged).verdict == RETURNED
        named = identity.named_id(each.record, "001")
        digest = "" if named else identity.digest_id(each.raw)
        self._say(each.position, each.ordinal, named or digest + FIRST, judged, receipts, after, digest)

    def _fix(self, each: Read, fmt: Format, judged: Judged) -> tuple[list[Receipt] | None, Judged | None]:
        """Mend what was found and write the record as it then is: (receipts, what is found then)."""
        broken = {one.rule for one in judged.findings}
        mended = mend.mend(each.record, fmt, broken & self.judge.mends)
        wrapping = [one for one in each.findings if one[0] in broken and one[0].startswith(WRITTEN_AWAY)]
        if not wrapping and not mended.receipts:
            return None, None
        try:
            self.found.out.append(written(mended.record, self.asked.carrier, each.encoding, each.ordinal + 1))
        except BadRecord:  # it is longer than its carrier can say
            return None, None
        self.found.mended += 1
        receipts = [Receipt(rule, LEADER if rule.startswith("leader-") else "", 0, was, "") for rule, was in wrapping]
        told = [one for one in each.findings if one not in wrapping]
        return [*receipts, *mended.receipts], self.judge.judge(mended.record, fmt, told)

    def _say(
        self,
        at: int,
        ordinal: int,
        id_: str,
        judged: Judged,
        receipts: Sequence[Receipt] | None = None,
        after: Judged | None = None,
        digest: str = "",
    ) -> None:
        self.found.verdicts[judged.verdict] += 1
        if judged.findings:
            self.found.rules.update([each.rule for each in judged.findings])
        line = _Line(
            position=self.position + at,
            id=id_,
            verdict=judged.verdict,
            findings=[self._shown(each) for each in judged.findings[:MOST_TOLD]],
            more=max(len(judged.findings) - MOST_TOLD, 0),
            receipts=[each._asdict() for each in receipts[:MOST_TOLD]] if receipts is not None else None,
            left=[self._shown(each) for each in after.findings[:MOST_TOLD]] if after is not None else None,
        )
        self.found.told.append(Told(ordinal, digest, _ENCODER.encode(line)))

    def _shown(self, each: Finding) -> dict[str, object]:
        level = self.judge.levels[each.rule].name.lower()
        rest = each._asdict()
        return {"rule": rest.pop("rule"), "level": level, **rest, "text": catalogue.text(each, self.asked.lang)}


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
    told = writing.write(record, target(carrier), encoding, ordinal=ordinal)
    if not told.lost or encoding == codec.UTF8:
        return told.data
    if carrier == ISO2709 and formats.format_of(record, "auto") == Format.MARC21:
        record = Record(record.leader[:9] + "a" + record.leader[10:], record.fields)
    return writing.write(record, target(carrier), codec.UTF8, ordinal=ordinal).data


_AFTER = {MRK: b"\n\n", ALEPHSEQ: b"\n"}
_ENCODER = msgspec.json.Encoder()
