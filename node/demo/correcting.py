"""Proves that a correction made at the centre goes down to the node that the field is from, and comes back up."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

from config.errors import Fatal
from node.commands import correct, export, review
from node.demo import network, proof, table
from node.demo.network import Member, Network
from protocols.http import door
from protocols.http.door import Door

TITLES = ("200", "245")  # the field of the title: CNMARC (UNIMARC), MARC 21
MARK = "（校订）"
WHY = "demonstration"


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """One title on its way up: its id at each node, from a library's node to the centre, and a field it has at both."""

    ids: tuple[tuple[str, str], ...]  # (node, id)
    tag: str
    text: str  # subfield a


async def prove(members: Network) -> Chain:
    """Corrects a title at the centre; each node below accepts it. Fatal if one doesn't get it, or loses it again."""
    async with door.open() as out:
        found = await _find(out, members)
        top, ident = found.ids[-1]
        right = f"{found.text}{MARK}"
        find, put = f"--find=$a{_escaped(found.text)}", f"--put=$a{_escaped(right)}"
        await network.said(members[top], correct, ident, "--field", found.tag, find, put, "--why", WHY)
        for symbol, _ in reversed(found.ids[:-1]):
            await table.settled(members)
            await _accept(members[symbol])
        await table.settled(members)
        for symbol, ident in found.ids:
            now = _text(await _field(out, members[symbol], ident))
            if now != right:
                raise Fatal(f"the correction of {top} is not in {ident} at {symbol}: it says {now}, not {right}")
            told = await network.said(members[symbol], review, "list", "--kind", "correction", "--all")
            if any(each["state"] != "accepted" for each in told if each["why"] == WHY):
                raise Fatal(f"at {symbol} the correction of {top} is not everywhere accepted: {told}")
    return found


async def _find(out: Door, members: Network) -> Chain:
    """A title whose title field is at the centre as at a library's node. Fatal if there is none."""
    leaf = next(each for each in members.values() if each.part.files and each.part.tier == "local")
    way = [leaf]
    while way[-1].part.parent:
        way.append(members[way[-1].part.parent])
    # What a node holds of its child's records: the child's cluster → its own.
    above = [
        {
            row["local_id"]: row["cluster"]
            for row in await network.said(parent, export, "--clusters", "--source", child.part.symbol)
        }
        for child, parent in itertools.pairwise(way)
    ]
    for first in above[0]:
        ids = [first]
        for step in above:
            ids.append(step[ids[-1]])
        own = await _field(out, leaf, first)
        text = _text(own)
        # The whole field, because a correction goes to those who sent this very one.
        if text and own == await _field(out, way[-1], ids[-1]):
            named = tuple((each.part.symbol, ident) for each, ident in zip(way, ids, strict=True))
            return Chain(ids=named, tag=next(iter(own)), text=text)
    raise Fatal(f"no title at the centre is as {leaf.part.symbol} describes it: there is nothing to correct there")


async def _field(out: Door, member: Member, ident: str) -> dict[str, Any]:
    """The title field as MARC-in-JSON: {tag: {ind1, ind2, subfields}}; empty if there is none."""
    record = await proof.get(out, f"{member.address}records/{ident}/marcjson")
    return next((each for each in record["fields"] if set(each) & set(TITLES)), {})


def _text(field: dict[str, Any]) -> str:
    """Subfield a, if there is one only."""
    parts = [part["a"] for content in field.values() for part in content["subfields"] if "a" in part]
    return parts[0] if len(parts) == 1 else ""


async def _accept(member: Member) -> None:
    """`tianlu review list`, and `decide` on what the parent offers."""
    offers = [
        each
        for each in await network.said(member, review, "list", "--kind", "correction")
        if each["state"] == "open" and each["to"] == member.part.symbol and each["why"] == WHY
    ]
    if len(offers) != 1:
        raise Fatal(f"the correction has not come to {member.part.symbol}: it is offered {len(offers)} times")
    await network.said(member, review, "decide", offers[0]["correction"], "accept")


def _escaped(text: str) -> str:
    return text.replace("$", "$$")
