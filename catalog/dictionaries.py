"""What kept bodies need to be read again: trained zstd dictionaries, one a kind of body, and sources' tables of
private-use characters. Old bodies name theirs, so all are kept (store).

A dictionary's number is a hash of its bytes, so what this process remembers of one database holds for any other.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping

from catalog.connection import Connection
from catalog.model import Format
from protocols.charsets import private

MERGED = 10  # kinds: a format's number for source records, that plus MERGED for merged ones
CHARACTERS = 20  # and tables of characters (protocols.charsets.private)

_known: dict[int, bytes] = {}


def merged_kind(format: int) -> int:
    """The kind of a merged record's content."""
    return Format(format) + MERGED


def number(body: bytes) -> int:
    """31 bits, never 0 (= no dictionary)."""
    return int.from_bytes(hashlib.blake2b(body, digest_size=4).digest(), "big") >> 1 | 1


async def newest(conn: Connection) -> dict[int, tuple[int, bytes]]:
    """(number, bytes) of the dictionary to compress with, by kind."""
    rows = await conn.fetch(
        """select distinct on (kind) kind, dictionary from dictionary where kind <> $1
           order by kind, made_at desc""",
        CHARACTERS,
    )
    found = await of(conn, [row["dictionary"] for row in rows])
    return {row["kind"]: (row["dictionary"], found[row["dictionary"]]) for row in rows}


async def of(conn: Connection, numbers: Collection[int]) -> Mapping[int, bytes]:
    """Bytes by number, at least of `numbers`; with them this process learns of new tables of characters."""
    missing = {n for n in numbers if n and n not in _known}
    rows = await conn.fetch(
        """select dictionary, body from dictionary
           where dictionary = any($1::int[]) or (kind = $2 and dictionary <> all($3::int[]))""",
        list(missing),
        CHARACTERS,
        list(_known),
    )
    if rows:
        _known.update((row["dictionary"], row["body"]) for row in rows)
        private.learn(_known)
    return _known


def met(numbers: Collection[int]) -> Mapping[int, bytes] | None:
    """Bytes by number of dictionaries that this process has met; None if it has not met each of `numbers`."""
    return _known if all(n in _known for n in numbers if n) else None


async def every(conn: Connection) -> Mapping[int, bytes]:
    """Bytes of all of this database's dictionaries (and maybe others) by number."""
    return await of(conn, [row["dictionary"] for row in await conn.fetch("select dictionary from dictionary")])


async def add_characters(conn: Connection, body: bytes) -> int:
    """Keep a table of characters (`protocols.charsets.private.body`); its number."""
    await conn.execute(
        "insert into dictionary (dictionary, kind, body) values ($1, $2, $3) on conflict do nothing",
        private.number(body),
        CHARACTERS,
        body,
    )
    return private.number(body)


async def add(conn: Connection, kind: int, body: bytes) -> None:
    """The first dictionary of a kind; a second one of the same moment is dropped."""
    await conn.execute(
        """insert into dictionary (dictionary, kind, body) select $1, $2, $3
           where not exists (select from dictionary where kind = $2) on conflict do nothing""",
        number(body),
        kind,
        body,
    )
