"""Rules at load: scores, mends with receipts, returns, counts by load and month, reading again by another profile."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest_asyncio

from catalog import bodies, changes, dictionaries, original, packing, profiles, quality, quarantine, records
from catalog.connection import Connection
from catalog.database import migrate
from catalog.database.pool import Database
from catalog.model import Carrier, LoadState
from catalog.profiles import DOMAIN
from config.settings import Limits
from dms import quality as judging
from dms import quality_profile, quality_scope, rechecking, shadowing
from dms.rules.model import Profile
from dms.shadow import Shadow
from protocols import marc
from services.returning import shown
from tests import builders
from tests.pipeline import Catalogue, Inline

WRONG = "9787507600019"  # its check digit should be another one


@pytest_asyncio.fixture
async def catalogue(database: Database) -> AsyncIterator[Catalogue]:
    yield await Catalogue(database).open()


def raw(number: int, **given: Any) -> bytes:
    told = {
        "title": f"天工开物图说之{number}",
        "isbn": builders.isbn13(40000 + number),
        "local_id": f"n{number}",
    } | given
    return builders.iso2709(builders.a_cnmarc(**told))


async def activate(catalogue: Catalogue, text: str, scope: str = DOMAIN) -> None:
    told = quality_profile.read(text)
    async with catalogue.database.transaction() as conn:
        made = await profiles.add(conn, scope, told.levels, told.mends, who="os:test", why=told.why)
        await profiles.activate(conn, made.profile)


async def record(catalogue: Catalogue, local_id: str) -> tuple[records.Row, bytes]:
    async with catalogue.database.connection() as conn:
        row = await records.get(conn, 1, local_id)
        assert row is not None
        return row, bodies.open_body(row.body, row.dictionary, await dictionaries.every(conn))


async def cases(conn: Connection) -> list[tuple[str, str]]:
    rows = await quarantine.listing(conn, source=None, rule=None, limit=100)
    return sorted((row["local_id"], row["rule"]) for row in rows)


async def recheck(catalogue: Catalogue, *, assured: bool = True) -> Any:
    load = await rechecking.begin(catalogue.database, catalogue.queue, 1, assured=assured)
    await catalogue.settle()
    return await catalogue.again(load.load)


STRICT = '[levels]\nisbn-check-digit = "error"\n'
MENDING = '[mends]\nrules = ["isbn-label"]\n'


async def test_the_score_is_kept_and_findings_are_counted_by_load_and_month(catalogue: Catalogue) -> None:
    load = await catalogue.load("a", [raw(1), raw(2, isbn=WRONG)])
    good, bad = (await record(catalogue, "n1"))[0], (await record(catalogue, "n2"))[0]
    assert good.score is not None and bad.score is not None and good.score > bad.score
    async with catalogue.database.connection() as conn:
        found = {row["rule"]: row for row in await quality.of_load(conn, load.load)}
        assert (found["isbn-check-digit"]["records"], found["isbn-check-digit"]["examples"]) == (1, ["n2"])
        assert await quality.score_of_load(conn, load.load) == (2, good.score + bad.score)
        (month,) = await quality.months(conn)
        assert (month["judged"], month["score"], month["source"]) == (2, good.score + bad.score, "a")
        rules = {row["rule"]: row["records"] for row in await quality.rules(conn)}
        assert rules["isbn-check-digit"] == 1
        assert not await quality.months(conn, ["OTHER"])


async def sums(catalogue: Catalogue) -> list[tuple[Any, ...]]:
    """What is kept of what stands, which must be what records say."""
    async with catalogue.database.connection() as conn:
        kept = await conn.fetch("select source, records, judged, score, poor from quality_standing where records > 0")
        true = await conn.fetch(
            """select source, count(*), count(score), coalesce(sum(score), 0)::bigint,
                      count(*) filter (where score < 60)
               from record group by source"""
        )
    assert sorted(map(tuple, kept)) == sorted(map(tuple, true))
    return sorted(map(tuple, kept))


async def test_what_stands_is_kept_as_sums_through_everything_that_changes_it(catalogue: Catalogue) -> None:
    assert await sums(catalogue) == []
    bare = builders.iso2709(builders.a_cnmarc(title="长物志", local_id="n9", f100=None, f101=None, f801=None))
    await catalogue.load("a", [raw(n) for n in range(1, 6)] + [bare])
    await catalogue.load("b", [raw(7, isbn=WRONG)])
    first = await sums(catalogue)
    assert [row[1] for row in first] == [6, 1]
    await catalogue.load("a", [raw(1, isbn=WRONG), raw(6), raw(2, title="换了题名")])
    changed = await sums(catalogue)
    await catalogue.load("a", [raw(n) for n in (3, 4)], mode="full", assured=True)
    assert [row[1] for row in await sums(catalogue)] == [2, 1]
    newest = (await catalogue.load("a", [raw(8, isbn=WRONG)])).load
    await catalogue.undo(newest)
    await activate(catalogue, '[levels]\nisbn-check-digit = "warning"\nfield-missing = "note"\n')
    await recheck(catalogue)
    assert [row[1] for row in await sums(catalogue)] == [2, 1]
    assert changed != first
    async with catalogue.database.connection() as conn:
        assert [row["records"] for row in await quality.standing(conn)] == [2, 1]
        plan = await conn.fetchval("explain (format json) " + quality.STANDING, None, None)
    assert '"Relation Name": "record"' not in plan, "it is no slower with more records"


async def test_an_undone_load_leaves_its_month(catalogue: Catalogue) -> None:
    await catalogue.load("a", [raw(1)])
    second = await catalogue.load("a", [raw(2, isbn=WRONG), raw(3)])
    await catalogue.undo(second.load)
    async with catalogue.database.connection() as conn:
        (month,) = await quality.months(conn)
        assert month["judged"] == 1
        assert "isbn-check-digit" not in {row["rule"] for row in await quality.rules(conn)}


async def test_unchanged_records_are_not_judged_again_and_a_changed_profile_reads_them(catalogue: Catalogue) -> None:
    told = [raw(1), raw(2)]
    await catalogue.load("a", told)
    again = await catalogue.load("a", told)
    assert (again.unchanged, again.updated) == (2, 0)
    await activate(catalogue, '[levels]\nisbn-check-digit = "note"\n')
    after = await catalogue.load("a", told)
    assert (after.unchanged, after.updated) == (0, 2)
    assert (await catalogue.load("a", told)).unchanged == 2


async def test_an_error_sends_the_record_back_and_the_last_good_version_stays(catalogue: Catalogue) -> None:
    await activate(catalogue, STRICT)
    await catalogue.load("a", [raw(1)])
    before = await catalogue.standing()
    load = await catalogue.load("a", [raw(1, isbn=WRONG), raw(2)])
    assert (load.returned, load.added, load.updated) == (1, 1, 0)
    async with catalogue.database.connection() as conn:
        assert await cases(conn) == [("n1", "isbn-check-digit")]
        (case,) = await quarantine.listing(conn, source=None, rule=None, limit=9)
    assert case["reason"].startswith("010 $a: ") and WRONG in case["reason"]
    assert before["records"][0] in (await catalogue.standing())["records"]
    mended = await catalogue.load("a", [raw(1, title="天工开物新说")])
    assert mended.updated == 1
    async with catalogue.database.connection() as conn:
        assert await cases(conn) == []


async def test_the_default_profile_sends_back_nothing_that_can_be_described(catalogue: Catalogue) -> None:
    told = [raw(1, isbn=WRONG), raw(2, f100="  $aneverheardofsuchathing"), raw(3, title=""), raw(4, leader="0" * 24)]
    load = await catalogue.load("a", told)
    assert (load.returned, load.added) == (0, 4)


async def test_what_a_profile_mends_is_published_mended_and_the_bytes_as_received_stay(catalogue: Catalogue) -> None:
    await activate(catalogue, MENDING)
    came = raw(1, isbn="ISBN 978-7-5076-0001-8")
    load = await catalogue.load("a", [came, raw(2)])
    row, kept = await record(catalogue, "n1")
    told = original.received(kept, row.carrier, row.encoding)
    assert (load.mended, row.carrier) == (1, Carrier.MARCJSON)
    assert (told.raw, told.carrier, told.encoding) == (came, Carrier.ISO2709, "utf-8")
    (receipt,) = told.receipts
    assert (receipt[0], receipt[1]) == ("isbn-label", "010")
    shown = original.record(kept, row.carrier, row.encoding)
    assert receipt[4] in shown.all("010") and receipt[3] not in shown.all("010")
    assert (await catalogue.load("a", [came, raw(2)])).unchanged == 2
    untouched = await record(catalogue, "n2")
    assert untouched[1] == raw(2) and untouched[0].carrier == Carrier.ISO2709


async def test_a_file_cannot_say_of_itself_what_was_received(catalogue: Catalogue) -> None:
    forged = original.mended(
        builders.a_cnmarc(local_id="n1"), original.Received(raw=b"never received", carrier=1, encoding="utf-8")
    )
    await catalogue.load("a", [forged], carrier="marcjson")
    row, kept = await record(catalogue, "n1")
    assert original.received(kept, row.carrier, row.encoding).raw == forged


async def test_a_rate_of_returns_beyond_the_limit_holds_the_load(database: Database) -> None:
    catalogue = await Catalogue(database, limits=Limits(rejects=0.05)).open()
    await activate(catalogue, STRICT)
    load = await catalogue.load("a", [raw(n, isbn=WRONG if n % 4 == 0 else builders.isbn13(n)) for n in range(100)])
    assert (load.state, load.returned, load.added) == (LoadState.HELD, 25, 0)
    assert "25 of 100" in load.reason
    async with database.connection() as conn:
        assert {row["rule"]: row["records"] for row in await quality.of_load(conn, load.load)}["isbn-check-digit"] == 25
        assert not await quality.months(conn), "nothing of it is in force"


async def test_a_librarys_profile_stands_on_its_domains(catalogue: Catalogue) -> None:
    await activate(catalogue, '[levels]\n"isbn-*" = "off"\nissn-check-digit = "error"\n')
    await activate(catalogue, STRICT, "LIB")
    async with catalogue.database.connection() as conn:
        own, other = await quality_scope.of_library(conn, "LIB"), await quality_scope.of_library(conn, "OTHER")
    assert own.levels["issn-check-digit"] == other.levels["issn-check-digit"]
    assert own.levels["isbn-check-digit"] != other.levels["isbn-check-digit"]
    assert own.levels["isbn-label"] == other.levels["isbn-label"]


async def test_a_recheck_lists_what_it_sends_back_and_leaves_it_standing(catalogue: Catalogue) -> None:
    told = [raw(1), raw(2, isbn=WRONG)]
    await catalogue.load("a", told)
    before = await catalogue.standing()
    await activate(catalogue, STRICT)
    load = await recheck(catalogue)
    assert (load.state, load.returned, load.unchanged) == (LoadState.DONE, 1, 1)
    async with catalogue.database.connection() as conn:
        assert await cases(conn) == [("n2", "isbn-check-digit")]
        (case,) = await quarantine.listing(conn, source=None, rule=None, limit=9)
        assert (case["position"], case["ordinal"], case["local_id"]) == (0, 0, "n2"), "it was read from no input"
        whole = await quarantine.get(conn, case["id"])
        assert (whole["position"], whole["ordinal"], shown.where(whole, "zh")) == (0, 0, "")
    after = await catalogue.standing()
    assert [row["bytes"] for row in after["records"]] == [row["bytes"] for row in before["records"]]
    assert after["partition"] == before["partition"]
    assert (await catalogue.load("a", told[:1])).unchanged == 1, "it is known to be judged by this profile"
    await activate(catalogue, '[levels]\nisbn-check-digit = "warning"\n')
    await recheck(catalogue)
    async with catalogue.database.connection() as conn:
        assert await cases(conn) == []


async def test_a_recheck_is_held_beyond_the_limits(database: Database) -> None:
    catalogue = await Catalogue(database, limits=Limits(rejects=0.05)).open()
    await catalogue.load("a", [raw(n, isbn=WRONG) for n in range(30)])
    await activate(catalogue, STRICT)
    assert (await recheck(catalogue, assured=False)).state is LoadState.HELD


async def test_a_recheck_mends_from_the_bytes_as_received_and_can_be_undone(catalogue: Catalogue) -> None:
    came = raw(1, isbn="ISBN 978-7-5076-0001-8")
    await catalogue.load("a", [came, raw(2)])
    plain = await catalogue.standing()
    await activate(catalogue, MENDING)
    load = await recheck(catalogue)
    row, kept = await record(catalogue, "n1")
    assert (load.mended, load.updated, load.unchanged) == (1, 1, 1)
    assert original.received(kept, row.carrier, row.encoding).raw == came
    again = await recheck(catalogue)
    assert (again.updated, again.unchanged) == (0, 2)
    await activate(catalogue, '[levels]\nisbn-check-digit = "note"\n')
    await recheck(catalogue)
    assert (await record(catalogue, "n1"))[1] == came, "what the profile mends no more is as it was received"
    assert [row["bytes"] for row in (await catalogue.standing())["records"]] == [r["bytes"] for r in plain["records"]]


async def test_undoing_a_recheck_brings_back_what_it_mended(catalogue: Catalogue) -> None:
    came = raw(1, isbn="ISBN 978-7-5076-0001-8")
    await catalogue.load("a", [came])
    await activate(catalogue, MENDING)
    load = await recheck(catalogue)
    await catalogue.undo(load.load)
    assert (await record(catalogue, "n1"))[1] == came


async def test_a_recheck_judges_what_stands_from_before_there_were_scores(catalogue: Catalogue) -> None:
    await catalogue.load("a", [raw(1), raw(2)])
    async with catalogue.database.transaction() as conn:
        await conn.execute("update record set score = null")
        await conn.execute("update quality_standing set judged = 0, score = 0, poor = 0")
    assert (await catalogue.load("a", [raw(1), raw(2)])).unchanged == 2
    assert (await record(catalogue, "n1"))[0].score is None, "what is unchanged is not looked at"
    load = await recheck(catalogue)
    assert (load.unchanged, load.updated) == (2, 0)
    assert (await record(catalogue, "n1"))[0].score is not None
    async with catalogue.database.connection() as conn:
        (row,) = await quality.standing(conn)
    assert (row["records"], row["judged"]) == (2, 2)


async def test_a_new_score_changes_the_base_of_a_cluster(catalogue: Catalogue) -> None:
    both = {"isbn": builders.isbn13(7), "title": "天工开物图说", "stamp": "20240101000000.0"}
    worse = {"f101": "0 $axyz"}
    await catalogue.load("a", [raw(1, **both, **worse, f200="1 $a天工开物图说$f潘吉星 著")])
    await catalogue.load("b", [raw(2, **both, f200="1 $a天工开物图说$f潘吉星著")])
    (one,) = await catalogue.partition()
    assert one == {"a/n1", "b/n2"}
    scores = {row["local_id"]: row["score"] for row in await scored(catalogue)}
    assert scores["n2"] > scores["n1"]
    assert await base(catalogue) == "潘吉星著"
    await activate(catalogue, '[levels]\n"*" = "off"\n')
    await recheck(catalogue)
    assert await base(catalogue) == "潘吉星 著", "of equals the lowest id"


async def base(catalogue: Catalogue) -> str:
    """The responsibility of the one merged record, which is its base's."""
    async with catalogue.database.connection() as conn:
        (one,) = [each for each in await changes.after(conn, 0, 99) if not each.deleted]
    return marc.value(packing.unpack(one.body).first("200") or "", "f")


async def scored(catalogue: Catalogue) -> list[Any]:
    async with catalogue.database.connection() as conn:
        rows: list[Any] = await conn.fetch("select local_id, score from record")
        return rows


async def test_a_shadow_run_tells_what_would_change_and_changes_nothing(catalogue: Catalogue) -> None:
    await activate(catalogue, '[levels]\nissn-check-digit = "error"\nisbn-label = "warning"\n')
    await catalogue.load(
        "a", [raw(1), raw(2, isbn=WRONG), raw(3, isbn="ISBN 978-7-5076-0001-8"), raw(4, f011="  $a1234-5678")]
    )
    before = await catalogue.standing()
    told = quality_profile.read(STRICT + 'isbn-label = "warning"\n' + MENDING)
    async with catalogue.database.transaction() as conn:
        draft = await profiles.add(conn, DOMAIN, told.levels, told.mends, who="os:test", why="")
    looked: list[int] = []

    async def run(limit: int | None) -> Shadow:
        return await shadowing.run(catalogue.database, Inline(), draft, limit=limit, processes=1, looked=looked.append)

    found = await run(None)
    assert (found.records, found.standing) == (4, 3)
    assert (found.returned, found.restored, found.mended) == (1, 1, 1)
    ((name, (why, *_)), *_) = found.returned_examples
    assert (name, why.rule, why.value) == ("a/n2", "isbn-check-digit", WRONG)
    assert found.restored_examples[0][0].startswith("case ")
    assert found.mended_examples[0][0] == "a/n3"
    rules = found.told()["rules"]
    told_of = {"before": 1, "after": 0, "examples": ["a/n3"], "level_before": "warning", "level_after": "warning"}
    assert rules["isbn-label"] == told_of
    stricter = [row for row in rules.values() if row["before"] == row["after"]]
    assert stricter and all(row["level_before"] != row["level_after"] for row in stricter), "as many, but errors now"
    assert looked[-1] == 4
    assert await catalogue.standing() == before
    assert (await run(2)).standing == 2


def test_one_inspector_serves_equal_profiles() -> None:
    assert judging.inspector(Profile()) is judging.inspector(Profile(name="other", version=7))


async def test_a_database_of_before_there_were_scores_is_taken_over(conn: Connection) -> None:
    await conn.execute("create schema older")
    await conn.execute("set search_path to older")
    migrations = migrate.known()
    await migrate.migrate(conn, [each for each in migrations if each.number < 10])
    await conn.execute("insert into library (symbol, name) values ('L', 'L')")
    await conn.execute("insert into source (name, library) values ('a', 'L')")
    await conn.execute(
        """insert into record (source, local_id, library, load, format, carrier, encoding, visibility, dictionary,
               digest, stamp, title_hash, body) values (1, 'n1', 'L', 1, 2, 1, 'utf-8', 0, 0, '', '', 0, '')"""
    )
    await migrate.migrate(conn)
    row = await records.get(conn, 1, "n1")
    assert row is not None and row.score is None
    ((standing,), months) = await quality.standing(conn), await quality.months(conn)
    assert (standing["records"], standing["judged"], standing["score"], months) == (1, 0, None, [])
    assert await quality_scope.of_library(conn, "L") == Profile()
