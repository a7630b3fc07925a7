"""`tianlu source set`: what is said of a source, changed later."""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path

from catalog import attached, clusters, sheets, sources
from catalog.connection import Connection
from catalog.model import Source, Visibility
from config.errors import Misconfigured
from dms import prepare
from node import tabular
from node.context import Context
from protocols import dialect
from protocols.charsets import codec
from protocols.tables import template

TOLD = ("format", "encoding", "identity", "mapping", "private", "public", "trust", "template")
OF_READING = ("format", "encoding", "identity", "mapping", "template")  # what records are read by
NONE = "none"


def told(parser: argparse.ArgumentParser) -> None:
    """What can be said of a source, when it is added and later."""
    parser.add_argument("name")
    parser.add_argument("--format", choices=("auto", *dialect.DIALECTS), help="which MARC it is (default: auto)")
    parser.add_argument("--encoding", help="default: auto")
    parser.add_argument("--identity", help="001 (default), 001+003, 035a, 905b, TAG$code or digest")
    parser.add_argument("--mapping", metavar="FILE", help="holdings mapping as JSON (see `source test`)")
    parser.add_argument("--trust", type=int, help="the higher, the sooner its records are the base of a merge")
    parser.add_argument("--template", metavar="FILE|NAME", help="how its tables (CSV, Excel) become records")


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the action takes."""
    told(parser)
    seen = parser.add_mutually_exclusive_group()
    seen.add_argument("--private", action="store_true", help="its records are shown nowhere, from now on")
    seen.add_argument("--public", action="store_true", help="they are shown again")


async def run(context: Context, conn: Connection, args: argparse.Namespace) -> Source:
    """Change what is said, and tell what holds now; Misconfigured if nothing is said or it doesn't suit the source."""
    if all(getattr(args, name) is None or getattr(args, name) is False for name in TOLD):
        raise Misconfigured(f"say what is to change: {', '.join(f'--{name}' for name in TOLD)}")
    await sources.lock(conn, (await sources.get(conn, args.name)).no)
    before = await sources.get(conn, args.name)  # as whoever had the lock has left it
    after = changed(before, args)
    await _suits(conn, before, after)
    prepare.check_habits(after)
    await sources.change(conn, after)
    await sheets.follow(conn, after)
    if after.trust != before.trust:
        await clusters.soil_source(conn, before.no)
    for key, value in shown(after).items():
        context.out.fact(key, value)
    if context.out.json:
        context.out.item({"source": after.name, **shown(after)})
    if any(getattr(after, name) != getattr(before, name) for name in OF_READING):
        context.out.note(context.text("source_set", source=after.name))
    return after


def changed(source: Source, args: argparse.Namespace) -> Source:
    """The source as the command says it is from now on; what the command leaves out stays."""
    if args.format is not None:
        source = replace(source, format=args.format)
    if args.encoding is not None:
        encoding = args.encoding if args.encoding == "auto" else codec.known(args.encoding)
        source = replace(source, encoding=encoding)
    if args.identity is not None:
        source = replace(source, identity=args.identity)
    if args.mapping is not None:
        source = replace(source, mapping=_mapping(args.mapping))
    if args.trust is not None:
        source = replace(source, trust=args.trust)
    if args.template is not None:
        source = replace(source, template="" if args.template == NONE else tabular.text_of(args.template))
    if args.private or getattr(args, "public", False):
        source = replace(source, visibility=Visibility.PRIVATE if args.private else Visibility.PUBLIC)
    return source


def shown(source: Source) -> dict[str, object]:
    """What holds of a source, for people and programs."""
    return {
        "format": source.format,
        "encoding": source.encoding,
        "identity": source.identity,
        "mapping": json.dumps(source.mapping, ensure_ascii=False),
        "visibility": source.visibility.name.lower(),
        "trust": source.trust,
        "template": template.named(source.template).name if source.template else "",
    }


async def _suits(conn: Connection, before: Source, after: Source) -> None:
    others = [name for name in OF_READING if getattr(before, name) != getattr(after, name)]
    if others and await sources.is_fed(conn, before.no):
        raise Misconfigured(f"{before.name} is what another node tells: it can only have another trust or be private")
    if others and attached.PARENTS in before.mapping:
        raise Misconfigured(
            f"{before.name} is of sheets of holdings: name {before.mapping[attached.PARENTS]}, which they follow"
        )
    if attached.PARENTS in after.mapping and attached.PARENTS not in before.mapping:
        raise Misconfigured(f"{attached.PARENTS!r} stands in mappings of sheets of holdings only: load --holdings")
    if after.identity != before.identity and await sources.has_records(conn, before.no):
        raise Misconfigured(
            f"{before.name} has records, which have names by its rule: "
            f"tianlu source rekey {before.name} --new FILE --identity {after.identity}"
        )


def _mapping(path: str) -> dict[str, object]:
    if path == NONE:
        return {}
    try:
        found = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise Misconfigured(f"the mapping {path} can't be read: {error}") from error
    if not isinstance(found, dict):
        raise Misconfigured(f"the mapping {path} must be a JSON object (see `tianlu source test FILE --json`)")
    return found
