"""A record as plain values, for JSON: brief as in a list of hits, or in full."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from catalog.model import Holding, Published
from dms.ranges import notes
from dms.ranges.writing import write
from services.delivery import dublin, rows
from services.delivery.render import described


def brief(published: Published) -> dict[str, Any]:
    """What a list of hits tells of each. Raises `Tombstone`."""
    of = described(published)
    return {
        "id": published.id,
        "title": dublin.heading(of),
        "parallel": of.parallel,
        "responsibility": of.responsibility,
        "authors": of.authors,
        "edition": of.edition,
        "publication": rows.publication(of),
        "year": of.year or None,
        "kind": of.kind,
        "languages": of.languages,
        "isbns": of.isbns,
        "issns": of.issns,
        "libraries": published.libraries,
        "updated": published.at.isoformat(),
    }


def full(published: Published, copies: Iterable[tuple[str, str, Holding]]) -> dict[str, Any]:
    """Everything but the MARC; `copies` are (source, local id, holding). Raises `Tombstone`."""
    of = described(published)
    told = list(copies)
    return brief(published) | {
        "format": published.format.name,
        "extent": of.extent,
        "series": of.series,
        "subjects": of.subjects,
        "classification": of.classification,
        "summary": of.summary,
        "notes": of.notes,
        "links": of.links,
        "holdings": [_copy(*copy) for copy in told],
        "held": held([holding for _, _, holding in told]),
    }


def held(holdings: Iterable[Holding]) -> list[dict[str, Any]]:
    """By library: how many copies, and what all its statements say together, in the normal form."""
    told: dict[str, list[str]] = {}
    for holding in holdings:
        told.setdefault(holding.library, []).append(holding.note)
    return [
        {"library": library, "copies": notes.copies(its), "held": write(notes.united(its))}
        for library, its in told.items()
    ]


def counted(note: str) -> dict[str, Any]:
    """What a note says is held, in the normal form, and how many copies it counts; null if it doesn't."""
    return {"held": notes.normal(note), "copies": notes.of(note).copies or None}


def _copy(source: str, local_id: str, holding: Holding) -> dict[str, Any]:
    return {
        "library": holding.library,
        "source": source,
        "local_id": local_id,
        "call_number": holding.call_number,
        "item": holding.item,
        "location": holding.location,
        "status": holding.status,
        "note": holding.note,
        **counted(holding.note),
    }
