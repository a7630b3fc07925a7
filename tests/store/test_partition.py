"""The partition and the merged bytes are a function of the records that are there, never of how they came."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

import pytest

from bench.generator import corpus
from catalog.database import pool
from catalog.database.pool import Database
from dms import edges, graph, matcher
from dms.matcher import Matcher
from protocols import stream
from tests.pipeline import Catalogue
from tests.postgres import Postgres

Records = dict[tuple[str, str], bytes]  # (source, an id of our own) -> bytes


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> Records:
    """A generated corpus full of traps: a few libraries, their records by a number of our own."""
    folder = tmp_path_factory.mktemp("corpus")
    corpus.generate(folder, count=420, seed=11, libraries=3)
    found: Records = {}
    for path in sorted(folder.glob("*.iso")) + sorted(folder.glob("*.mrc")):
        data = b"".join(s.data for s in stream.stretches(stream.open_input(str(path)), "iso2709"))
        # A repeated 001 is one record, and the later load rightly wins: it has no place in a test of order.
        seen: set[bytes] = set()
        for n, raw in enumerate(part.lstrip() + b"\x1d" for part in data.split(b"\x1d")[:-1]):
            if (name := control_number(raw) or raw) not in seen:
                seen.add(name)
                found[path.stem, str(n)] = raw
    assert len(found) > 300
    return found


async def build(database: Database, records: Records, order: int, batch: int) -> Catalogue:
    """Load everything in a random order, a load at a time from a random source, in units of `batch`."""
    catalogue = await Catalogue(database).open()
    rng = random.Random(order)
    names = list(records)
    rng.shuffle(names)
    names.sort(key=lambda name: rng.random() < 0.5)
    for start in range(0, len(names), 160):
        for source in sorted({source for source, _ in names[start : start + 160]}, key=lambda _: rng.random()):
            mine = [records[name] for name in names[start : start + 160] if name[0] == source]
            await catalogue.load(source, mine, unit=batch)
    return catalogue


async def fresh(server: Postgres, home: Path, records: Records, order: int, batch: int) -> dict[frozenset[str], str]:
    async with server.fresh() as dsn, pool.open(home, dsn) as database:
        return await (await build(database, records, order, batch)).partition()


@pytest.mark.parametrize("hub", [400, 6])
async def test_any_order_gives_the_same_clusters_and_bytes(
    server: Postgres, home: Path, records: Records, monkeypatch: pytest.MonkeyPatch, hub: int
) -> None:
    monkeypatch.setattr(edges, "HUB", hub)
    monkeypatch.setattr(graph, "HUB", hub)
    first = await fresh(server, home, records, order=1, batch=37)
    assert any(len(names) > 1 for names in first), "the corpus has shared titles"
    for order, batch in ((2, 1000), (3, 11)):
        assert await fresh(server, home, records, order=order, batch=batch) == first


async def test_merging_beside_placing_ends_where_one_after_the_other_ends(
    server: Postgres, home: Path, records: Records, monkeypatch: pytest.MonkeyPatch
) -> None:
    want = await fresh(server, home, records, order=1, batch=37)

    async def at_once(self: Matcher) -> bool:
        return any(await asyncio.gather(self.place_next(), self.merge_next()))

    monkeypatch.setattr(Matcher, "step", at_once)
    monkeypatch.setattr(matcher, "UNITS", 1)
    monkeypatch.setattr(matcher, "CLUSTERS", 20)
    assert await fresh(server, home, records, order=2, batch=23) == want


@pytest.mark.parametrize("hub", [400, 6])
async def test_updates_and_deletes_end_where_a_rebuild_ends(
    server: Postgres, home: Path, records: Records, monkeypatch: pytest.MonkeyPatch, hub: int
) -> None:
    monkeypatch.setattr(edges, "HUB", hub)
    monkeypatch.setattr(graph, "HUB", hub)
    rng = random.Random(5)
    async with server.fresh() as dsn, pool.open(home, dsn) as database:
        catalogue = await build(database, records, order=4, batch=50)
        final = dict(records)
        for _ in range(4):
            churn(final, rng)
            await push(catalogue, records, final)
        churned = await catalogue.partition()
    # The rebuild names the same records by the same 001, so only what is there counts.
    assert await fresh(server, home, final, order=9, batch=200) == churned


def churn(final: Records, rng: random.Random) -> None:
    """Delete some, and give some the content of another record under their own 001."""
    named = [name for name in final if control_number(final[name])]
    for name in rng.sample(named, 12):
        final.pop(name)
    named = [name for name in final if control_number(final[name])]
    for name in rng.sample(named, 25):
        other = rng.choice([n for n in named if n[0] == name[0]])
        final[name] = renumbered(final[other], control_number(final[name]))


async def push(catalogue: Catalogue, before: Records, final: Records) -> None:
    """Bring the catalogue to `final` by loads of changes: updates whole, deletions by leader/05."""
    for source in sorted({source for source, _ in before}):
        mine = [raw for name, raw in final.items() if name[0] == source]
        alive = {control_number(raw) for raw in mine}
        gone = [
            raw[:5] + b"d" + raw[6:]
            for name, raw in before.items()
            if name[0] == source and control_number(raw) and control_number(raw) not in alive
        ]
        await catalogue.load(source, mine + gone, unit=64)


def control_number(raw: bytes) -> bytes:
    """001 of a sound record whose first field it is."""
    base = int(raw[12:17])
    return raw[base : base + int(raw[27:31]) - 1] if raw[24:27] == b"001" else b""


def renumbered(raw: bytes, number: bytes) -> bytes:
    """The record under another 001."""
    base, length = int(raw[12:17]), int(raw[27:31])
    shift = len(number) + 1 - length
    directory = raw[24 : base - 1]
    entries = [directory[i : i + 12] for i in range(0, len(directory), 12)]
    moved = b"".join(
        entry[:3]
        + (b"%04d" % (len(number) + 1) if i == 0 else entry[3:7])
        + (entry[7:] if i == 0 else b"%05d" % (int(entry[7:]) + shift))
        for i, entry in enumerate(entries)
    )
    body = raw[:24] + moved + b"\x1e" + number + b"\x1e" + raw[base + length :]
    return b"%05d" % len(body) + body[5:]
