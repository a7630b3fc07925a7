"""`tianlu run [ROLE…]`: the node, in the foreground, until SIGINT or SIGTERM."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import hashlib
import importlib
import json
from collections.abc import AsyncIterator

from catalog import audit
from config import logs, settings
from config.settings import KEYS
from node import app, lifecycle, roles
from node.app import Node
from node.context import Context
from node.deeds import Act
from services.access import sealed

NAME = "run"
HELP = {
    "en": "Run the node until it is stopped. Roles: web (the pages and interfaces), indexer (keeps this home's search "
    "index in step), worker (prepares, matches and merges what was loaded), exchange (sends and fetches records, to "
    "and from other nodes) and z3950 (answers Z39.50 clients); all of them unless named. `run worker` may be started "
    "as often as wanted, on any machine that shares the database.",
    "zh": "运行节点，直到停止。角色：web（网页与接口）、indexer（维护本目录的检索索引）、"
    "worker（预处理、查重、合并已装载的记录）、exchange（与其他节点收发记录）、z3950（应答 Z39.50 客户端）；"
    "不指定则全部运行。"
    "`run worker` 可在共享数据库的任意机器上多次启动。",
}
ACTS = {"": Act(name="node.run", detail=("roles",))}


def arguments(parser: argparse.ArgumentParser) -> None:
    """Roles, and the settings that are often given for one run."""
    parser.add_argument("roles", metavar="ROLE", nargs="*", help=", ".join(roles.ROLES))
    parser.add_argument("--host", dest="web.host", help=KEYS["web.host"].about)
    parser.add_argument("--port", dest="web.port", type=int, help=KEYS["web.port"].about)
    parser.add_argument("--processes", dest="worker.processes", type=int, help=KEYS["worker.processes"].about)
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--listener", type=int, help=argparse.SUPPRESS)


async def run(context: Context, args: argparse.Namespace) -> int:
    """Exit code 0 when it was told to stop, 2 if a port is taken, 5 if the node runs already."""
    playing = roles.named(args.roles)
    with lifecycle.stop_wanted() as stop, logs.about(node=context.settings.node.symbol):
        if len(playing) == 1 and playing <= set(roles.CHILDREN):
            (role,) = playing
            if args.child:  # no person's doing
                context.deed.nothing()
            await _alone(context, role, stop, child=args.child, listener=args.listener)
            return 0
        service = importlib.import_module("node.service")  # with all pages: children can spare them
        async with (
            _watched(stop, child=args.child),
            service.up(context, playing, stop, debug=args.debug) as running,
        ):
            await _begun(context, running.node)
            where = "  ".join(running.addresses.values())
            context.out.say(context.text("up", symbol=running.node.symbol, address=where))
            if context.out.json:
                context.out.item({"event": "up", "symbol": running.node.symbol, "addresses": running.addresses})
            context.out.flush()
            await stop.wait()
            context.out.note(context.text("stopping"))
    return 0


@contextlib.asynccontextmanager
async def _watched(stop: asyncio.Event, *, child: bool) -> AsyncIterator[None]:
    """As a child of another process also stop when that one is gone."""
    watching = asyncio.create_task(roles.parent_gone(stop)) if child else None
    try:
        yield
    finally:
        if watching:
            watching.cancel()


async def _begun(context: Context, node: Node) -> None:
    """The audit log is told that the node starts, with which settings: a digest that only this node can make, since
    there may be a password in them."""
    told = (context.home / settings.FILE).read_bytes()
    shown = sealed.of(context.home).derived(f"settings {hashlib.sha256(told).hexdigest()}", 8).hex()
    async with node.database.transaction() as conn:
        before = await audit.latest(conn, ACTS[""].name)
        changed = before is not None and json.loads(before.detail).get("settings", shown) != shown
        await context.deed.begun(conn, settings=shown, changed=changed)


async def _alone(context: Context, role: str, stop: asyncio.Event, *, child: bool, listener: int | None = None) -> None:
    """One of the roles that are processes of their own, until `stop`; `listener` is an open file that it inherits."""
    playing = importlib.import_module(f"node.playing.{role}")
    async with _watched(stop, child=child), app.open(context) as node:
        await playing.play(node, stop, listener)
