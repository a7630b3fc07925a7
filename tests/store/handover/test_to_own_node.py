"""A library moves from its domain to a node of its own and back: two or three nodes, real databases, real sockets."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import pytest

from catalog import bodies, dictionaries, directory, hosting, libraries, packing, payload, sources
from catalog.hosting import Moved
from catalog.model import LoadState
from catalog.payload import Kind, Level
from config.errors import Conflict, NotFound
from exchange import ends, handing, handover, parting, producer, raws
from exchange.handover import Ask, Untrue
from exchange.peer import Answer, Client
from tests import builders, moving, postgres
from tests.moving import SZU, Census, Living, Traffic
from tests.postgres import Postgres


async def test_a_hosted_library_moves_to_its_own_node(domain: Living, own: Living) -> None:
    await domain.load("szu", moving.titles(1, 40), SZU.symbol)
    before = await domain.counted(SZU.symbol), await domain.held(SZU.symbol), await domain.origins(SZU.symbol)
    sent = await domain.records(SZU.symbol)
    assert before[0] == 40
    await moving.joined(own, domain)
    census = Census()
    async with domain.at_work(), own.at_work(), census.of(SZU.symbol, domain):
        await moving.until(own, SZU.symbol, "done")
    assert await domain.state(SZU.symbol) == "done"
    assert census.seen[domain.symbol] == {40}
    assert await own.records(SZU.symbol) == sent
    assert (await domain.records(SZU.symbol)) == {}
    assert (await domain.counted(SZU.symbol), await domain.held(SZU.symbol), await domain.origins(SZU.symbol)) == before
    assert await own.counted(SZU.symbol) == 40


async def test_nothing_is_sent_that_the_new_node_has_already(
    domain: Living, own: Living, monkeypatch: pytest.MonkeyPatch
) -> None:
    await domain.load("szu", moving.titles(1, 60), SZU.symbol)
    await own.load("szu", [*moving.titles(1, 57), *moving.titles(58, 3, shelf="OLD")], SZU.symbol)
    await moving.joined(own, domain)
    traffic = Traffic().watch(monkeypatch)
    async with domain.at_work(), own.at_work():
        await moving.until(own, SZU.symbol, "done")
    assert await own.brought("move") == 3
    assert {place.partition("OLD")[0] for place, _ in await own.held(SZU.symbol)} == {f"TP{n}" for n in range(1, 61)}
    assert 0 < traffic.got["down handover"] < 4000


async def test_the_domain_needs_no_bodies_of_what_it_hosted(
    domain: Living, own: Living, monkeypatch: pytest.MonkeyPatch
) -> None:
    await domain.load("szu", moving.titles(1, 200), SZU.symbol)
    await moving.joined(own, domain)
    traffic = Traffic().watch(monkeypatch)
    async with domain.at_work(), own.at_work():
        await moving.until(own, SZU.symbol, "done")
    assert 200 * 20 < traffic.told["clusters"] < 200 * 60  # ids and proofs: a body has 500 bytes and more
    assert await domain.counted(SZU.symbol) == 200


async def test_the_sharing_profiles_move_with_the_sources(
    domain: Living, own: Living, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a source keeps back stays at the new host from its first record on, and proofs know of it."""
    profiles: dict[str, dict[str, object]] = {"szu": {"drop": ["210"]}, "quiet": {"level": "holdings"}}
    await own.load("szu", moving.titles(1, 3), SZU.symbol)  # is there already, under no profile
    for name, profile in profiles.items():
        source = await domain.catalogue.source(name, SZU.symbol)
        async with domain.stand.database.transaction() as conn:
            await sources.share(conn, source.no, profile)
    await domain.load("szu", moving.titles(1, 100), SZU.symbol)
    await domain.load("quiet", moving.titles(101, 5), SZU.symbol)
    assert await domain.counted(SZU.symbol) == 100
    await moving.joined(own, domain)
    traffic = Traffic().watch(monkeypatch)
    async with domain.at_work(), own.at_work():
        await moving.until(own, SZU.symbol, "done")
    assert await domain.counted(SZU.symbol) == 100 == await own.counted(SZU.symbol)
    async with own.stand.database.connection() as conn:
        assert {name: (await sources.get(conn, name)).sharing for name in profiles} == profiles
    assert traffic.told["clusters"] < 100 * 60 + 5 * 600, "proofs go up, and stubs"
    source = await domain.catalogue.source(SZU.symbol, SZU.symbol)
    async with domain.stand.database.connection() as conn:
        known = await dictionaries.every(conn)
        rows = await conn.fetch("select body, dictionary from record where source = $1", source.no)
    told = [payload.bib(bodies.open_body(row["body"], row["dictionary"], known)) for row in rows]
    assert [one.level for one in told].count(Level.HOLDINGS) == 5
    assert [packing.unpack(one.body).first("210") is None for one in told if not one.level] == [True] * 100


async def test_a_record_that_is_merged_with_others_goes_up_whole(
    domain: Living, own: Living, monkeypatch: pytest.MonkeyPatch
) -> None:
    same = [builders.a_cnmarc(local_id="x1"), builders.a_cnmarc(local_id="x2", f330="  \x1fa提要")]
    await domain.load("szu", [*moving.titles(1, 20), *same], SZU.symbol)
    assert await domain.counted(SZU.symbol) == 21
    await moving.joined(own, domain)
    traffic = Traffic().watch(monkeypatch)
    async with domain.at_work(), own.at_work():
        await moving.until(own, SZU.symbol, "done")
    assert 20 * 60 + 1000 > traffic.told["clusters"] > 21 * 20 + 300
    assert await domain.counted(SZU.symbol) == 21


async def test_the_old_host_refuses_writes_and_names_the_new_one(domain: Living, own: Living) -> None:
    await domain.load("szu", moving.titles(1, 5), SZU.symbol)
    await moving.joined(own, domain)
    async with domain.at_work():
        last = await domain.load("szu", moving.titles(6, 2), SZU.symbol)  # nothing has asked for the library yet
        async with own.at_work():
            await moving.until(domain, SZU.symbol, "moving", "retiring", "done")
            with pytest.raises(Moved, match="hosted by the node CN-SZU"):
                await domain.load("szu", moving.titles(8, 1), SZU.symbol)
            with pytest.raises(Moved):
                await domain.catalogue.undo(last.load)
            await moving.until(own, SZU.symbol, "done")
    with pytest.raises(Moved):
        await domain.load("szu", moving.titles(8, 1), SZU.symbol)
    await own.load("szu", moving.titles(8, 1), SZU.symbol)
    assert await own.counted(SZU.symbol) == 8


async def test_the_new_host_takes_no_loads_before_everything_is_there(domain: Living, own: Living) -> None:
    await domain.load("szu", moving.titles(1, 5), SZU.symbol)
    await moving.joined(own, domain)
    async with own.stand.database.transaction() as conn:
        (one,) = await hosting.going(conn)
        assert await hosting.turn(conn, one, "moving")
    with pytest.raises(Moved, match="on its way here from CN-GD"):
        await own.load("other", moving.titles(9, 1), SZU.symbol)


async def test_a_move_that_is_cut_off_again_and_again_ends_the_same(
    domain: Living, own: Living, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(producer, "CHANGES", 20)  # in a segment: ten of them
    await domain.load("szu", moving.titles(1, 120), SZU.symbol)
    await domain.load("szu-old", moving.titles(201, 80), SZU.symbol)
    sent = await domain.records(SZU.symbol)
    before = await domain.held(SZU.symbol)
    await moving.joined(own, domain)
    chance = random.Random(9)
    census = Census()
    async with census.of(SZU.symbol, domain):
        for cuts in range(400):
            async with domain.at_work(), own.at_work():
                await asyncio.sleep(chance.random() * (0.1 + cuts / 40))
            if await own.state(SZU.symbol) == await domain.state(SZU.symbol) == "done":
                break
    assert cuts > 4
    assert await own.brought("move") == 200
    assert await own.records(SZU.symbol) == sent
    assert await domain.held(SZU.symbol) == before
    assert census.seen[domain.symbol] == {200}
    async with own.stand.database.connection() as conn:
        assert await conn.fetchval("select count(*) from heard where channel = 'handover'") == 0
    async with domain.stand.database.connection() as conn:
        assert await conn.fetchval("select count(*) from told where channel = 'handover'") == 0
        assert await conn.fetchval("select count(*) from spare") == 0


async def test_loads_at_the_old_host_are_finished_first_or_refused(domain: Living, own: Living) -> None:
    await domain.load("szu", moving.titles(1, 30), SZU.symbol)
    for name, first in (("queued", 101), ("held", 201), ("left", 301)):
        source = await domain.catalogue.source(name, SZU.symbol)
        data = [builders.iso2709(each) for each in moving.titles(first, 10)]
        begun = await domain.catalogue.load(name, data, place=False)
        state = {"queued": "preparing", "held": "held", "left": "landing"}[name]
        async with domain.stand.database.transaction() as conn:
            await conn.execute("update load set state = $2 where load = $1", begun.load, state)
            assert source.no
    await moving.joined(own, domain)
    async with domain.at_work(), own.at_work():
        await moving.until(own, SZU.symbol, "done")
    states = {load.source: (load.state, load.reason) for load in await domain.newest() if load.mode == "changes"}
    told = list(states.values())
    assert [state for state, _ in told].count(LoadState.FAILED) == 2
    assert all("has moved to the node CN-SZU: load it there" in reason for state, reason in told if state == "failed")
    assert {key.partition("/")[0] for key in await own.records(SZU.symbol)} == {"szu", "queued"}
    assert await own.counted(SZU.symbol) == await domain.counted(SZU.symbol) == 40


async def test_no_record_is_lost_that_is_loaded_while_the_library_moves(domain: Living, own: Living) -> None:
    await domain.load("szu", moving.titles(1, 100), SZU.symbol)
    await moving.joined(own, domain)
    taken: list[int] = []
    refused = {domain.symbol: 0, own.symbol: 0}
    moved = asyncio.Event()

    async def load(living: Living, first: int) -> None:
        number = first
        while not moved.is_set():
            try:
                done = await living.load("szu", moving.titles(number, 1), SZU.symbol)
            except Moved:
                refused[living.symbol] += 1
                await asyncio.sleep(0.02)
            except NotFound:  # the source isn't there yet
                await asyncio.sleep(0.02)
            else:
                assert done.state == "done"
                taken.append(number)
                number += 1

    async with domain.at_work(), own.at_work(), asyncio.TaskGroup() as tasks:
        tasks.create_task(load(domain, 1001))
        await postgres.eventually(lambda: domain.counted(SZU.symbol))
        tasks.create_task(load(own, 2001))
        await moving.until(own, SZU.symbol, "done")
        moved.set()
    assert refused[domain.symbol]
    assert any(number > 2000 for number in taken)
    ids = {key.partition("/b")[2] for key in await own.records(SZU.symbol)}
    assert ids == {str(number) for number in [*range(1, 101), *taken]}
    async with domain.at_work(), own.at_work():

        async def all_there() -> bool:
            return await domain.counted(SZU.symbol) == len(ids)

        await postgres.eventually(all_there)


async def test_statements_that_are_false_stale_or_repeated_are_refused(domain: Living, own: Living) -> None:
    await domain.load("szu", moving.titles(1, 3), SZU.symbol)
    await moving.joined(own, domain)
    async with domain.at_work(), own.at_work():
        await moving.until(own, SZU.symbol, "done")
    one = await own.handover(SZU.symbol)
    assert one is not None
    peer = ends.peer(await own.stand.peer(domain.symbol))
    about: dict[str, Any] = {"library": SZU.symbol, "reign": one.reign, "old": domain.symbol, "new": own.symbol}
    told = handover.verify(one.statement, peer.trusted, **about)
    assert (told.reign, [source.name for source in told.sources]) == (1, ["szu"])
    for wrong in ({"reign": 2}, {"library": "CN-X"}, {"new": "CN-X"}, {"old": "CN-X"}):
        with pytest.raises(Untrue):
            handover.verify(one.statement, peer.trusted, **{**about, **wrong})
    forged = handover.sign(told, ends.me(own.symbol, own.stand.keyring.key).signer)
    with pytest.raises(Untrue, match="isn't signed by a trusted key of CN-GD"):
        handover.verify(forged, peer.trusted, **about)
    with pytest.raises(Untrue):
        handover.verify(one.statement[:-9], peer.trusted, **about)
    child = ends.peer(await domain.stand.peer(own.symbol))
    async with own.stand.database.transaction() as conn:
        with pytest.raises(Conflict, match="stale"):  # a repeated statement moves nothing
            await hosting.move(conn, SZU.symbol, domain.symbol, one.reign)
    async with domain.stand.database.transaction() as conn:
        for reign in (0, 2, 9):
            with pytest.raises(Conflict, match="reign"):
                asked = Ask(library=SZU.symbol, reign=reign, way="in", state="due")
                await parting.hear(conn, domain.symbol, child, asked)
        with pytest.raises(Conflict, match="stale"):
            asked = Ask(library=SZU.symbol, reign=one.reign + 4, way="out", state="due")
            await parting.hear(conn, domain.symbol, child, asked)
        with pytest.raises(Conflict, match="not CN-SZU's to give"):
            await parting.hear(conn, domain.symbol, child, Ask(library="CN-GD", reign=1, way="out", state="due"))
        # An older host that has not heard of it changes nothing, and nobody takes what is hosted here by a word.
        await directory.take(
            conn, {SZU.symbol: payload.Entry("old", node="CN-X", reign=0)}, peer=own.symbol, role="child", theirs=[]
        )
        assert await hosting.host(conn, SZU.symbol) == (own.symbol, 1)
    async with own.stand.database.transaction() as conn:
        await libraries.ensure(conn, "CN-H")
        await conn.execute("insert into source (name, library) values ('h', 'CN-H')")
        for symbol in ("CN-H", SZU.symbol):
            entry = payload.Entry("taken", node=domain.symbol, reign=99)
            await directory.take(conn, {symbol: entry}, peer=domain.symbol, role="parent", theirs=[])
            assert (await hosting.host(conn, symbol))[0] == ""


async def test_a_proof_that_cannot_be_opened_any_more_is_followed_by_whole_bodies(
    domain: Living, own: Living, monkeypatch: pytest.MonkeyPatch
) -> None:
    await domain.load("szu", moving.titles(1, 20), SZU.symbol)
    await moving.joined(own, domain)
    traffic = Traffic()
    lost = []

    async def send(client: Client, method: str, path: str, body: bytes = b"", **more: Any) -> Answer:
        answer = await traffic.send(client, method, path, body, **more)
        if path == handing.HAVE:
            async with domain.stand.database.connection() as conn:
                lost.append(await conn.execute("delete from spare"))
        return answer

    monkeypatch.setattr(Client, "send", send)
    async with domain.at_work(), own.at_work():
        await moving.until(own, SZU.symbol, "done")
    assert lost[0] == "DELETE 20"
    assert await domain.counted(SZU.symbol) == 20
    assert await domain.records(SZU.symbol) == {}


async def test_a_child_gets_no_source_records_but_those_that_move_to_it(domain: Living, own: Living) -> None:
    await domain.load("szu", moving.titles(1, 3), SZU.symbol)
    await domain.load("gd", moving.titles(11, 3), domain.symbol)
    await moving.joined(own, domain)
    child = ends.peer(await domain.stand.peer(own.symbol))
    keys = [(int(Kind.RAW), raws.ident(name, f"b{n}")) for name, n in (("szu", 1), ("gd", 11), ("none", 1))]
    async with domain.stand.database.transaction() as conn:
        assert await raws.current(conn, child, keys) == []
        (one,) = await hosting.going(conn)
        await hosting.turn(conn, one, "moving")
        assert [change.id for change in await raws.current(conn, child, keys)] == ["szu\tb1"]
    parent = ends.peer(await own.stand.peer(domain.symbol))
    async with own.stand.database.transaction() as conn:
        await libraries.ensure(conn, SZU.symbol)
        await conn.execute("insert into source (name, library) values ('szu', $1)", SZU.symbol)
        with pytest.raises(Conflict, match="isn't under way"):
            raw = {raws.ident("szu", "b1"): payload.Raw(1, "utf-8", b"d", b"x")}
            await raws.land(conn, own.catalogue.queue, parent, "1:1", raw)


async def test_a_node_that_lost_everything_on_the_way_joins_anew(domain: Living, own: Living, server: Postgres) -> None:
    await domain.load("szu", moving.titles(1, 30), SZU.symbol)
    await moving.joined(own, domain)
    async with domain.at_work(), own.at_work():
        await moving.until(own, SZU.symbol, "moving", "landing", "rising", "risen")
    await domain.stand.set_state(own.symbol, "revoked")
    async with moving.node(server, SZU.symbol) as again, domain.at_work():
        await moving.joined(again, domain)
        async with again.at_work():
            await moving.until(again, SZU.symbol, "done")
        assert await again.counted(SZU.symbol) == await domain.counted(SZU.symbol) == 30
