"""Holdings records that wait for the record whose copies they tell of, as a person finds them in the input."""

from __future__ import annotations

from collections.abc import Sequence

from catalog import attached, bodies, dictionaries, original, records
from catalog.model import Source
from config import sentences
from node.app import Node
from node.context import Context
from protocols import landed
from services.returning import shown

MOST = 50  # that are listed


async def tell(context: Context, node: Node, source: Source) -> None:
    """List holdings of the source that wait for their record, by row."""
    async with node.database.connection() as conn:
        total, rows = await attached.waiting(conn, source.no, MOST)
    if not total:
        return
    context.out.note(context.text("holdings_wait", count=f"{total:,}", source=source.name))
    for row, at in zip(rows, await _rows_of(node, source, [row["local_id"] for row in rows]), strict=True):
        where = shown.rows(at, context.lang) or context.text("holdings_place", ordinal=row["ordinal"])
        reason = sentences.told(row["detail"], context.lang)
        context.out.note(context.text("holdings_waiting", where=where, id=row["local_id"], reason=reason))
    if total > len(rows):
        context.out.note(context.text("holdings_more", count=f"{total - len(rows):,}", source=source.name))


async def _rows_of(node: Node, source: Source, local_ids: Sequence[str]) -> list[list[landed.Place]]:
    """Where each of these records stood in the table that it was made of; nothing of what was made of none."""
    async with node.database.connection() as conn:
        known = await dictionaries.every(conn)
        found = [await records.get(conn, source.no, local_id) for local_id in local_ids]
    return [
        landed.places(
            original.received(bodies.open_body(row.body, row.dictionary, known), row.carrier, row.encoding).raw
        )
        if row
        else []
        for row in found
    ]
