"""Re-keying at work: what stands is compared with a new file, and then moved to its ids step by step (shell).

The steps are taken by whoever holds the matcher's lease, some in each transaction, with how far they are. Records keep
their signatures, so no cluster changes; what other nodes know a copy by stays too, so nothing is told anew.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from catalog import attached, hosting, loads, pins, rekeys, renaming, signatures, sources
from catalog.connection import Connection
from catalog.database.pool import Database
from catalog.model import Source
from catalog.rekeys import GOES_INTO, MAKES_WAY, RENAMED, Rekey, Step
from config.errors import Conflict, Misconfigured
from dms import pinning, rekey
from dms.match import features as matching
from dms.memory import Memory
from dms.rekey import Known, Pairing

BATCH = 2000  # steps of one transaction
LISTED = 8  # rivals that are named of a doubtful id


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A source's records as they were when they were compared."""

    source: Source
    records: Sequence[Known]  # with those that came back and of which nothing stands
    ids: frozenset[str]  # of those that stand
    newest: int  # load of the source


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """A pairing with what it is of."""

    standing: Standing
    pairing: Pairing
    unpaired: tuple[str, ...]  # of those that stand
    minded: tuple[str, ...]  # unpaired ones that a pin or a decision names

    @property
    def moving(self) -> int:
        """Records that get another id."""
        return sum(one.old != one.new for one in self.pairing.pairs)

    def counts(self) -> dict[str, int]:
        """What a preview says."""
        by = dict.fromkeys((rekey.TOLD, *rekey.EVIDENCE), 0)
        for one in self.pairing.pairs:
            by[one.by] += 1
        return {
            "records": len(self.standing.ids),
            "paired": len(self.pairing.pairs),
            "moving": self.moving,
            "joined": len(self.pairing.joined),
            **{f"by_{kind.replace('-', '_')}": count for kind, count in by.items()},
            "doubtful": len(self.pairing.doubts),
            "unpaired": len(self.unpaired),
            "new": len(self.pairing.fresh),
            "unpaired_pinned": len(self.minded),
        }


async def standing(database: Database, name: str) -> Standing:
    """A source's records, to be compared. Conflict while a load of it is under way, Misconfigured where another node
    tells them."""
    async with database.transaction() as conn:
        source = await sources.get(conn, name)
        await _free(conn, source)
        newest = await loads.newest(conn, source.no)
        found = []
        sids: dict[str, int] = {}
        async for row in rekeys.standing(conn, source.no):
            sids[row["local_id"]] = row["sid"]
            found.append(
                Known(
                    local_id=row["local_id"],
                    kind=row["kind"],
                    content=row["digest"] or b"",
                    title=row["title_hash"],
                    items=frozenset(row["items"] or ()),
                    calls=frozenset(row["calls"] or ()),
                )
            )
        apart = await _apart(conn, source.no, sids)
        back = [Known(local_id=local_id) for local_id in await rekeys.returned(conn, source.no)]
    records = [replace(one, content=apart[one.local_id]) if one.local_id in apart else one for one in found]
    return Standing(
        source=source,
        records=[*records, *back],
        ids=frozenset(sids),
        newest=newest.load if newest else 0,
    )


async def _free(conn: Connection, source: Source) -> None:
    if await sources.is_fed(conn, source.no):
        raise Misconfigured(f"what is in {source.name} another node tells: it is re-keyed there")
    await hosting.writable(conn, source.library)
    there = await loads.open_of_source(conn, source.no)
    if there is not None:
        raise Conflict(f"load {there.load} of {source.name} is {there.state.value}: see it through first")
    if await rekeys.is_moving(conn, source.no):
        raise Conflict(f"{source.name} is being re-keyed: wait for it (the same command again does)")


async def _apart(conn: Connection, source: int, sids: Mapping[str, int | None]) -> dict[str, bytes]:
    """What the signatures of records would be that a cannot-link gave one of their own."""
    if not await pins.any_pin(conn):
        return {}
    named = {local_id: sids[local_id] for local_id in await pins.kept_apart(conn, source, list(sids))}
    packed = await signatures.features(conn, {sid for sid in named.values() if sid is not None})
    return {local_id: matching.signature(packed[sid]) for local_id, sid in named.items() if sid in packed}


async def compare(
    database: Database,
    there: Standing,
    news: Sequence[Known],
    told: Mapping[str, str],
    *,
    only: str = "",
    by: Collection[str] = rekey.EVIDENCE,
) -> Compared:
    """Pair what stands with the records of a new file (`dms.rekey.pair`)."""
    pairing = rekey.pair(there.records, news, told, only=only, by=by)
    unpaired = tuple(name for name in pairing.unpaired if name in there.ids)
    async with database.connection() as conn:
        minded = await rekeys.minded(conn, there.source.no, unpaired) if unpaired else []
    return Compared(standing=there, pairing=pairing, unpaired=unpaired, minded=tuple(minded))


async def begin(conn: Connection, found: Compared, *, identity: str, origin: str, fingerprint: bytes) -> int:
    """Plan the moves, in the caller's transaction; the re-keying's number. Conflict if the source changed meanwhile."""
    source = found.standing.source
    await sources.lock(conn, source.no)
    await _free(conn, source)
    newest = await loads.newest(conn, source.no)
    if (newest.load if newest else 0) != found.standing.newest:
        raise Conflict(f"{source.name} was loaded meanwhile: compare again")
    former, counts = source.identity, found.counts()
    number = await rekeys.begin(conn, source.no, origin=origin, fingerprint=fingerprint, former=former, counts=counts)
    pairing = found.pairing
    names, making = rekey.way(pairing, f"~{number}", [one.local_id for one in found.standing.records])
    steps = [(old, new, MAKES_WAY if old in making else RENAMED) for old, new in rekey.order(names)]
    steps += [(making.get(one.old, one.old), one.new, GOES_INTO) for one in pairing.joined]
    await rekeys.plan(conn, number, [Step(n, *one) for n, one in enumerate(steps, 1)])
    await rekeys.tell(conn, number, source.no, _told(found))
    await sources.name_by(conn, source.no, identity)
    if not steps:
        await rekeys.turn(conn, number, "moved")
    return number


def _told(found: Compared) -> list[tuple[str, str | None, str]]:
    """What becomes of ids: (old, new, evidence)."""
    pairing = found.pairing
    rows: list[tuple[str, str | None, str]] = [
        (one.old, one.new, f"{one.by}: {one.evidence}") for one in pairing.pairs if one.old != one.new
    ]
    rows += [(one.old, one.new, f"{one.by}: {one.evidence}; went into it with others") for one in pairing.joined]
    doubts = {one.old: one for one in pairing.doubts}
    for old in found.unpaired:
        doubt = doubts.get(old)
        why = (
            f"{doubt.by}: may be {', '.join(doubt.rivals[:LISTED])}" if doubt else "nothing in the new file is like it"
        )
        rows.append((old, None, why))
    return rows


async def next_steps(conn: Connection, memory: Memory) -> None:
    """Take the next steps of the oldest re-keying, in the caller's transaction. Needs the matcher's lease."""
    one = await rekeys.next_due(conn)
    if one is None:
        return
    some = await rekeys.steps(conn, one, BATCH)
    if some:
        await _take(conn, one, some, memory)
        await rekeys.advance(conn, one, some[-1].n)
    if len(some) < BATCH:
        await renaming.examples(conn, one.source, one.rekey)
        await rekeys.turn(conn, one.rekey, "moved")


async def _take(conn: Connection, one: Rekey, some: Sequence[Step], memory: Memory) -> None:
    renames = [step for step in some if step.kind != GOES_INTO]
    names = rekey.composed((step.old, step.new) for step in renames)
    out = {step.new for step in renames if step.kind == MAKES_WAY}
    await renaming.rename(conn, one.source, names, {old: new for old, new in names.items() if new in out})
    into = {step.old: step.new for step in some if step.kind == GOES_INTO}
    if into:
        await renaming.point(conn, one.source, into)
        await renaming.lost(conn)
        heirs = sorted({(one.source, new) for new in into.values()})
        await pinning.follow(conn, heirs, memory)
        await attached.resign(conn, heirs)
