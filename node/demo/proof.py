"""Proves on a running node that shared titles merged and are found, through the door that readers use."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import aiohttp

from catalog import changes
from catalog.database.pool import Database
from catalog.model import Published
from config.errors import Fatal

FAMOUS = "红楼梦"  # stands in the catalogues of several libraries of the sample
PAGE = 2000  # clusters
PATIENCE = 120.0  # seconds for the index to catch up
LOOK = 0.2  # seconds between looks


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """What the catalogue holds after the loads."""

    clusters: int
    shared: tuple[Published, ...]  # held by two libraries or more


async def tally(database: Database) -> Tally:
    """Counts the published clusters."""
    live, shared, seq = 0, [], 0
    async with database.connection() as conn:
        while page := await changes.after(conn, seq, PAGE):
            seq = page[-1].seq
            standing = [each for each in page if not each.deleted]
            live += len(standing)
            shared += [each for each in standing if len(each.libraries) > 1]
    return Tally(clusters=live, shared=tuple(shared))


async def indexed(address: str, clusters: int, at: Callable[[int], None]) -> None:
    """Waits until a search finds as many titles as there are clusters; tells `at` how many. Fatal if it never does."""
    deadline = asyncio.get_running_loop().time() + PATIENCE
    async with aiohttp.ClientSession() as client:
        found = 0
        while asyncio.get_running_loop().time() < deadline:
            found = await _total(client, address)
            at(found)
            if found == clusters:
                return
            await asyncio.sleep(LOOK)
    raise Fatal(f"the index shows {found} of {clusters} titles after {PATIENCE:.0f} s; the log says why")


async def prove(address: str, counted: Tally, *, bundled: bool) -> Published:
    """The title that proves it, or Fatal saying what failed."""
    if not counted.shared:
        raise Fatal("no title is held by two libraries: nothing was brought together")
    async with aiohttp.ClientSession() as client:
        wanted = FAMOUS if bundled else title(counted.shared[0])
        ids = {each.id: each for each in counted.shared}
        hits = (await _get(client, f"{address}api/search", q=wanted, limit="100"))["hits"]
        found = next((hit for hit in hits if hit["id"] in ids), None)
        if found is None:
            raise Fatal(f"searching {wanted} finds {len(hits)} titles, none of them held by two libraries")
        record = await _get(client, f"{address}api/records/{found['id']}")
        holders = {holding["library"] for holding in record["holdings"]} | set(record["libraries"])
        if len(holders) < 2:
            raise Fatal(f"the page of {wanted} ({found['id']}) shows holdings of {len(holders)} library only")
        return ids[found["id"]]


def title(published: Published) -> str:
    """What the title is called."""
    return published.description.title if published.description else published.id


async def _total(client: aiohttp.ClientSession, address: str) -> int:
    async with client.get(f"{address}api/search", params={"limit": "1"}) as answer:
        if answer.status == 503:  # the index is being made
            return 0
        answer.raise_for_status()
        return int((await answer.json())["total"])


async def _get(client: aiohttp.ClientSession, url: str, **query: str) -> Any:
    async with client.get(url, params=query) as answer:
        if answer.status != 200:
            raise Fatal(f"{answer.url} answers {answer.status} instead of 200")
        return await answer.json()
