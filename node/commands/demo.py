"""`tianlu demo`: a network of four nodes on this machine, leaving nothing behind."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import re
import sys
import tempfile
from collections.abc import Coroutine, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from node import lifecycle
from node.context import Context
from node.demo import cast, correcting, filling, keeper, network, proof, table
from node.demo.cast import Part
from node.demo.filling import Filled
from node.demo.network import Network
from node.demo.proof import Example, Holdings
from node.output import BOLD

NAME = "demo"
HELP = {
    "en": "Make a network in a temporary folder: a centre, a domain that hosts one library, and the nodes of two more. "
    "Load a sample (or your own files), let records and corrections flow, serve the catalogues until Ctrl-C, and "
    "remove everything again.",
    "zh": "在临时目录中建立一个网络：中心、托管一个馆的区域节点，以及另外两个馆的本地节点。"
    "装载样例（或您自己的文件），让记录与更正流转，提供目录服务，直到 Ctrl-C，然后全部清除。",
}
ACTS = {"": None}
INTERRUPTED = 130
LOCAL = Path(".venv/bin/tianlu")  # where ./dev setup puts it, seen from the checkout


def arguments(parser: argparse.ArgumentParser) -> None:
    """What to load, where to serve it, when to end."""
    parser.add_argument("--records", metavar="FILE", nargs="+", help="your own files, dealt out to the three libraries")
    parser.add_argument("--once", action="store_true", help="prove that everything arrived and is equal, then end")
    parser.add_argument(
        "--base-port", metavar="PORT", type=int, default=8100, help="first node's port (default 8100), 10 a node"
    )
    parser.add_argument("--keep", action="store_true", help="keep the nodes' folder")


async def run(context: Context, args: argparse.Namespace) -> int:
    """0 when stopped, or proved with --once; 1 saying what failed; 2 if a port is taken; 130 if stopped too early."""
    _forget_environment()
    parts = cast.of_files(args.records) if args.records else cast.bundled()
    network.check_ports(parts, args.base_port)
    with lifecycle.stop_wanted() as stop, _home(context, args) as home:
        shown = asyncio.Event()
        done = await _unless(stop, _show(context, home, parts, args, shown))
        if args.keep:
            context.out.say(context.text("demo_kept", home=home))
    if not done:
        gone = context.text("demo_gone")
        context.out.note(gone if shown.is_set() else context.text("interrupted", hint=gone))
    return 0 if done or shown.is_set() else INTERRUPTED


async def _show(
    context: Context, home: Path, parts: Sequence[Part], args: argparse.Namespace, shown: asyncio.Event
) -> bool:
    """Makes the network, fills it, says what there is to see, sets `shown`, and stays until cancelled.

    With --once it proves instead of staying, and returns True.
    """
    async with contextlib.AsyncExitStack() as stack:
        await stack.enter_async_context(keeper.watching(home, remove=not (args.home or args.keep)))
        with context.out.progress(context.text("demo_starting"), network.steps(parts)) as bar:
            members = await stack.enter_async_context(network.up(context, home, parts, args.base_port, bar.at))
        async with table.live(context, members):
            filled = await filling.fill(members)
            await table.settled(members)
        _say_loaded(context, members, filled)
        found = await proof.holdings(members, filled)
        example = await proof.example(members, found, bundled=not args.records)
        if args.once:
            proved = await _prove(context, members, filled, found, example, bundled=not args.records)
            _say_done(context, members, found, proved)
            return True
        _say_done(context, members, found, {})
        _say_what_to_try(context, members, example)
        stays = args.home or args.keep
        context.out.say(context.text("demo_ends_kept", home=home) if stays else context.text("demo_ends"))
        context.out.flush()
        shown.set()
        async with table.live(context, members):
            await asyncio.Event().wait()  # until cancelled
    raise AssertionError("nothing sets that event")


def _say_loaded(context: Context, members: Network, filled: Sequence[Filled]) -> None:
    for each in filled:
        at = members[each.node].part
        library = next(one for one in at.libraries if one.symbol == each.file.library)
        name, node = cast.named(library, context.lang), cast.named(at.own, context.lang)
        key = "demo_loaded" if library == at.own else "demo_loaded_hosted"
        records = f"{each.load.records:,}"
        context.out.say(context.text(key, library=name, file=each.file.path.name, records=records, node=node))


async def _prove(
    context: Context,
    members: Network,
    filled: Sequence[Filled],
    found: Holdings,
    example: Example | None,
    *,
    bundled: bool,
) -> dict[str, object]:
    """Says each proof as it is made; what is proved, for programs. Fatal at the first that fails."""
    proof.complete(found)
    await proof.seen(members, found, example)
    held, holders = sum(found.libraries.values()), len(found.libraries)
    context.out.say(context.text("demo_holdings", holdings=f"{held:,}", libraries=holders))
    proved: dict[str, object] = {"holdings": held}
    if bundled:
        proved["works"] = await proof.shared_works(members, filled, found)
        context.out.say(context.text("demo_works", works=proved["works"]))
    chain = await correcting.prove(members)
    proved["corrected"] = [ident for _, ident in chain.ids]
    way = " → ".join(ident for _, ident in (*reversed(chain.ids), *chain.ids[1:]))
    context.out.say(context.text("demo_corrected", way=way, title=chain.text))
    proved["streams"] = await proof.equal_streams(members)
    context.out.say(context.text("demo_equal", streams=proved["streams"]))
    return {"proved": proved}


def _say_done(context: Context, members: Network, found: Holdings, proved: Mapping[str, object]) -> None:
    context.out.say(context.text("demo_merged", titles=f"{len(found.titles):,}", shared=f"{len(found.shared):,}"))
    for each in members.values():
        name = cast.named(each.part.own, context.lang)
        context.out.say(context.text("demo_at", name=name, address=context.out.paint(BOLD, each.address)))
    if context.out.json:
        context.out.item(
            {
                "addresses": {symbol: each.address for symbol, each in members.items()},
                "titles": len(found.titles),
                "shared": len(found.shared),
                "holdings": dict(found.libraries),
                **proved,
            }
        )
    context.out.flush()


def _say_what_to_try(context: Context, members: Network, example: Example | None) -> None:
    centre = proof.centre(members)
    leaf = next(each for each in members.values() if each.part.tier == "local")
    domain = members[leaf.part.parent]
    context.out.say(
        context.text(
            "demo_try",
            leaf=leaf.address,
            title=_in_address(example.title) if example else "",
            network=f"{domain.address}network?every=5",
            record=f"{centre.address}records/{example.id}" if example else centre.address,
            tianlu=LOCAL if LOCAL.exists() else Path(sys.argv[0]).name,
            home=leaf.context.home,
            sign_in=f"{centre.address}sign-in",
            operator=network.OPERATOR,
            password=centre.password.reveal(),
        )
    )


def _in_address(text: str) -> str:
    """As a parameter in an address that people can still read."""
    return re.sub(r"[^\w ]", lambda each: quote(each[0]), text).replace(" ", "+")


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
        context.home.mkdir(parents=True, exist_ok=True)
        yield context.home
        return
    home = Path(tempfile.mkdtemp(prefix="tianlu-demo-"))
    home.chmod(0o711 if os.geteuid() == 0 else 0o700)  # root's PostgreSQL runs as another user
    try:
        yield home
    finally:
        if not args.keep:
            keeper.remove(home)


def _forget_environment() -> None:
    """The demonstration's nodes have nothing to do with a node that the environment describes."""
    for name in [*os.environ]:
        if name.startswith("TIANLU_") and not name.startswith("TIANLU_TEST_"):
            del os.environ[name]
    os.environ["TIANLU_LOG__LEVEL"] = "warning"  # of the nodes' logs: what they do well is shown by the table
