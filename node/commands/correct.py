"""`tianlu correct ID --field TAG --find OLD --put NEW …`: mend a merged record, and offer that to those who sent it."""

from __future__ import annotations

import argparse

from catalog import clusters, corrections, packing
from catalog.model import Cluster
from config.errors import Misconfigured, NotFound
from node import app, attending
from node.context import Context
from node.deeds import Act
from services.cataloguing import patch

NAME = "correct"
HELP = {
    "en": "Correct fields of a merged record. The record here is mended at once, and stays so; the same correction is "
    "offered to every node that sent these fields, which decides on it as a whole. $a stands for the beginning of "
    "subfield a, $$ for a dollar sign. --field, --find and --put may be repeated together.",
    "zh": "更正合并记录的字段。本节点的记录立即更正并保持；同一更正同时提交给送来这些字段的各节点，"
    "由其整体决定是否采纳。"
    "$a 表示子字段 a 的开头，$$ 表示美元符号。--field、--find、--put 可成组重复。",
}
ACTS = {"": Act(name="record.correct", object="id", detail=("field", "find", "put", "add", "remove", "why"))}


def arguments(parser: argparse.ArgumentParser) -> None:
    """What is wrong, and what is right."""
    parser.add_argument("id", metavar="ID", help="cluster id")
    parser.add_argument("--field", action="append", default=[], metavar="TAG", help="tag of the field")
    parser.add_argument("--find", action="append", default=[], metavar="OLD", help="text in it, in one place only")
    parser.add_argument("--put", action="append", default=[], metavar="NEW", help="text instead")
    parser.add_argument("--add", action="append", default=[], metavar="FIELD", help="a further field, as 606 0#$aText")
    parser.add_argument("--remove", action="append", default=[], metavar="FIELD", help="a field, as 606 text in it")
    parser.add_argument("--why", default="", metavar="TEXT", help="reason, for those who decide on it")


async def run(context: Context, args: argparse.Namespace) -> int:
    """1 if there is no such record or text, 5 if the text is in more than one place."""
    if not len(args.field) == len(args.find) == len(args.put):
        raise Misconfigured("--field, --find and --put go together: as many of each")
    replaced = list(zip(args.field, args.find, args.put, strict=True))
    async with app.open(context) as node:
        await attending.drain(node)
        async with node.database.transaction() as conn:
            published = await clusters.resolve(conn, args.id)
            if published is None or published.deleted:
                raise NotFound(f"there is no record {args.id} here")
            fields = patch.changes(packing.unpack(published.body), replaced, args.add, args.remove)
            ident, offers = await corrections.make(
                conn, node.symbol, Cluster(published.cluster), fields, why=args.why, who=node.symbol
            )
            await context.deed.done(conn, object=published.id, correction=ident)
        await attending.leave_nothing(node)
    told = {**patch.told(fields), "offered": offers}
    if context.out.json:
        context.out.item({"correction": ident, "id": published.id, **told})
    context.out.say(context.text("corrected", id=published.id, **told))
    return 0
