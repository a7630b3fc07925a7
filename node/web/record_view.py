"""What the record page shows: rows, holdings by library, MARC and downloads as values with their addresses (pure)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from catalog.model import Description, Library
from catalog.search.port import LONGEST_TEXT
from dms.contributors import Contributions
from dms.match import reasons
from dms.ranges import notes
from dms.ranges.writing import write
from node.web import texts, view
from node.web.labels import library_name
from services.deciding.related import Related
from services.delivery import dublin, giving, links, render, rows
from services.discovery.record import Elsewhere, Found

COLUMNS = ("call_number", "location", "status", "item", "note")
ALWAYS = ("call_number", "location", "status")  # columns that are shown even where no library says anything
# Rows whose values lead to a search, and the field to search in.
SEARCHED = {"authors": "author", "subjects": "subject", "series": "series", "classification": "class"}
DOWNLOADS = (("marcxml", "MARCXML", "xml"), ("iso2709", "ISO 2709", "mrc"), ("marcjson", "JSON", "json"))
NAMED = 100  # libraries of a parent's catalogue that are named
OWN = ("001", "005")  # fields that the node writes itself, before all others (services.delivery.render)
ABOVE = ("responsibility", "publication", "kind")  # said at the top of the page already


def _shelves(found: Found, names: Mapping[str, Library], lang: str) -> list[dict[str, Any]]:
    """Holdings by library; a library whose record tells no holding has a row of its own without details."""
    held: dict[str, list[dict[str, str]]] = {symbol: [] for symbol in found.published.libraries}
    for copy in found.copies:
        row = {column: getattr(copy.holding, column) for column in COLUMNS}
        held.setdefault(copy.holding.library, []).append(row)
    nothing = dict.fromkeys(COLUMNS, "")
    return [
        {
            "name": library_name(symbol, names, lang),
            "area": names[symbol].area if symbol in names else "",
            "held": write(notes.united([row["note"] for row in told]), lang),
            "copies": notes.copies([row["note"] for row in told]),
            "rows": told or [nothing],
        }
        for symbol, told in held.items()
    ]


def addresses(elsewhere: Elsewhere) -> list[str]:
    """The parent's pages of the title."""
    pages = (elsewhere.parent.address.rstrip("/") + view.record_url(ident) for ident in elsewhere.idents)
    return [page for page in pages if links.safe(page)]


def _elsewhere(found: Found, names: Mapping[str, Library], lang: str) -> list[dict[str, Any]]:
    """Libraries that hold the title by a parent's account, and its pages of it."""
    return [
        {
            "name": each.parent.name or each.parent.symbol,
            "count": len(each.libraries),
            "libraries": [library_name(symbol, names, lang) for symbol in each.libraries[:NAMED]],
            "urls": addresses(each),
        }
        for each in found.elsewhere
    ]


def _search(value: str, field: str) -> str:
    return view.url("/search", q=value[:LONGEST_TEXT].strip(), field=field)


def _values(row: rows.Row) -> list[dict[str, Any]]:
    if row.field == "links":
        return [{"text": each, "url": links.safe(each), "external": bool(links.safe(each))} for each in row.values]
    if row.field in SEARCHED:
        return [{"text": each, "url": _search(each, SEARCHED[row.field]), "external": False} for each in row.values]
    return [{"text": each, "url": "", "external": False} for each in row.values]


def _rows(description: Description, lang: str) -> list[dict[str, Any]]:
    return [
        {"label": row.label, "entries": _values(row)} for row in rows.of(description, lang) if row.field not in ABOVE
    ]


def related(found: Iterable[Related], lang: str) -> list[dict[str, str]]:
    """What is shown with a record and is not one with it; `why` is "" where a cataloguer linked them."""
    return [
        {
            "heading": dublin.heading(render.described(each.published)),
            "publication": rows.publication(render.described(each.published)),
            "url": view.record_url(each.published.id),
            "why": "; ".join(reasons.text(rule, lang) for rule in each.rules),
        }
        for each in found
    ]


def who(told: Contributions, lang: str) -> dict[str, Any]:
    """Who gave the fields of the MARC view, a line for each of its lines; the node's own fields are nobody's."""
    nobody = texts.TEXTS["marc_nobody"][lang]
    own: list[dict[str, Any]] = [{"text": "", "more": 0, "all": ""} for _ in OWN]
    given = [
        {"text": one.wording or nobody, "more": len(one.others), "all": giving.told(one, lang) if one.others else ""}
        for one in told.fields
        if one.tag not in render.OURS
    ]
    return {"base": told.base, "why": giving.base(told.base, told.decided, lang), "lines": own + given}


def values(found: Found, names: Mapping[str, Library], lang: str, *, marc: bool) -> dict[str, Any]:
    """The variables of record.html. Raises `Tombstone`."""
    published = found.published
    of = render.described(published)
    shelves = _shelves(found, names, lang)
    used = {column for shelf in shelves for row in shelf["rows"] for column in COLUMNS if row[column]}
    merged = render.record(published) if marc else None
    return {
        "ident": published.id,
        "heading": dublin.heading(of),
        "kind": rows.name("kind", of.kind, lang),
        "responsibility": of.responsibility,
        "publication": rows.publication(of),
        "updated": published.at.isoformat(timespec="seconds"),
        "format": published.format.name,
        "shelves": shelves,
        "elsewhere": _elsewhere(found, names, lang),
        "columns": [column for column in COLUMNS if column in used or column in ALWAYS],
        "rows": _rows(of, lang),
        "marc": {"leader": merged.leader, "lines": render.lines(merged)} if merged else None,
        "self_url": view.record_url(published.id),
        "marc_url": view.url(view.record_url(published.id), view="marc"),
        "downloads": [
            {"label": label, "url": view.record_url(published.id, form), "name": f"{published.id}.{ending}"}
            for form, label, ending in DOWNLOADS
        ],
    }
