"""What the results page shows: hits, facets and pages as values with their addresses (pure)."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from catalog.model import Library, Published
from node.web import inputs, view
from node.web.labels import facet_label, facet_name, library_name
from services.delivery import dublin, rows
from services.discovery.find import Answer, Question
from services.discovery.page import Page

NAMED = 4  # holding libraries named in a hit
OTHER_TITLES = 3
OFFERED = 12  # values of a facet


def address(question: Question, **changes: Any) -> str:
    """The address of the same question with changes; any change but the page's own begins on page one."""
    parameters = inputs.pairs(dataclasses.replace(question, **({"page": 1} | changes)))
    return f"/search?{urlencode(parameters)}" if parameters else "/search"


def _without(question: Question, facet: str, value: str) -> str:
    return address(question, filters=tuple(each for each in question.filters if each != (facet, value)))


def _hit(published: Published, names: Mapping[str, Library], lang: str) -> dict[str, Any]:
    of = published.description
    assert of is not None  # find() leaves deleted records out
    return {
        "url": view.record_url(published.id),
        "heading": dublin.heading(of),
        "parallel": " = ".join(of.parallel[:OTHER_TITLES]),
        "responsibility": of.responsibility or "; ".join(of.authors),
        "publication": rows.publication(of),
        "edition": of.edition,
        "kind": rows.name("kind", of.kind, lang),
        "libraries": len(published.libraries),
        "library_names": [library_name(each, names, lang) for each in published.libraries[:NAMED]],
    }


def _facets(question: Question, answer: Answer, names: Mapping[str, Library], lang: str) -> list[dict[str, Any]]:
    found = []
    for facet, counts in answer.facets.items():
        values = []
        for place, (value, count) in enumerate(counts):
            chosen = (facet, value) in question.filters
            if place >= OFFERED and not chosen:
                continue
            added = (*question.filters, (facet, value))
            link = _without(question, facet, value) if chosen else address(question, filters=added)
            label = facet_label(facet, value, names, lang)
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


def values(question: Question, answer: Answer, names: Mapping[str, Library], lang: str) -> dict[str, Any]:
    """The variables of results.html."""
    kept = [pair for pair in inputs.pairs(question) if pair[0] not in ("q", "field", "page")]
    return {
        "query": question.text,
        "field": question.field,
        "kept": kept,
        "total": answer.page.total,
        "page": _pages(question, answer.page),
        "hits": [_hit(each, names, lang) for each in answer.hits],
        "facets": _facets(question, answer, names, lang),
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
    }
