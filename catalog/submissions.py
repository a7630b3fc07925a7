"""Records that cataloguers hand in one by one, and what became of each (store)."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from catalog import bodies
from catalog.connection import Connection
from config.errors import Conflict, NotFound

State = Literal["draft", "submitted", "returned", "accepted", "merged", "withdrawn"]
Action = Literal["insert", "replace", "delete"]
STATES: tuple[State, ...] = ("draft", "submitted", "returned", "accepted", "merged", "withdrawn")
OPEN: tuple[State, ...] = ("draft", "submitted", "returned")  # that wait for somebody
ACTIONS: tuple[Action, ...] = ("insert", "replace", "delete")


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """A row of table `submission`."""

    submission: int
    library: str  # whose record it will be
    state: State
    action: Action
    source: int | None  # of the record that is replaced or deleted
    local_id: str
    format: str
    body: bytes  # the record as MARC-in-JSON; empty = what is deleted
    title: str
    answer: Any  # plain values of JSON (services.submitting.answer)
    note: str
    made_by: str
    made_at: datetime
    changed_at: datetime
    decided_by: str
    reason: str
    load: int | None


COLUMNS = ", ".join(Submission.__dataclass_fields__)


def _of_row(row: Any) -> Submission:
    told = row["answer"]
    body = bodies.grow(row["body"]) if row["body"] else b""
    return Submission(**(dict(row) | {"body": body, "answer": json.loads(told) if isinstance(told, str) else told}))


async def add(
    conn: Connection,
    library: str,
    action: Action,
    *,
    format: str,
    body: bytes,
    title: str,
    made_by: str,
    note: str = "",
    source: int | None = None,
    local_id: str = "",
) -> Submission:
    """A new draft."""
    row = await conn.fetchrow(
        f"""insert into submission (library, action, source, local_id, format, body, title, note, made_by)
            values ($1, $2, $3, $4, $5, $6, $7, $8, $9) returning {COLUMNS}""",
        library,
        action,
        source,
        local_id,
        format,
        bodies.shrink(body) if body else b"",
        title,
        note,
        made_by,
    )
    return _of_row(row)


async def get(
    conn: Connection, number: int, *, lock: bool = False, within: Collection[str] | None = None
) -> Submission:
    """One of them; NotFound if there is none, or none of these libraries. `lock`: nobody else changes it until the
    transaction ends.
    """
    row = await conn.fetchrow(
        f"""select {COLUMNS} from submission where submission = $1 and ($2::text[] is null or library = any($2))
            {"for update" if lock else ""}""",
        number,
        None if within is None else sorted(within),
    )
    if row is None:
        raise NotFound(f"there is no submission {number} (tianlu submission list)")
    return _of_row(row)


async def listing(
    conn: Connection, states: Sequence[State], limit: int, *, within: Collection[str] | None = None, made_by: str = ""
) -> list[Submission]:
    """Those in these states, the newest first; of one person only, if told."""
    rows = await conn.fetch(
        f"""select {COLUMNS} from submission
            where state = any($1::text[]) and ($2::text[] is null or library = any($2)) and ($3 = '' or made_by = $3)
            order by submission desc limit $4""",
        list(states),
        None if within is None else sorted(within),
        made_by,
        limit,
    )
    return [_of_row(row) for row in rows]


async def waiting(conn: Connection, *, within: Collection[str] | None = None) -> int:
    """How many wait for somebody: a reviewer, or the cataloguer to whom they came back."""
    found: int = await conn.fetchval(
        """select count(*) from submission
           where state in ('submitted', 'returned') and ($1::text[] is null or library = any($1))""",
        None if within is None else sorted(within),
    )
    return found


async def write(conn: Connection, number: int, *, format: str, body: bytes, title: str, note: str) -> None:
    """The record as its cataloguer has it now."""
    await conn.execute(
        """update submission set format = $2, body = $3, title = $4, note = $5, changed_at = now()
           where submission = $1""",
        number,
        format,
        bodies.shrink(body) if body else b"",
        title,
        note,
    )


async def turn(
    conn: Connection,
    number: int,
    state: State,
    *,
    since: Sequence[State],
    decided_by: str | None = None,
    reason: str | None = None,
    answer: Any = None,
    record: tuple[int, str] | None = None,
) -> None:
    """Into another state; Conflict if it is in none of those `since` which it may be. What is None stays. `record`: its
    source and local id.
    """
    done = await conn.execute(
        """update submission set state = $2, changed_at = now(), decided_by = coalesce($4, decided_by),
               reason = coalesce($5, reason), answer = coalesce($6::text::jsonb, answer),
               source = coalesce($7, source), local_id = coalesce($8, local_id)
           where submission = $1 and state = any($3::text[])""",
        number,
        state,
        list(since),
        decided_by,
        reason,
        None if answer is None else json.dumps(answer, ensure_ascii=False),
        *(record or (None, None)),
    )
    if done != "UPDATE 1":
        there = await get(conn, number)
        raise Conflict(f"submission {number} is {there.state} meanwhile: look at it again")


async def brought(conn: Connection, number: int, load: int) -> None:
    """That this load brings it."""
    await conn.execute("update submission set load = $2 where submission = $1 and state = 'accepted'", number, load)
    await arrived(conn, load)  # it may have been placed before this was written


async def coming(conn: Connection, source: int, local_id: str) -> bool:
    """Whether one that was accepted brings a new record of this id, which isn't there yet."""
    found: bool = await conn.fetchval(
        """select exists (select from submission where source = $1 and local_id = $2 and state = 'accepted'
                          and action = 'insert')""",
        source,
        local_id,
    )
    return found


async def unlanded(conn: Connection, limit: int) -> list[int]:
    """Those that were accepted a while ago and have no load."""
    rows = await conn.fetch(
        """select submission from submission
           where state = 'accepted' and load is null and changed_at < now() - interval '30 seconds'
           order by submission limit $1""",
        limit,
    )
    return [row["submission"] for row in rows]


async def arrived(conn: Connection, load: int) -> None:
    """If the load that brings a submission has come to its end: it is merged, or it came back with a reason."""
    await conn.execute(
        """update submission s
           set state = case when l.state = 'done' and q.rule is null then 'merged' else 'returned' end,
               reason = case l.state when 'done' then coalesce(q.reason, '') else l.reason end, changed_at = now()
           from load l left join quarantine q on q.source = l.source and q.load = l.load
           where s.load = $1 and s.state = 'accepted' and l.load = $1 and l.state in ('done', 'failed')""",
        load,
    )


async def undone(conn: Connection, load: int) -> None:
    """The load that brought it was taken back."""
    await conn.execute(
        """update submission set state = 'withdrawn', reason = 'load undone', changed_at = now()
           where load = $1 and state = 'merged'""",
        load,
    )
