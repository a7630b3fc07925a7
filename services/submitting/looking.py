"""A record looked at before it is placed: by the rules of its library, by the matcher, and for reservations (store)."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from catalog import clusters, reservations
from catalog.connection import Connection
from catalog.facts import Facts
from catalog.model import Description, Format, cluster_id
from config.errors import BadRecord
from dms import foreseeing, formats, quality_scope
from dms.describe import describe
from dms.rules import kinds
from dms.rules.model import Kind, Level
from dms.verdicts import Court, Subject
from protocols import reading
from protocols.marc import Record
from services.submitting import reserving
from services.submitting.answer import Answer, answer

MOST_FINDINGS = 100  # that are told


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """A record as somebody gave it."""

    record: Record
    format: Format
    kind: Kind
    told: tuple[tuple[str, str], ...] = ()  # by its reader: rule, detail

    @property
    def description(self) -> Description:
        """What lists show of it."""
        return describe(self.record, self.format)

    @property
    def facts(self) -> Facts:
        """What the matcher makes of it."""
        return formats.facts(self.record, self.format, kind=self.kind)


def read(raw: bytes, carrier: str, *, encoding: str = "auto", format: str = "auto") -> Given:
    """The one record of some bytes. BadRecord if there is none, or more than one."""
    batch = reading.read(raw, carrier, encoding=encoding)
    if batch.failed:
        raise BadRecord(batch.failed[0].reason)
    if len(batch.reads) != 1:
        raise BadRecord(f"one record is submitted at a time, not {len(batch.reads)}")
    (read,) = batch.reads
    fmt = formats.format_of(read.record, format)
    return Given(record=read.record, format=fmt, kind=kinds.kind_of(read.record, fmt), told=tuple(read.findings))


async def look(conn: Connection, given: Given, library: str, *, qualified: bool, instead: int | None = None) -> Answer:
    """What would become of it as a record of the library. `qualified`: whoever submits it may accept it; `instead`:
    signature of the record that it replaces.
    """
    court = Court(await quality_scope.of_library(conn, library))
    (verdict,) = court.judge([Subject(_numbered(given.record), given.format, given.told)])
    worth = [each for each in verdict.findings if court.levels[each.rule] >= Level.WARNING]
    wrong = Counter(each.rule for each in worth if court.levels[each.rule] == Level.ERROR)
    worth.sort(key=lambda each: each.rule not in wrong)
    foreseen = await foreseeing.foresee(conn, given.facts, instead)
    symbol = await clusters.symbol(conn)
    held = [
        each
        for each in await reservations.of_keys(conn, reserving.keys(given.facts, given.description))
        if each.library != library
    ]
    return answer(
        cluster="" if foreseen.cluster is None else cluster_id(symbol, foreseen.cluster),
        score=foreseen.score,
        reasons=foreseen.reasons,
        findings=worth[:MOST_FINDINGS],
        wrong=list(wrong.elements()),
        doubtful=[cluster_id(symbol, each) for each in foreseen.doubtful if foreseen.cluster is None],
        reserved=held,
        qualified=qualified,
        holdings=given.kind is Kind.HOLDINGS,
    )


def _numbered(record: Record) -> Record:
    """As it will be judged when it is placed: with a number, which it gets where it has none."""
    if record.first("001"):
        return record
    return Record(record.leader, (("001", "S"), *(each for each in record.fields if each[0] != "001")))
