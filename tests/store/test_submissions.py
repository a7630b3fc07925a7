"""Single records: what is said of them before they are placed, who lets them in, and what becomes of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any, cast

import pytest
import pytest_asyncio

from catalog import holdings, libraries, reservations, submissions
from catalog.connection import Connection
from catalog.database.pool import Database
from catalog.hosting import Moved
from catalog.loads import Load
from catalog.model import LoadState, cluster_id
from catalog.submissions import Action, Submission
from config.errors import Conflict, Misconfigured, NotFound, Refused
from config.settings import Settings
from exchange import landing
from node.app import Node
from node.playing import worker as playing
from protocols import iso2709
from protocols.marc import Record
from services.submitting import answer, handing, looking, reserving
from services.submitting.handing import Handed
from services.submitting.states import Who
from tests import builders, postgres
from tests.pipeline import Catalogue

NODE, HOME, OTHER = "CN-TST", "CN-TJU", "CN-NKU"


def submitter(library: str = HOME) -> Who:
    return Who(name="account:wang", submits=frozenset({library}), changes=frozenset())


def reviewer(library: str = HOME) -> Who:
    return Who(name="account:li", submits=frozenset({library}), changes=frozenset({library}))


SUBMITTER, REVIEWER = submitter(), reviewer()


@pytest_asyncio.fixture
async def catalogue(database: Database) -> AsyncIterator[Catalogue]:
    opened = await Catalogue(database).open(NODE)
    async with database.transaction() as conn:
        for symbol in (HOME, OTHER):
            await libraries.ensure(conn, symbol)
    yield opened


def raw(local_id: str = "", number: int = 1, **given: str) -> bytes:
    told = {"title": f"园冶注释第{number}种", "isbn": builders.isbn13(500 + number), "local_id": local_id} | given
    return builders.iso2709(builders.a_cnmarc(**told))


async def drafted(
    catalogue: Catalogue, data: bytes | None, who: Who = SUBMITTER, action: Action = "insert", of: str = ""
) -> Submission:
    given = looking.read(data, "iso2709") if data else None
    async with catalogue.database.transaction() as conn:
        assert who.submits is not None
        (library,) = who.submits
        return await handing.draft(conn, who, library, action, given, of=of)


async def submitted(catalogue: Catalogue, number: int, who: Who = SUBMITTER) -> Handed:
    async with catalogue.database.transaction() as conn:
        handed = await handing.submit(conn, who, number)
    return await _landed(catalogue, handed)


async def accepted(catalogue: Catalogue, number: int, who: Who = REVIEWER) -> Handed:
    async with catalogue.database.transaction() as conn:
        handed = await handing.accept(conn, who, number)
    return await _landed(catalogue, handed)


async def _landed(catalogue: Catalogue, handed: Handed) -> Handed:
    if handed.submission.state == "accepted":
        await handing.land(catalogue.database, catalogue.queue, handed.submission.submission)
        await catalogue.settle()
    return handed


async def now(catalogue: Catalogue, number: int) -> Submission:
    async with catalogue.database.connection() as conn:
        return await submissions.get(conn, number)


async def names(catalogue: Catalogue) -> set[frozenset[str]]:
    return set(await catalogue.partition())


async def test_who_is_qualified_places_a_new_record_at_once(catalogue: Catalogue) -> None:
    there = await drafted(catalogue, raw("T1"), REVIEWER)
    handed = await submitted(catalogue, there.submission, REVIEWER)
    assert handed.answer is not None
    assert (handed.answer.outcome, handed.submission.state) == ("new", "accepted")
    assert (await now(catalogue, there.submission)).state == "merged"
    assert await names(catalogue) == {frozenset({f"submitted-{HOME}-cnmarc/T1"})}


@pytest.mark.parametrize("told", [(), (("001", ""),)])
async def test_a_record_that_names_itself_by_nothing_gets_a_number(
    catalogue: Catalogue, told: tuple[tuple[str, str], ...]
) -> None:
    made = builders.a_cnmarc(title="无号之书", isbn=builders.isbn13(9), local_id="")
    data = builders.iso2709(Record(made.leader, (*told, *(each for each in made.fields if each[0] != "001"))))
    there = await drafted(catalogue, data, REVIEWER)
    handed = await submitted(catalogue, there.submission, REVIEWER)
    assert handed.answer
    assert not [finding for finding in handed.answer.findings if "001" in finding], "it is not wanted of the cataloguer"
    done = await now(catalogue, there.submission)
    assert (done.state, done.local_id) == ("merged", f"S{there.submission:08d}")
    assert await names(catalogue) == {frozenset({f"submitted-{HOME}-cnmarc/{done.local_id}"})}


async def test_what_matches_is_said_and_joins(catalogue: Catalogue) -> None:
    await catalogue.load("a", [raw("1")])
    there = await drafted(catalogue, raw("T1"), REVIEWER)
    handed = await submitted(catalogue, there.submission, REVIEWER)
    assert handed.answer is not None
    assert handed.answer.outcome == "matched"
    assert handed.answer.cluster.startswith(f"{NODE}.")
    assert answer.said(handed.answer, "zh") == f"与 {handed.answer.cluster} 相同"
    assert await names(catalogue) == {frozenset({"a/1", f"submitted-{HOME}-cnmarc/T1"})}


async def test_a_submitter_waits_for_a_reviewer(catalogue: Catalogue) -> None:
    there = await drafted(catalogue, raw("T1"))
    handed = await submitted(catalogue, there.submission)
    assert handed.answer is not None
    assert (handed.answer.outcome, handed.answer.held, handed.submission.state) == ("held", ("review",), "submitted")
    assert not await names(catalogue)
    with pytest.raises(NotFound):  # without the qualification there is nothing to accept
        await accepted(catalogue, there.submission, SUBMITTER)
    with pytest.raises(NotFound):  # nor for reviewers of another library
        await accepted(catalogue, there.submission, reviewer(OTHER))
    await accepted(catalogue, there.submission)
    assert (await now(catalogue, there.submission)).state == "merged"
    with pytest.raises(Conflict):
        await accepted(catalogue, there.submission)


async def test_what_is_returned_is_mended_and_submitted_again(catalogue: Catalogue) -> None:
    there = await drafted(catalogue, raw("T1"))
    await submitted(catalogue, there.submission)
    async with catalogue.database.transaction() as conn:
        with pytest.raises(Misconfigured, match="put right"):
            await handing.send_back(conn, REVIEWER, there.submission, " ")
        back = await handing.send_back(conn, REVIEWER, there.submission, "题名有误")
        assert await submissions.waiting(conn) == 1, "for its cataloguer"
    assert (back.state, back.reason, back.decided_by) == ("returned", "题名有误", REVIEWER.name)
    async with catalogue.database.transaction() as conn:
        given = looking.read(raw("T1", title="园冶注释"), "iso2709")
        await handing.edit(conn, SUBMITTER, there.submission, given)
    await submitted(catalogue, there.submission)
    await accepted(catalogue, there.submission)
    done = await now(catalogue, there.submission)
    assert (done.state, done.title) == ("merged", "园冶注释")


async def test_errors_hold_a_record_whoever_submits_it(catalogue: Catalogue) -> None:
    data = iso2709.write(Record("00000nam0 2200000   4500", (("001", "T1"), ("300", "  \x1fa有注无题"))))
    there = await drafted(catalogue, data, REVIEWER)
    handed = await submitted(catalogue, there.submission, REVIEWER)
    assert handed.answer is not None
    assert (handed.answer.outcome, handed.submission.state) == ("held", "submitted")
    assert "errors" in handed.answer.held
    assert handed.answer.wrong
    assert answer.read(handed.submission.answer) == handed.answer
    with pytest.raises(Refused, match="has errors"):
        await accepted(catalogue, there.submission)


async def test_own_records_are_replaced_and_deleted(catalogue: Catalogue) -> None:
    there = await drafted(catalogue, raw("T1"), REVIEWER)
    await submitted(catalogue, there.submission, REVIEWER)
    name = f"submitted-{HOME}-cnmarc/T1"
    with pytest.raises(Conflict, match="names itself T2"):
        await drafted(catalogue, raw("T2"), REVIEWER, "replace", name)
    with pytest.raises(NotFound):  # another library's
        await drafted(catalogue, raw("T1"), reviewer(OTHER), "replace", name)
    other = await drafted(catalogue, raw("T1", title="园冶图说"), REVIEWER, "replace", name)
    await submitted(catalogue, other.submission, REVIEWER)
    assert (await now(catalogue, other.submission)).state == "merged"
    gone = await drafted(catalogue, None, REVIEWER, "delete", name)
    assert gone.title == "园冶图说"
    await submitted(catalogue, gone.submission, REVIEWER)
    assert (await now(catalogue, gone.submission)).state == "merged"
    assert not await names(catalogue)


async def test_holdings_are_handed_in_for_the_librarys_own_record_of_a_title(catalogue: Catalogue) -> None:
    bib = builders.iso2709(builders.a_marc21(local_id="B1", title="Gardens"))
    there = await drafted(catalogue, bib, REVIEWER)
    handed = await submitted(catalogue, there.submission, REVIEWER)
    await catalogue.load("a", [builders.iso2709(builders.a_marc21(local_id="1", title="Gardens"))])
    assert handed.submission.local_id == "B1"
    async with catalogue.database.connection() as conn:
        cluster: int = await conn.fetchval("select cluster from membership m join record r using (sid) limit 1")
    fields = (("001", "H1"), ("004", cluster_id(NODE, cluster)), ("852", "0 \x1fbMAIN\x1fhPZ 1"))
    mfhd = iso2709.write(Record("00000nx  a2200000zi 4500", fields))
    made = await drafted(catalogue, mfhd, REVIEWER)
    assert handing.given_of(made).record.first("004") == "B1"
    handed = await submitted(catalogue, made.submission, REVIEWER)
    assert handed.answer
    assert handed.answer.outcome == "holdings"
    assert (await now(catalogue, made.submission)).state == "merged"
    async with catalogue.database.connection() as conn:
        held = [holding for _, _, holding in await holdings.of_cluster(conn, cluster)]
    assert "PZ 1" in {each.call_number for each in held}
    with pytest.raises(Conflict, match="holdings of"):
        await drafted(catalogue, mfhd, reviewer(OTHER))


async def test_holdings_are_replaced_and_deleted_by_their_own_number(catalogue: Catalogue) -> None:
    bib = await drafted(catalogue, builders.iso2709(builders.a_marc21(local_id="1")), REVIEWER)
    await submitted(catalogue, bib.submission, REVIEWER)

    async def shelves() -> set[str]:
        async with catalogue.database.connection() as conn:
            cluster: int = await conn.fetchval("select cluster from membership")
            return {holding.call_number for _, _, holding in await holdings.of_cluster(conn, cluster)}

    def mfhd(call_number: str) -> bytes:
        fields = (("001", "9"), ("004", "1"), ("852", f"0 \x1fbMAIN\x1fhPZ {call_number}"))
        return iso2709.write(Record("00000nx  a2200000zi 4500", fields))

    before = await shelves()
    made = await drafted(catalogue, mfhd("1"), REVIEWER)
    await submitted(catalogue, made.submission, REVIEWER)
    assert (await now(catalogue, made.submission)).state == "merged"
    given = looking.read(mfhd("2"), "iso2709")
    async with catalogue.database.connection() as conn:
        of = await handing.own(conn, HOME, given, "9")
        assert await handing.own(conn, HOME, given, "h:9") == await handing.own(conn, HOME, given, "") == of
        assert (await handing.renamed(conn, given, of)).record.first("001") == "9"
    made = await drafted(catalogue, mfhd("2"), REVIEWER, "replace", of)
    await submitted(catalogue, made.submission, REVIEWER)
    assert await shelves() == {"PZ 2"}
    gone = await drafted(catalogue, None, REVIEWER, "delete", of)
    await submitted(catalogue, gone.submission, REVIEWER)
    assert await shelves() == before


async def test_a_load_that_is_undone_takes_its_submission_back(catalogue: Catalogue) -> None:
    there = await drafted(catalogue, raw("T1"), REVIEWER)
    await submitted(catalogue, there.submission, REVIEWER)
    load = (await now(catalogue, there.submission)).load
    assert load is not None
    await catalogue.undo(load)
    assert (await now(catalogue, there.submission)).state == "withdrawn"
    assert not await names(catalogue)


async def test_records_that_are_let_in_at_once_are_landed_one_after_the_other(catalogue: Catalogue) -> None:
    numbers = [(await _let_in(catalogue, raw(f"T{n}", n))).submission for n in range(6)]
    landed = asyncio.gather(*(handing.land(catalogue.database, catalogue.queue, number) for number in numbers))
    while not landed.done():
        await catalogue.settle()
    await landed
    await catalogue.settle()
    assert {(await now(catalogue, number)).state for number in numbers} == {"merged"}


async def test_what_is_new_takes_the_place_of_no_record(catalogue: Catalogue) -> None:
    first, second = await drafted(catalogue, raw("T1"), REVIEWER), await drafted(catalogue, raw("T1", 2), SUBMITTER)
    await submitted(catalogue, second.submission)
    async with catalogue.database.transaction() as conn:
        await handing.submit(conn, REVIEWER, first.submission)  # and isn't landed yet
    with pytest.raises(Conflict, match="another submission"):
        await accepted(catalogue, second.submission)
    await handing.land(catalogue.database, catalogue.queue, first.submission)
    await catalogue.settle()
    with pytest.raises(Conflict, match="already"):
        await accepted(catalogue, second.submission)
    with pytest.raises(Conflict, match="already"):
        await drafted(catalogue, raw("T1", 3), REVIEWER)
    await catalogue.load("a", [raw("T2", 2)])  # another source numbers its records as it likes
    await submitted(catalogue, (await drafted(catalogue, raw("T2", 2), REVIEWER)).submission, REVIEWER)
    assert len(await names(catalogue)) == 2


async def test_a_record_that_had_to_give_way_to_another_is_landed_after_it(
    catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = [(await _let_in(catalogue, raw(f"T{n}", n))).submission for n in (1, 2)]
    begin = landing.open_load

    async def overtaken(*args: Any, **named: Any) -> Load:
        monkeypatch.setattr(landing, "open_load", begin)
        begun = await begin(*args, **named)
        await handing.land(catalogue.database, catalogue.queue, second)
        await catalogue.settle()
        return begun

    monkeypatch.setattr(landing, "open_load", overtaken)
    await handing.land(catalogue.database, catalogue.queue, first)
    await catalogue.settle()
    assert {(await now(catalogue, number)).state for number in (first, second)} == {"merged"}


async def test_a_landing_that_was_cut_short_is_made_up_for_by_a_worker(catalogue: Catalogue) -> None:
    number = (await _let_in(catalogue, raw("T1"))).submission  # and then the process dies
    async with catalogue.database.transaction() as conn:
        assert await submissions.unlanded(conn, 10) == []  # somebody may be about to
        await _long_ago(conn)
    stop = asyncio.Event()
    node = SimpleNamespace(database=catalogue.database, queue=catalogue.queue, settings=Settings())
    working = asyncio.create_task(playing.play(cast(Node, node), stop, None))

    async def landed() -> bool:
        return (await now(catalogue, number)).load is not None

    await postgres.eventually(landed)
    stop.set()
    await working
    await catalogue.settle()
    assert (await now(catalogue, number)).state == "merged"


async def test_what_can_t_be_landed_any_more_comes_back_with_the_reason(catalogue: Catalogue) -> None:
    number = (await _let_in(catalogue, raw("T1"))).submission
    async with catalogue.database.transaction() as conn:
        await _long_ago(conn)
        await conn.execute("update library set node = 'CN-ELSEWHERE' where symbol = $1", HOME)
    assert await handing.see_through(catalogue.database, catalogue.queue) == 1
    back = await now(catalogue, number)
    assert (back.state, "CN-ELSEWHERE" in back.reason) == ("returned", True)
    with pytest.raises(Moved):
        await submitted(catalogue, number, REVIEWER)
    with pytest.raises(Moved):
        await drafted(catalogue, raw("T2", 2), REVIEWER)


async def test_a_load_that_fails_gives_its_submission_back(catalogue: Catalogue) -> None:
    number = (await _let_in(catalogue, raw("T1"))).submission
    await handing.land(catalogue.database, catalogue.queue, number)
    async with catalogue.database.transaction() as conn:
        await conn.execute("update source set identity = 'column:id'")  # nothing that a MARC record has
    await catalogue.settle()
    back = await now(catalogue, number)
    assert back.load is not None
    load = await catalogue.again(back.load)
    assert (load.state, back.state, back.reason) == (LoadState.FAILED, "returned", load.reason)


async def _let_in(catalogue: Catalogue, data: bytes) -> Submission:
    """Accepted, and not landed yet."""
    there = await drafted(catalogue, data, REVIEWER)
    async with catalogue.database.transaction() as conn:
        return (await handing.submit(conn, REVIEWER, there.submission)).submission


async def _long_ago(conn: Connection) -> None:
    await conn.execute("update submission set changed_at = now() - interval '1 minute'")


async def test_a_reservation_is_seen_by_others_and_ended_by_the_record(catalogue: Catalogue) -> None:
    isbn = str(builders.isbn13(501))
    async with catalogue.database.transaction() as conn:
        made = await reserving.make(conn, isbn, OTHER, made_by="account:li")
        with pytest.raises(NotFound):
            await reserving.make(conn, isbn, "CN-NOWHERE", made_by="account:li")
    assert made.key == f"isbn:{isbn}"
    mine = await drafted(catalogue, raw("T1"), REVIEWER)
    handed = await submitted(catalogue, mine.submission, REVIEWER)
    assert handed.answer is not None
    assert (handed.answer.held, handed.answer.reserved[0][:2]) == (("reserved",), (isbn, OTHER))
    with pytest.raises(Refused, match=OTHER):
        await accepted(catalogue, mine.submission)
    theirs = reviewer(OTHER)
    there = await drafted(catalogue, raw("N1"), theirs)
    handed = await submitted(catalogue, there.submission, theirs)
    assert handed.answer is not None
    assert handed.answer.outcome == "new"
    async with catalogue.database.connection() as conn:
        assert not await reservations.listing(conn, 10)
    handed = await accepted(catalogue, mine.submission)
    assert handed.answer is not None
    assert handed.answer.outcome == "matched"


async def test_of_two_who_reserve_at_once_one_is_told_of_the_other(catalogue: Catalogue) -> None:
    async def reserve(library: str) -> str:
        async with catalogue.database.transaction() as conn:
            return (await reserving.make(conn, "红楼梦（校注本）", library, made_by="x")).library

    got = await asyncio.gather(reserve(HOME), reserve(OTHER), return_exceptions=True)
    (winner,) = [each for each in got if isinstance(each, str)]
    (refused,) = [each for each in got if isinstance(each, Conflict)]
    assert winner in str(refused)
    async with catalogue.database.transaction() as conn:
        again = await reserving.make(
            conn, "紅樓夢校注本", winner, made_by="x", hours=48
        )  # one's own, as others write it
        assert again.key == "title:红楼梦校注本"
        await conn.execute("update reservation set until = now()")
        loser = ({HOME, OTHER} - {winner}).pop()
        assert (await reserving.make(conn, "红楼梦校注本", loser, made_by="y")).library == loser


@pytest.mark.parametrize("told", ["", "  ", "!!", "9787020002208", "题" * 301])
async def test_what_names_nothing_is_not_reserved(catalogue: Catalogue, told: str) -> None:
    async with catalogue.database.transaction() as conn:
        with pytest.raises(Misconfigured):
            await reserving.make(conn, told, HOME, made_by="x")
