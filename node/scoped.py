"""A search over the network from the command line: as the web door asks it, for one question (shell)."""

from __future__ import annotations

import asyncio

from catalog.search.port import Reader
from node import outgoing
from node.app import Node
from node.web import asking, context, scope_view
from services.delivery import values
from services.discovery import wide
from services.discovery.find import Question
from services.discovery.registry import Registry
from services.discovery.wide import Wide


async def look(node: Node, reader: Reader, question: Question) -> Wide:
    """The answer of the level asked for, and the counts of all. Raises `scope.NoSuchScope`."""
    now = asyncio.get_running_loop().time()
    async with asking.making(outgoing.rules(node.settings)) as asker:
        return await wide.look(
            node.database.connection, reader, asker, Registry(), context.place(node), question, wide.visit(None, 0, now)
        )


def rows(found: Wide) -> list[dict[str, object]]:
    """A line for each hit, this node's own or a parent's."""
    own = [values.brief(hit) for hit in found.answer.hits] if found.answer else []
    told = (
        [{name: getattr(hit, name) for name in hit.__struct_fields__} for hit in found.told.hits] if found.told else []
    )
    return own + told


def levels(found: Wide) -> str:
    """How many titles each level has, narrow to wide; – where nobody said."""
    counts = [(level, "–" if level.count is None else f"{level.count:,}") for level in found.levels]
    return " > ".join(" ".join(filter(None, (level.key, level.name, count))) for level, count in counts)


def notice(found: Wide, lang: str) -> str:
    """What must be said of a level that didn't answer; "" if all is well."""
    return scope_view.notice(found, lang)
