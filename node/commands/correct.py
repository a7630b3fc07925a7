"""`tianlu correct ID --field TAG --find OLD --put NEW`: mend a merged record, and offer that to those who sent it."""

from __future__ import annotations

import argparse

from catalog import clusters, corrections, packing
from catalog.model import Cluster
from config.errors import NotFound
from node import app, attending
from node.context import Context
from node.deeds import Act
from services.cataloguing import patch

NAME = "correct"
HELP = {
    "en": "Correct a field of a merged record. The record here is mended at once, and stays so; the same correction is "
    "offered to every node that sent this field, which decides on it. $a stands for the beginning of subfield a, $$ "
    "for a dollar sign.",
    "zh": "更正合并记录的一个字段。本节点的记录立即更正并保持；同一更正同时提交给送来该字段的各节点，由其决定是否采纳。"
    "$a 表示子字段 a 的开头，$$ 表示美元符号。",
}
ACTS = {"": Act(name="record.correct", object="id", detail=("field", "find", "put", "why"))}


def arguments(parser: argparse.ArgumentParser) -> None:
    """What is wrong, and what is right."""
    parser.add_argument("id", metavar="ID", help="cluster id")
    parser.add_argument("--field", required=True, metavar="TAG", help="tag of the field")
    parser.add_argument("--find", required=True, metavar="OLD", help="text in the field, found in one place only")
    parser.add_argument("--put", required=True, metavar="NEW", help="text instead")
    parser.add_argument("--why", default="", metavar="TEXT", help="reason, for those who decide on it")


async def run(context: Context, args: argparse.Namespace) -> int:
    """1 if there is no such record or text, 5 if the text is in more than one place."""
    async with app.open(context) as node:
        await attending.drain(node)
        async with node.database.transaction() as conn:
            published = await clusters.resolve(conn, args.id)
            if published is None or published.deleted:
                raise NotFound(f"there is no record {args.id} here")
            old, new = patch.patch(packing.unpack(published.body), args.field, args.find, args.put)
            ident, offers = await corrections.make(
                conn, node.symbol, Cluster(published.cluster), args.field, old, new, why=args.why, who=node.symbol
            )
            await context.deed.done(conn, object=published.id, correction=ident)
        await attending.leave_nothing(node)
    told = {"old": patch.shown(old), "new": patch.shown(new), "offered": offers}
    if context.out.json:
        context.out.item({"correction": ident, "id": published.id, "field": args.field, **told})
    context.out.say(context.text("corrected", id=published.id, field=args.field, **told))
    return 0
