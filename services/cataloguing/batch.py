"""Batch changes as people ask for them: seen before they are made, made, taken back (shell)."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from catalog import batch_records, batches, dictionaries, sources
from catalog.batches import Batch
from catalog.connection import Connection
from catalog.work.queue import Queue
from config.errors import Misconfigured, NotFound, Refused
from dms import batch_change, batch_plan, batching, quality_scope
from dms.batch_change import Operation
from dms.batch_edits import Edit
from dms.batch_plan import Job, Planned
from dms.rules import catalogue
from services.cataloguing import choosing
from services.cataloguing.choosing import Chosen

EXAMPLES = 10
LONGEST = 500  # characters of a reason
Within = Collection[str] | None  # libraries whose records may be changed; None = all


@dataclass(slots=True, kw_only=True)
class Preview:
    """What a change would do."""

    states: Counter[str] = field(default_factory=Counter)  # changed, offered, same, refused
    reasons: Counter[str] = field(default_factory=Counter)  # of what is refused
    fields: Counter[str] = field(default_factory=Counter)  # that change, by tag
    examples: list[tuple[str, tuple[Edit, ...]]] = field(default_factory=list)  # source/local id

    @property
    def looked(self) -> int:
        """Records that were looked at."""
        return self.states.total()


def check_rule(rule: str) -> None:
    """Misconfigured if it is no rule."""
    if rule and rule not in catalogue.rules():
        raise Misconfigured(f"no rule is named {rule}")


async def preview(
    conn: Connection,
    chosen: Chosen,
    change: Sequence[Operation],
    *,
    rule: str = "",
    within: Within = None,
    limit: int | None = None,
    examples: int = EXAMPLES,
) -> Preview:
    """What the change would do with the first `limit` of the records. Nothing is changed."""
    check_rule(rule)
    found = Preview()
    async for source, local_ids in choosing.pages(conn, chosen, limit):
        rows = await batch_records.rows(conn, source.no, local_ids)
        own = await batching.is_own(conn, source, None if within is None else frozenset(within))
        job = Job(
            source=source,
            change=tuple(change),
            rule=rule,
            profile=await quality_scope.of_library(conn, source.library),
            own=own,
            rows=[rows[each] for each in local_ids if each in rows],
            dictionaries=await dictionaries.of(conn, {row.dictionary for row in rows.values()}),
        )
        for one in await asyncio.to_thread(batch_plan.plan, job):
            _count(found, source.name, one, own, examples)
    return found


def _count(found: Preview, source: str, one: Planned, own: bool, examples: int) -> None:
    if not one.state:
        return
    found.states["offered" if one.state == "changed" and not own else one.state] += 1
    if one.reason:
        found.reasons[one.reason] += 1
    found.fields.update({edit.tag for edit in one.edits})
    if one.edits and len(found.examples) < examples:
        found.examples.append((f"{source}/{one.local_id}", one.edits))


async def make(
    conn: Connection,
    queue: Queue,
    chosen: Chosen,
    change: Sequence[Operation],
    *,
    who: str,
    why: str,
    rule: str = "",
    within: Within = None,
) -> Batch:
    """Put the batch; workers carry it out. Misconfigured without a reason."""
    check_rule(rule)
    made = await batches.add(
        conn, batch_change.pack(change), chosen.text, rule=rule, who=who, why=reason(why), within=within
    )
    await choosing.keep(conn, made.batch, chosen)
    await batching.announce(queue, conn, made.batch)
    return made


async def undo(conn: Connection, queue: Queue, number: int, *, who: str, why: str, within: Within = None) -> Batch:
    """Take a batch back as far as its fields are as it left them. Refused if it changed records beyond `within`."""
    if within is not None:
        made_within = await batches.within(conn, number)
        if made_within is None or not made_within <= set(within):
            raise Refused(f"batch {number} changed records of libraries that are not yours")
    taken = await batches.take_back(conn, number, who=who, why=reason(why))
    await batching.announce(queue, conn, number)
    return taken


async def is_over(conn: Connection, number: int) -> bool:
    """Whether every record was looked at and every load of it is through."""
    batch = await batches.get(conn, number)
    return batch.state in ("done", "undone") and not await batches.loading(conn, batch)


async def source(conn: Connection, name: str, within: Within = None) -> Chosen:
    """All records of a source. NotFound if there is none, or it is of no library within reach."""
    found = await sources.get(conn, name)
    if within is not None and found.library not in within:
        raise NotFound(f"there is no source {name} of your libraries")
    return Chosen(text=f"source: {name}", source=found)


def reason(why: str) -> str:
    """A reason as it is kept."""
    why = " ".join(why.split())
    if not why:
        raise Misconfigured("say why: others will read it, and you will in a year (--why)")
    return why[:LONGEST]
