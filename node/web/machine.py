"""OAI-PMH at `/oai`: asks `protocols.oaipmh` what is wanted, the catalogue what there is, and sends the answer.

Datestamps follow commit order. Records are kept with microseconds and listed by (datestamp, cluster), shown in seconds.
Nothing newer than the commit horizon is listed, and the answer's responseDate never lies beyond it: a
harvester that goes on from any responseDate or datestamp it has seen gets every later change, also those committed
while it read (OAI-PMH 2.0, 3.4: a repository may answer with what it has; losing is what it must not do).
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from aiohttp import web

from catalog import changes, clusters, libraries
from catalog.connection import Connection
from catalog.model import Library, Published, cluster_id, cluster_number
from config import keyfile
from dms.crosswalk import dublin, mods
from node.web import context, permits
from node.web.middleware import BadInput
from protocols.oaipmh import provider, tokens, wire
from protocols.oaipmh.provider import OaiError
from services.access.policy import PUBLIC, Need
from services.delivery import identifiers, render

PAGE = 500  # records or headers
SLICE = 50  # records rendered at a stretch
FORM = "application/x-www-form-urlencoded"
# What each verb takes; one that isn't here is refused, whatever else knows it.
VERBS: Mapping[str, Need] = dict.fromkeys(
    ("Identify", "ListMetadataFormats", "ListSets", "ListIdentifiers", "ListRecords", "GetRecord"), PUBLIC
)
MARCXML = wire.Format(
    prefix="marcxml",
    schema="http://www.loc.gov/standards/marcxml/schema/MARC21slim.xsd",
    namespace="http://www.loc.gov/MARC21/slim",
)
OAI_DC = wire.Format(prefix="oai_dc", schema=dublin.SIMPLE_SCHEMA, namespace=dublin.SIMPLE_NAMESPACE)
QDC = wire.Format(prefix="qdc", schema=dublin.QUALIFIED_SCHEMA, namespace=dublin.QUALIFIED_NAMESPACE)
MODS = wire.Format(prefix="mods", schema=mods.SCHEMA, namespace=mods.NAMESPACE)
# CNMARC goes out as `marcxml` too: the schema is that of ISO 2709 records, and type="…" would not be valid in it.
# A harvester tells the formats apart by 200 or 245.
FORMATS: Mapping[str, tuple[wire.Format, Callable[[Published], str]]] = {
    OAI_DC.prefix: (OAI_DC, render.as_dc),
    MARCXML.prefix: (MARCXML, render.as_marcxml),
    QDC.prefix: (QDC, render.as_qdc),
    MODS.prefix: (MODS, render.as_mods),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """The body of an answer and the time it is true for."""

    body: str
    at: datetime


def key(home: Path) -> bytes:
    """The secret that signs resumption tokens: 32 bytes, made at first use, readable by the node alone."""
    path = home / "secrets" / "oai.key"
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not path.exists():
        keyfile.write(path, secrets.token_bytes(32))
    return path.read_bytes()


async def oai(request: web.Request) -> web.StreamResponse:
    """GET and POST (OAI-PMH 2.0, 3.1.1.2)."""
    pairs = list(request.query.items())
    if request.method == "POST":
        if request.content_type != FORM:
            raise BadInput(f"Send the arguments as {FORM}.")
        pairs += [(name, value) for name, value in (await request.post()).items() if isinstance(value, str)]
    now = datetime.now(UTC)
    try:
        wanted = provider.parse(pairs, formats=FORMATS, key=request.app[context.OAI_KEY], now=now)
        permits.operation(request, VERBS, dict(pairs)["verb"])
        async with context.connection(request) as conn:
            reply = await _reply(request, conn, wanted, now)
        shown = provider.shown(pairs)
    except OaiError as error:
        reply = Reply(body=wire.error(error.oai, str(error)), at=now)
        shown = provider.shown(pairs, error)
    text = wire.response(base_url=_base_url(request), at=reply.at, arguments=shown, body=reply.body)
    response = web.Response(body=text.encode("utf-8", "replace"), content_type="text/xml", charset="utf-8")
    response.enable_compression()
    return response


def _base_url(request: web.Request) -> str:
    return f"{context.lasting(request)}{request.path}"


async def _reply(request: web.Request, conn: Connection, wanted: provider.Request, now: datetime) -> Reply:
    symbol = context.node_of(request).symbol
    match wanted:
        case provider.Identify():
            return Reply(body=wire.identify(await _repository(request, conn)), at=now)
        case provider.ListFormats():
            if wanted.identifier:
                await _published(conn, symbol, wanted.identifier)
            return Reply(body=wire.list_formats(known for known, _ in FORMATS.values()), at=now)
        case provider.ListSets():
            members = await _sets(conn)
            return Reply(body=wire.list_sets((spec, each.name) for spec, each in members.items()), at=now)
        case provider.GetRecord():
            published = await _published(conn, symbol, wanted.identifier)
            return Reply(body=wire.get_record(_item(published, symbol, wanted.prefix)), at=now)
        case provider.Listing():
            return await _listing(request, conn, wanted, now)


async def _repository(request: web.Request, conn: Connection) -> wire.Repository:
    node = context.node_of(request)
    namespace = identifiers.namespace(node.symbol)
    return wire.Repository(
        name=context.site(node),
        base_url=_base_url(request),
        admin=node.settings.oai.admin_email or f"postmaster@{namespace}",
        earliest=await changes.earliest(conn),
        namespace=namespace,
        sample=identifiers.oai(node.symbol, cluster_id(node.symbol, 1)),
    )


async def _sets(conn: Connection) -> dict[str, Library]:
    """Libraries by setSpec. Raises `noSetHierarchy` where there are none."""
    members = await libraries.every(conn)
    if not members:
        raise provider.no_sets()
    return {identifiers.set_spec(each.symbol): each for each in members}


async def _published(conn: Connection, symbol: str, identifier: str) -> Published:
    """Exactly the record asked for: an id that was taken over has a tombstone of its own, not its heir's record."""
    number = cluster_number(identifiers.cluster_of(identifier, symbol), symbol)
    found = (await clusters.many(conn, [number])).get(number) if number is not None else None
    # A number written in another way (capitals, zeros) would make a second identifier of the same record.
    if found is None or identifiers.oai(symbol, found.id) != identifier:
        raise provider.no_such_record(identifier)
    return found


def _item(published: Published, symbol: str, prefix: str = "", library: str = "") -> wire.Item:
    """A record as an item of the list; `prefix` "" = header only, `library` = seen as a member of that set.

    A record that a library has left counts as deleted in that library's set, where it would else stay for good.
    """
    left = bool(library) and not published.deleted and library not in published.libraries
    deleted = published.deleted or left
    held = published.libraries if not left else (library,)
    return wire.Item(
        identifier=identifiers.oai(symbol, published.id),
        datestamp=published.at,
        specs=tuple(identifiers.set_spec(each) for each in held),
        deleted=deleted,
        metadata=FORMATS[prefix][1](published) if prefix and not deleted else "",
    )


async def _listing(request: web.Request, conn: Connection, wanted: provider.Listing, now: datetime) -> Reply:
    library = ""
    if wanted.spec:
        member = (await _sets(conn)).get(wanted.spec)
        if member is None:
            raise provider.nothing()
        library = member.symbol
    horizon = await changes.horizon(conn)
    found = await changes.page(
        conn,
        after=wanted.after,
        since=wanted.since,
        until=min(wanted.until, horizon) if wanted.until else horizon,
        library=library or None,
        limit=PAGE + 1,
    )
    if not found and not wanted.cursor:
        raise provider.nothing()
    given, more = found[:PAGE], len(found) > PAGE
    token = ""
    if more:
        last = given[-1].at, int(given[-1].cluster)
        token = provider.token_after(wanted, last, len(given), key=request.app[context.OAI_KEY], now=now)
    prefix = wanted.prefix if wanted.verb == "ListRecords" else ""
    symbol = context.node_of(request).symbol
    items = []
    for number, each in enumerate(given, 1):
        items.append(_item(each, symbol, prefix, library))
        if number % SLICE == 0:
            await asyncio.sleep(0)  # a page takes tens of milliseconds to render: other visitors' answers go between
    body = wire.listing(wanted.verb, items, token=token, expires=now + tokens.LIFETIME, cursor=wanted.cursor)
    return Reply(body=body, at=min(now, horizon))
