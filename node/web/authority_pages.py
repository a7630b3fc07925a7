"""Authority records for people and programs. A name leads on to the titles that it is found in."""

from __future__ import annotations

import re

from aiohttp import web

from catalog import authority
from catalog.authority import Authority
from catalog.search import port
from node.web import api, context, inputs, view
from services.discovery import authorities
from services.discovery.authorities import KINDS, Answer, Question

# Field of the bibliographic search in which a heading of a kind is looked for; the others are subjects.
FIELDS = {
    "person": "author", "corporate": "author", "meeting": "author", "title": "title", "classification": "class",
    "other": "any",
}  # fmt: skip
_DATES = re.compile(r"[\s,(（]+(?:ca\. |b\. |d\. )?\d{3,4}\??\s*-\s*(?:\d{3,4}\??)?[)）.]*$")


async def page(request: web.Request) -> web.StreamResponse:
    """A search box; the names that a question finds."""
    question = inputs.names(request.query)
    async with context.connection(request) as conn:
        answer = await authorities.find(conn, question) if question.text else None
        count = 0 if answer else await authority.count(conn)
    return view.page(
        request,
        "authorities.html",
        query=question.text,
        kind=question.kind,
        kinds=KINDS,
        count=count,
        total=answer.page.total if answer else 0,
        found=[_shown(each) for each in answer.found] if answer else [],
        page=_paging(question, answer) if answer else None,
    )


def _shown(each: Authority) -> dict[str, object]:
    kind = KINDS[each.kind]
    return {
        **authorities.told(each),
        "titles": view.url("/search", q=_asked(each.heading, kind), field=FIELDS.get(kind, "subject")),
        "related": [{"name": name, "url": view.url("/authorities", q=name)} for name in each.related],
    }


def _asked(heading: str, kind: str) -> str:
    """The heading as a reader would type it: without dates and subdivision marks; of a class its first number."""
    if kind == "classification":
        return heading.split()[0].partition("-")[0]
    return _DATES.sub("", heading).replace("--", " ")[: port.LONGEST_TEXT]


def _paging(question: Question, answer: Answer) -> dict[str, object]:
    def to(number: int) -> str:
        return view.url("/authorities", q=question.text, kind=question.kind, page=number if number > 1 else "")

    pages = answer.page
    return {
        "number": pages.number,
        "pages": pages.pages,
        "first": pages.first,
        "links": [(number, to(number) if number else "") for number in pages.offered()],
        "previous": to(pages.number - 1) if pages.number > 1 else "",
        "next": to(pages.number + 1) if pages.number < pages.pages else "",
    }


async def document(request: web.Request) -> web.StreamResponse:
    """The same for programs."""
    question = inputs.names(request.query, strict=True)
    async with context.connection(request) as conn:
        answer = await authorities.find(conn, question)
    return api.answer(
        {
            "query": question.text,
            "total": answer.page.total,
            "page": answer.page.number,
            "pages": answer.page.pages,
            "limit": answer.page.size,
            "authorities": [authorities.told(each) for each in answer.found],
        }
    )
