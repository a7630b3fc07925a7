"""A record as rows of "label, values" in Chinese or English, by the table `labels.toml`; also as plain text."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from catalog.model import Description, Holding
from dms.ranges import notes
from dms.ranges.writing import write
from services.delivery.dublin import heading

_TABLE: Mapping[str, Any] = tomllib.loads(
    files("services.delivery").joinpath("labels.toml").read_text(encoding="utf-8")
)


TITLE = {"zh": "题名", "en": "Title"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of a display; `field` tells a page what it may do with the values (search for them, link them)."""

    field: str
    label: str
    values: tuple[str, ...]


def name(table: str, code: str, lang: str) -> str:
    """A kind's or a language's name; an unknown code is its own name."""
    names: Mapping[str, str] | None = _TABLE[table].get(code)
    return names[lang] if names else code


def publication(description: Description) -> str:
    """Place, publisher and date as ISBD area 4 writes them; the year stands in for a missing date."""
    where = " : ".join(each for each in (description.place, description.publisher) if each)
    when = description.date or (str(description.year) if description.year else "")
    return ", ".join(each for each in (where, when) if each)


def _values(description: Description, field: str, lang: str) -> tuple[str, ...]:
    if field == "publication":
        values: object = publication(description)
    elif field == "kind":
        values = name("kind", description.kind, lang)
    elif field == "languages":
        values = tuple(name("language", code, lang) for code in description.languages)
    else:
        values = getattr(description, field)
    listed = values if isinstance(values, tuple) else (str(values),)
    return tuple(value for value in listed if value)


def of(description: Description, lang: str) -> list[Row]:
    """The rows that have something to say; `lang` is zh or en."""
    found = []
    for row in _TABLE["row"]:
        values = _values(description, row["field"], lang)
        if values:
            found.append(Row(field=row["field"], label=row[lang], values=values))
    return found


def beside(a: Description, b: Description, lang: str) -> list[tuple[str, str, str]]:
    """(label, of the one, of the other) of the title and of every row that either has."""
    left, right = ({row.field: row for row in of(each, lang)} for each in (a, b))
    title = (TITLE[lang], heading(a), heading(b))
    return [title] + [
        (row[lang], *("; ".join(side[row["field"]].values) if row["field"] in side else "" for side in (left, right)))
        for row in _TABLE["row"]
        if row["field"] in left or row["field"] in right
    ]


def text(
    description: Description, ident: str, holdings: Iterable[tuple[str, Holding]], names: Mapping[str, str], lang: str
) -> str:
    """The record and its holdings, a line each, for a terminal or a mail; then what each library holds in all (` = `).
    `names` are the libraries' by symbol.
    """
    lines = [heading(description), f"ID: {ident}"]
    lines += [f"{row.label}: {'; '.join(row.values)}" for row in of(description, lang)]
    told: dict[str, list[str]] = {}
    for library, holding in holdings:
        parts = (holding.location, holding.call_number, holding.item, holding.status, holding.note)
        lines.append(f"  {names.get(library, library)}: {' | '.join(part for part in parts if part)}".rstrip(": "))
        told.setdefault(library, []).append(holding.note)
    for library, said in told.items():
        if held := write(notes.united(said), lang):
            lines.append(f"  {names.get(library, library)} = {held}")
    return "\n".join(lines) + "\n"
