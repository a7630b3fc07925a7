"""What the rules say now of a record that is kept, and what was mended of it on arrival (store)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from catalog import bodies, dictionaries, original, quarantine
from catalog.connection import Connection
from catalog.model import Format
from catalog.original import Received
from catalog.records import Row
from dms import quality, quality_scope
from dms.quality import Inspector
from dms.rules.model import Finding, Level
from protocols.marc import Record


@dataclass(frozen=True, slots=True, kw_only=True)
class Opinion:
    """Of one record, under the profile that is active for its library."""

    record: Record  # as it is shown
    findings: Sequence[Finding]
    score: int
    came: Received
    inspector: Inspector

    def level(self, finding: Finding) -> Level:
        """How bad a finding is."""
        return self.inspector.levels[finding.rule]


async def opinion(conn: Connection, row: Row) -> Opinion:
    """Judge a kept record as it is shown: mended, if it was. BadRecord if the bytes can't be read."""
    raw = bodies.open_body(row.body, row.dictionary, await dictionaries.of(conn, {row.dictionary}))
    record = original.record(raw, row.carrier, row.encoding)
    told = await quarantine.findings_of_versions(conn, row.source, {row.local_id: row.load})
    inspector = quality.inspector(await quality_scope.of_library(conn, row.library))
    judged = inspector.whole(record, Format(row.format), told.get(row.local_id, ()))
    return Opinion(
        record=record,
        findings=judged.findings,
        score=judged.score,
        came=original.received(raw, row.carrier, row.encoding),
        inspector=inspector,
    )
