"""Judge a prepared load with what stands in the catalogue, and release or hold it (shell around `judging`)."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Collection, Mapping

import msgspec
import numpy as np

from catalog import attached, bodies, inbox, loads, quality, quarantine, records
from catalog.connection import Connection
from catalog.loads import Load
from catalog.model import LoadState
from catalog.quality import Found
from config.settings import Limits
from dms import judging, mfhd, repeating
from dms.judging import Entry, Lead, Sums
from dms.pipeline import Item, Orders, Prepared, Tally, decode_tally, encode
from dms.quality import Sheet

DELETIONS_A_UNIT = 2000
UNCOUNTED = ("undo", "move")  # modes of loads that bring nothing new: their findings are in no month


async def judge(conn: Connection, load: Load, limits: Limits) -> list[str]:
    """Release the load to be placed, or hold it and say why; in the caller's transaction.

    An undo is released without limits: it brings back what was published before.
    """
    sums = Sums()
    columns = []
    lead, leads = judging.Lead(), {}
    lent: set[str] = set()
    async for unit, tally in _tallies(conn, load.load):
        if tally.follows or tally.led:
            leads[unit] = lead
        lead = lead if tally.last == mfhd.FOLLOWS else judging.Lead(tally.last, frozenset(tally.numbers))
        sums.add(tally)
        ids = judging.led(tally, leads.get(unit)).ids
        lent.update(each for each in ids if mfhd.is_lent(each))
        columns.append(judging.hashes(ids))
    repeated = judging.repeated(columns)
    groups = await _groups(conn, load.load, repeated, leads)
    resolved = judging.resolve(groups)
    beaten = resolved.beaten if load.mode in repeating.MODES else []
    missing, total = await _missing(conn, load, columns) if load.mode == "full" else ([], 0)
    cases = await quarantine.named(conn, load.source)
    returned = {local_id for local_id, those in cases.items() if any(by == load.load for _, by in those)}
    missing = [i for i in missing if not judging.is_numbered_repeat(i, groups) and i not in returned]
    await loads.count(
        conn,
        load.load,
        {
            "records": sums.records + sum(sums.back.values()),
            "unchanged": sums.unchanged - resolved.superseded_unchanged,
            "superseded": resolved.superseded - len(beaten),
            "returned": sums.back.get("returned", 0) + len(beaten),
            "unreadable": sums.back.get("unreadable", 0),
            "mended": sums.sheet.mended,
        },
    )
    await quality.count(conn, load.load, _found(sums.sheet))
    against = [] if load.assured or load.mode == "undo" else judging.objections(sums, len(missing), total, limits)
    if against:
        await loads.turn(conn, load.load, LoadState.HELD, since=(LoadState.PREPARING,), reason="; ".join(against))
        return against
    if load.mode not in UNCOUNTED:
        await quality.into_months(conn, load.load)
    given = resolved.orders
    async for unit, tally in _tallies(conn, load.load, leads):
        if unit in leads:
            given[unit] = judging.follow(given.get(unit, Orders([], [])), tally, leads[unit])
    await inbox.give_orders(conn, load.load, {unit: encode(orders) for unit, orders in given.items()})
    if load.mode == "changes" and lent and not sums.back:
        missing = await _replaced(conn, load, lent)
    await _delete(conn, load, missing)
    await _settle_cases(conn, load, cases, columns)
    await quarantine.add_findings(
        conn,
        [
            (
                load.load,
                load.source,
                load.library,
                local_id,
                0,
                repeating.RULE,
                f"{lost} other versions in the same load",
            )
            for local_id, lost in resolved.rivals
        ],
    )
    await repeating.keep(conn, load, beaten)
    await loads.turn(conn, load.load, LoadState.PLACING, since=(LoadState.PREPARING,))
    return []


def _found(sheet: Sheet) -> Found:
    rules = [
        (rule, row.level, row.findings, row.records, row.mended, row.examples) for rule, row in sheet.rules.items()
    ]
    return Found(judged=sheet.judged, score=sheet.score, rules=rules)


async def _tallies(
    conn: Connection, load: int, wanted: Collection[int] | None = None
) -> AsyncIterator[tuple[int, Tally]]:
    """Unit by unit in their order; `wanted` = the units that are needed, if not all."""
    after = -1 if wanted is None else min(wanted, default=0) - 1
    last = None if wanted is None else max(wanted, default=-1)
    while (last is None or after < last) and (page := await inbox.tallies(conn, load, after)):
        for unit, tally in page:
            yield unit, decode_tally(bodies.grow(tally))
        after = page[-1][0]


async def _groups(conn: Connection, load: int, repeated: set[int], leads: Mapping[int, Lead]) -> dict[str, list[Entry]]:
    """Occurrences by id, of the ids whose hash came more than once."""
    groups: dict[str, list[Entry]] = {}
    if not repeated:
        return groups
    async for unit, told in _tallies(conn, load):
        tally = judging.led(told, leads.get(unit))
        for place, key in enumerate(judging.hashes(tally.ids).tolist()):
            if key in repeated:
                entry = Entry(unit, place, tally.index[place], tally.stamps[place], tally.digests[place])
                groups.setdefault(tally.ids[place], []).append(entry)
    return groups


async def _missing(
    conn: Connection, load: Load, columns: list[np.ndarray[tuple[int], np.dtype[np.uint64]]]
) -> tuple[list[str], int]:
    """Local ids that stand but are not in this full load, and how many stand."""
    seen = np.sort(np.concatenate(columns)) if columns else np.empty(0, dtype=np.uint64)
    missing: list[str] = []
    total = 0
    async for page in records.local_ids(conn, load.source):
        total += len(page)
        absent = ~np.isin(judging.hashes(page), seen, assume_unique=False)
        missing.extend(local_id for local_id, gone in zip(page, absent.tolist(), strict=True) if gone)
    return missing, total


async def _replaced(conn: Connection, load: Load, lent: set[str]) -> list[str]:
    """Holdings records without numbers of their own come as the set of their title: a changed one has another name,
    and the set that is brought stands for the one before. One that is read again comes alone.
    """
    if await quarantine.is_rerun(conn, load.load):
        return []
    parents = {attached.ID + mfhd.lender(each) for each in lent}
    return sorted(await attached.lent(conn, load.source, load.library, parents) - lent)


async def _settle_cases(
    conn: Connection,
    load: Load,
    cases: dict[str, list[tuple[int, int]]],
    columns: list[np.ndarray[tuple[int], np.dtype[np.uint64]]],
) -> None:
    """What an earlier load returned and this one brings in order is settled. What came back again stands once, and what
    the library has sent anew stands for what it sent before: mending the older must not publish it over the newer.
    """
    if await quarantine.end_rerun(conn, load.load):
        cases = await quarantine.named(conn, load.source)
    await quarantine.supersede(conn, load.source, load.load)
    if not cases or load.mode == "undo":
        return
    brought = np.isin(judging.hashes(cases), np.concatenate(columns)) if columns else np.zeros(len(cases), dtype=bool)
    settled = [
        case
        for those, here in zip(cases.values(), brought, strict=True)
        if here or any(by == load.load for _, by in those)
        for case, by in those
        if by < load.load
    ]
    if load.mode in ("recheck", "batch"):  # what stands is not what a later load brought and had back
        rechecked = await quarantine.of_rechecks(conn, load.source)
        settled = [case for case in settled if case in rechecked]
    await quarantine.settle(conn, settled, load.load)


async def _delete(conn: Connection, load: Load, missing: list[str]) -> None:
    """Units of deletions, ready to be placed."""
    for start in range(0, len(missing), DELETIONS_A_UNIT):
        items = [_deletion(local_id) for local_id in missing[start : start + DELETIONS_A_UNIT]]
        await inbox.add_prepared(conn, load.load, bodies.shrink(encode(Prepared(items, []))))


def _deletion(local_id: str) -> Item:
    blank = Item("", 0, True, b"", "", 0, 0, 0, "", 0, 0, b"", -1, (), ())
    digest = hashlib.blake2b(b"absent", digest_size=16).digest()
    return msgspec.structs.replace(blank, local_id=local_id, digest=digest)
