"""Decisions take effect: each becomes pins, under the matcher's lease, and is taken back by taking them out (shell).

- join: must-links between the records named of each side; they override vetoes and scores.
- split: the records that leave are held together, and each of them is kept from each that stays; whatever joins the one
  side later is kept from the other by the union (`dms.match.union`).
- apart, link: the records named of each side are kept from each other; a link is also shown on both.

Every record of a side is pinned to every one of the other, so that a decision holds when some of them are deleted.
"""

from __future__ import annotations

from collections.abc import Iterator

from catalog import decisions, pins
from catalog.connection import Connection
from catalog.decisions import Decision, Named
from dms import pinning
from dms.memory import Memory

MUST, CANNOT = "must", "cannot"
# What a decision came to where it isn't what was asked for; behind the word stand decisions' numbers, records' names.
AGAINST, MISSING = "against", "missing"


async def next_one(conn: Connection, memory: Memory) -> bool:
    """Carry out, or take back, the oldest decision that waits; False if none does. In the caller's transaction."""
    one = await decisions.next_due(conn)
    if one is None:
        return False
    if one.state == "undue":
        await pinning.follow(conn, sorted(await pins.remove_decided(conn, one.decision)), memory)
        await decisions.settle(conn, one.decision, "undone", one.result)
        await _again(conn, one)
        return True
    if missing := await decisions.missing(conn, (*one.records, *one.others)):
        known = await decisions.names(conn, missing)
        await decisions.settle(conn, one.decision, "void", f"{MISSING} {', '.join(known.values())}")
        return True
    await pins.add_many(conn, list(asked(one)), who=one.who, why=one.why, decision=one.decision)
    await pinning.follow(conn, sorted({*one.records, *one.others}), memory)
    await decisions.settle(conn, one.decision, "done", await _result(conn, one))
    await _again(conn, one)
    return True


def asked(one: Decision) -> Iterator[tuple[Named, Named, str]]:
    """The pins that a decision asks for."""
    if one.kind == "split":
        for other in one.records[1:]:
            yield one.records[0], other, MUST
    verdict = MUST if one.kind == "join" else CANNOT
    for record in one.records:
        for other in one.others:
            yield record, other, verdict


async def _again(conn: Connection, one: Decision) -> None:
    """What other decisions about these records come to, now that this one has been made or taken back."""
    for each in await decisions.of_records(conn, (*one.records, *one.others)):
        if each.state != "done" or each.decision == one.decision:
            continue
        if await decisions.missing(conn, (*each.records, *each.others)):
            continue  # its records are not both there to be looked at
        if (came := await _result(conn, each)) != each.result:
            await decisions.settle(conn, each.decision, "done", came)


async def _result(conn: Connection, one: Decision) -> str:
    """Whether the two sides are where they should be: other decisions may stand against this one, and are named."""
    there = await decisions.clusters_of(conn, (one.records[0], one.others[0]))
    together = len({cluster for cluster, _ in there.values()}) == 1
    if together == (one.kind == "join"):
        return ""
    others = [
        each.decision
        for each in await decisions.of_records(conn, (*one.records, *one.others))
        if each.state == "done" and (each.kind == "join") != (one.kind == "join")
    ]
    return " ".join([AGAINST, *map(str, others)])
