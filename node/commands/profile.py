"""`tianlu profile list|show|add|shadow|activate|retire|recheck`: by which rules a library's records are judged."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from catalog import libraries, loads, profiles, sources
from catalog.connection import Connection
from catalog.model import LoadState, Source
from catalog.profiles import DOMAIN, Version
from config import sentences
from config.errors import Conflict, Misconfigured, NotFound, Refused
from dms import quality_profile, quality_scope, quality_texts, rechecking, shadowing
from dms.crew import Crew
from dms.rules.model import Finding
from node import app, attending
from node.app import Node
from node.context import Context
from node.deeds import Act
from node.words import word
from services.access.policy import Permission

NAME = "profile"
HELP = {
    "en": "Profiles of quality rules, in versions: the node's, which all libraries have, and a library's own over it. "
    "add: a draft from a TOML file. shadow: what it would change, over the records that stand. activate: from the next "
    "load on. recheck: read what stands again by it; what it sends back is listed with the returns, and the version "
    "that stands stays.",
    "zh": "质量规则方案（分版本）：节点方案适用于所有成员馆，成员馆方案在其上覆盖。add：由 TOML 文件建立草案。"
    "shadow：在现有记录上试运行，报告会有何变化。activate：自下次装载起生效。recheck：按现行方案重读现有记录；"
    "被退回的列入退回清单，现有版本保留不变。",
}
ACTS = {
    "list": None,
    "show": None,
    "add": Act(name="profile.add", library="library", detail=("why",)),
    "shadow": Act(name="profile.shadow", object="profile", detail=("limit",)),
    "activate": Act(name="profile.activate", object="profile", detail=("yes", "recheck")),
    "retire": Act(name="profile.retire", object="profile"),
    "recheck": Act(name="profile.recheck", object="source", library="library", detail=("yes",)),
}
ALLOW = {"list": Permission.LOOK, "show": Permission.LOOK, "recheck": Permission.LOAD}
COLUMNS = ("profile", "scope", "version", "state", "levels", "mends", "shadow_at", "active_at", "who", "why")
OVER = (LoadState.DONE, LoadState.HELD, LoadState.FAILED)


def arguments(parser: argparse.ArgumentParser) -> None:
    """The actions."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    actions.add_parser("list", help="all versions, those of a scope together")
    show = actions.add_parser("show", help="one version, and what its shadow run found")
    show.add_argument("profile", type=int)
    show.add_argument("--toml", action="store_true", help="as a file, to be edited and added as the next version")
    add = actions.add_parser("add", help="a draft from a file")
    add.add_argument("file", metavar="FILE")
    add.add_argument("--library", default=DOMAIN, metavar="SYMBOL", help="of this library (default: of the node)")
    add.add_argument("--why", default="", help="default: what the file says")
    shadow = actions.add_parser("shadow", help="try it on the records that stand; nothing is changed")
    shadow.add_argument("profile", type=int)
    shadow.add_argument("--limit", type=int, metavar="N", help="so many records of each source, taken here and there")
    activate = actions.add_parser("activate", help="in force from the next load on")
    activate.add_argument("profile", type=int)
    activate.add_argument("--yes", action="store_true", help="although no shadow run has been made")
    activate.add_argument("--recheck", action="store_true", help="and read what stands again by it")
    actions.add_parser("retire", help="out of force").add_argument("profile", type=int)
    recheck = actions.add_parser("recheck", help="read what stands again by what is active")
    recheck.add_argument("--source", metavar="NAME", help="only of this source")
    recheck.add_argument("--library", metavar="SYMBOL", help="only of this library")
    recheck.add_argument("--yes", action="store_true", help="also beyond the limits that hold a load")


async def run(context: Context, args: argparse.Namespace) -> int:
    """3 if a recheck sent records back, 1 if one of its loads is held."""
    async with app.open(context) as node:
        match args.action:
            case "shadow":
                return await _shadow(context, node, args.profile, args.limit)
            case "recheck":
                return await _recheck(context, node, await _sources(node, args.source, args.library), assured=args.yes)
            case "activate":
                return await _activate(context, node, args)
        async with node.database.transaction() as conn:
            if args.action == "list":
                context.out.table([_row(one) for one in await profiles.every(conn)], COLUMNS)
            elif args.action == "show":
                _show(context, await profiles.get(conn, args.profile), toml=args.toml)
            elif args.action == "add":
                made = await _add(conn, args, context.deed.entry.actor)
                await context.deed.done(conn, object=str(made.profile), library=made.scope, version=made.version)
                context.out.say(context.text("profile_added", profile=made.profile, version=made.version))
                _item(context, made)
            else:
                one = await profiles.get(conn, args.profile)
                await profiles.retire(conn, args.profile)
                await context.deed.done(conn, library=one.scope, version=one.version)
                context.out.say(context.text("done"))
    return 0


def _read(path: str) -> quality_profile.Told:
    try:
        return quality_profile.read(Path(path).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise Misconfigured(f"the profile {path} can't be read: {error}") from error


async def _known(conn: Connection, library: str) -> None:
    if library != DOMAIN and await libraries.get(conn, library) is None:
        raise NotFound(f"no library has the symbol {library} (tianlu library list)")


async def _add(conn: Connection, args: argparse.Namespace, who: str) -> Version:
    told = _read(args.file)
    await _known(conn, args.library)
    return await profiles.add(conn, args.library, told.levels, told.mends, who=who, why=args.why or told.why)


async def _shadow(context: Context, node: Node, number: int, limit: int | None) -> int:
    if limit is not None and limit < 1:
        raise Misconfigured("--limit is a number of records")
    async with node.database.connection() as conn:
        draft = await profiles.get(conn, number)
    crew = Crew(node.settings.worker.processes)
    try:
        with context.out.progress(context.text("profile_looking")) as bar:
            found = await shadowing.run(
                node.database, crew, draft, limit=limit, processes=crew.processes, looked=lambda n: bar.at(n, f"{n:,}")
            )
    finally:
        crew.close()
    told = {**found.told(), "limit": limit}
    async with node.database.transaction() as conn:
        await profiles.tried(conn, number, told)
        await context.deed.done(conn, library=draft.scope, records=found.records, returned=found.returned)
    if context.out.json:
        context.out.item({"profile": number, **_plain(told, context.lang)})
    _say_shadow(context, told)
    return 0


async def _activate(context: Context, node: Node, args: argparse.Namespace) -> int:
    async with node.database.transaction() as conn:
        one = await profiles.get(conn, args.profile)
        if one.shadow is None and not args.yes:
            raise Refused(context.text("profile_not_tried", profile=args.profile))
        await profiles.activate(conn, args.profile)
        await context.deed.done(conn, library=one.scope, version=one.version)
    context.out.say(context.text("profile_active", profile=args.profile))
    if args.recheck:
        return await _recheck(context, node, await _sources(node, None, one.scope or None), assured=args.yes)
    scope = f" --library {one.scope}" if one.scope else ""
    context.out.note(context.text("profile_standing", command=f"tianlu profile recheck{scope}"))
    return 0


async def _sources(node: Node, name: str | None, library: str | None) -> list[Source]:
    async with node.database.connection() as conn:
        await _known(conn, library or DOMAIN)
        every = await sources.every(conn)
        one = await sources.get(conn, name) if name else None
    return [each for each in every if (one is None or each.no == one.no) and library in (None, each.library)]


async def _recheck(context: Context, node: Node, some: list[Source], *, assured: bool) -> int:
    """Source by source: a load each."""
    worst = 0
    for source in some:
        await attending.see_through(node, source.no)
        try:
            load = await rechecking.begin(node.database, node.queue, source.no, assured=assured)
        except Conflict as error:
            context.out.note(f"{source.name}: {error}")
            worst = max(worst, 1)
            continue
        number = load.load

        async def over(conn: Connection, number: int = number) -> bool:
            return (await loads.get(conn, number)).state in OVER

        await attending.attend(node, over, attending.SOON)
        async with node.database.connection() as conn:
            load = await loads.get(conn, number)
        counts = load.counts
        context.out.say(
            context.text(
                "profile_rechecked",
                source=source.name,
                load=number,
                records=counts["records"],
                mended=counts["mended"],
                returned=counts["returned"],
            )
        )
        if context.out.json:
            context.out.item({"source": source.name, "load": number, "state": load.state.value, **counts})
        if load.state is not LoadState.DONE:
            context.out.note(context.text("load_held", reason=sentences.told(load.reason, context.lang)))
            worst = max(worst, 1)
        elif counts["returned"]:
            worst = worst or 3
    return worst


def _row(one: Version) -> dict[str, Any]:
    return {
        "profile": one.profile,
        "scope": one.scope or "*",
        "version": one.version,
        "state": one.state,
        "levels": len(one.levels),
        "mends": len(one.mends),
        "shadow_at": one.shadow_at,
        "active_at": one.active_at,
        "who": one.who,
        "why": one.why,
    }


def _item(context: Context, one: Version) -> None:
    if context.out.json:
        run = one.shadow and _plain(one.shadow, context.lang)
        context.out.item({**_row(one), "levels": dict(one.levels), "mends": list(one.mends), "shadow": run})


def _show(context: Context, one: Version, *, toml: bool) -> None:
    if toml:
        context.out.stdout.write(quality_profile.written(one.levels, one.mends, one.why))
        return
    _item(context, one)
    for name, value in _row(one).items():
        context.out.fact(name, "" if value is None else value, 10)
    changed = quality_scope.of_versions([one])
    for rule, level in sorted(changed.levels.items()):
        context.out.say(f"{word(level.name.lower(), context.lang):8} {rule}")
    for rule in sorted(changed.mends):
        context.out.say(f"{context.text('profile_mends'):8} {rule}")
    if one.shadow is not None:
        _say_shadow(context, one.shadow)


def _levels(row: Mapping[str, Any], lang: str) -> str:
    """What a rule is taken for, before and after if that differs; a run of an older version doesn't know it."""
    before, after = (word(row.get(f"level_{when}", ""), lang) for when in ("before", "after"))
    return before if before == after else f"{before} → {after}"


def _worded(why: str | Sequence[Sequence[Any]], lang: str) -> str:
    """Findings in words; changes, and what a run of an older version kept, are words already."""
    return why if isinstance(why, str) else quality_texts.reason([Finding(*each) for each in why], lang)


def _plain(told: Mapping[str, Any], lang: str) -> dict[str, Any]:
    """A shadow run for programs: examples with their reasons in words."""
    examples = {
        key: [(name, _worded(why, lang)) for name, why in told[key]] for key in told if key.endswith("_examples")
    }
    return {**told, **examples}


def _say_shadow(context: Context, told: Mapping[str, Any]) -> None:
    standing = told["standing"] or 1
    context.out.say(
        context.text(
            "profile_shadow",
            records=told["records"],
            returned=told["returned"],
            restored=told["restored"],
            mended=told["mended"],
            before=f"{told['score_before'] / standing:.1f}",
            after=f"{told['score_after'] / standing:.1f}",
        )
    )
    rules = sorted(told["rules"].items(), key=lambda each: -abs(each[1]["after"] - each[1]["before"]))
    if rules and not context.out.json:
        found = [
            {"rule": rule, **row, "level": _levels(row, context.lang), "example": next(iter(row["examples"]), "")}
            for rule, row in rules
        ]
        context.out.table(found, ("rule", "level", "before", "after", "example"))
    for kind in ("returned", "restored", "mended"):
        for name, why in told[f"{kind}_examples"]:
            label, named = context.text("profile_" + kind), sentences.told(name, context.lang)
            context.out.say(f"{label:10} {named}  {_worded(why, context.lang)}")
