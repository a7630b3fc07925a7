"""`tianlu status [--wait]`: what the node holds and is doing."""

from __future__ import annotations

import argparse
from typing import Any

from catalog import changes, clusters, holdings, loads, quarantine
from catalog.connection import Connection
from catalog.model import LoadState
from catalog.streams import Lag
from catalog.work import workers
from node import app, attending, indexed, lifecycle, messages, place, telling, words
from node.app import Node
from node.context import Context
from node.output import width
from node.z3950 import databases, scopes
from services.discovery.registry import Registry

NAME = "status"
HELP = {
    "en": "Show what the node holds and is doing. --wait: until libraries that move have "
    "arrived, pipeline, feed and index are drained, and the parents, and the children that are in touch, have heard "
    "all of it.",
    "zh": "显示节点的内容和当前工作。--wait：等到移交中的成员馆全部到位，流水线、变更流和索引全部处理完毕，"
    "且上级节点和保持联系的下级节点已全部收到。",
}
ACTS = {"": None}
MOST = 8  # loads, rules … in one line for people


def arguments(parser: argparse.ArgumentParser) -> None:
    """--wait."""
    parser.add_argument("--wait", action="store_true", help="until pipeline, feed and index are drained, and told")


async def run(context: Context, args: argparse.Namespace) -> int:
    """0."""
    async with app.open(context) as node:
        if args.wait:
            await telling.moved(node)
            await attending.drain(node)
            await indexed.caught_up(node)
            await telling.heard(node)
        async with node.database.connection() as conn:
            told = await _told(conn, node)
    if context.out.json:
        context.out.item(told)
        return 0
    for name, value in told.items():
        label = words.heading(name, context.lang)
        for n, line in enumerate(_lines(value, context.lang)):
            shown = label if n == 0 else ""
            context.out.say(f"{shown}{' ' * max(12 - width(shown), 0)} {line}")
    return 0


async def _told(conn: Connection, node: Node) -> dict[str, Any]:
    epoch, last = await changes.head(conn)
    at = indexed.place(node)
    return {
        "symbol": node.symbol,
        "tier": node.settings.node.tier,
        "home": str(node.home),
        "running": lifecycle.running(node.home) or {},
        "database": {"kind": node.database.kind, "version": node.database.version},
        "libraries": await conn.fetchval("select count(*) from library"),
        "sources": await conn.fetchval("select count(*) from source where state <> 'removed'"),
        "records": await conn.fetchval("select count(*) from record"),
        "clusters": await conn.fetchval("select count(*) from merged where not deleted"),
        "holdings": await holdings.count(conn),
        "quarantine": {f"{r['source']}/{r['rule']}": r["n"] for r in await quarantine.groups(conn)},
        "loads": {
            str(load.load): f"{load.state.value} {load.origin}: {load.reason or f'{load.landed:,} bytes landed'}"
            for load in await loads.in_state(
                conn, LoadState.LANDING, LoadState.PREPARING, LoadState.HELD, LoadState.PLACING
            )
        },
        "to_merge": await clusters.dirty_count(conn),
        "feed": {"epoch": epoch, "last": last},
        "index": {"epoch": at[0], "seq": at[1]},
        "workers": [
            f"{seen.worker.id} {seen.worker.state}, {seen.age:.0f} s ago" for seen in await workers.every(conn)
        ],
        "z3950": {"databases": await _databases(conn, node)},
        "streams": {f"{lag.peer}/{lag.channel}": _stream(lag) for lag in await telling.lags(conn)},
    }


async def _databases(conn: Connection, node: Node) -> str:
    directory = await Registry().look(conn, 0.0)
    found = scopes.answered(databases.of(node.settings.z3950), place.place(node), directory)
    return " ".join(each.name for each in found)


def _stream(lag: Lag) -> dict[str, object]:
    told: dict[str, object] = {
        "role": lag.role,
        "told": lag.told,
        "last": lag.last,
        "waiting": lag.waiting,
        "behind": lag.behind,
        "heard": lag.heard,
    }
    told |= {"heard_ago": round(lag.heard_ago, 1)} if lag.heard_ago is not None else {}
    return told | {name: why for name in ("held_up", "trouble") if (why := getattr(lag, name))}


def _lines(value: object, lang: str) -> list[str]:
    """One for each stream, one for anything else."""
    if isinstance(value, dict) and any(isinstance(v, dict) for v in value.values()):
        return [f"{k}: {_line(v, lang)}" for k, v in value.items()]
    return [_line(value, lang)]


def _line(value: object, lang: str) -> str:
    if isinstance(value, dict):
        told = [f"{words.heading(str(k), lang)} {words.word(str(v), lang)}" for k, v in value.items()]
        more = [messages.text(lang, "and_more", count=f"{len(told) - MOST:,}")] if len(told) > MOST else []
        return ", ".join(told[:MOST] + more) or "-"
    if isinstance(value, list):
        return "; ".join(map(str, value)) or "-"
    return f"{value:,}" if isinstance(value, int) else words.word(str(value), lang)
