"""What the results page shows: hits, facets and pages as values with their addresses (pure)."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from catalog.model import Library, Published
from catalog.search import port
from node.web import inputs, scope_view, view
from node.web.labels import facet_label, facet_name, library_name
from services.delivery import dublin, links, rows
from services.discovery import ask
from services.discovery.find import Question
from services.discovery.page import Page
from services.discovery.scope import Place
from services.discovery.wide import Wide

NAMED = 4  # holding libraries named in a hit
OTHER_TITLES = 3
OFFERED = 12  # values of a facet


def address(question: Question, **changes: Any) -> str:
    """The address of the same question with changes; any change but the page's own begins on page one."""
    parameters = inputs.pairs(dataclasses.replace(question, **({"page": 1} | changes)))
    return f"/search?{urlencode(parameters)}" if parameters else "/search"


def _without(question: Question, facet: str, value: str) -> str:
    return address(question, filters=tuple(each for each in question.filters if each != (facet, value)))


def _hit(published: Published, home: str, names: Mapping[str, Library], lang: str) -> dict[str, Any]:
    of = published.description
    assert of is not None  # find() leaves deleted records out
    return {
        "url": view.record_url(published.id),
        "external": False,
        "heading": dublin.heading(of),
        "parallel": " = ".join(of.parallel[:OTHER_TITLES]),
        "responsibility": of.responsibility or "; ".join(of.authors),
        "publication": rows.publication(of),
        "edition": of.edition,
        "kind": rows.name("kind", of.kind, lang),
        **_held(published.libraries, home, names, lang),
    }


def _told(hit: ask.Hit, home: str, names: Mapping[str, Library], lang: str) -> dict[str, Any]:
    """A parent's hit; it leads to the parent's page."""
    return {
        "url": links.safe(hit.url),
        "external": True,
        "heading": hit.title,
        "parallel": " = ".join(hit.parallel[:OTHER_TITLES]),
        "responsibility": hit.responsibility or "; ".join(hit.authors),
        "publication": hit.publication,
        "edition": hit.edition,
        "kind": rows.name("kind", hit.kind, lang),
        **_held(hit.libraries, home, names, lang),
    }


def _held(held: Sequence[str], home: str, names: Mapping[str, Library], lang: str) -> dict[str, Any]:
    return {
        "libraries": len(held),
        "library_names": [library_name(each, names, lang) for each in held[:NAMED]],
        "held": home in held,
    }


Facets = Mapping[str, Sequence[tuple[str, str, int]]]  # facet -> (value, label, count), the commonest first


def facets(wide: Wide, lang: str, most: int | None = None) -> Facets:
    """Counts to narrow by: the `most` commonest values of each facet and those that are chosen, or all."""
    chosen = set(wide.plan.question.filters)
    told: dict[str, list[tuple[str, str, int]]] = {}
    for facet, counts in _counts(wide).items():
        shown = [
            each for place, each in enumerate(counts) if most is None or place < most or (facet, each[0]) in chosen
        ]
        told[facet] = [(value, _label(facet, value, said, wide.names, lang), count) for value, said, count in shown]
    return told


def _counts(wide: Wide) -> Facets:
    """As `Facets`, with the labels that a parent gave, or none."""
    if wide.told:
        known = {name: values for name, values in wide.told.facets.items() if name in port.FACETS}
        return {name: [(each.value, each.label, each.count) for each in values] for name, values in known.items()}
    found = wide.answer.facets if wide.answer else {}
    return {facet: [(value, "", count) for value, count in counts] for facet, counts in found.items()}


def _label(facet: str, value: str, said: str, names: Mapping[str, Library], lang: str) -> str:
    """Ours; a library that only the parent knows keeps the label that it gave."""
    if said and facet == "library" and value not in names:
        return said
    return facet_label(facet, value, names, lang)


def _facets(wide: Wide, lang: str) -> list[dict[str, Any]]:
    question, found = wide.plan.question, []
    for facet, counts in facets(wide, lang, OFFERED).items():
        values = []
        for value, label, count in counts:
            chosen = (facet, value) in question.filters
            added = (*question.filters, (facet, value))
            link = _without(question, facet, value) if chosen else address(question, filters=added)
            values.append({"label": label, "count": count, "url": link, "chosen": chosen})
        if values:
            found.append({"name": facet, "label": facet_name(facet, lang), "entries": values})
    return found


def _pages(question: Question, page: Page) -> dict[str, Any]:
    def link(number: int) -> str:
        return address(question, page=number) if number else ""

    return {
        "number": page.number,
        "pages": page.pages,
        "first": page.first,
        "last": page.last,
        "limited": page.limited,
        "previous": link(page.number - 1) if page.number > 1 else "",
        "next": link(page.number + 1) if page.number < page.pages else "",
        "links": [(number, link(number)) for number in page.offered()],
    }


def values(wide: Wide, place: Place, lang: str) -> dict[str, Any]:
    """The variables of results.html."""
    question, names, home = wide.plan.question, wide.names, wide.plan.home
    kept = [pair for pair in inputs.pairs(question) if pair[0] not in ("q", "field", "page")]
    marked = home if wide.plan.current != "library" else ""  # there every title is held
    hits = [_hit(each, marked, names, lang) for each in wide.answer.hits] if wide.answer else []
    hits += [_told(each, marked, names, lang) for each in wide.told.hits] if wide.told else []
    return {
        "query": question.text,
        "field": question.field,
        "kept": kept,
        "total": wide.page.total,
        "page": _pages(question, wide.page),
        "hits": hits,
        "facets": _facets(wide, lang),
        "applied": [
            {
                "facet": facet_name(facet, lang),
                "label": facet_label(facet, value, names, lang),
                "without": _without(question, facet, value),
            }
            for facet, value in question.filters
        ],
        "without_filters": address(question, filters=()),
        "sorts": [
            {"name": sort, "url": address(question, sort=sort), "current": sort == question.sort}
            for sort in inputs.SORTS
        ],
        "scopes": scope_view.levels(wide, place, lang, address),
        "told_by": scope_view.told_by(wide),
        "notice": scope_view.notice(wide, lang),
    }
