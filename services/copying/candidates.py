"""What came from a target as records that can be judged (pure)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from catalog.model import Format
from catalog.targets import Target
from config.errors import BadRecord
from dms import describe, formats, identity
from dms.formats import identifiers
from dms.rules import check, kinds, score
from dms.rules.model import Kind
from dms.rules.model import Profile as Rules
from protocols import reading
from protocols.detect import ISO2709
from protocols.marc import Record
from protocols.reading import Batch
from services.copying.asking import Found


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A record of a target that could be copied."""

    target: Target
    found: Found
    record: Record
    format: Format
    number: str  # what the target calls it
    isbns: frozenset[int]  # in it, those of other forms and cancelled ones too
    score: int  # of its findings, 0 to 100


class NoCandidate(BadRecord):
    """What came can't be copied; the message says why."""

    code = "no-candidate"


class Judge:
    """The rules of a library, made ready for many records."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._checker = check.checker(rules)

    def scores(self, records: Sequence[tuple[Record, Format]]) -> list[int]:
        """How good bibliographic records are, 0 to 100."""
        every = self._checker.check_many((record, fmt, Kind.BIBLIOGRAPHIC) for record, fmt in records)
        return [score.score(findings, self._rules) for findings in every]


def read(target: Target, found: Sequence[Found], judge: Judge) -> tuple[list[Candidate], list[str]]:
    """Those that can be copied, and what is to be said of the others."""
    read_: list[tuple[Found, Record, Format]] = []
    said = []
    for each, batch in _batches(found, target.profile.records):
        try:
            read_.append((each, *_told(target, batch)))
        except BadRecord as error:
            said.append(f"{target.name} {each.position}: {error}")
    scores = judge.scores([(record, fmt) for _, record, fmt in read_])
    return [
        Candidate(
            target=target,
            found=each,
            record=record,
            format=fmt,
            number=identity.local_id(record, "001", each.raw),
            isbns=_isbns(record, fmt),
            score=points,
        )
        for (each, record, fmt), points in zip(read_, scores, strict=True)
    ], said


def _batches(found: Sequence[Found], encoding: str) -> Iterator[tuple[Found, Batch]]:
    """Each with what is read of it. All at once where that can be: their character set is judged on the evidence of
    all."""
    if len(found) > 1 and all(each.carrier == ISO2709 for each in found):
        whole = reading.read(b"".join(each.raw for each in found), ISO2709, encoding=encoding)
        if not whole.failed and [one.raw for one in whole.reads] == [each.raw for each in found]:
            for each, one in zip(found, whole.reads, strict=True):
                yield each, Batch(reads=[one])
            return
    for each in found:
        yield each, reading.read(each.raw, each.carrier, encoding=encoding)


def _told(target: Target, batch: Batch) -> tuple[Record, Format]:
    """The one record of a batch, and its format. NoCandidate says why it can't be copied."""
    if len(batch.reads) != 1:
        raise NoCandidate(batch.failed[0].reason if batch.failed else f"{len(batch.reads)} records in one")
    record = batch.reads[0].record
    fmt = formats.format_of(record, target.profile.dialect)
    if kinds.kind_of(record, fmt) is not Kind.BIBLIOGRAPHIC:
        raise NoCandidate("it is no bibliographic record")
    if identity.is_deleted(record):
        raise NoCandidate("the target has deleted it")
    if not formats.describable(formats.facts(record, fmt)):
        raise NoCandidate("nothing in it says what it describes")
    return record, fmt


def _isbns(record: Record, fmt: Format) -> frozenset[int]:
    """Whatever form of the thing they are of: some libraries enter several on one record."""
    texts: Iterable[str] = record.all("010" if fmt is Format.CNMARC else "020")
    return frozenset(
        number for text in texts for part in text.split("\x1f")[1:] if (number := identifiers.isbn(part[1:]))
    )


def told(each: Candidate) -> dict[str, Any]:
    """A candidate in short, as plain values."""
    described = describe.describe(each.record, each.format)
    return {
        "target": each.target.name,
        "number": each.number,
        "score": each.score,
        "title": " : ".join(filter(None, (described.title, described.subtitle, described.volume))),
        "responsibility": described.responsibility,
        "publisher": described.publisher,
        "date": described.date,
        "isbns": list(described.isbns),
        "format": each.format.name.lower(),
    }
