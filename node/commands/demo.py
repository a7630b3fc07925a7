"""`tianlu demo`: three libraries in one catalogue, on this machine, leaving nothing behind."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import dataclasses
import os
import shutil
import sys
import tempfile
from collections.abc import Coroutine, Iterator, Sequence
from pathlib import Path
from typing import Any

from catalog import libraries, sources
from catalog.model import Library, cluster_id
from exchange import landing
from node import attending, lifecycle, roles, service
from node.app import Node
from node.commands import init, load
from node.context import Context
from node.demo import cast, proof
from node.demo.cast import Member
from node.output import BOLD
from node.service import Service

NAME = "demo"
HELP = {
    "en": "Make a node in a temporary folder, load a sample of three libraries (or your own files), serve the "
    "catalogue until Ctrl-C, and remove everything again.",
    "zh": "在临时目录中建立节点，装载三个馆的样例（或您自己的文件），提供目录服务，直到 Ctrl-C，然后全部清除。",
}
SYMBOL = "DEMO"
LOCAL = Path(".venv/bin/tianlu")  # where ./dev setup puts it, seen from the checkout


def arguments(parser: argparse.ArgumentParser) -> None:
    """What to load, where to serve it, when to end."""
    parser.add_argument("--records", metavar="FILE", nargs="+", help="your own files: each is taken for one library's")
    parser.add_argument("--once", action="store_true", help="prove that shared titles merged and are found, then end")
    parser.add_argument("--base-port", metavar="PORT", type=int, default=8100, help="port of the pages (default 8100)")
    parser.add_argument("--keep", action="store_true", help="keep the node's folder")


async def run(context: Context, args: argparse.Namespace) -> int:
    """0 when stopped, or proved with --once; 1 saying what failed; 2 if the port is taken."""
    _forget_environment()
    members = cast.of_files(args.records) if args.records else cast.bundled()
    with lifecycle.stop_wanted() as stop, _home(context, args) as home:
        told = await init.make(
            home, {"node.tier": "local", "node.symbol": SYMBOL, "node.name": "Tianlu", "web.port": args.base_port}
        )
        demo = dataclasses.replace(context, home=home, told=told)
        async with service.up(demo, roles.ROLES, stop, debug=args.debug) as running:
            shown = await _unless(stop, _show(demo, running, members, args))
            if shown and not args.once:
                await stop.wait()
        if not shown:
            context.out.note(context.text("interrupted", hint=context.text("demo_gone")))
            return 130
        if args.keep:
            context.out.say(context.text("demo_kept", home=home))
    return 0


async def _show(context: Context, running: Service, members: Sequence[Member], args: argparse.Namespace) -> bool:
    """Loads, waits for the index, and says what there is to see. True when all of it is done."""
    for member in members:
        await _load(context, running.node, member)
    await attending.drain(running.node)
    address = running.addresses["web"]
    counted = await proof.tally(running.node.database)
    with context.out.progress(context.text("demo_indexing"), counted.clusters) as bar:
        await proof.indexed(address, counted.clusters, bar.at)
    context.out.say(context.text("demo_merged", clusters=f"{counted.clusters:,}", shared=f"{len(counted.shared):,}"))
    proved = None
    if args.once or counted.shared:
        proved = await proof.prove(address, counted, bundled=not args.records)
        context.out.say(
            context.text("demo_proved", title=proof.title(proved), id=proved.id, libraries=", ".join(proved.libraries))
        )
    if context.out.json:
        context.out.item({"address": address, "clusters": counted.clusters, "shared": len(counted.shared)})
    context.out.say(context.out.paint(BOLD, context.text("demo_address", address=address)))
    if not args.once:
        example = proved.id if proved else cluster_id(SYMBOL, 1)
        title = proof.title(proved).replace(" ", "+") if proved else ""
        context.out.say(context.text("demo_try", address=address, id=example, title=title, tianlu=_ourselves(context)))
    context.out.flush()
    return True


def _ourselves(context: Context) -> str:
    """How the reader calls this program for the demonstration's node."""
    return f"{LOCAL if LOCAL.exists() else Path(sys.argv[0]).name} --home {context.home}"


async def _load(context: Context, node: Node, member: Member) -> None:
    """One library's file, through the same code as `tianlu load`."""
    async with node.database.transaction() as conn:
        await libraries.add(
            conn, Library(symbol=member.symbol, name=member.name, name_en=member.name_en, area=member.area)
        )
        source = await sources.add(conn, member.source, member.symbol, format=member.format, encoding=member.encoding)
    label = context.text("demo_loading", name=member.name)
    with contextlib.ExitStack() as stack, context.out.progress(label) as bar:
        inputs = landing.open_inputs(stack, [str(member.file)])
        done, seconds, spent = await load.load_inputs(
            node, source, inputs, mode="changes", encoding="auto", assured=True, bar=bar
        )
    context.out.say(f"{member.name} ({member.file.name})")
    load.report(context, source, done, seconds, spent)


async def _unless(stop: asyncio.Event, work: Coroutine[Any, Any, bool]) -> bool:
    """The result of `work`, or False if `stop` comes first; then the work is cancelled and has ended."""
    working, stopping = asyncio.create_task(work), asyncio.create_task(stop.wait())
    try:
        await asyncio.wait((working, stopping), return_when=asyncio.FIRST_COMPLETED)
        return working.done() and working.result()
    finally:
        for task in (working, stopping):
            task.cancel()
        await asyncio.gather(working, stopping, return_exceptions=True)


@contextlib.contextmanager
def _home(context: Context, args: argparse.Namespace) -> Iterator[Path]:
    """The folder of --home, which stays, or a temporary one, which goes unless --keep."""
    if args.home:
        yield context.home
        return
    home = Path(tempfile.mkdtemp(prefix="tianlu-demo-"))
    try:
        yield home
    finally:
        if not args.keep:
            _remove(home)


def _remove(home: Path) -> None:
    """The folder, and the database's files where they are elsewhere (`catalog.database.place`)."""
    elsewhere = home / "pg" / "elsewhere"
    if elsewhere.is_file():
        shutil.rmtree(elsewhere.read_text().strip(), ignore_errors=True)
    shutil.rmtree(home, ignore_errors=True)


def _forget_environment() -> None:
    """The demonstration's node and its children have nothing to do with a node that the environment describes."""
    for name in [*os.environ]:
        if name.startswith("TIANLU_") and not name.startswith("TIANLU_TEST_"):
            del os.environ[name]
    os.environ["TIANLU_LOG__LEVEL"] = "warning"  # of its children: what they do well is shown by progress
