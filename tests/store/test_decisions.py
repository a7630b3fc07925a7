"""What people decide about clusters: it holds through every load, says who and why, and taken back leaves no trace."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from catalog import decisions
from catalog.database.pool import Database
from catalog.decisions import Decision
from catalog.model import Verdict, cluster_id
from config.errors import Conflict, Misconfigured, NotFound, Refused
from services.deciding import comparing, deciding, sides
from tests import builders
from tests.pipeline import Catalogue

NODE = "CN-TST"


@pytest_asyncio.fixture
async def catalogue(database: Database) -> AsyncIterator[Catalogue]:
    yield await Catalogue(database).open(NODE)


def raw(local_id: str, number: int = 1, **given: str) -> bytes:
    told = {"title": f"园冶注释第{number}种", "isbn": builders.isbn13(500 + number), "local_id": local_id} | given
    return builders.iso2709(builders.a_cnmarc(**told))


async def decide(
    catalogue: Catalogue,
    kind: str,
    a: str,
    *b: str,
    why: str = "seen on the shelf",
    within: frozenset[str] | None = None,
) -> Decision:
    """A decision, carried out; sides are records as source/local id."""
    async with catalogue.database.transaction() as conn:
        if kind == "split":
            made = await deciding.split(conn, NODE, a, b, who="account:wang", why=why, within=within)
        else:
            made = await deciding.between(conn, NODE, kind, a, b[0], who="account:wang", why=why, within=within)
    await catalogue.settle()
    async with catalogue.database.connection() as conn:
        return await decisions.get(conn, made.decision)


async def undo(catalogue: Catalogue, number: int) -> Decision:
    async with catalogue.database.transaction() as conn:
        await deciding.undo(conn, number, who="account:li", why="it was a mistake", within=None)
    await catalogue.settle()
    async with catalogue.database.connection() as conn:
        return await decisions.get(conn, number)


async def groups(catalogue: Catalogue) -> list[str]:
    """Clusters as "a/x b/y", in order."""
    return sorted(" ".join(sorted(names)) for names in await catalogue.partition())


async def test_a_split_holds_through_everything_and_undo_restores(catalogue: Catalogue) -> None:
    a, b, c = ([raw("x"), raw("y", 2)] for _ in range(3))
    for name, those in (("a", a), ("b", b), ("c", c)):
        await catalogue.load(name, those)
    assert await groups(catalogue) == ["a/x b/x c/x", "a/y b/y c/y"]
    made = await decide(catalogue, "split", "a/x", "b/x", "c/x")
    assert (made.state, made.who, made.why, made.result) == ("done", "account:wang", "seen on the shelf", "")
    apart = ["a/x", "a/y b/y c/y", "b/x c/x"]
    assert await groups(catalogue) == apart
    for name, those in (("a", a), ("b", b), ("c", c)):
        await catalogue.load(name, [raw("x", pages="413"), those[1]])
        await catalogue.load(name, those)
    assert await groups(catalogue) == apart
    gone = b[0][:5] + b"d" + b[0][6:]
    await catalogue.load("b", [gone])
    assert await groups(catalogue) == ["a/x", "a/y b/y c/y", "c/x"]
    await catalogue.load("b", [b[0]])
    assert await groups(catalogue) == apart
    undone = await undo(catalogue, made.decision)
    assert (undone.state, undone.undone_by, undone.undone_why) == ("undone", "account:li", "it was a mistake")
    assert await groups(catalogue) == ["a/x b/x c/x", "a/y b/y c/y"]


async def test_a_join_overrides_a_veto_and_its_undo_parts_them(catalogue: Catalogue) -> None:
    await catalogue.load("a", [raw("x", f200="1 $a园冶$h上册")])
    await catalogue.load("b", [raw("y", 2, f200="1 $a园冶$h下册")])
    assert await groups(catalogue) == ["a/x", "b/y"]
    made = await decide(catalogue, "join", "a/x", "b/y")
    assert (made.state, await groups(catalogue)) == ("done", ["a/x b/y"])
    with pytest.raises(Conflict, match="one cluster"):
        await decide(catalogue, "join", "a/x", "b/y")
    await undo(catalogue, made.decision)
    assert await groups(catalogue) == ["a/x", "b/y"]
    with pytest.raises(Conflict, match="undone"):
        await undo(catalogue, made.decision)


async def test_a_link_keeps_them_apart_and_is_shown_on_both(catalogue: Catalogue) -> None:
    await catalogue.load("a", [raw("x")])
    await catalogue.load("b", [raw("z", 9)])
    made = await decide(catalogue, "link", "a/x", "b/z")
    async with catalogue.database.connection() as conn:
        one, other = await sides.find(conn, NODE, "a/x"), await sides.find(conn, NODE, "b/z")
        assert await decisions.relations(conn, one.cluster, 9) == {other.cluster: (None, made.decision)}
        assert await decisions.relations(conn, other.cluster, 9) == {one.cluster: (None, made.decision)}
    await undo(catalogue, made.decision)
    async with catalogue.database.connection() as conn:
        assert await decisions.relations(conn, one.cluster, 9) == {}


async def test_a_set_and_its_volume_are_shown_as_related_by_rule(catalogue: Catalogue) -> None:
    await catalogue.load("a", [raw("set", f200="1 $a中国通史", f215="  $a12册")])
    await catalogue.load("b", [raw("one", f200="1 $a中国通史$h第三卷", f215="  $a300页")])
    async with catalogue.database.connection() as conn:
        one, other = await sides.find(conn, NODE, "a/set"), await sides.find(conn, NODE, "b/one")
        (related,) = (await decisions.relations(conn, one.cluster, 9)).items()
        assert related[0] == other.cluster and related[1][0] is not None


async def test_why_and_why_not(catalogue: Catalogue) -> None:
    await catalogue.load("a", [raw("x"), raw("other", 9)])
    await catalogue.load("b", [raw("x", publisher="上海古籍")])
    async with catalogue.database.connection() as conn:
        x, twin, other = [await sides.find(conn, NODE, name) for name in ("a/x", "b/x", "a/other")]
        yes, no = await comparing.compare(conn, x, twin), await comparing.compare(conn, x, other)
    assert (yes.together, yes.verdict, yes.short) == (True, Verdict.JOIN, 0)
    assert ("isbn-same", 400) in yes.reasons
    assert (no.together, no.verdict) == (False, Verdict.APART) and no.short > 0
    assert no.described[0].title == "园冶注释第1种" and no.described[1].title == "园冶注释第9种"


async def test_pairs_that_wait_for_a_person_until_one_has_decided(catalogue: Catalogue) -> None:
    # Alike in all but the publisher, without any number: the rules leave it to a person.
    await catalogue.load("a", [raw("x", isbn="")])
    await catalogue.load("b", [raw("y", isbn="", publisher="乙出版社")])
    async with catalogue.database.connection() as conn:
        (pair,) = await decisions.waiting(conn, 9)
        assert (await decisions.waiting(conn, 9, libraries={"NONE"})) == []
        assert (await decisions.waiting(conn, 9, after=(pair["score"], pair["a"], pair["b"]))) == []
    assert {pair["name_a"] + pair["local_id_a"], pair["name_b"] + pair["local_id_b"]} == {"ax", "by"}
    made = await decide(catalogue, "apart", "a/x", "b/y")
    async with catalogue.database.connection() as conn:
        assert await decisions.waiting(conn, 9) == []
    await undo(catalogue, made.decision)
    async with catalogue.database.connection() as conn:
        assert len(await decisions.waiting(conn, 9)) == 1
    await decide(catalogue, "join", "a/x", "b/y")
    async with catalogue.database.connection() as conn:
        assert await decisions.waiting(conn, 9) == []
    assert await groups(catalogue) == ["a/x b/y"]


async def test_what_makes_no_sense_is_refused(catalogue: Catalogue) -> None:
    await catalogue.load("a", [raw("x"), raw("z", 9)])
    await catalogue.load("b", [raw("x")])
    with pytest.raises(Conflict, match="not all"):
        await decide(catalogue, "split", "a/x", "a/x", "b/x")
    with pytest.raises(NotFound, match="no record a/z"):
        await decide(catalogue, "split", "a/x", "a/z")
    with pytest.raises(NotFound, match="no cluster"):
        await decide(catalogue, "join", "a/x", f"{NODE}.zzzzzz")
    with pytest.raises(Misconfigured, match="say why"):
        await decide(catalogue, "join", "a/x", "a/z", why="  ")
    with pytest.raises(Refused, match="your library"):
        await decide(catalogue, "join", "a/x", "a/z", within=frozenset({"OTHER"}))


async def test_a_join_holds_when_the_record_that_was_named_is_deleted(catalogue: Catalogue) -> None:
    await catalogue.load("a", [raw("x"), raw("z", 9)])
    await catalogue.load("b", [raw("x"), raw("z", 9)])
    await decide(catalogue, "join", "a/x", "a/z")
    gone = raw("x")
    await catalogue.load("a", [gone[:5] + b"d" + gone[6:]])
    assert await groups(catalogue) == ["a/z b/x b/z"]


async def test_a_record_that_reads_otherwise_keeps_its_clusters_id(catalogue: Catalogue) -> None:
    async def ident() -> str:
        async with catalogue.database.connection() as conn:
            return (await sides.find(conn, NODE, "a/x")).id

    await catalogue.load("a", [raw("x"), raw("z", 9)])
    before = await ident()
    await catalogue.load("a", [raw("x", pages="99", publisher="中华书局")])
    assert await ident() == before
    await decide(catalogue, "link", "a/x", "a/z")
    assert await ident() == before


async def test_a_side_may_be_named_by_its_cluster(catalogue: Catalogue) -> None:
    await catalogue.load("a", [raw("x"), raw("z", 9)])
    async with catalogue.database.connection() as conn:
        ids = [(await sides.find(conn, NODE, name)).id for name in ("a/x", "a/z")]
    assert ids[0] == cluster_id(NODE, 1)
    await decide(catalogue, "join", *ids)
    assert await groups(catalogue) == ["a/x a/z"]
