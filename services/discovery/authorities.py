"""Authority records, searched apart: who and what has which name, and what it is called besides."""

from __future__ import annotations

from dataclasses import dataclass

from catalog import authority, heading
from catalog.authority import Authority
from catalog.connection import Connection
from catalog.naming import Naming
from services.discovery.page import Page

KINDS = tuple(each.name.lower() for each in Naming)


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is looked for."""

    text: str
    kind: str = ""  # one of `KINDS`; "" = all
    page: int = 1
    size: int = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A page of what was found, the best matches first."""

    page: Page
    found: tuple[Authority, ...]


async def find(conn: Connection, question: Question) -> Answer:
    """Raises `port.BadQuery` where there is nothing to look for."""
    asked = heading.asked(question.text)
    total, found = await authority.find(
        conn,
        asked,
        kind=KINDS.index(question.kind) if question.kind else None,
        offset=(question.page - 1) * question.size,
        limit=question.size,
    )
    page = Page(number=question.page, size=question.size, total=total, deepest=authority.MOST)
    return Answer(page=page, found=tuple(found))


def told(found: Authority) -> dict[str, object]:
    """What programs get of one."""
    return {
        "id": f"{found.source}/{found.local_id}",
        "library": found.library,
        "kind": KINDS[found.kind],
        "heading": found.heading,
        "variants": list(found.variants),
        "related": list(found.related),
        "identifiers": list(found.identifiers),
    }
