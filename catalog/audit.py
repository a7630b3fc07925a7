"""The audit log: who did what, each entry chained to the one before by its digest (store).

    async with database.transaction() as conn:
        …                                                      # the act
        await audit.append(conn, Entry(actor="os:root", act="library.add", object="CN-TJU"))     # last: see `append`

Whoever changes, removes or inserts an entry afterwards breaks the chain, which `verify` finds. Whoever makes the whole
chain anew is found out by the nodes that were told of its end (`catalog.heads`).
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import msgspec

from catalog.acts import Entry, Outcome
from catalog.connection import Connection

KEPT_DAYS = 180  # at least (《网络安全法》, article 21: network logs for six months)
FIRST = bytes(32)  # what the first entry follows on
LONGEST = 400  # characters of a text; what is longer is cut
MOST = 50  # parts of a list in the detail
PAGE = 5000  # entries that are read at once
FAULTS = 20  # after which `verify` stops looking for more
COLUMNS = "no, at, actor, library, act, object, outcome, detail, address, request, previous, digest"
_EPOCH = datetime.fromtimestamp(0, UTC)
_pack = msgspec.msgpack.Encoder().encode


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """An entry as it stands in the log."""

    no: int
    at: datetime
    actor: str
    library: str
    act: str
    object: str
    outcome: Outcome
    detail: str  # JSON
    address: str
    request: str
    previous: bytes
    digest: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The log's end."""

    no: int  # 0 = nothing was ever logged
    digest: bytes
    at: datetime  # now
    start: int = 0  # the last entry that was dropped


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What `verify` found."""

    entries: int
    head: Head
    faults: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which entries to list; what is empty leaves out nothing."""

    since: datetime | None = None
    until: datetime | None = None
    actor: str = ""
    act: str = ""  # library = library.add, library.remove, …
    library: str = ""
    outcome: str = ""
    within: Collection[str] | None = None  # libraries that whoever asks may see; None = all, and the node's own


async def append(conn: Connection, *entries: Entry) -> int:
    """Add entries in the caller's transaction; the last one's number. Nothing should follow in the transaction but its
    commit: up to then every other act waits here, and what waits for a lock of another act would wait for ever."""
    if not conn.is_in_transaction():
        raise ValueError("an entry of the audit log is added in the transaction of the act")
    row = await conn.fetchrow("select no, digest, clock_timestamp() as at from audit_end for update")
    no, digest, at = row["no"], row["digest"], row["at"]
    kept = []
    for entry in entries:
        no, previous = no + 1, digest
        values = (
            _text(entry.actor), _text(entry.library), _text(entry.act), _text(entry.object), entry.outcome,
            _detail(entry.detail), _text(entry.address), _text(entry.request),
        )  # fmt: skip
        digest = _digest(previous, no, at, *values)
        kept.append((no, at, *values, previous, digest))
    await conn.execute(
        f"with put as (insert into audit ({COLUMNS}) select * from unnest($1::bigint[], $2::timestamptz[], $3::text[],"
        " $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[], $10::text[], $11::bytea[],"
        " $12::bytea[])) update audit_end set no = $13, digest = $14",
        *map(list, zip(*kept, strict=True)), no, digest,
    )  # fmt: skip
    return int(no)


async def head(conn: Connection) -> Head:
    """The log's end at this moment."""
    row = await conn.fetchrow("select no, digest, clock_timestamp() as at, start_no as start from audit_end")
    return Head(**dict(row))


async def digest_of(conn: Connection, no: int) -> bytes | None:
    """The digest of an entry, None if it was dropped or never was."""
    found: bytes | None = await conn.fetchval(
        "select digest from audit where no = $1 union all select start_digest from audit_end where start_no = $1", no
    )
    return found


async def verify(conn: Connection) -> Checked:
    """Read the whole log and compute its chain anew. In a transaction that sees one moment (`Database.snapshot`)."""
    ended = await head(conn)
    chain = _Chain(no=ended.start, digest=await conn.fetchval("select start_digest from audit_end"))
    faults, start = chain.faults, ended.start
    if await conn.fetchval("select exists (select from audit where no <= $1)", ended.start):
        faults.append(f"there are entries up to {ended.start}, which were dropped")
    while rows := await conn.fetch(f"select {COLUMNS} from audit where no > $1 order by no limit $2", start, PAGE):
        chain.follow(rows)
        start = chain.no
        if len(faults) >= FAULTS:
            return Checked(entries=chain.entries, head=ended, faults=tuple(faults[:FAULTS]))
    if chain.no < ended.no:
        faults.append(f"entries {chain.no + 1} to {ended.no} are missing at the end")
    elif chain.no > ended.no:
        faults.append(f"entries {ended.no + 1} to {chain.no} stand behind the log's end")
    elif chain.digest != ended.digest:
        faults.append(f"the log's end has another digest than its last entry, {chain.no}")
    return Checked(entries=chain.entries, head=ended, faults=tuple(faults))


async def page(conn: Connection, wanted: Wanted, *, before: int | None = None, limit: int = 100) -> list[Kept]:
    """Entries, the newest first; `before` = the last one's number of the page before."""
    within = None if wanted.within is None else sorted(wanted.within)
    rows = await conn.fetch(
        f"""select {COLUMNS} from audit
            where ($1::bigint is null or no < $1)
              and ($2::timestamptz is null or at >= $2) and ($3::timestamptz is null or at < $3)
              and ($4 = '' or actor = $4) and ($5 = '' or act = $5 or starts_with(act, $5 || '.'))
              and ($6 = '' or library = $6) and ($7 = '' or outcome = $7)
              and ($8::text[] is null or library = any($8))
            order by no desc limit $9""",
        before, wanted.since, wanted.until, wanted.actor, wanted.act, wanted.library, wanted.outcome, within, limit,
    )  # fmt: skip
    return [Kept(**dict(row)) for row in rows]


async def pages(conn: Connection, wanted: Wanted) -> AsyncIterator[list[Kept]]:
    """All of them, the newest first, in bounded memory."""
    before = None
    while found := await page(conn, wanted, before=before, limit=PAGE):
        yield found
        before = found[-1].no


async def latest(conn: Connection, act: str) -> Kept | None:
    """The last entry of an act."""
    row = await conn.fetchrow(f"select {COLUMNS} from audit where act = $1 order by no desc limit 1", act)
    return Kept(**dict(row)) if row else None


async def drop(conn: Connection, days: int) -> int:
    """Drop the entries at the beginning that are older than so many days; how many. The chain goes on from the last
    of them. No fewer than `KEPT_DAYS` are kept, whatever is asked for."""
    row = await conn.fetchrow(
        """with young as (select min(no) as no from audit where at >= now() - make_interval(days => $1)),
                gone as (select a.no, a.digest from audit a, young
                         where a.no = coalesce(young.no - 1, (select max(no) from audit)))
           update audit_end e set start_no = gone.no, start_digest = gone.digest from gone
           where gone.no > e.start_no returning e.start_no""",
        max(days, KEPT_DAYS) + 1,
    )
    if row is None:
        return 0
    done: str = await conn.execute("delete from audit where no <= $1", row["start_no"])
    return int(done.rpartition(" ")[2])


@dataclass(slots=True, kw_only=True)
class _Chain:
    """The chain as far as it was followed."""

    no: int
    digest: bytes
    entries: int = 0
    faults: list[str] = field(default_factory=list)

    def follow(self, rows: Iterable[Sequence[Any]]) -> None:
        """Go on with the next rows, in the order of `COLUMNS`."""
        expected, last = self.digest, self.no
        for row in rows:
            no, at, actor, library, act, thing, outcome, detail, address, request, previous, digest = row
            if no != last + 1:
                self.faults.append(f"entries {last + 1} to {no - 1} are missing")
            elif previous != expected:
                self.faults.append(f"entry {no} does not follow on entry {last}")
            if digest != _digest(previous, no, at, actor, library, act, thing, outcome, detail, address, request):
                self.faults.append(f"entry {no} is not as it was written")
            last, expected = no, digest
            self.entries += 1
        self.no, self.digest = last, expected


def _digest(previous: bytes, no: int, at: datetime, *texts: str) -> bytes:
    """SHA-256 of the entry before's, then a MessagePack array of number, microseconds since 1970 and the texts in the
    order of the table (docs/operations.md, Audit)."""
    span = at - _EPOCH
    micros = (span.days * 86400 + span.seconds) * 1_000_000 + span.microseconds
    return hashlib.sha256(previous + _pack((no, micros, *texts))).digest()


def _text(text: str) -> str:
    """What a text column can hold: nothing that PostgreSQL refuses, and nothing without end."""
    cut = text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
    return cut.encode("utf-8", "replace").decode().replace("\0", "\ufffd")


def _detail(detail: Mapping[str, object]) -> str:
    return json.dumps(_plain(detail), ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def _plain(value: Any) -> Any:
    """Texts cut, lists cut, keys as texts; anything else than plain values is refused: a Secret, for one."""
    match value:
        case None | bool() | int():
            return value
        case float() if math.isfinite(value):
            return value
        case str():
            return _text(value)
        case Mapping():
            return {_text(str(name)): _plain(each) for name, each in value.items()}
        case list() | tuple():
            return [_plain(each) for each in value[:MOST]] + ([f"… {len(value)}"] if len(value) > MOST else [])
    raise TypeError(f"the audit log takes no {type(value).__name__}")
