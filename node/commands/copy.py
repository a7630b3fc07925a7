"""`tianlu copy QUERY --from TARGET`: the best record of other catalogues becomes one of the library's own."""

from __future__ import annotations

import argparse
import contextlib
import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from catalog import targets
from config import sentences
from config.errors import BadRecord, Misconfigured, Refused, Unreachable
from dms.crosswalk.marc import between
from exchange import bringing
from node import app, copying
from node.app import Node
from node.commands import load as loading
from node.context import Context
from node.copying import Habits
from node.deeds import Act
from services.access.policy import Permission
from services.copying import candidates, metasearch, queries, saving, seeking, taking
from services.copying.queries import Asked
from services.copying.seeking import Sought, Whole
from services.copying.taking import Copied
from services.delivery import render

NAME = "copy"
HELP = {
    "en": "Look for a record in other catalogues, choose the best, and make it one of the library's: in its dialect, "
    "without other libraries' fields. QUERY is an ISBN, words of the title, CQL, or prefix notation (@attr …). It is "
    "loaded like any other record, so `loads undo` takes it back.",
    "zh": "套录：在其他目录中查找记录，择优转换为本馆记录（采用本馆方言，去除他馆字段）。QUERY 可为 ISBN、题名词、"
    "CQL 或前缀表达式（@attr …）。套录的记录按普通装载入库，可用 `loads undo` 撤销。",
}
ACTS = {"": Act(name="record.copy", object="query", library="library", detail=("from_", "isbns", "source", "dialect"))}
SHOWN = 10  # candidates that are listed


def arguments(parser: argparse.ArgumentParser) -> None:
    """What, from where, and into what."""
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("query", metavar="QUERY", nargs="?", help="ISBN, words of the title, CQL, or prefix notation")
    what.add_argument("--isbns", metavar="FILE", help="a query a line, many at once; - for standard input")
    parser.add_argument(
        "--from", dest="from_", metavar="TARGET[,TARGET…]", default="",
        help="the preferred one first; default: all (tianlu target list)",
    )  # fmt: skip
    parser.add_argument("--library", default="", metavar="SYMBOL", help="whose record it becomes (default: the node's)")
    parser.add_argument("--source", default="", metavar="NAME", help=f"source that it goes into: {saving.SOURCE}")
    parser.add_argument("--dialect", choices=tuple(between.FORMATS), help="default: that of the library's records")
    parser.add_argument("--language", metavar="CODE", help="of cataloguing that is preferred: chi, eng …")
    parser.add_argument("--pick", type=int, default=1, metavar="N", help="take the N-th best (default: 1)")
    parser.add_argument("--most", type=int, default=seeking.MOST, metavar="N", help="records of each target looked at")
    parser.add_argument(
        "--within", type=float, default=metasearch.DEADLINE, metavar="SECONDS", help="that targets may take for a query"
    )
    parser.add_argument("--loss-report", metavar="FILE", help="what the conversion lost, NDJSON")
    parser.add_argument("--dry-run", action="store_true", help="show what would be copied, save nothing")


async def run(context: Context, args: argparse.Namespace) -> int:
    """0 copied; 1 nothing found; 3 some not found, not convertible or returned; 4 no target answers."""
    if args.pick < 1 or args.most < args.pick or args.within <= 0:
        raise Misconfigured("--pick and --most are from 1 on, --pick at most --most; --within is more than 0 seconds")
    asked, unread = _asked(args)
    async with app.open(context) as node:
        library = _library(context, node, args.library)
        async with node.database.connection() as conn:
            chosen = await targets.named(conn, [name for name in args.from_.split(",") if name])
            habits = await copying.habits(conn, node.settings, library, args.dialect or "")
        if not chosen:
            raise Misconfigured("there is no target to ask: enter one with `tianlu target add`")
        whole = Whole(
            targets=chosen,
            wish=habits.wish(args.language),
            judge=habits.judge,
            most=args.most,
            deadline=args.within,
        )
        for text, why in unread:
            _tell_unread(context, text, why)
        copied, missed, silent = await _copied(context, node, args, whole, habits, asked)
        if args.dry_run or not copied:
            context.deed.nothing()
            if silent and not copied:
                raise Unreachable(context.text("copy_silent", targets=", ".join(each.name for each in chosen)))
            code = 0 if copied else 1
        else:
            code = await _save(context, node, args, library, copied)
    return code or (3 if missed or unread else 0)


def _asked(args: argparse.Namespace) -> tuple[list[tuple[str, Asked]], list[tuple[str, str]]]:
    """The queries as they were typed, and lines of a file that are none with the reason."""
    if args.query:
        return [(args.query, queries.read(args.query))], []
    read: list[tuple[str, Asked]] = []
    unread: list[tuple[str, str]] = []
    for text in _lines(args.isbns):
        try:
            read.append((text, queries.read(text)))
        except (Misconfigured, Refused) as error:
            unread.append((text, str(error)))
    return read, unread


def _lines(path: str) -> Iterator[str]:
    try:
        text = Path("/dev/stdin" if path == "-" else path).expanduser().read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise Misconfigured(f"--isbns {path}: {error}") from error
    return (line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#"))


def _library(context: Context, node: Node, told: str) -> str:
    """Whose record it becomes. Refused if whoever asks may not copy for it."""
    library = told or context.actor.library or node.symbol
    if not context.actor.reach(Permission.COPY).holds(library):
        raise Refused(f"{context.actor.name} may not copy records for {library}")
    return library


async def _copied(
    context: Context,
    node: Node,
    args: argparse.Namespace,
    whole: Whole,
    habits: Habits,
    asked: Sequence[tuple[str, Asked]],
) -> tuple[list[Copied], int, bool]:
    """(What is copied, how many queries brought nothing, whether no target answered any of them)."""
    copied: dict[str, Copied] = {}
    missed, silent = 0, True
    with contextlib.ExitStack() as stack:
        bar = stack.enter_context(context.out.progress(context.text("copying"), len(asked)))
        async with copying.open_lines(node.database, node.settings, node.home) as lines:
            found = seeking.seek_all(lines, whole, (each for _, each in asked))
            async with contextlib.aclosing(found):
                done = 0
                async for sought in found:
                    text = asked[done][0]
                    done += 1
                    bar.at(done)
                    silent = silent and not _answered(sought)
                    one, why = _taken(sought, args.pick, habits.dialect)
                    _tell(context, text, sought, one, why, many=args.isbns is not None)
                    if one is None:
                        missed += 1
                        continue
                    copied[one.number] = one
    if args.loss_report:
        _report(args.loss_report, copied.values())
    return list(copied.values()), missed, silent


def _taken(sought: Sought, pick: int, dialect: str) -> tuple[Copied | None, str]:
    """The record that is copied, or why there is none."""
    if len(sought.choice.ranked) < pick:
        return None, ""
    try:
        return taking.take(sought.choice.ranked[pick - 1], dialect), ""
    except BadRecord as error:
        return None, str(error)


async def _save(context: Context, node: Node, args: argparse.Namespace, library: str, copied: Sequence[Copied]) -> int:
    """Load what was copied, and say how that went; the exit code."""
    async with node.database.transaction() as conn:
        name = args.source or bringing.name_of(saving.SOURCE, library, node.symbol)
        source = await bringing.source(conn, name, library, copied[0].format)
        await context.deed.begun(conn, library=library, source=name, records=len(copied))
    with context.out.progress(context.text("landing")) as bar:
        load, seconds, spent = await loading.load_inputs(
            node, source, saving.inputs(copied), mode="changes", encoding="utf-8", assured=True, bar=bar
        )
    context.deed.about(load=load.load, state=load.state.value, counts=load.counts)
    code = loading.report(context, source, load, seconds, spent)
    for each in copied[:SHOWN]:
        context.out.say(context.text("copy_saved", id=f"{source.name}/{each.number}"))
    return code


def _answered(sought: Sought) -> bool:
    """A target answered the query, if only that it can't."""
    return any(each.answer or each.refused for each in sought.outcomes)


def _tell_unread(context: Context, text: str, why: str) -> None:
    if context.out.json:
        context.out.item({"query": text, "trouble": why})
    else:
        context.out.note(context.text("copy_unread", query=text, why=sentences.told(why, context.lang)))


def _tell(context: Context, text: str, sought: Sought, one: Copied | None, why: str, *, many: bool) -> None:
    """What was found, and which is taken."""
    out = context.out
    if out.json:
        out.item(_as_json(text, sought, one, why))
        return
    for outcome in sought.outcomes:
        if outcome.trouble and not many:
            name, told = outcome.target.name, sentences.told(outcome.trouble, context.lang)
            out.note(told if told.startswith(name) else context.text("copy_trouble", target=name, why=told))
    for note in () if many else sought.notes:
        out.note(sentences.told(note, context.lang))
    if one is None:
        name = "copy_unconvertible" if why else "copy_none" if _answered(sought) else "copy_unanswered"
        out.note(context.text(name, query=text, why=why))
        return
    if many:
        out.say(f"{text}  {one.number}  {candidates.told(one.candidate)['title']}")
        return
    ranked = sought.choice.ranked[:SHOWN]
    rows = [
        {"no": number, "taken": "*" if each is one.candidate else "", **candidates.told(each)}
        for number, each in enumerate(ranked, 1)
    ]
    out.table(rows, ("no", "taken", "target", "number", "score", "title", "publisher", "date"))
    if sought.choice.by and one.candidate is ranked[0]:
        out.say(context.text(f"copy_by_{sought.choice.by}"))
    out.say(render.as_lines(one.record).rstrip())
    counts = taking.counts([one])
    dropped = ", ".join(dict.fromkeys(tag for tag, _ in one.dropped))
    if dropped:
        out.say(context.text("copy_dropped", fields=dropped))
    if any(counts.values()):
        out.say(context.text("copy_lost", **counts))


def _as_json(text: str, sought: Sought, one: Copied | None, why: str) -> dict[str, Any]:
    told: dict[str, Any] = {
        "query": text,
        "targets": [
            {
                "target": each.target.name,
                "hits": each.answer.hits if each.answer else None,
                "trouble": each.trouble,
                "seconds": round(each.seconds, 3),
            }
            for each in sought.outcomes
        ],
        "candidates": [candidates.told(each) for each in sought.choice.ranked[:SHOWN]],
        "by": sought.choice.by,
        "notes": list(sought.notes),
    }
    if one is None:
        return {**told, "chosen": None, "trouble": why}
    return {
        **told,
        "chosen": candidates.told(one.candidate),
        "id": one.number,
        "dropped": [tag for tag, _ in one.dropped],
        **taking.counts([one]),
        "record": render.as_lines(one.record),
    }


def _report(path: str, copied: Iterable[Copied]) -> None:
    try:
        with open(path, "w", encoding="utf-8") as file:
            file.writelines(json.dumps(each, ensure_ascii=False) + "\n" for one in copied for each in _losses(one))
    except OSError as error:
        raise Misconfigured(f"--loss-report {path}: {error.strerror}") from error


def _losses(one: Copied) -> Iterator[dict[str, Any]]:
    """Lines of the report, as `convert` writes them, with the record's number."""
    for nth, loss in one.losses:
        told = {"id": one.number, "tag": loss.tag, "nth": nth, "code": loss.code, "fate": str(loss.fate)}
        yield told | {key: value for key, value in (("to", loss.to), ("why", loss.why), ("value", loss.value)) if value}
