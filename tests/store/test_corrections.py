"""A correction amends the record here, is offered to the children whose field it is, and comes back as a receipt."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from catalog import amendments, changes, clusters, corrections, packing, patches, payload
from catalog.database.pool import Database
from catalog.model import Published, cluster_id
from catalog.patches import Unsound
from catalog.payload import Correction, Kind, Receipt
from config.errors import Conflict, NotFound
from protocols.marc import Record
from tests import builders, fed
from tests.fed import CHILD, OTHER, ident, told
from tests.pipeline import Catalogue

NODE = "CN-DOM"
TAG = "200"


@pytest_asyncio.fixture
async def catalogue(database: Database) -> AsyncIterator[Catalogue]:
    made = await Catalogue(database).open(NODE)
    for child in (CHILD, OTHER):
        source = await made.source(child, library=child)
        async with database.connection() as conn:
            await conn.execute(
                """insert into peer (symbol, role, path, suite, key, source)
                   values ($1, 'child', 'uplink', 'ed25519-sha256-blake3', '', $2)""",
                child,
                source.no,
            )
    async with database.connection() as conn:
        await conn.execute(
            """insert into peer (symbol, role, path, suite, key)
               values ('CN-TOP', 'parent', 'uplink', 'ed25519-sha256-blake3', '')"""
        )
    yield made


async def shown(catalogue: Catalogue) -> list[Published]:
    async with catalogue.database.connection() as conn:
        return [one for one in await changes.after(conn, 0, 100) if not one.deleted]


def title(one: Published) -> str:
    return packing.unpack(one.body).first(TAG) or ""


def wrong(record: Record) -> str:
    return record.first(TAG) or ""


async def correct(catalogue: Catalogue, one: Published, old: str, new: str) -> tuple[str, int]:
    async with catalogue.database.transaction() as conn:
        made = await corrections.make(conn, NODE, one.cluster, [(TAG, old, new)], why="错字", who=NODE)
    await catalogue.settle()
    return made


async def notices_of(catalogue: Catalogue, kind: Kind) -> list[Any]:
    async with catalogue.database.connection() as conn:
        rows = await conn.fetch(
            "select n.*, p.symbol from notice n join peer p using (peer) where kind = $1 order by n.id", int(kind)
        )
    decode = payload.correction if kind == Kind.CORRECTION else payload.receipt
    return [(row["id"], row["symbol"], decode(row["payload"])) for row in rows]


RIGHT = "园冶新诠"


def right(old: str) -> str:
    return old.replace("园冶注释第1种", RIGHT)


async def test_a_correction_mends_the_record_here_and_goes_to_whoever_sent_the_field(catalogue: Catalogue) -> None:
    await fed.feed(catalogue, [told(1)])
    await fed.feed(catalogue, [told(1, child=OTHER, publisher="上海古籍", year="2008")], child=OTHER)
    await fed.feed(catalogue, [told(4, child=OTHER)], child=OTHER)
    (one, _) = await shown(catalogue)
    old = title(one)
    number, offers = await correct(catalogue, one, old, right(old))
    (_, mended) = await shown(catalogue)
    assert title(mended) == right(old) and mended.seq > one.seq
    assert mended.description is not None and mended.description.title == RIGHT
    found = await notices_of(catalogue, Kind.CORRECTION)
    assert offers == 2 and sorted((symbol, offer.target) for _, symbol, offer in found) == [
        (OTHER, ident(1, OTHER)), (CHILD, ident(1)),
    ]  # fmt: skip
    assert {(offer.tag, offer.old, offer.new, offer.why) for _, _, offer in found} == {(TAG, old, right(old), "错字")}
    assert all(name.startswith(number + "/") for name, _, _ in found)


async def test_a_child_without_that_very_field_hears_nothing_of_it(catalogue: Catalogue) -> None:
    await fed.feed(catalogue, [told(1)])
    await fed.feed(catalogue, [told(1, child=OTHER, f200="1 $a园冶注释第1种$f别的")], child=OTHER)
    (one,) = await shown(catalogue)
    await correct(catalogue, one, title(one), right(title(one)))
    found = await notices_of(catalogue, Kind.CORRECTION)
    assert [payload_.old for _, _, payload_ in found] == [title(one)] and len(found) == 1


async def test_the_childs_own_version_takes_the_amendments_place(catalogue: Catalogue) -> None:
    await fed.feed(catalogue, [told(1)])
    (one,) = await shown(catalogue)
    old = title(one)
    await correct(catalogue, one, old, right(old))
    (mended,) = await shown(catalogue)
    await fed.feed(catalogue, [told(1, seq=9, record=_with(fed.a_record(1), right(old)))])
    (after,) = await shown(catalogue)
    assert after.body == mended.body
    await fed.feed(catalogue, [told(1, seq=10)])
    assert title((await shown(catalogue))[0]) == right(old), "a step back at the child doesn't undo it here"


def _with(record: Record, text: str) -> Record:
    return Record(record.leader, tuple((tag, text if tag == TAG else was) for tag, was in record.fields))


async def test_amendments_apply_one_after_the_other_and_outlive_records_and_clusters(catalogue: Catalogue) -> None:
    await fed.feed(catalogue, [told(1)])
    await fed.feed(catalogue, [told(2, child=OTHER)], child=OTHER)
    (first, second) = await shown(catalogue)
    old = title(first)
    await correct(catalogue, first, old, right(old))
    await correct(catalogue, first, right(old), right(old) + "·甲")
    await fed.feed(catalogue, [told(3, title="另一种书")])
    assert title((await shown(catalogue))[1]) == right(old) + "·甲"
    # The cluster is merged into another one.
    async with catalogue.database.transaction() as conn:
        await clusters.move_members(conn, {row["sid"]: second.cluster for row in await conn.fetch(
            "select sid from membership where cluster = $1", first.cluster)})  # fmt: skip
        await clusters.redirect(conn, {first.cluster: second.cluster})
        await clusters.soil(conn, [first.cluster, second.cluster])
    await catalogue.settle()
    bodies = [title(one) for one in await shown(catalogue) if one.cluster == second.cluster]
    assert bodies[0] != old
    async with catalogue.database.connection() as conn:
        found = await amendments.of(conn, [second.cluster])
    assert [amendment[2] for amendment in found[second.cluster]] == [right(old), right(old) + "·甲"]


async def offer(catalogue: Catalogue, one: Published, old: str, new: str, name: str = "TOP:1") -> str:
    """A parent's offer arrives."""
    digest = patches.digest([(TAG, old, "x")])
    async with catalogue.database.transaction() as conn:
        parent = await conn.fetchval("select peer from peer where role = 'parent'")
        told = Correction(one.id, TAG, digest, old, new, "错字", "CN-TOP")
        await corrections.offered(conn, parent, {name: told})
    return name


async def decide(catalogue: Catalogue, name: str, *, accept: bool = True) -> str:
    async with catalogue.database.transaction() as conn:
        state = "refused"
        if accept:
            state = await corrections.accept(conn, NODE, name)
        else:
            await corrections.refuse(conn, name)
    await catalogue.settle()
    return state


async def receipts(catalogue: Catalogue) -> list[tuple[str, str, str]]:
    return [(name, symbol, told.state) for name, symbol, told in await notices_of(catalogue, Kind.RECEIPT)]


async def listed(catalogue: Catalogue) -> list[tuple[str, str]]:
    async with catalogue.database.connection() as conn:
        return [(entry.id, entry.state) for entry in await corrections.listing(conn)]


async def test_an_accepted_offer_amends_answers_and_goes_on_down(catalogue: Catalogue) -> None:
    await fed.feed(catalogue, [told(1)])
    (one,) = await shown(catalogue)
    old = title(one)
    name = await offer(catalogue, one, old, right(old))
    assert await listed(catalogue) == [(name, "open")]
    assert await notices_of(catalogue, Kind.RECEIPT) == [], "nobody has decided"
    assert await decide(catalogue, name) == "accepted"
    assert title((await shown(catalogue))[0]) == right(old)
    assert await receipts(catalogue) == [(name, "CN-TOP", "accepted")]
    ((below, symbol, _),) = await notices_of(catalogue, Kind.CORRECTION)
    assert (below, symbol) == (f"{name}/{ident(1)}", CHILD)
    with pytest.raises(Conflict):
        await decide(catalogue, name)
    async with catalogue.database.transaction() as conn:
        child = await conn.fetchval("select peer from peer where symbol = $1", CHILD)
        await corrections.answered(conn, child, {below: Receipt("refused", "not ours", "account:li")})
    assert await listed(catalogue) == [(below, "refused")], "somebody should look at it"
    with pytest.raises(Conflict):
        await decide(catalogue, below)


async def test_an_offer_on_a_field_that_changed_is_stale_and_stays_a_work_item(catalogue: Catalogue) -> None:
    await fed.feed(catalogue, [told(1)])
    (one,) = await shown(catalogue)
    old = title(one)
    name = await offer(catalogue, one, old, right(old))
    await fed.feed(catalogue, [told(1, seq=2, title="园冶注释第1种 增订")])
    (before,) = await shown(catalogue)
    assert await decide(catalogue, name) == "stale"
    assert (await shown(catalogue))[0].body == before.body
    assert await listed(catalogue) == [(name, "stale")] and await receipts(catalogue) == [(name, "CN-TOP", "stale")]
    await fed.feed(catalogue, [told(1, seq=3)])
    assert await decide(catalogue, name) == "accepted", "it may be looked at again"
    assert await receipts(catalogue) == [(name, "CN-TOP", "accepted")]


async def test_an_offer_that_is_done_already_is_accepted_and_changes_nothing(catalogue: Catalogue) -> None:
    await fed.feed(catalogue, [told(1)])
    (one,) = await shown(catalogue)
    name = await offer(catalogue, one, "1 \x1fa别的", title(one))
    head = await catalogue.head()
    assert await decide(catalogue, name) == "accepted" and await catalogue.head() == head


async def test_refusing_leaves_the_record_and_tells_the_parent(catalogue: Catalogue) -> None:
    await fed.feed(catalogue, [told(1)])
    (one,) = await shown(catalogue)
    name = await offer(catalogue, one, title(one), right(title(one)))
    await decide(catalogue, name, accept=False)
    assert (await shown(catalogue))[0].body == one.body
    assert await receipts(catalogue) == [(name, "CN-TOP", "refused")] and await listed(catalogue) == []


async def test_a_policy_accepts_whatever_is_open(catalogue: Catalogue) -> None:
    await fed.feed(catalogue, [told(1), told(2)])
    for n, one in enumerate(await shown(catalogue)):
        await offer(catalogue, one, title(one), title(one) + "·正", f"TOP:{n}")
    async with catalogue.database.transaction() as conn:
        assert await corrections.accept_open(conn, NODE) == 2
        assert await corrections.accept_open(conn, NODE) == 0
    await catalogue.settle()
    assert all(title(one).endswith("·正") for one in await shown(catalogue))


async def test_a_record_that_cannot_be_read_does_not_stop_the_other_corrections(
    catalogue: Catalogue, caplog: pytest.LogCaptureFixture
) -> None:
    await fed.feed(catalogue, [told(1), told(2)])
    broken, whole = await shown(catalogue)
    for one, name in ((broken, "TOP:1"), (whole, "TOP:2")):
        await offer(catalogue, one, title(one), title(one) + "·正", name)
    async with catalogue.database.connection() as conn:
        content = await conn.fetchval("select content from merged where cluster = $1", broken.cluster)
        await conn.execute("update merged set content = 'rubbish' where cluster = $1", broken.cluster)
    async with catalogue.database.transaction() as conn:
        assert await corrections.accept_open(conn, NODE) == 2
    assert "TOP:1" in caplog.text and await receipts(catalogue) == [("TOP:2", "CN-TOP", "accepted")]
    async with catalogue.database.transaction() as conn:
        assert await corrections.accept_open(conn, NODE) == 0, "it is not tried in each round"
        await conn.execute("update merged set content = $2 where cluster = $1", broken.cluster, content)
    assert await listed(catalogue) == [("TOP:1", "stale")]
    assert await decide(catalogue, "TOP:1") == "accepted", "a person may come back to it"


UNSOUND = {
    "another digest": ("200", "1 \x1fa甲", "1 \x1fa乙", b"x" * 32),
    "no subfield": ("200", "1 \x1fa甲", "1 乙", None),
    "an empty subfield": ("200", "1 \x1fa甲", "1 \x1fa", None),
    "NUL": ("200", "1 \x1fa甲", "1 \x1fa乙\0", None),
    "a record's end": ("200", "1 \x1fa甲", "1 \x1fa乙\x1d", None),
    "a control number": ("001", "1", "2", None),
    "no tag": ("2", "1 \x1fa甲", "1 \x1fa乙", None),
    "too long": ("200", "1 \x1fa甲", "1 \x1fa" + "乙" * 4000, None),
}


@pytest.mark.parametrize(("tag", "old", "new", "digest"), UNSOUND.values(), ids=UNSOUND)
async def test_an_offer_that_cannot_be_right_is_refused_at_once(
    catalogue: Catalogue, tag: str, old: str, new: str, digest: bytes | None
) -> None:
    async with catalogue.database.transaction() as conn:
        parent = await conn.fetchval("select peer from peer where role = 'parent'")
        offers = {"TOP:1": Correction("X.1", tag, digest or patches.digest([(TAG, old, "x")]), old, new)}
        await corrections.offered(conn, parent, offers)
    assert await listed(catalogue) == [] and await receipts(catalogue) == [("TOP:1", "CN-TOP", "refused")]
    if digest is None:
        async with catalogue.database.transaction() as conn:
            with pytest.raises(Unsound):
                await corrections.make(conn, NODE, 1, [(tag, old, new)], why="", who="")


async def test_what_nobody_offered_cannot_be_decided(catalogue: Catalogue) -> None:
    with pytest.raises(NotFound):
        await decide(catalogue, "TOP:9")
    assert cluster_id(NODE, 1).startswith(NODE) and builders.TJU
