"""`tianlu search QUERY`: find records; works with and without a running node."""

from __future__ import annotations

import argparse
import importlib

from catalog.search import port
from catalog.search.port import Reader
from config.errors import Unreachable
from node import app, attending, indexed
from node.app import Node
from node.context import Context
from services.delivery import values
from services.discovery import authorities, find
from services.discovery.find import Question

NAME = "search"
HELP = {
    "en": "Search the catalogue. Simplified, traditional and variant characters, pinyin and its initials all find. "
    "--authority: names and subjects instead of titles. "
    "--scope: on a level of the network; what this node doesn't hold parents answer. Exit code 4 if they don't.",
    "zh": "检索目录。简体、繁体、异体字、拼音和拼音首字母均可。"
    "--authority：检索规范记录（人名、团体、主题等）。"
    "--scope：在网络的某一层检索，本节点没有的由上级回答；上级未回答时退出码为 4。",
}
ACTS = {"": None}
TOTAL = {"en": "{shown} of {total} titles", "zh": "共 {total} 种，列出 {shown} 种"}
NAMED = {"en": "{shown} of {total} authority records", "zh": "共 {total} 条规范记录，列出 {shown} 条"}
NAMES = ("id", "kind", "heading", "variants", "related")
COLUMNS = ("id", "title", "responsibility", "publication", "libraries")


def arguments(parser: argparse.ArgumentParser) -> None:
    """The words, and what narrows them."""
    parser.add_argument("query", nargs="*", metavar="QUERY", help="words to find; none finds everything")
    parser.add_argument("--library", action="append", default=[], metavar="SYMBOL", help="only what this library holds")
    parser.add_argument("--scope", default="", help="library, city, province, nation, or the code of an alliance")
    parser.add_argument("--field", choices=port.FIELDS, default=port.FIELDS[0], help="where to look")
    parser.add_argument("--authority", action="store_true", help="search names and subjects (authority records)")
    parser.add_argument("--limit", type=int, default=20, metavar="N", help=f"records at most, up to {port.MOST_HITS}")


async def run(context: Context, args: argparse.Namespace) -> int:
    """0, found or not; 4 if a parent was to answer and doesn't: then it is this node's part."""
    if args.limit < 1:
        raise port.BadQuery("--limit must be 1 or more.")
    if args.authority:
        return await _authorities(context, args)
    question = Question(
        text=" ".join(args.query).strip(),
        field=args.field,
        filters=tuple(("library", symbol) for symbol in args.library),
        size=args.limit,
        scope=args.scope,
    )
    async with app.open(context) as node:
        await attending.leave_nothing(node)
        reader = await indexed.reader(node)
        if args.scope:
            return await _over_the_network(context, node, reader, question)
        async with node.database.connection() as conn:
            answer = await find.find(conn, reader, question)
    context.out.table([values.brief(hit) for hit in answer.hits], COLUMNS)
    context.out.note(TOTAL[context.lang].format(total=f"{answer.page.total:,}", shown=f"{len(answer.hits):,}"))
    return 0


async def _authorities(context: Context, args: argparse.Namespace) -> int:
    if args.library or args.scope or args.field != port.FIELDS[0]:
        raise port.BadQuery("--library, --scope and --field are for titles, not for --authority.")
    if args.limit > port.MOST_HITS:
        raise port.BadQuery(f"--limit is {port.MOST_HITS} at most.")
    asked = authorities.Question(text=" ".join(args.query).strip(), size=args.limit)
    async with app.open(context) as node:
        await attending.leave_nothing(node)
        async with node.database.connection() as conn:
            answer = await authorities.find(conn, asked)
    context.out.table([authorities.told(each) for each in answer.found], NAMES)
    context.out.note(NAMED[context.lang].format(total=f"{answer.page.total:,}", shown=f"{len(answer.found):,}"))
    return 0


async def _over_the_network(context: Context, node: Node, reader: Reader, question: Question) -> int:
    # Imported only here: it brings the web door's libraries, which most searches can spare.
    scoped = importlib.import_module("node.scoped")
    found = await scoped.look(node, reader, question)
    rows = scoped.rows(found)
    context.out.table(rows, COLUMNS)
    context.out.note(scoped.levels(found))
    context.out.note(TOTAL[context.lang].format(total=f"{found.page.total:,}", shown=f"{len(rows):,}"))
    if notice := scoped.notice(found, context.lang):
        context.out.note(notice)
    return 0 if found.complete else Unreachable.exit_code
