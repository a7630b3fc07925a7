"""`tianlu audit list|verify|export|accept`: who did what, and whether the log is whole."""

from __future__ import annotations

import argparse
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from catalog import audit, heads, peers
from catalog.audit import Checked, Kept, Wanted
from catalog.connection import Connection
from catalog.peers import Peer
from config.errors import Misconfigured, NotFound, TianluError
from exchange import auditing
from exchange import peer as talking
from exchange.peer import Client
from node import app, identity, outgoing
from node.app import Node
from node.context import Context
from node.deeds import Act
from protocols import csv

NAME = "audit"
HELP = {
    "en": "The audit log: who did what. verify: read the whole chain, and compare its end with what the parents were "
    "told; exit code 1 where something does not fit. verify --peer SYMBOL at a parent: whether a child's log is what "
    "it told before. accept: end an alarm about a child's log that was looked into. export: all entries, one JSON "
    "object a line, or CSV.",
    "zh": "审计日志：谁做了什么。verify：校验整条链，并与上级节点收到的链尾比对，不符时退出码为 1。"
    "在上级节点 verify --peer 代码：下级节点的日志是否与其先前所报一致。accept：查明后解除对下级日志的告警。"
    "export：导出全部条目，每行一个 JSON 对象，或 CSV。",
}
ACTS = {
    "list": None,
    "verify": None,
    "export": Act(name="audit.export", detail=("since", "until", "actor", "act", "library", "csv")),
    "accept": Act(name="audit.accept", object="symbol"),
}
COLUMNS = ("no", "at", "actor", "act", "object", "library", "outcome", "detail", "address")
EXPORTED = (*COLUMNS, "request", "previous", "digest")


def arguments(parser: argparse.ArgumentParser) -> None:
    """The actions, and which entries."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    listing = actions.add_parser("list", help="entries, the newest first")
    listing.add_argument("--limit", type=int, default=50)
    export = actions.add_parser("export", help="all entries, the newest first, with their digests")
    for each in (listing, export):
        each.add_argument("--since", default="", metavar="TIME", help="2026-01-31, 2026-01-31T08:00 or 7d, UTC")
        each.add_argument("--until", default="", metavar="TIME")
        each.add_argument("--actor", default="", help="account:NAME, key:NAME/PREFIX, os:LOGIN or node:SYMBOL")
        each.add_argument("--act", default="", help="library.add, or library for all that begin so")
        each.add_argument("--library", default="", metavar="SYMBOL", help="whose data it was about")
        each.add_argument("--csv", action="store_true", help="for a spreadsheet")
    verify = actions.add_parser("verify", help="whether the log is whole")
    verify.add_argument("--peer", metavar="SYMBOL", help="a child's log, by what it told; or only this parent")
    verify.add_argument("--head", metavar="NO:DIGEST", help="an end that was noted elsewhere and must still be in it")
    accept = actions.add_parser("accept", help="end the alarm about a child's log")
    accept.add_argument("symbol")


async def run(context: Context, args: argparse.Namespace) -> int:
    """1 if a log isn't what it was, 4 if a parent can't be asked or a child says nothing of its log."""
    async with app.open(context) as node:
        match args.action:
            case "verify":
                return await _verify(context, node, args)
            case "accept":
                async with node.database.transaction() as conn:
                    alarm = await heads.accept(conn, args.symbol)
                    if alarm is None:
                        raise NotFound(f"there is no alarm about the audit log of {args.symbol}")
                    await context.deed.done(conn, reason=alarm.reason)
                context.out.say(context.text("done"))
            case "export":
                await _export(context, node, args)
            case _:
                async with node.database.connection() as conn:
                    _list(context, args, await audit.page(conn, _wanted(args), limit=max(1, args.limit)))
    return 0


def _wanted(args: argparse.Namespace) -> Wanted:
    return Wanted(
        since=moment(args.since), until=moment(args.until), actor=args.actor, act=args.act, library=args.library
    )


def moment(text: str) -> datetime | None:
    """A time of UTC as it may be typed, None for nothing. Misconfigured if it is none."""
    if not text:
        return None
    if text.endswith("d") and text[:-1].isdecimal() and len(text) <= 5:
        return datetime.now(UTC) - timedelta(days=int(text[:-1]))
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise Misconfigured(f"{text} is no time: say 2026-01-31, 2026-01-31T08:00 or 7d") from error
    return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)


def _list(context: Context, args: argparse.Namespace, found: list[Kept]) -> None:
    if args.csv and not context.out.json:
        context.out.stdout.writelines(csv.lines([COLUMNS, *_cells(found, COLUMNS)]))
    else:
        context.out.table([row(each) for each in found], COLUMNS)


async def _export(context: Context, node: Node, args: argparse.Namespace) -> None:
    wanted, count = _wanted(args), 0
    if args.csv:
        context.out.stdout.writelines(csv.lines([EXPORTED]))
    async with node.database.snapshot() as conn:
        async for found in audit.pages(conn, wanted):
            count += len(found)
            if args.csv:
                context.out.stdout.writelines(csv.lines(_cells(found, EXPORTED)))
            else:
                for each in found:
                    context.out.item({**row(each), "request": each.request, **_chain(each)})
    context.deed.about(entries=count)


def row(kept: Kept) -> dict[str, Any]:
    """An entry for people and programs."""
    return {
        "no": kept.no,
        "at": kept.at.isoformat(timespec="milliseconds"),
        "actor": kept.actor,
        "act": kept.act,
        "object": kept.object,
        "library": kept.library,
        "outcome": kept.outcome,
        "detail": json.loads(kept.detail),
        "address": kept.address,
    }


def _chain(kept: Kept) -> dict[str, str]:
    return {"at": kept.at.isoformat(), "previous": kept.previous.hex(), "digest": kept.digest.hex()}


def _cells(found: list[Kept], columns: tuple[str, ...]) -> Iterator[list[csv.Cell]]:
    for each in found:
        told = {**row(each), "request": each.request, **_chain(each), "detail": each.detail}
        yield [told[name] for name in columns]


async def _verify(context: Context, node: Node, args: argparse.Namespace) -> int:
    async with node.database.connection() as conn:
        known = [each for each in await peers.every(conn) if each.state == "active"]
        if args.peer and await peers.find(conn, args.peer) is None:
            raise NotFound(f"no peer has the symbol {args.peer} (tianlu peer list)")
    asked = [each for each in known if args.peer in (None, each.symbol)]
    children = [each for each in asked if each.role == "child"]
    found = []
    if not args.peer or not children:
        async with node.database.snapshot() as conn:
            found.append(await _own(conn, node.symbol, args.head))
    async with node.database.connection() as conn:
        found += [await _child(conn, each) for each in children]
    for each in asked:
        if each.role == "parent":
            found += await _parent(node, each)
    context.out.table(found, ("log", "of", "entries", "last", "digest", "fits", "reason"))
    if any(each["fits"] == "no" for each in found):
        return 1
    return 4 if any(each["fits"] == "unknown" for each in found) else 0


async def _own(conn: Connection, symbol: str, noted: str | None) -> dict[str, Any]:
    checked = await audit.verify(conn)
    faults = [*checked.faults, *([fault] if noted and (fault := await _noted(conn, checked, noted)) else [])]
    return _found("chain", symbol, checked.head.no, checked.head.digest, "; ".join(faults), entries=checked.entries)


async def _noted(conn: Connection, checked: Checked, noted: str) -> str:
    """Whether an end that somebody wrote down is in the log."""
    no, _, digest = noted.partition(":")
    if not no.isdecimal() or not digest:
        raise Misconfigured(f"--head {noted}: say NO:DIGEST, as `tianlu audit verify` printed them")
    if int(no) > checked.head.no:
        return f"the log ends at {checked.head.no}; entry {no} was noted"
    there = await audit.digest_of(conn, int(no))
    return "" if there is not None and there.hex().startswith(digest.lower()) else f"entry {no} is not the noted one"


async def _child(conn: Connection, child: Peer) -> dict[str, Any]:
    now = datetime.now(UTC)
    alarm = await heads.alarm(conn, child.symbol)
    async with conn.transaction():
        last = await heads.last(conn, child.symbol)
    no, digest = (last.no, last.digest) if last else (0, b"")
    if alarm is None and (why := auditing.silent(last, child.seen_at, now)):
        return _found("heard of", child.symbol, no, digest, why) | {"fits": "unknown"}
    return _found("heard of", child.symbol, no, digest, alarm.reason if alarm else "")


async def _parent(node: Node, parent: Peer) -> list[dict[str, Any]]:
    """What a parent says, and whether what it says it was told is in the log; and its own log, as it tells."""
    async with _asking(node, parent) as client:
        try:
            told = await auditing.tell(node.database, client, parent.symbol)
        except TianluError as error:
            return [_found("told", parent.symbol, 0, b"", str(error)) | {"fits": "unknown"}]
    async with node.database.snapshot() as conn:
        reason = await auditing.fault(conn, told) or told.alarm
        alarm = await heads.alarm(conn, parent.symbol)
    shown = [_found("told", parent.symbol, told.no, told.digest, reason)]
    if told.own:
        why = alarm.reason if alarm else ""
        shown.append(_found("heard of", parent.symbol, told.own.no, told.own.digest, why))
    return shown


@asynccontextmanager
async def _asking(node: Node, parent: Peer) -> AsyncIterator[Client]:
    keyring, rules = identity.keyring(node.home, node.settings), outgoing.rules(node.settings)
    async with talking.connect(node.database, keyring, node.symbol, parent, rules) as client:
        yield client


def _found(log: str, symbol: str, last: int, digest: bytes, reason: str, **more: Any) -> dict[str, Any]:
    fits = "no" if reason else "yes"
    return {"log": log, "of": symbol, **more, "last": last, "digest": digest.hex(), "fits": fits, "reason": reason}
