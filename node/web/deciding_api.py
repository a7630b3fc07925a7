"""Clusters and decisions about them, for programs: why records are one, what a person decides, and taking it back."""

from __future__ import annotations

import re
from typing import Any, TypeVar

import msgspec
from aiohttp import web

from catalog import authority_conflicts, decisions
from catalog.decisions import Decision
from config.errors import Conflict, NotFound
from node.web import api, auditing, context, permits
from node.web.inputs import number, numbered, reasoned
from node.web.middleware import BadInput
from node.web.posted import posted
from services.access.policy import Permission
from services.deciding import basing, comparing, deciding, inside, settling, sides, told
from services.delivery import rows

SIZE, MOST = 50, 200  # items of a list
LAST = (1 << 62) - 1
MOST_RECORDS = 200  # that one decision names
LONGEST_ID = 300
_PLACE = re.compile(r"(-?[0-9]{1,5}),([0-9]{1,18}),([0-9]{1,18})")  # score and signatures of a pair
SPLIT = "split"
KINDS = ("join", "apart", "link", SPLIT)


class Why(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A reason, alone or with what it is a reason for."""

    why: str = ""


class Put(Why, kw_only=True):
    """A decision as it is posted. `other` of join, apart and link; `records` of split: those that leave."""

    kind: str
    id: str
    other: str = ""
    records: tuple[str, ...] = ()


class Base(Why, kw_only=True):
    """The record that shall be the base; "" = let the policy choose again."""

    record: str = ""


async def cluster(request: web.Request) -> web.StreamResponse:
    """A cluster with its edges and decisions."""
    symbol, lang = context.node_of(request).symbol, context.lang_of(request)
    async with context.private(request) as conn:
        found = await inside.look(conn, symbol, _ident(request.match_info["id"]))
        edges = await inside.edges(conn, found.members)
    return api.answer(told.cluster(symbol, found, edges, lang))


async def pair(request: web.Request) -> web.StreamResponse:
    """Why two records are one, or why not."""
    symbol, lang = context.node_of(request).symbol, context.lang_of(request)
    a, b = (_ident(request.query.get(name, "")) for name in "ab")
    async with context.private(request) as conn:
        one, other = await sides.find(conn, symbol, a), await sides.find(conn, symbol, b)
    if one.record == other.record:
        raise Conflict(f"{a} and {b} are the same record")
    # What the matcher reads is no visitor's to read; of these two records it may be told, for both may be seen.
    async with context.node_of(request).database.connection() as conn:
        found = await comparing.compare(conn, one, other)
    return api.answer(told.pair(one, other, found, rows.beside(*found.described, lang), lang))


async def waiting(request: web.Request) -> web.StreamResponse:
    """Pairs that a person must judge, the likeliest first; `next` says where the list goes on."""
    limit, lang = number(request.query, "limit", SIZE, 1, MOST), context.lang_of(request)
    async with context.private(request) as conn:
        found = await decisions.waiting(conn, limit, after=_after(request), libraries=context.reach(request).within)
    last = found[-1] if len(found) == limit else None
    pairs = [told.waiting(row, lang) for row in found]
    return api.answer({"pairs": pairs, "next": last and f"{last['score']},{last['a']},{last['b']}"})


async def conflicts(request: web.Request) -> web.StreamResponse:
    """Ids of one authority file that contradict within a cluster."""
    symbol, limit = context.node_of(request).symbol, number(request.query, "limit", SIZE, 1, MOST)
    async with context.private(request) as conn:
        found = await authority_conflicts.listing(
            conn, limit, settled=request.query.get("all") == "1", libraries=context.reach(request).within
        )
    return api.answer({"conflicts": [told.conflict(symbol, one) for one in found]})


async def settle(request: web.Request) -> web.StreamResponse:
    """A conflict of authority ids was seen to."""
    given = _reasoned(posted(await request.read(), Why, '{"why": "…"}'))
    one = _number(request, "conflict")
    auditing.deed(request).about(object=str(one), why=given.why)
    node = context.node_of(request)
    async with node.database.transaction() as conn:
        settled = await settling.settle(conn, one, **_who(request), why=given.why)
        await auditing.deed(request).done(conn, file=settled.file, ids=[settled.id_a, settled.id_b])
    return api.answer(told.conflict(node.symbol, settled))


async def history(request: web.Request) -> web.StreamResponse:
    """Decisions, the newest first; `next` says where the list goes on."""
    limit, before = number(request.query, "limit", SIZE, 1, MOST), number(request.query, "before", 0, 0, LAST) or None
    async with context.private(request) as conn:
        found = await decisions.recent(conn, limit, before)
        names = await decisions.names(conn, {name for one in found for name in (*one.records, *one.others)})
    more = found[-1].decision if len(found) == limit else None
    return api.answer({"decisions": [told.decision(one, names) for one in found], "next": more})


async def single(request: web.Request) -> web.StreamResponse:
    """One decision, with what it came to and where its records are now."""
    async with context.private(request) as conn:
        one = await decisions.get(conn, _number(request, "decision"))
        return api.answer(await _told(request, conn, one))


async def undo(request: web.Request) -> web.StreamResponse:
    """Take a decision back."""
    given = _reasoned(posted(await request.read(), Why, '{"why": "…"}'))
    one = _number(request, "decision")
    auditing.deed(request).about(object=str(one), why=given.why)
    async with context.node_of(request).database.transaction() as conn:
        taken = await deciding.undo(conn, one, **_who(request), why=given.why)
        await auditing.deed(request).done(conn, library=taken.library)
        return api.answer(await _told(request, conn, taken))


async def base(request: web.Request) -> web.StreamResponse:
    """A person chooses the base of a cluster, or leaves it to the policy again."""
    given = _reasoned(posted(await request.read(), Base, '{"record": "source/local id", "why": "…"}'))
    ident = _ident(request.match_info["id"])
    auditing.deed(request).about(object=given.record or ident, why=given.why)
    node, who = context.node_of(request), _who(request)
    async with node.database.transaction() as conn:
        if given.record:
            if (await sides.find(conn, node.symbol, given.record)).id != (
                await sides.find(conn, node.symbol, ident)
            ).id:
                raise NotFound(f"{ident} has no record {given.record}")
            side = await basing.choose(conn, node.symbol, given.record, **who, why=given.why)
        else:
            side = await basing.leave(conn, node.symbol, ident, why=given.why, within=who["within"])
        await auditing.deed(request).done(conn, cluster=side.id)
    return api.answer({"cluster": side.id, "base": given.record})


async def put(request: web.Request) -> web.StreamResponse:
    """A decision, which the matcher carries out."""
    given = _reasoned(posted(await request.read(), Put, '{"kind": "join", "id": …, "other": …, "why": …}'))
    if given.kind not in KINDS:
        raise BadInput(f"kind is one of {', '.join(KINDS)}.")
    for each in (given.id, given.other or given.id, *given.records):
        _ident(each)
    node = context.node_of(request)
    deed = auditing.deed(request)
    deed.about(act=f"cluster.{given.kind}", object=given.id, why=given.why)
    async with node.database.transaction() as conn:
        if given.kind == SPLIT:
            if given.other or not 0 < len(given.records) <= MOST_RECORDS:
                raise BadInput(f"A split names the records that leave (records, at most {MOST_RECORDS}), no other.")
            made = await deciding.split(conn, node.symbol, given.id, given.records, **_who(request), why=given.why)
        else:
            if given.records or not given.other:
                raise BadInput(f"{given.kind} takes id and other, no records.")
            made = await deciding.between(
                conn, node.symbol, given.kind, given.id, given.other, **_who(request), why=given.why
            )
        await deed.done(conn, decision=made.decision, library=made.library)
        return api.answer(await _told(request, conn, made))


async def _told(request: web.Request, conn: Any, one: Decision) -> dict[str, Any]:
    names = await decisions.names(conn, (*one.records, *one.others))
    now = await deciding.where(conn, context.node_of(request).symbol, one)
    return told.decision(one, names) | {"clusters_now": now}


def _who(request: web.Request) -> dict[str, Any]:
    actor = permits.actor_of(request)
    return {"who": actor.name, "within": actor.reach(Permission.CHANGE).within}


def _number(request: web.Request, name: str) -> int:
    if (asked := numbered(request.match_info[name])) is None:
        raise BadInput(f"A {name} is named by its number.")
    return asked


Reasoned = TypeVar("Reasoned", bound=Why)


def _reasoned(given: Reasoned) -> Reasoned:
    reasoned(given.why)
    return given


def _ident(told: str) -> str:
    """What names a cluster or a record."""
    if not 0 < len(told) <= LONGEST_ID or not told.isprintable():
        raise BadInput(f"A cluster is named by its id, a record by source/local id: at most {LONGEST_ID} characters.")
    return told


def _after(request: web.Request) -> tuple[int, int, int] | None:
    asked = request.query.get("after", "")
    if not asked:
        return None
    if not (found := _PLACE.fullmatch(asked)):
        raise BadInput("after is `next` of the answer before.")
    return int(found[1]), int(found[2]), int(found[3])
