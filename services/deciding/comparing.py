"""Two records side by side: what the matcher makes of them, and why they are, or are not, one (store)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from catalog import bodies, decisions, dictionaries, original, records, signatures
from catalog.connection import Connection
from catalog.decisions import Decision, Named
from catalog.model import Description, Format, Verdict
from config.errors import NotFound
from dms.describe import describe
from dms.match import decide, vetoes
from dms.match import features as matching
from services.deciding.sides import Side


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """What the matcher makes of a pair."""

    together: bool  # in one cluster now
    verdict: Verdict
    score: int
    join: int  # points from which a pair joins by itself
    reasons: Sequence[tuple[str, int]]  # rule, points; a veto or a limit has none
    decisions: Sequence[Decision]  # of people, that name both
    described: tuple[Description, Description]
    held_apart: bool  # by a veto that the union keeps to, whatever joins their neighbours

    @property
    def short(self) -> int:
        """Points that are missing for a join."""
        return max(0, self.join - self.score)


async def compare(conn: Connection, one: Side, other: Side) -> Compared:
    """Judge the records that stand for two sides as the matcher does."""
    features = await signatures.features(conn, {one.sid, other.sid})
    a, b = matching.unpack(features[one.sid]), matching.unpack(features[other.sid])
    shared = (set(a.isbns) & set(b.isbns)) | {matching.unified_identifier(each) for each in {*a.unified} & {*b.unified}}
    ambiguous = await signatures.ambiguous(conn, shared) if shared else set()
    judged = decide.judge(a, b, ambiguous.__contains__)
    named = [each for each in await decisions.of_records(conn, [one.record]) if _names(each, other)]
    return Compared(
        together=one.cluster == other.cluster,
        verdict=judged.verdict,
        score=judged.score,
        join=decide.JOIN,
        reasons=judged.reasons,
        decisions=named,
        described=(await description(conn, one.record), await description(conn, other.record)),
        held_apart=vetoes.clash(a, b),
    )


async def description(conn: Connection, record: Named) -> Description:
    """What a record says. NotFound if it is not there."""
    source, local_id = record
    row = await records.get(conn, source, local_id)
    if row is None:
        raise NotFound(f"there is no record {local_id}")
    known = await dictionaries.of(conn, [row.dictionary])
    raw = bodies.open_body(row.body, row.dictionary, known)
    return describe(original.record(raw, row.carrier, row.encoding), Format(row.format))


def _names(one: Decision, side: Side) -> bool:
    return side.record in one.records or side.record in one.others
