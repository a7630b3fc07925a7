"""Which record is meant, in which source it is, and what it calls itself (store)."""

from __future__ import annotations

from catalog import bodies, clusters, dictionaries, original, records, sources
from catalog.connection import Connection
from catalog.model import HELD_PREFIX, Source
from catalog.records import Row
from config.errors import Conflict, Misconfigured, NotFound
from dms import identity
from dms.rules.model import Kind
from exchange import bringing
from protocols.marc import Record
from services.submitting.looking import Given

SOURCE = "submitted"


async def standing(conn: Connection, of: str, library: str) -> tuple[Source, Row]:
    """The record that SOURCE/LOCAL-ID names, if it is the library's; of another library's there is none."""
    name, _, local_id = of.partition("/")
    if not local_id:
        raise Misconfigured("which record? name it as SOURCE/LOCAL-ID")
    source = await sources.get(conn, name)
    row = await records.named(conn, source.no, local_id)
    if row is None or source.library != library:
        raise NotFound(f"{library} has no record {of}")
    return source, row


async def kept(conn: Connection, row: Row) -> Record:
    """A record as the catalogue has it."""
    known = await dictionaries.of(conn, [row.dictionary])
    return original.record(bodies.open_body(row.body, row.dictionary, known), row.carrier, row.encoding)


async def source_of(conn: Connection, library: str, format: str) -> str:
    """The source of what a library submits in a format."""
    return f"{bringing.name_of(SOURCE, library, await clusters.symbol(conn))}-{format}"


async def free(conn: Connection, library: str, source: str, given: Given) -> None:
    """Conflict if the source has a record of this number already: what is new must not take its place unseen."""
    number = identity.named_id(given.record, "001")
    held = HELD_PREFIX if number and given.kind is Kind.HOLDINGS else ""
    if number and (name := f"{source}/{held}{number}") in await records.of_library(conn, library, held + number):
        raise Conflict(f"{library} has {name} already: replace it, or give the record another number")


def called(given: Given, source: Source) -> str:
    """What the record calls itself by its source's rule."""
    return identity.named_id(given.record, source.identity)


def number(given: Given, local_id: str) -> str:
    """What a record of this local id calls itself."""
    return local_id.removeprefix(HELD_PREFIX) if given.kind is Kind.HOLDINGS else local_id


def numbered(given: Given, number: str) -> Given:
    """The record under another number."""
    record = given.record
    fields = (("001", number), *(each for each in record.fields if each[0] != "001"))
    return Given(record=Record(record.leader, fields), format=given.format, kind=given.kind, told=given.told)
