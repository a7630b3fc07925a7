"""`tianlu quarantine list|show|export|rerun|drop`."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import Any

from catalog import bodies, quarantine, sources
from catalog.connection import Connection
from catalog.model import CARRIER_NAMES, Carrier, LoadState
from config.errors import Misconfigured
from exchange import returns
from node import app
from node.commands import load as loading
from node.context import Context
from node.deeds import Act
from services.access.policy import Permission

NAME = "quarantine"
HELP = {
    "en": "Records that came back: list them, show one, write their bytes out, read them again, or forget them.",
    "zh": "被退回的记录：列出、查看、导出原始字节、重新读取或丢弃。",
}
ACTS = {
    "list": None,
    "show": None,
    "export": Act(name="quarantine.export", object="source", detail=("rule",)),
    "rerun": Act(name="quarantine.rerun", object="source", detail=("rule", "encoding")),
    "drop": Act(name="quarantine.drop", object="source", detail=("rule",)),
}
ALLOW = {"rerun": Permission.LOAD, "drop": Permission.LOAD}
COLUMNS = ("id", "source", "load", "ordinal", "position", "local_id", "verdict", "rule", "reason")
SHOWN = 600  # characters of a record's bytes that `show` prints


def arguments(parser: argparse.ArgumentParser) -> None:
    """The actions and what they are about."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    for name, about in (
        ("list", "what came back, newest first"),
        ("export", "the bytes, one after the other, to standard output"),
        ("rerun", "read them again (after an upgrade, or with another --encoding)"),
        ("drop", "forget them"),
    ):
        action = actions.add_parser(name, help=about)
        action.add_argument("--source")
        action.add_argument("--rule")
        if name == "list":
            action.add_argument("--limit", type=int, default=100)
        if name == "rerun":
            action.add_argument("--encoding", default="auto")
    actions.add_parser("show", help="one case with its bytes").add_argument("id", type=int)


async def run(context: Context, args: argparse.Namespace) -> int:
    """3 if a rerun brought some of them back again."""
    async with app.open(context) as node:
        async with node.database.transaction() as conn:
            if args.action == "show":
                return _show(context, await quarantine.get(conn, args.id))
            source = (await sources.get(conn, args.source)) if args.source else None
            number = source.no if source else None
            context.deed.about(library=source.library if source else "")
            if args.action == "list":
                found = await quarantine.listing(conn, source=number, rule=args.rule, limit=args.limit)
                context.out.table([dict(row) for row in found], COLUMNS)
                return 0
            if args.action == "export":
                return await _export(context, conn, number, args.rule)
            if args.action == "drop":
                count = await quarantine.drop(conn, source=number, rule=args.rule)
                await context.deed.done(conn, count=count)
                context.out.say(context.text("dropped", count=count))
                return 0
            if source is None:
                raise Misconfigured("quarantine rerun needs --source NAME")
            cases = [dict(row) async for row in quarantine.bodies(conn, source=source.no, rule=args.rule)]
        async with node.database.transaction() as conn:
            await context.deed.begun(conn, records=len(cases))
        worst = 0
        for carrier, raws, idents in _by_carrier(cases):
            with context.out.progress(context.text("landing")) as bar:
                load, seconds, spent = await loading.load_inputs(
                    node,
                    source,
                    returns.inputs(raws, carrier),
                    mode="changes",
                    encoding=args.encoding,
                    assured=True,
                    bar=bar,
                )
            if load.state is LoadState.DONE:
                async with node.database.transaction() as conn:
                    await quarantine.settle(conn, idents)
            worst = max(worst, loading.report(context, source, load, seconds, spent))
        return worst


def _show(context: Context, case: Any) -> int:
    raw = bodies.grow(case["body"])
    told = {name: case[name] for name in COLUMNS if name not in ("source",)} | {"source": case["source_name"]}
    if context.out.json:
        context.out.item({**told, "bytes": raw.decode("utf-8", "backslashreplace")})
    for name in COLUMNS:
        context.out.say(f"{name:10} {told[name]}")
    context.out.say(raw[:SHOWN].decode("utf-8", "backslashreplace"))
    return 0


async def _export(context: Context, conn: Connection, source: int | None, rule: str | None) -> int:
    context.out.flush()
    async for case in quarantine.bodies(conn, source=source, rule=rule):
        raw = bodies.grow(case["body"])
        context.out.stdout.buffer.write(raw + (b"" if case["carrier"] == Carrier.ISO2709 else b"\n"))
    return 0


def _by_carrier(cases: list[dict[str, Any]]) -> Iterator[tuple[str, list[bytes], list[int]]]:
    for carrier in CARRIER_NAMES:
        if carrier == Carrier.PACKED:  # what another node told is mended there, and told again
            continue
        mine = [case for case in cases if case["carrier"] == carrier]
        if mine:
            yield CARRIER_NAMES[carrier], [bodies.grow(case["body"]) for case in mine], [case["id"] for case in mine]
