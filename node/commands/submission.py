"""`tianlu submission make|list|show|edit|submit|accept|return|withdraw`: single records, reviewed and let in."""

from __future__ import annotations

import argparse
from collections.abc import Awaitable, Callable

from catalog import submissions
from catalog.connection import Connection
from catalog.submissions import OPEN, STATES, Action, Submission
from config.errors import Misconfigured
from node import app, attending, submitted
from node.app import Node
from node.context import Context
from node.deeds import Act
from protocols import detect
from services.access.policy import Permission
from services.delivery import render
from services.submitting import handing, looking, told
from services.submitting.handing import Handed
from services.submitting.looking import Given

NAME = "submission"
HELP = {
    "en": "Hand in single records and review them. A record is looked at before it is placed (new, matched, or held "
    "for review, with the reasons); who is qualified lets it in by submitting it, else a reviewer accepts or returns "
    "it.",
    "zh": "提交和审核单条记录。记录入库前先行判定（新书目、已有书目或待审核，并说明理由）；"
    "有资格的编目员提交即入库，其他提交由审核员接受或退回。",
}
LARGEST = 1 << 20  # bytes of a record
ACTS = {
    "make": Act(name="submission.make", library="library", detail=("file", "replace", "delete", "note")),
    "edit": Act(name="submission.edit", object="submission", detail=("file", "note")),
    "submit": Act(name="submission.submit", object="submission"),
    "accept": Act(name="submission.accept", object="submission"),
    "return": Act(name="submission.return", object="submission", detail=("why",)),
    "withdraw": Act(name="submission.withdraw", object="submission"),
    "list": None,
    "show": None,
}
ALLOW = {
    "list": Permission.LOOK,
    "show": Permission.LOOK,
    "accept": Permission.CHANGE,
    "return": Permission.CHANGE,
}
COLUMNS = ("submission", "state", "action", "library", "title", "answer", "made_by", "changed_at")


def arguments(parser: argparse.ArgumentParser) -> None:
    """make, list, show N, edit N FILE, submit N, accept N, return N, withdraw N."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    make = actions.add_parser("make", help="a new draft, and unless --draft hand it in at once")
    make.add_argument("file", nargs="?", metavar="FILE", help="the record, in any MARC format; - for standard input")
    which = make.add_mutually_exclusive_group()
    which.add_argument("--replace", metavar="SOURCE/ID", default="", help="the record that it replaces")
    which.add_argument("--delete", metavar="SOURCE/ID", default="", help="the record that is to go")
    make.add_argument("--library", metavar="SYMBOL", default="", help="whose record it is (default: the node's)")
    make.add_argument("--draft", action="store_true", help="keep it as a draft")
    make.add_argument("--dry-run", action="store_true", help="say what would become of it, keep nothing")
    listing = actions.add_parser("list", help="those that wait for somebody")
    listing.add_argument("--state", action="append", choices=STATES, help="in this state")
    listing.add_argument("--limit", type=int, default=50)
    show = actions.add_parser("show", help="one, with its record and what is said of it")
    edit = actions.add_parser("edit", help="another text of a draft, or of what was returned")
    for name, text in (
        ("submit", "hand it in"),
        ("accept", "let it in"),
        ("return", "give it back with a reason"),
        ("withdraw", "it is wanted no longer"),
    ):
        step = actions.add_parser(name, help=text)
        step.add_argument("submission", type=int, metavar="N")
        if name == "return":
            step.add_argument("--why", required=True, metavar="TEXT", help="what is to be put right")
    for each in (show, edit):
        each.add_argument("submission", type=int, metavar="N")
    edit.add_argument("file", metavar="FILE")
    for each in (make, edit):
        each.add_argument("--encoding", default="auto", help="of the record")
        each.add_argument("--note", default="", metavar="TEXT", help="for the reviewer")


async def run(context: Context, args: argparse.Namespace) -> int:
    """5 if the record is held for review, 3 if it came back."""
    who = submitted.who(context.actor)
    async with app.open(context) as node:
        match args.action:
            case "list":
                return await _list(context, node, args)
            case "show":
                async with node.database.connection() as conn:
                    _tell(context, await submissions.get(conn, args.submission, within=_looks(context)))
                return 0
            case "make":
                return await _make(context, node, args)
            case "edit":
                given = _given(args)
                return await _step(context, node, lambda conn: handing.edit(
                    conn, who, args.submission, given, args.note
                ))  # fmt: skip
            case "submit" | "accept":
                step = handing.submit if args.action == "submit" else handing.accept
                return await _hand(context, node, lambda conn: step(conn, who, args.submission))
            case "return":
                return await _step(context, node, lambda conn: handing.send_back(
                    conn, who, args.submission, args.why
                ))  # fmt: skip
        return await _step(context, node, lambda conn: handing.withdraw(conn, who, args.submission))


def _looks(context: Context) -> frozenset[str] | None:
    return context.actor.reach(Permission.LOOK).within


async def _list(context: Context, node: Node, args: argparse.Namespace) -> int:
    async with node.database.connection() as conn:
        found = await submissions.listing(conn, args.state or OPEN, args.limit, within=_looks(context))
    context.out.table([told.submission(each, context.lang) for each in found], COLUMNS)
    return 0


def _given(args: argparse.Namespace) -> Given:
    try:
        with open(0 if args.file == "-" else args.file, "rb", closefd=args.file != "-") as file:
            data = file.read(LARGEST + 1)
    except OSError as error:
        raise Misconfigured(f"{args.file}: {error.strerror}") from error
    if len(data) > LARGEST:
        raise Misconfigured(f"{args.file}: a record has at most {LARGEST:,} bytes")
    return looking.read(data, detect.carrier_of(data), encoding=args.encoding)


async def _make(context: Context, node: Node, args: argparse.Namespace) -> int:
    library = args.library or context.actor.library or node.symbol
    who = submitted.who(context.actor)
    action: Action = "delete" if args.delete else "replace" if args.replace else "insert"
    if (args.file is None) != (action == "delete"):
        raise Misconfigured("give a file with the record, or --delete SOURCE/ID")
    given = None if args.file is None else _given(args)
    of = args.delete or args.replace
    if args.dry_run:
        context.deed.nothing()
        made, answer = await handing.foresee(node.database, who, library, action, given, of=of, note=args.note)
        _say(context, Handed(submission=made, answer=answer), kept=False)
        return 5 if answer.held else 0

    async def make(conn: Connection) -> Handed:
        made = await handing.draft(conn, who, library, action, given, of=of, note=args.note)
        return Handed(submission=made, answer=None) if args.draft else await handing.submit(
            conn, who, made.submission
        )  # fmt: skip

    return await _hand(context, node, make)


async def _step(context: Context, node: Node, step: Callable[[Connection], Awaitable[Submission]]) -> int:
    async with node.database.transaction() as conn:
        done = await step(conn)
        await context.deed.done(conn, object=str(done.submission), library=done.library, state=done.state)
    _say(context, Handed(submission=done, answer=None))
    return 0


async def _hand(context: Context, node: Node, step: Callable[[Connection], Awaitable[Handed]]) -> int:
    """A step after which the record may be let in: then wait until it is placed."""
    async with node.database.transaction() as conn:
        handed = await step(conn)
        done = handed.submission
        await context.deed.done(conn, object=str(done.submission), library=done.library, state=done.state)
    number = done.submission
    if done.state == "accepted":
        await handing.land(node.database, node.queue, number)

        async def placed(conn: Connection) -> bool:
            return (await submissions.get(conn, number)).state != "accepted"

        await attending.attend(node, placed)
        async with node.database.connection() as conn:
            handed = Handed(submission=await submissions.get(conn, number), answer=handed.answer)
    _say(context, handed)
    return {"submitted": 5, "returned": 3}.get(handed.submission.state, 0)


def _say(context: Context, handed: Handed, *, kept: bool = True) -> None:
    one = told.whole(handed.submission, context.lang)
    if handed.answer:
        one |= told.answer(handed.answer, context.lang)
    if context.out.json:
        context.out.item(one if kept else one | {"submission": None})
        return
    state = context.text(f"submission_{one['state']}") if kept else context.text("submission_nothing")
    number = one["submission"] if kept else "–"
    context.out.say(context.text("submission_now", submission=number, state=state, title=one["title"]))
    if handed.answer:
        context.out.say(one["answer"])
    for line in one["why"]:
        context.out.say(f"  {line}")


def _tell(context: Context, one: Submission) -> None:
    whole = told.whole(one, context.lang)
    record = render.as_lines(handing.given_of(one).record)
    if context.out.json:
        context.out.item(whole | {"record": record})
        return
    for name, value in whole.items():
        if value not in (None, "", []) and name != "why":
            context.out.say(f"{name:12} {', '.join(value) if isinstance(value, list) else value}")
    for line in whole["why"]:
        context.out.say(f"  {line}")
    context.out.say("")
    context.out.say(record.rstrip())
