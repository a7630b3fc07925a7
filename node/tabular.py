"""Mapping templates at the command line: which one is meant, and what a table's reader has to tell."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from catalog.model import Source
from config import sentences
from config.errors import Misconfigured
from exchange import landing
from node.context import Context
from protocols import dialect, marc, marcjson, stream
from protocols.marc import Record
from protocols.tables import opening, template
from protocols.tables.opening import Table
from protocols.tables.template import Template

LONGEST = 1 << 20  # characters of a template


def text_of(said: str) -> str:
    """What a source keeps of `--template FILE|NAME`: the file's text, or the name. Misconfigured if it is neither."""
    path = Path(said)
    if path.is_file():
        try:
            text = path.read_text(encoding="utf-8-sig")
        except (OSError, ValueError) as error:
            raise Misconfigured(f"the template {said} can't be read: {error}") from error
        if len(text) > LONGEST:
            raise Misconfigured(f"the template {said} has {len(text):,} characters: that is no template")
        template.parse(text, said)
        return text
    if said not in template.ready():
        raise Misconfigured(f"no template file or ready template is {said}; ready ones: {', '.join(template.ready())}")
    return said


def chosen(said: str | None, habit: str = "") -> Template | None:
    """The template of the command, else the source's; None = by the header row."""
    text = text_of(said) if said else habit
    return template.named(text) if text else None


def of_holdings(files: Iterable[str], carrier: str, said: str | None) -> Template | None:
    """The template for sheets of holdings: the one said, else `holdings`; None where the files are no tables."""
    if said or carrier not in ("auto", *landing.TABLES):
        return chosen(said)
    for path in files:
        if path != "-":
            with stream.open_input(path) as opened:
                if not opening.is_table(opened.head(landing.HEAD)):
                    return None
    return template.named("holdings")


def join_of(files: Iterable[str], chosen: Template | None) -> str | None:
    """By what rows of holdings can only name their records, as `--join` says it: those of a table without a column of
    record numbers, by barcode or call number. None where there is such a column, or no table.
    """
    for path in files:
        if path == "-" or chosen is None:
            continue
        with stream.open_input(path) as opened, Table(opened, path, chosen) as table:
            columns = table.headers[0].places
            if "number" not in columns:
                return next((join for key, join in _JOINS.items() if key in columns), None)
    return None


_JOINS = {"barcode": "barcode", "call_number": "call-number"}


def check(source: Source, tables: Iterable[Table]) -> None:
    """Misconfigured if the source's records are said to be of another format than the template makes."""
    for made in [header.template for table in tables for header in table.headers]:
        if dialect.DIALECTS.get(source.format, "auto") not in ("auto", made.format):
            raise Misconfigured(
                f"the source {source.name} has records in {source.format}, and the template {made.name} makes "
                f"{made.format}: use another source, or another template"
            )


def tell(context: Context, tables: Sequence[Table], *, several: bool = False) -> None:
    """Which template was taken, which columns it doesn't know, which sheets it doesn't fit; of which file, where the
    command has several.
    """
    several = several or len(tables) > 1
    for table in tables:
        for said in _told(context, table):
            context.out.note(context.text("table_of", file=table.name, said=said) if several else said)


def _told(context: Context, table: Table) -> Iterator[str]:
    for header in table.headers:
        yield context.text("table_template", name=header.template.name, columns=len(header.places))
        if header.unknown:
            yield context.text("table_unknown", columns=", ".join(header.unknown), tag=header.template.rest)
    if table.skipped:
        yield context.text("table_skipped", sheets=", ".join(table.skipped))


def show(context: Context, records: Iterable[Record], failed: Iterable[str]) -> None:
    """What the template makes of the first rows, and why rows came back."""
    for record in records:
        if context.out.json:
            context.out.item({"record": json.loads(marcjson.write(record))})
            continue
        context.out.say(f"LDR {record.leader}")
        for tag, text in record.fields:
            context.out.say(f"{tag} {text.replace(marc.DELIMITER, ' $')}")
        context.out.say("")
    for reason in failed:
        context.out.note(context.text("table_row", reason=sentences.told(reason, context.lang)))
