"""MERGE: the merged record of every cluster that changed, and its place in the feed (shell around `merge_many.make`).

`merge_dirty` fetches what merging needs and publishes what differs from what stands, in one transaction whose last act
is to take places in the feed. A cluster's mark may rise while it is merged: then the mark stays, and the cluster is
merged once more.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from itertools import groupby, islice
from operator import itemgetter
from typing import Any

import msgspec

from catalog import (
    amendments,
    authority_conflicts,
    base_choices,
    bodies,
    changes,
    clusters,
    dictionaries,
    holdings,
    peers,
    sources,
)
from catalog.amendments import Amendment
from catalog.authority_conflicts import Found
from catalog.changes import Version
from catalog.connection import Connection
from catalog.database.pool import Database
from catalog.model import Format
from dms.merge_many import Job, Kept, Made

log = logging.getLogger(__name__)

MOST_MEMBERS = 200  # records of one cluster that are merged; further ones add holdings only
ENOUGH_TO_TRAIN = 400  # clusters of one format in one round
PIECE = 600  # clusters in one call of the pool: enough to be worth a process

Merge = Callable[[Sequence[Job], Mapping[int, bytes], Mapping[int, tuple[int, bytes]]], Awaitable[list[Made]]]


async def merge_dirty(
    database: Database,
    run: Merge,
    limit: int,
    fence: Callable[[Connection], Awaitable[None]],
    lane: int = 0,
    lanes: int = 1,
) -> int:
    """Merge up to `limit` clusters of a lane that changed; how many were looked at. Calls for different lanes may
    overlap.
    """
    running: list[asyncio.Future[list[Made]]] = []
    try:
        async with database.connection() as conn:
            marks = await clusters.dirty(conn, limit, lane, lanes)
            if not marks:
                return 0
            drops = await sources.drops(conn)
            fed = await peers.any_child(conn)
            corrected = await amendments.any_amendment(conn)
            chosen = await base_choices.any_choice(conn)
            known = await dictionaries.every(conn)
            newest = await dictionaries.newest(conn)
            merged = {int(fmt): newest[kind] for fmt in Format if (kind := dictionaries.merged_kind(fmt)) in newest}
            held: dict[int, tuple[tuple[str, ...], bytes]] = {}
            told: dict[int, bytes] = {}
            numbers = list(marks)
            for start in range(0, len(numbers), PIECE):
                piece = numbers[start : start + PIECE]
                corrections = await amendments.of(conn, piece) if corrected else {}
                bases = await base_choices.of(conn, piece) if chosen else frozenset()
                memos = await changes.memos(conn, piece)
                jobs = _jobs(await clusters.members(conn, piece), memos, drops, corrections, bases)
                if unseen := set(piece) - {job.cluster for job in jobs}:
                    held_only = await clusters.members(conn, unseen, shown=False)
                    jobs += _jobs(held_only, {}, drops, corrections, bases, stub=True)
                used = {n: known[n] for n in {kept.dictionary for job in jobs for kept in job.members} if n}
                running.append(asyncio.ensure_future(run(jobs, used, merged)))  # beside the reading of the next piece
                held |= await holdings.summary(conn, piece)
                told |= await clusters.told(conn, piece) if fed else {}
        made = [one for part in await asyncio.gather(*running) for one in part]
    finally:
        for task in running:
            task.cancel()
    for one in made:
        if one.fault:  # what is published of it stays; its next change tries again
            log.error("cluster %s could not be merged, a fault of ours: %s", one.cluster, one.fault)
    async with database.transaction() as conn:
        await fence(conn)
        await clusters.clean(conn, marks)
        await authority_conflicts.replace(conn, _contradictions(marks, made))
        await _train(conn, made, merged)
        await changes.publish(conn, await _news(conn, marks, made, held, told))
    return len(marks)


def _contradictions(marks: Iterable[int], made: Sequence[Made]) -> dict[int, list[Found]]:
    """What is known now of ids that contradict, by cluster: of those that were merged and of those that are gone."""
    gone = set(marks) - {one.cluster for one in made}
    told = {one.cluster: one.conflicts for one in made if one.conflicts is not None and not one.fault}
    return {cluster: [] for cluster in gone} | {
        cluster: [Found(*msgspec.structs.astuple(each)) for each in found] for cluster, found in told.items()
    }


async def _train(conn: Connection, made: Sequence[Made], merged: Mapping[int, tuple[int, bytes]]) -> None:
    """The first round with enough clusters of a format gives their dictionary to the rounds after it."""
    for fmt in Format:
        if int(fmt) in merged:
            continue
        samples = [bodies.grow(one.content) for one in made if one.content and one.format == fmt]
        if len(samples) >= ENOUGH_TO_TRAIN:
            await dictionaries.add(conn, dictionaries.merged_kind(fmt), bodies.train(samples))


def _jobs(
    rows: Sequence[Any],
    memos: Mapping[int, bytes],
    drops: Mapping[str, tuple[str, ...]],
    corrections: Mapping[int, tuple[Amendment, ...]],
    bases: frozenset[str],
    *,
    stub: bool = False,
) -> list[Job]:
    jobs = []
    for cluster, members in groupby(rows, key=itemgetter("cluster")):
        some = islice(members, MOST_MEMBERS)
        kept = [kept_of(row, drops, bases) for row in some]
        jobs.append(Job(cluster, kept, memos.get(cluster, b""), corrections.get(cluster, ()), stub))
    return jobs


def kept_of(row: Any, drops: Mapping[str, tuple[str, ...]], bases: frozenset[str]) -> Kept:
    """A member out of a row of `clusters.members`. `drops`: what sources keep back, by name; `bases`: keys of chosen
    bases.
    """
    return Kept(*_values_of_kept(row, drops, bases))


def _values_of_kept(row: Any, drops: Mapping[str, tuple[str, ...]], bases: frozenset[str]) -> tuple[Any, ...]:
    source = row["source"]
    key = f"{source}/{row['local_id']}"
    return (key, *_rest_of_kept(row), drops.get(source, ()), key in bases)


_rest_of_kept = itemgetter(*Kept.__struct_fields__[1:-2])


async def _news(
    conn: Connection,
    marks: Mapping[int, int],
    made: Sequence[Made],
    held: Mapping[int, tuple[tuple[str, ...], bytes]],
    told: Mapping[int, bytes],
) -> list[Version]:
    """States that differ from what is published: changed records or holdings, another child that has a record in it,
    and clusters without visible records: stubs, where holdings are shared, and tombstones.
    """
    standing = await changes.fingerprints(conn, list(marks))
    heirs = await clusters.heirs(conn, list(marks))
    news = []
    for one in made:
        if one.fault:
            continue
        libraries, digest = held.get(one.cluster, ((), b""))
        fingerprint = _fingerprint(one, digest + told.get(one.cluster, b""))
        stub = one.content == b""
        if standing.get(one.cluster) == (fingerprint, stub, None):
            continue
        news.append(
            Version(
                cluster=one.cluster,
                deleted=stub,
                redirect=None,
                format=one.format,
                fingerprint=fingerprint,
                libraries=() if stub else libraries,
                dictionary=one.dictionary,
                content=one.content,
                outward=one.outward,
                memo=one.memo,
            )
        )
    for cluster in sorted(set(marks) - {one.cluster for one in made}):
        there = standing.get(cluster)
        heir = heirs.get(cluster)
        if there is None or there == (b"", True, heir):
            continue  # never published, or this tombstone stands already
        news.append(
            Version(
                cluster=cluster,
                deleted=True,
                redirect=heir,
                format=Format.MARC21,
                fingerprint=b"",
                libraries=(),
                dictionary=0,
                content=b"",
            )
        )
    return news


def _fingerprint(made: Made, held: bytes) -> bytes:
    return hashlib.blake2b(made.fingerprint + held, digest_size=16).digest()
