"""OAI-PMH over a real socket and a real database: what a harvester sees, and that it never loses anything."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
import pytest_asyncio
import sickle
from aiohttp import ClientSession
from lxml import etree

from catalog import changes
from catalog.database.pool import Database
from catalog.model import Format, cluster_id
from config.settings import Exchange, Oai, Settings, Web
from node.web import machine
from tests import builders, stocked
from tests.stocked import Shelf, Stock

OAI = "{http://www.openarchives.org/OAI/2.0/}"
SCHEMA = etree.XMLSchema(etree.parse(Path(__file__).parents[1] / "protocol" / "schemas" / "oai-pmh.xsd"))
Ask = Callable[..., Any]


@pytest_asyncio.fixture
async def door(database: Database, home: Path) -> AsyncIterator[str]:
    """The address of an OAI-PMH door on an empty catalogue with three libraries."""
    async with database.connection() as conn:
        await stocked.open_house(conn)
    async with stocked.serving(database, Shelf(), home) as address:
        yield f"{address}/oai"


async def ask(door: str, arguments: str | dict[str, str], *, post: bool = False) -> etree._Element:
    """The answer, checked against the schema."""
    text = arguments if isinstance(arguments, str) else urlencode(arguments)
    async with ClientSession() as session:
        if post:
            kind = {"Content-Type": "application/x-www-form-urlencoded"}
            answer = await session.post(door, data=text, headers=kind)
        else:
            answer = await session.get(f"{door}?{text}")
        assert answer.status == 200 and answer.content_type == "text/xml"
        root = etree.fromstring(await answer.read())
    SCHEMA.assertValid(root)
    return root


def errors(root: etree._Element) -> list[str]:
    return [each.get("code", "") for each in root.findall(f"{OAI}error")]


def headers(root: etree._Element) -> list[tuple[str, bool]]:
    """(identifier, deleted) of every record of an answer."""
    return [
        (each.findtext(f"{OAI}identifier") or "", each.get("status") == "deleted") for each in root.iter(f"{OAI}header")
    ]


async def harvest(door: str, arguments: str) -> list[tuple[str, bool]]:
    """Every header of a list, page after page."""
    root = await ask(door, f"verb=ListIdentifiers&{arguments}")
    found = headers(root)
    while token := root.findtext(f".//{OAI}resumptionToken"):
        root = await ask(door, {"verb": "ListIdentifiers", "resumptionToken": token})
        found += headers(root)
    return found


async def fill(database: Database, first: int, last: int) -> None:
    """Publish clusters `first` to `last` in one commit."""
    entry = Stock(record=builders.a_marc21(), holdings=(builders.a_holding(),))
    async with database.connection() as conn:
        await stocked.publish(conn, [stocked.version(number, entry) for number in range(first, last + 1)])


def identifier(number: int) -> str:
    return f"oai:cn-node.tianlu:{cluster_id(stocked.SYMBOL, number)}"


@pytest.mark.parametrize("post", [False, True])
async def test_the_repository_introduces_itself(door: str, post: bool) -> None:
    root = await ask(door, "verb=Identify", post=post)
    assert root.findtext(f".//{OAI}baseURL") == door
    assert root.findtext(f".//{OAI}repositoryName") == stocked.SYMBOL
    formats = await ask(door, "verb=ListMetadataFormats", post=post)
    assert [each.text for each in formats.iter(f"{OAI}metadataPrefix")] == ["oai_dc", "marcxml", "qdc", "mods"]
    sets = await ask(door, "verb=ListSets", post=post)
    assert [each.text for each in sets.iter(f"{OAI}setSpec")] == ["CN-HKS", "CN-SZL", "CN-TJU"]


async def test_the_operator_says_who_looks_after_it_and_where_it_is(database: Database, home: Path) -> None:
    told = Settings(web=Web(base_url="https://opac.example.org/"), oai=Oai(admin_email="oai@example.org"))
    async with database.connection() as conn:
        await stocked.open_house(conn)
    async with stocked.serving(database, Shelf(), home, told) as address:
        root = await ask(f"{address}/oai", "verb=Identify")
    assert root.findtext(f".//{OAI}baseURL") == "https://opac.example.org/oai"
    assert root.findtext(f".//{OAI}adminEmail") == "oai@example.org"


async def test_a_node_behind_a_proxy_has_the_address_that_other_nodes_know(database: Database, home: Path) -> None:
    """So that a harvest goes on, and what a parent found opens, where the proxy's own requests come from."""
    told = Settings(exchange=Exchange(address="https://node.example.org/"))
    async with database.connection() as conn:
        await stocked.open_house(conn)
        (number,) = await stocked.stock(conn, [Stock(record=builders.a_marc21(title="Garden"))])
    ident = cluster_id(stocked.SYMBOL, number)
    async with stocked.serving(database, Shelf(), home, told) as address:
        root = await ask(f"{address}/oai", "verb=Identify")
        async with ClientSession() as session, session.get(f"{address}/api/records/{ident}") as got:
            record = await got.json()
    assert root.findtext(f".//{OAI}baseURL") == "https://node.example.org/oai"
    assert record["url"] == f"https://node.example.org/records/{ident}"


REFUSED = (
    ("", "badVerb"),
    ("verb=junk", "badVerb"),
    ("verb=GetRecord&metadataPrefix=oai_dc", "badArgument"),
    ("verb=GetRecord&identifier=x", "badArgument"),
    ("verb=GetRecord&identifier=in%22valid&metadataPrefix=oai_dc", "idDoesNotExist"),
    ("verb=GetRecord&identifier=oai:cn-node.tianlu:CN-NODE.%00&metadataPrefix=oai_dc", "idDoesNotExist"),
    ("verb=GetRecord&identifier=oai:cn-node.tianlu:CN-NODE.1&metadataPrefix=oai_dc", "idDoesNotExist"),
    ("verb=ListMetadataFormats&identifier=in%22valid", "idDoesNotExist"),
    ("verb=ListIdentifiers", "badArgument"),
    ("verb=ListIdentifiers&metadataPrefix=oai_dc&from=junk", "badArgument"),
    ("verb=ListIdentifiers&metadataPrefix=oai_dc&until=junk", "badArgument"),
    ("verb=ListIdentifiers&resumptionToken=junk", "badResumptionToken"),
    ("verb=ListRecords&resumptionToken=junk&until=2000-02-05", "badArgument"),
    ("verb=ListRecords&metadataPrefix=oai_dc&from=junk", "badArgument"),
    ("verb=ListRecords&metadataPrefix=oai_dc&from=2000-01-01&until=2000-01-01T00:00:00Z", "badArgument"),
    ("verb=ListRecords&metadataPrefix=oai_dc&until=1969-01-01", "noRecordsMatch"),
    ("verb=ListRecords&metadataPrefix=oai_dc&set=nobody", "noRecordsMatch"),
    ("verb=ListRecords&metadataPrefix=nothing", "cannotDisseminateFormat"),
)


async def test_an_error_is_an_answer_too(door: str) -> None:
    found = [(arguments, errors(await ask(door, arguments))) for arguments, _ in REFUSED]
    assert found == [(arguments, [code]) for arguments, code in REFUSED]


async def test_records_come_valid_in_both_formats_and_all_dialects(door: str, database: Database) -> None:
    nasty = builders.a_marc21(title='<b>&"\u0007', f500="|#$aodd indicators", f9xx="  $ano such tag")
    entries = [
        Stock(record=nasty, holdings=(builders.a_holding(),)),
        Stock(record=builders.a_cnmarc(), format=Format.CNMARC, holdings=(builders.a_holding(builders.SZL),)),
    ]
    async with database.connection() as conn:
        await stocked.stock(conn, entries)
    for prefix in ("oai_dc", "marcxml", "qdc", "mods"):
        root = await ask(door, f"verb=ListRecords&metadataPrefix={prefix}")
        assert headers(root) == [(identifier(1), False), (identifier(2), False)]
        one = await ask(door, {"verb": "GetRecord", "identifier": identifier(2), "metadataPrefix": prefix})
        assert headers(one) == [(identifier(2), False)]
        datestamp = one.findtext(f".//{OAI}datestamp")
        window = f"metadataPrefix={prefix}&from={datestamp}&until={datestamp}"
        assert (identifier(2), False) in await harvest(door, window)


async def test_more_than_a_page_on_one_moment_loses_nothing(door: str, database: Database) -> None:
    await fill(database, 1, 2 * machine.PAGE + 7)
    async with database.connection() as conn:
        await conn.execute("update merged set at = '2026-01-02T03:04:05.678901Z'")
    found = await harvest(door, "metadataPrefix=oai_dc&from=2026-01-02T03:04:05Z&until=2026-01-02T03:04:05Z")
    assert found == [(identifier(number), False) for number in range(1, 2 * machine.PAGE + 8)]


async def test_a_foreign_harvester_reads_everything_with_its_deletions(door: str, database: Database) -> None:
    await fill(database, 1, machine.PAGE + 20)
    async with database.connection() as conn:
        await stocked.publish(conn, [stocked.version(3, None), stocked.version(9, None, redirect=10)])
    found = await asyncio.to_thread(
        lambda: [(r.header.identifier, r.deleted) for r in sickle.Sickle(door).ListRecords(metadataPrefix="marcxml")]
    )
    assert sorted(found) == [(identifier(n), n in (3, 9)) for n in range(1, machine.PAGE + 21)]


async def test_going_on_from_any_answers_time_loses_nothing(door: str, database: Database) -> None:
    """Records change while they are harvested; the harvester knows only what answers told it."""
    await fill(database, 1, machine.PAGE + 5)
    held: dict[str, bool] = {}
    root = await ask(door, "verb=ListIdentifiers&metadataPrefix=oai_dc")
    held |= dict(headers(root))
    async with database.connection() as conn:  # between two pages: one already given goes, one to come changes
        await stocked.publish(conn, [stocked.version(1, None)])
    await fill(database, machine.PAGE + 5, machine.PAGE + 9)
    token = root.findtext(f".//{OAI}resumptionToken")
    assert token
    root = await ask(door, {"verb": "ListIdentifiers", "resumptionToken": token})
    held |= dict(headers(root))
    last = root.findtext(f"{OAI}responseDate")
    await fill(database, 2, 2)
    async with database.connection() as conn:
        await stocked.publish(conn, [stocked.version(3, None)])
    held |= dict(await harvest(door, f"metadataPrefix=oai_dc&from={last}"))
    assert held == {identifier(n): n in (1, 3) for n in range(1, machine.PAGE + 10)}


async def test_a_commit_that_comes_late_is_waited_for(door: str, database: Database) -> None:
    """A writer whose records carry an earlier time must not be passed by."""
    entry = Stock(record=builders.a_marc21(), holdings=(builders.a_holding(),))
    async with database.connection() as conn:
        work = conn.transaction()
        await work.start()
        await changes.publish(conn, [stocked.version(1, entry)])
        asked = asyncio.create_task(ask(door, "verb=ListIdentifiers&metadataPrefix=oai_dc"))
        async with database.connection() as other:  # until the question hangs on the writer's lock
            while not await other.fetchval("select count(*) from pg_locks where not granted"):
                assert not asked.done()
        await work.commit()
    assert headers(await asked) == [(identifier(1), False)]


async def test_a_token_can_be_used_again_and_not_be_altered(door: str, database: Database) -> None:
    await fill(database, 1, machine.PAGE + 1)
    root = await ask(door, "verb=ListIdentifiers&metadataPrefix=oai_dc")
    token = root.findtext(f".//{OAI}resumptionToken") or ""
    first = await ask(door, {"verb": "ListIdentifiers", "resumptionToken": token})
    again = await ask(door, {"verb": "ListIdentifiers", "resumptionToken": token})
    assert headers(first) == headers(again) == [(identifier(machine.PAGE + 1), False)]
    altered = await ask(door, {"verb": "ListIdentifiers", "resumptionToken": "A" + token[1:]})
    assert errors(altered) == ["badResumptionToken"]


async def test_a_set_holds_its_librarys_records_and_every_deletion(door: str, database: Database) -> None:
    tju = Stock(record=builders.a_marc21(), holdings=(builders.a_holding(),))
    szl = Stock(record=builders.a_marc21(), holdings=(builders.a_holding(builders.SZL),))
    async with database.connection() as conn:
        await stocked.stock(conn, [tju, szl, tju])
        await stocked.publish(conn, [stocked.version(3, None)])
    found = await harvest(door, "metadataPrefix=oai_dc&set=CN-TJU")
    assert found == [(identifier(1), False), (identifier(3), True)]


async def test_without_libraries_there_are_no_sets(database: Database, home: Path) -> None:
    async with stocked.serving(database, Shelf(), home) as address:
        assert errors(await ask(f"{address}/oai", "verb=ListSets")) == ["noSetHierarchy"]


async def test_the_key_is_secret_and_stays(home: Path) -> None:
    made = machine.key(home)
    path = home / "secrets" / "oai.key"
    assert len(made) == 32 and machine.key(home) == made
    assert path.stat().st_mode & 0o777 == 0o600
    assert [each.name for each in path.parent.iterdir()] == ["oai.key"]
