"""Records published straight into a node's feed, by the catalogue's own functions.

What the pipeline takes an hour for is there in a minute: source records, holdings, clusters and merged records, as it
would leave them. The books are the generator's; each is used again and again under another title and number.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import msgspec

from bench.generator import cnmarc, copies, habits, marc21, works
from bench.generator.draw import Draw
from bench.generator.maker import Maker
from bench.generator.numbers import isbn13
from catalog import bodies, changes, clusters, holdings, packing, records, sources
from catalog.changes import Version
from catalog.connection import Connection
from catalog.model import Description, Format
from dms import describe
from protocols import marc
from protocols.marc import Record

SOURCE = "bench"
BOOKS = 6_000  # more than are in a segment, or it would be packed too well
BATCH = 5_000  # clusters in a transaction
STAYS = frozenset(("001", "005", "905", "852", "850"))  # fields of a source record that no merged one has
TITLE = {Format.CNMARC: "200", Format.MARC21: "245"}
ISBN = {Format.CNMARC: "010", Format.MARC21: "020"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Printed:
    """A book of the generator as a merged record."""

    format: Format
    record: Record
    description: Description


@lru_cache(maxsize=1)
def books() -> Sequence[Printed]:
    """The same ones each time: two in three CNMARC, the others MARC 21."""
    draw = Draw(1)
    maker = Maker(draw)
    chinese, western = (
        next(each for each in habits.members(20) if each.habit.format == format) for format in ("cnmarc", "marc21")
    )
    made: list[Printed] = []
    while len(made) < BOOKS:
        for book in works.FAMILIES.spin(draw)(maker):
            member = western if len(made) % 3 == 2 else chinese
            copy = copies.make(draw, member, book, len(made))
            if member is chinese:
                format, leader = Format.CNMARC, cnmarc.leader(book)
                found = cnmarc.fields(book, copy, member.habit.dialect)
            else:
                format, leader = Format.MARC21, marc21.leader(book, "utf-8")
                found = marc21.fields(book, copy, member.habit.dialect, member.habit.holdings)
            record = Record(leader, tuple(field for field in found if field[0] not in STAYS))
            made.append(Printed(format=format, record=record, description=describe.describe(record, format)))
    return made


def version(cluster: int, edition: int = 0) -> Version:
    """A cluster's state; another `edition` has another title."""
    book = books()[cluster % BOOKS]
    mark = f"{cluster}{f'·{edition}' if edition else ''} "
    record = Record(book.record.leader, tuple(_own(book.format, field, cluster, mark) for field in book.record.fields))
    description = msgspec.structs.replace(book.description, title=mark + book.description.title)
    content = packing.pack_content(packing.pack(record), packing.pack_description(description))
    return Version(
        cluster=cluster,
        deleted=False,
        redirect=None,
        format=book.format,
        fingerprint=b"",
        libraries=(),
        dictionary=0,
        content=bodies.shrink(content),
    )


def gone(cluster: int, heir: int | None = None) -> Version:
    """Its tombstone."""
    return Version(
        cluster=cluster,
        deleted=True,
        redirect=heir,
        format=1,
        fingerprint=b"",
        libraries=(),
        dictionary=0,
        content=b"",
    )


def _own(format: Format, field: tuple[str, str], cluster: int, mark: str) -> tuple[str, str]:
    tag, text = field
    if tag == TITLE[format]:
        return tag, text.replace("\x1fa", f"\x1fa{mark}", 1)
    if tag == ISBN[format]:
        return tag, marc.field("  ", [("a", isbn13("7-1", cluster))])
    return field


async def source(conn: Connection, library: str) -> int:
    """The source that the records are of, made at the first time."""
    there = {each.name: each.no for each in await sources.every(conn)}
    return there[SOURCE] if SOURCE in there else (await sources.add(conn, SOURCE, library)).no


async def fill(conn: Connection, library: str, source: int, count: int) -> list[int]:
    """Publish so many new clusters, each of one record with one copy; their numbers."""
    made: list[int] = []
    while len(made) < count:
        async with conn.transaction():
            numbers = await clusters.reserve(conn, min(BATCH, count - len(made)))
            await records.put(conn, [_row(source, library, number) for number in numbers], fresh=True)
            await holdings.replace(conn, source, [], [_held(source, library, number) for number in numbers])
            await clusters.add_members(conn, [(number, number) for number in numbers])
            await publish(conn, library, [version(number) for number in numbers])
        made += numbers
    return made


async def publish(conn: Connection, library: str, versions: Iterable[Version]) -> None:
    """Put states into the feed; last in a transaction."""
    await changes.publish(conn, [each if each.deleted else replace(each, libraries=(library,)) for each in versions])


def _row(source: int, library: str, number: int) -> records.Values:
    name, fmt = f"r{number}", int(Format.CNMARC)
    return (source, name, library, number, 0, fmt, 1, "utf-8", 0, 0, b"", "", 0, b"", 0, "", None)


def _held(source: int, library: str, number: int) -> holdings.Row:
    return (source, f"r{number}", 0, library, f"TP{number % 400}/{number % 997}", f"B{number:08d}", "总馆", "", "", "")
