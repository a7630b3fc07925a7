"""`tianlu quality`: how good the records of each source are, by month and rule."""

from __future__ import annotations

import argparse
from typing import Any

from catalog import libraries, quality, sources
from config.errors import NotFound
from dms.quality_texts import heading
from node import app
from node.context import Context
from protocols import csv
from services.quality import report
from services.quality.report import Quality

NAME = "quality"
HELP = {
    "en": "Report the quality of records by source: scores of what stands (0 to 100), what was judged in each month, "
    "and which rules found how much. With --source the rules are listed.",
    "zh": "按数据源报告记录质量：现有记录的评分（0 至 100）、每月检查的数量以及各规则的命中数。"
    "指定 --source 时列出各条规则。",
}
ACTS = {"": None}
COLUMNS = ("source", "library", "records", "judged", "score", "poor", "returned", "mended", "trend")
RULES = ("rule", "level", "records", "share", "example", "text")
TREND = 6  # months in the table


def arguments(parser: argparse.ArgumentParser) -> None:
    """Of which sources, in which form."""
    parser.add_argument("--source", metavar="NAME", help="only this one, with its rules")
    parser.add_argument("--library", metavar="SYMBOL", help="only this library's")
    parser.add_argument("--csv", action="store_true", help="by month and rule, for a spreadsheet")


async def run(context: Context, args: argparse.Namespace) -> int:
    """0."""
    within = None if args.library is None else [args.library]
    async with app.open(context) as node, node.database.connection() as conn:
        if args.source:
            await sources.get(conn, args.source)
        if args.library and await libraries.get(conn, args.library) is None:
            raise NotFound(f"no library has the symbol {args.library} (tianlu library list)")
        found = report.report(
            await quality.standing(conn, within, args.source),
            await quality.months(conn, within, args.source),
            await quality.rules(conn, within, args.source),
        )
    if args.csv:
        context.out.flush()
        for line in csv.lines(report.rows(found, context.lang), mark=True):
            context.out.stdout.write(line)
    elif context.out.json:
        for one in found:
            context.out.item(report.plain(one, context.lang))
    else:
        _say(context, found, rules=bool(args.source))
    return 0


def _say(context: Context, found: list[Quality], *, rules: bool) -> None:
    context.out.table([_row(one) for one in found], COLUMNS)
    unjudged = sum(one.records - one.judged for one in found)
    if unjudged:
        context.out.note(context.text("quality_unjudged", count=unjudged))
    if not rules:
        return
    for one in found:
        context.out.say("")
        context.out.table(
            [
                {
                    "rule": rule.rule,
                    "level": rule.level.name.lower(),
                    "records": rule.records,
                    "share": f"{rule.share:.1%}",
                    "example": next(iter(rule.examples), ""),
                    "text": heading(rule.rule, context.lang),
                }
                for rule in one.rules
            ],
            RULES,
        )


def _row(one: Quality) -> dict[str, Any]:
    trend = [f"{month.month:%m}: {month.score:.0f}" for month in one.months[-TREND:] if month.score is not None]
    return {
        "source": one.source,
        "library": one.library,
        "records": one.records,
        "judged": one.judged,
        "score": "" if one.score is None else f"{one.score:.1f}",
        "poor": one.poor,
        "returned": one.returned,
        "mended": one.mended,
        "trend": "  ".join(trend),
    }
