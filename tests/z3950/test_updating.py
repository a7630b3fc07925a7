"""Records handed in by the extended service Update: over a real socket, and by yaz-client."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from catalog import changes, submissions
from catalog.database.pool import Database
from catalog.search import indexer
from config.errors import Conflict, Retry
from exchange import bringing
from node import soon
from node.z3950 import clerk, desk
from protocols.z3950 import charsets, oids, update
from protocols.z3950.apdu.extended import ExtendedServicesRequest, ExtendedServicesResponse, OperationStatus
from protocols.z3950.apdu.init import IdPass, Option
from protocols.z3950.apdu.parts import DefaultDiagFormat, External
from protocols.z3950.primitive import Oid
from protocols.z3950.update import (
    Action,
    OriginPartToKeep,
    RecordStatus,
    SuppliedRecord,
    TaskPackageRecord,
    UpdatePackage,
    UpdateRequest,
)
from services.access import accounts
from services.access.policy import Grant, Role
from services.submitting import handing
from tests import access, builders, programs, stocked
from tests.pipeline import Catalogue
from tests.z3950 import standing
from tests.z3950.standing import Client, Standing

OPTIONS = frozenset((Option.SEARCH, Option.PRESENT, Option.EXTENDED_SERVICES))
HOME = builders.TJU.symbol
ISBN = builders.isbn13(77)


@pytest_asyncio.fixture
async def door(database: Database, home: Path) -> AsyncIterator[Standing]:
    async with database.transaction() as conn:
        await stocked.open_house(conn)
        await access.an_account(conn, "wang", Role.SUBMITTER)
        await access.an_account(conn, "li", Role.CATALOGUER)
        await access.an_account(conn, "zhao", Role.COPYIST)
    async with standing.door(database, home, ()) as opened:
        yield opened


@pytest_asyncio.fixture
async def worker(door: Standing) -> AsyncIterator[Catalogue]:
    """Whatever is landed is placed."""
    catalogue = await Catalogue(door.node.database).open()

    async def work() -> None:
        while True:
            await catalogue.settle()
            await asyncio.sleep(0.05)

    working = asyncio.create_task(work())
    yield catalogue
    working.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await working


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """No index follows, but where a test says so."""
    monkeypatch.setattr(desk, "FOLLOWS", 0.0)


@contextlib.asynccontextmanager
async def session(door: Standing, name: str) -> AsyncIterator[Client]:
    async with door.session(authentication=IdPass(user_id=name, password=access.PASSWORD), options=OPTIONS) as client:
        yield client


def a_record(**given: str) -> bytes:
    told = {"title": "园冶注释", "isbn": ISBN, "local_id": "T1"} | given
    return builders.iso2709(builders.a_cnmarc(**told))


def a_request(
    action: int,
    *records: bytes,
    ident: str | None = None,
    syntax: Oid = oids.UNIMARC,
    database: str = "CNMARC-CALIS",
    **given: object,
) -> ExtendedServicesRequest:
    told = UpdateRequest(
        to_keep=OriginPartToKeep(action=action, database_name=database),
        not_to_keep=tuple(
            SuppliedRecord(record_id=ident, record=External(direct_reference=syntax, encoding=each)) for each in records
        ),
    )
    values: dict[str, object] = {
        "function": 1,
        "package_type": oids.UPDATE_REVISED,
        "task_specific_parameters": update.external(told),
        "wait_action": 1,
        **given,
    }
    return ExtendedServicesRequest(**values)  # type: ignore[arg-type]


async def asked(client: Client, request: ExtendedServicesRequest) -> ExtendedServicesResponse:
    return await client.ask(request, ExtendedServicesResponse)


def rows(answer: ExtendedServicesResponse) -> tuple[TaskPackageRecord, ...]:
    assert answer.task_package is not None
    told = update.read(update.read_package(answer.task_package).task_specific_parameters)
    assert isinstance(told, UpdatePackage)
    return told.target_part.task_package_records


def words(answer: ExtendedServicesResponse) -> str:
    (info,) = answer.other_info or ()
    assert isinstance(info.information, str)
    return info.information


def diagnostics(answer: ExtendedServicesResponse) -> list[tuple[int, str]]:
    found = answer.diagnostics or ()
    return [(each.condition, each.text) for each in found if isinstance(each, DefaultDiagFormat)]


async def test_a_qualified_cataloguer_inserts_replaces_and_deletes(door: Standing, worker: Catalogue) -> None:
    async with session(door, "li") as client:
        answer = await asked(client, a_request(Action.RECORD_INSERT, a_record()))
        assert (answer.operation_status, diagnostics(answer)) == (OperationStatus.DONE, [])
        assert words(answer) == "新书目"
        (row,) = rows(answer)
        assert row.record_status == RecordStatus.SUCCESS
        assert isinstance(row.record_or_sur_diag, External), "without it yaz-client breaks off"
        assert row.record_or_sur_diag.encoding == a_record()
        other = await asked(client, a_request(Action.RECORD_INSERT, a_record(local_id="T2")))
        assert words(other).startswith("与 ")
        (cluster,) = {name.split()[1] for name in [words(other)]}
        replaced = await asked(client, a_request(Action.RECORD_REPLACE, a_record(title="园冶图说"), ident="T1"))
        assert replaced.operation_status == OperationStatus.DONE
        special = await asked(client, a_request(Action.SPECIAL_UPDATE, a_record(local_id="T3", isbn="")))
        assert special.operation_status == OperationStatus.DONE
        gone = await asked(client, a_request(Action.RECORD_DELETE, a_record(local_id=""), ident="T1"))
        assert gone.operation_status == OperationStatus.DONE
    async with door.node.database.connection() as conn:
        kept = await conn.fetch("select local_id from record r join source s using (source) where s.library = $1", HOME)
    assert sorted(row["local_id"] for row in kept) == ["T2", "T3"]
    assert cluster.count(".") == 1


async def test_what_was_handed_in_is_found_by_the_next_search(
    door: Standing, worker: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desk, "FOLLOWS", 60.0)
    node, stop = door.node, asyncio.Event()
    following = asyncio.create_task(indexer.follow(node.database.pool, node.home / "index", stop=stop, feed=changes))
    async with session(door, "li") as client:
        answer = await asked(client, a_request(Action.RECORD_INSERT, a_record()))
        assert answer.operation_status == OperationStatus.DONE
        assert (await client.search("园冶注释")).result_count == 1
    stop.set()
    await following


async def test_who_hands_in_gbk_is_answered_in_gbk(door: Standing, worker: Catalogue) -> None:
    record = builders.iso2709(builders.a_cnmarc(title="园冶注释", isbn=ISBN, local_id="T1"), encoding="gb18030")
    async with session(door, "li") as client:
        answer = await asked(client, a_request(Action.RECORD_INSERT, record))
        assert charsets.octets(words(answer)) == "新书目".encode("gbk")


async def test_what_waits_for_a_reviewer_says_why(door: Standing, worker: Catalogue) -> None:
    async with session(door, "wang") as client:
        answer = await asked(client, a_request(Action.RECORD_INSERT, a_record(), description="新到"))
    assert answer.operation_status == OperationStatus.ACCEPTED
    ((number, text),) = diagnostics(answer)
    assert number == 226
    assert "须由有资格的编目员审核" in text
    (row,) = rows(answer)
    assert row.record_status == RecordStatus.QUEUED
    async with door.node.database.connection() as conn:
        (kept,) = await submissions.listing(conn, ("submitted",), 10)
    assert (kept.made_by, kept.note, kept.title) == ("account:wang", "新到", "园冶注释")


async def test_a_record_is_what_it_looks_like_whatever_it_is_called(door: Standing, worker: Catalogue) -> None:
    async with session(door, "li") as client:
        answer = await asked(client, a_request(Action.RECORD_INSERT, a_record(), syntax=oids.XML))
    assert answer.operation_status == OperationStatus.DONE


async def test_one_record_that_is_refused_does_not_keep_the_others_out(door: Standing, worker: Catalogue) -> None:
    async with session(door, "li") as client:
        answer = await asked(client, a_request(Action.RECORD_INSERT, b"no record", a_record()))
        assert [row.record_status for row in rows(answer)] == [RecordStatus.FAILURE, RecordStatus.SUCCESS]
        missing = await asked(client, a_request(Action.RECORD_REPLACE, a_record(local_id="Z9")))
        assert missing.operation_status == OperationStatus.FAILURE
        assert diagnostics(missing) == [(224, "CN-TJU 没有记录 Z9")], "in the language of the node's readers"


@pytest.mark.parametrize(
    ("who", "request_", "number"),
    [
        (None, a_request(Action.RECORD_INSERT, a_record()), 222),
        ("zhao", a_request(Action.RECORD_INSERT, a_record()), 222),
        ("li", a_request(Action.ELEMENT_UPDATE, a_record()), 1044),
        ("li", a_request(Action.RECORD_INSERT, a_record(), database="Nowhere"), 235),
        ("li", a_request(Action.RECORD_INSERT, a_record(), database="CNMARC-CALIS-CN-SZL"), 236),
        ("li", a_request(Action.RECORD_INSERT), 1046),
        ("li", a_request(Action.RECORD_INSERT, a_record(), function=2), 1040),
        ("li", a_request(Action.RECORD_INSERT, a_record(), package_type=(*oids.UPDATE[:-1], 1)), 221),
        ("li", a_request(Action.RECORD_INSERT, a_record(), task_specific_parameters=None), 1043),
    ],
)
async def test_what_can_not_be_is_told_by_number(
    door: Standing, who: str | None, request_: ExtendedServicesRequest, number: int
) -> None:
    opened = session(door, who) if who else door.session(options=OPTIONS)
    async with opened as client:
        answer = await asked(client, request_)
    assert answer.operation_status == OperationStatus.FAILURE
    assert diagnostics(answer)[0][0] == number
    async with door.node.database.connection() as conn:
        assert not await submissions.listing(conn, submissions.STATES, 10)


async def test_what_can_not_be_is_told_in_the_language_of_the_node(door: Standing) -> None:
    async with door.session(options=OPTIONS) as client:
        answer = await asked(client, a_request(Action.RECORD_INSERT, a_record()))
    assert diagnostics(answer) == [(222, "请用有权提交记录的账户登录")]
    async with session(door, "li") as client:
        answer = await asked(client, a_request(Action.RECORD_INSERT, a_record(), function=2))
    assert diagnostics(answer) == [(1040, "任务包只能新建，不能修改或删除（功能 2）")]


@pytest.mark.parametrize("edition", [oids.UPDATE, oids.UPDATE_SECOND, oids.UPDATE_REVISED])
async def test_who_asks_by_an_earlier_edition_is_answered_by_it(
    door: Standing, worker: Catalogue, edition: Oid
) -> None:
    request = a_request(Action.RECORD_INSERT, b"no record", a_record(), package_type=edition)
    async with session(door, "li") as client:
        answer = await asked(client, request)
    assert answer.task_package is not None
    package = update.read_package(answer.task_package)
    assert package.package_type == package.task_specific_parameters.direct_reference == edition
    assert [row.record_status for row in rows(answer)] == [RecordStatus.FAILURE, RecordStatus.SUCCESS]


async def test_a_package_of_the_first_edition_says_only_what_that_has(door: Standing) -> None:
    """The one diagnostic of a record that failed is where a list has its first; nothing is beside it."""
    request = a_request(Action.RECORD_INSERT, a_record(), package_type=oids.UPDATE)
    async with session(door, "wang") as client:
        waits, other = await asked(client, request), await asked(client, a_request(Action.RECORD_INSERT, a_record()))
    assert [row.record_status for row in (*rows(waits), *rows(other))] == [RecordStatus.QUEUED] * 2
    assert [bool(row.supplemental_diagnostics) for row in (*rows(waits), *rows(other))] == [False, True]


async def test_records_of_a_request_are_waited_for_together(door: Standing, monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []
    until = soon.until

    async def seen(*given: Any) -> Any:
        waited.append(given[-1])
        return await until(*given)

    monkeypatch.setattr(soon, "until", seen)
    monkeypatch.setattr(clerk, "PATIENCE", 0.2)
    monkeypatch.setattr(bringing, "PATIENCE", 0.0)
    records = [a_record(local_id=f"T{number}", isbn=builders.isbn13(number)) for number in range(1, 4)]
    async with session(door, "li") as client:
        answer = await asked(client, a_request(Action.RECORD_INSERT, *records))
        later = await asked(client, a_request(Action.RECORD_INSERT, a_record(local_id="T4"), wait_action=3))
    assert 0 < waited[0] <= 0.2
    assert waited[1:] == [0.0, 0.0, 0.0]
    assert [row.record_status for row in (*rows(answer), *rows(later))] == [RecordStatus.IN_PROCESS] * 4


async def test_what_was_taken_is_told_whatever_becomes_of_the_next(
    door: Standing, monkeypatch: pytest.MonkeyPatch
) -> None:
    drafts, draft = 0, handing.draft

    async def crowded(*given: Any, **more: Any) -> Any:
        nonlocal drafts
        drafts += 1
        if drafts == 2:
            raise Retry("the database is busy")
        return await draft(*given, **more)

    async def held(*_: object) -> int:
        raise Conflict("another load takes too long")

    monkeypatch.setattr(handing, "draft", crowded)
    monkeypatch.setattr(handing, "land", held)
    records = [a_record(local_id=f"T{number}", isbn=builders.isbn13(number)) for number in range(1, 4)]
    async with session(door, "li") as client:
        answer = await asked(client, a_request(Action.RECORD_INSERT, *records, wait_action=3))
        monkeypatch.setattr(clerk, "ENOUGH", -1.0)
        none = await asked(client, a_request(Action.RECORD_INSERT, a_record(local_id="T9")))
    assert [row.record_status for row in rows(answer)] == [
        RecordStatus.IN_PROCESS, RecordStatus.FAILURE, RecordStatus.IN_PROCESS,
    ]  # fmt: skip
    assert diagnostics(answer) == [(224, "the database is busy")]
    assert none.operation_status == OperationStatus.FAILURE
    async with door.node.database.connection() as conn:
        kept = await submissions.listing(conn, submissions.STATES, 10)
    assert [each.state for each in kept] == ["accepted"] * 2


async def without_blanks(door: Standing) -> str:
    """Name and password of a cataloguer as yaz-client can type them."""
    password = "tidy-lemon-cart-77"
    async with door.node.database.transaction() as conn:
        made = await accounts.add(
            conn, "sun", library=HOME, password=access.kept(password), by="os:root", kind="staff", must_change=False
        )
        await accounts.give(conn, made.account, Grant(role=Role.CATALOGUER, library=HOME), "os:root")
    return f"sun/{password}"


@pytest.mark.full
async def test_yaz_client_updates(door: Standing, worker: Catalogue, tmp_path: Path) -> None:
    path = tmp_path / "record.xml"
    path.write_text(
        '<record xmlns="http://www.loc.gov/MARC21/slim"><leader>00000nam a2200000   4500</leader>'
        '<controlfield tag="001">Y1</controlfield><datafield tag="245" ind1="1" ind2="0">'
        '<subfield code="a">Minerals by mail</subfield></datafield></record>',
        encoding="utf-8",
    )
    lines = [
        f"authentication {await without_blanks(door)}",
        f"open 127.0.0.1:{door.port}/MARC21",
        f"update insert 1 <{path}",
        f"update delete Y1 <{path}",
        f"update0 insert 1 <{path}",
        "quit",
        "",
    ]
    process = await asyncio.create_subprocess_exec(
        programs.need("yaz-client"), stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    async with asyncio.timeout(60):
        out, _ = await process.communicate("\n".join(lines).encode())
    said = out.decode()
    assert said.count("Status: done") == 3, said
    async with door.node.database.connection() as conn:
        kept = await submissions.listing(conn, ("merged",), 10)
    assert [(each.action, each.title) for each in kept] == [
        ("insert", "Minerals by mail"),
        ("delete", "Minerals by mail"),
        ("insert", "Minerals by mail"),
    ]
