"""Holdings records find their parents: the last part of PLACE (shell around a pure choice).

What a holdings record is attached to is a function of the records that are there, never of their order: whenever a
holdings record or a record that one may name comes, changes or goes, all holdings records with that key are looked at
again. A key that names several records is told, not guessed; so is one that names none.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from itertools import groupby

from catalog import attached, clusters, quarantine, sources
from catalog.attached import Attachment
from catalog.connection import Connection
from catalog.loads import Load
from catalog.model import Source
from catalog.records import Standing
from config.errors import NotFound
from dms.pipeline import Item
from dms.rules.model import Kind


def is_holdings(item: Item, standing: Standing | None) -> bool:
    """Is this a holdings record, or the end of one?"""
    return (standing.kind if item.deleted and standing else item.kind) == Kind.HOLDINGS


async def follow(
    conn: Connection, load: Load, source: Source, arrivals: Sequence[tuple[Item, Standing | None]]
) -> set[int]:
    """Attach and detach what these arrivals let us, which are written and have their clusters; the clusters to merge
    again.
    """
    mine = {item.local_id: item for item, there in arrivals if is_holdings(item, there)}
    handled = await attached.wants_handles(conn, source.name)
    if mine and source.mapping.get(attached.JOIN, "id") != "id":
        await _keep_all(conn, str(source.mapping[attached.PARENTS]))
    if not mine and not handled and not await attached.any_of_library(conn, source.library):
        return set()
    bibs = [item for item, _ in arrivals if item.local_id not in mine]
    keys = {attached.ID + item.local_id for item in bibs}
    if handled:
        keys |= await _handles(conn, source, bibs)
    old = {there.sid for item, there in arrivals if item.local_id in mine and there}
    detached = await attached.gone(conn, source.no, [item.local_id for item in mine.values() if item.deleted])
    staying = [(source.no, item.local_id) for item in mine.values() if not item.deleted]
    found = _choose(await attached.candidates(conn, source.library, keys, staying))
    told = [
        (one, rivals)
        for one, rivals in found
        if (one.of, one.sid) != (one.parent, one.parent_sid) or (one.source == source.no and one.local_id in mine)
    ]
    changed = [one for one, _ in told]
    await attached.put(conn, changed)
    await attached.cover(conn, detached | {name for one, _ in found for name in (one.of, one.parent) if name})
    await _tell(conn, load, source, mine, told)
    sids = old | {sid for one in changed for sid in (one.sid, one.parent_sid)}
    return set((await clusters.membership(conn, {sid for sid in sids if sid is not None})).values())


async def _keep_all(conn: Connection, parents: str) -> None:
    """The keys of a source's records, which are kept from when a sheet first asks for them."""
    with contextlib.suppress(NotFound):  # it was removed: what its records were named by helps nobody
        base = await sources.get(conn, parents)
        if not await attached.any_handle(conn, base.no):
            await attached.handle_all(conn, base.no)


async def _handles(conn: Connection, source: Source, bibs: Sequence[Item]) -> set[str]:
    """Keep the call and item numbers of these records; all that they have and had."""
    if not await attached.any_handle(conn, source.no):
        await attached.handle_all(conn, source.no)
    before = await attached.handles_of(conn, source.no, [item.local_id for item in bibs])
    now = {item.local_id: handles(item.holdings) for item in bibs}
    await attached.handle(conn, source.no, now)
    return before.union(*now.values())


def handles(copies: Sequence[tuple[str, ...]]) -> set[str]:
    """Keys by which a record with these copies (dms.holdings.Copy) is named."""
    found = {attached.call_key(copy[1]) for copy in copies if copy[1]}
    return found | {attached.item_key(copy[2]) for copy in copies if copy[2]}


def _choose(rows: Sequence[Attachment]) -> list[tuple[Attachment, int]]:
    """Each holdings record once, with how many records its key names: it is attached if that is one."""
    found = []
    for _, some in groupby(rows, key=lambda one: (one.source, one.local_id)):
        first, *others = some
        if others:
            first = first._replace(parent=None, parent_sid=None)
        found.append((first, 0 if first.parent is None and not others else 1 + len(others)))
    return found


async def _tell(
    conn: Connection, load: Load, source: Source, mine: dict[str, Item], told: Sequence[tuple[Attachment, int]]
) -> None:
    """Findings on those that wait, instead of what was told of them before."""
    await quarantine.take_back(conn, [(one.source, one.local_id) for one, _ in told], attached.WAITING)
    rows = []
    for one, rivals in told:
        if one.parent is not None:
            continue
        item = mine.get(one.local_id) if one.source == source.no else None
        ordinal = item.ordinal if item else 0
        rule = attached.AMBIGUOUS if rivals else attached.NO_PARENT
        detail = _reason(one.key, rivals, source.library)
        rows.append((load.load, one.source, source.library, one.local_id, ordinal, rule, detail))
    await quarantine.add_findings(conn, rows)


def _reason(key: str, rivals: int, library: str) -> str:
    kind, _, value = key.partition(":")
    named = {"id": "number", "item": "item number", "call": "call number"}.get(kind)
    if named is None:
        return "Parent MARC record is holding or missing: the record names none, and none comes before it in the input"
    if rivals:
        return f"{rivals} bibliographic records of library {library} have the {named} {value!r}: attached to none"
    return (
        f"Parent MARC record is holding or missing: library {library} has no bibliographic record with the {named} "
        f"{value!r}; the copies are kept and shown as soon as it comes"
    )
