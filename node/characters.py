"""`tianlu source characters`: the table by which a source's private-use characters are read."""

from __future__ import annotations

import argparse
from pathlib import Path

from catalog import dictionaries, sources
from catalog.connection import Connection
from config.errors import Misconfigured
from node.context import Context
from protocols.charsets import private

READY = ("gbk",)  # tables that come with the program


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the action takes."""
    parser.add_argument("name")
    told = parser.add_mutually_exclusive_group(required=True)
    told.add_argument("--file", metavar="FILE", help="lines of code point, tab, character: U+E123, tab, U+5803")
    told.add_argument("--ready", choices=READY, help="gbk: what GBK and GB 18030-2000 sent to private use")
    told.add_argument("--none", action="store_true", help="read them as they are")
    told.add_argument("--show", action="store_true", help="show the table, change nothing")


async def run(context: Context, conn: Connection, args: argparse.Namespace) -> bool:
    """Set the table, or show it; whether anything changed."""
    source = await sources.get(conn, args.name)
    if args.show:
        known = await dictionaries.of(conn, {source.characters})
        rows = private.parsed(known[source.characters]) if source.characters else {}
        context.out.table(
            [{"code": f"U+{code:04X}", "character": text, "is": points(text)} for code, text in rows.items()],
            ("code", "character", "is"),
        )
        return False
    table = 0
    if not args.none:
        table = await dictionaries.add_characters(conn, private.ready() if args.ready else _read(args.file))
    await sources.set_characters(conn, source.no, table)
    return table != source.characters


def points(text: str) -> str:
    """Code points of a text: `U+4E2D U+0301`."""
    return " ".join(f"U+{ord(character):04X}" for character in text)


def _read(path: str) -> bytes:
    try:
        return private.body(Path(path).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise Misconfigured(f"the table {path} can't be read: {error}") from error
    except Misconfigured as error:
        raise Misconfigured(f"{path}: {error}") from error
