"""Sheets of holdings beside bibliographic records that come otherwise: a companion source of the same library (store).

It is a source like any other, so a full load of a sheet, its undo and its limits never touch a bibliographic record.
Its mapping names the source of the parents, and by what the rows name them (`catalog.attached`).
"""

from __future__ import annotations

import json
from dataclasses import replace

from catalog import sources
from catalog.attached import JOIN, PARENTS
from catalog.connection import Connection
from catalog.model import Source
from config.errors import Conflict, Misconfigured, NotFound

JOINS = {"id": "id", "call-number": "call", "barcode": "item"}  # as it is said -> in the mapping
SUFFIX = "-holdings"
LIBRARIES = "libraries"  # in a mapping: the symbols of libraries by their names in records


async def companion(conn: Connection, base: Source, join: str | None) -> Source:
    """The source of sheets of holdings beside `base`, made if it is new; it shares what that one shares. `join`: one of
    JOINS, None = as before, at first `id`. Conflict if another source has its name.
    """
    if PARENTS in base.mapping:
        raise Misconfigured(f"{base.name} is itself the source of sheets of holdings: name {base.mapping[PARENTS]}")
    name = base.name + SUFFIX
    try:
        found = await sources.get(conn, name)
    except NotFound:
        mapping: dict[str, object] = {PARENTS: base.name, JOIN: JOINS[join or "id"]}
        mapping |= {key: base.mapping[key] for key in (LIBRARIES,) if key in base.mapping}
        made = await sources.add(
            conn, name, base.library, format="marc21", mapping=mapping, visibility=base.visibility, trust=base.trust
        )
        if base.sharing:
            await sources.share(conn, made.no, base.sharing)
        return await sources.get(conn, name)
    if found.mapping.get(PARENTS) != base.name or found.library != base.library:
        raise Conflict(f"there is a source {name} already that holds no sheets of {base.name}: rename one of them")
    if join and found.mapping[JOIN] != JOINS[join]:
        found.mapping[JOIN] = JOINS[join]
        await conn.execute(
            "update source set mapping = $2::text::jsonb where source = $1",
            found.no,
            json.dumps(found.mapping, ensure_ascii=False),
        )
    return found


async def follow(conn: Connection, base: Source) -> None:
    """What is said of a source holds for its sheets of holdings as well: whose copies they are, who may see them."""
    try:
        found = await sources.get(conn, base.name + SUFFIX)
    except NotFound:
        return
    if found.mapping.get(PARENTS) != base.name:
        return
    mapping = {key: value for key, value in found.mapping.items() if key != LIBRARIES}
    mapping |= {key: base.mapping[key] for key in (LIBRARIES,) if key in base.mapping}
    await sources.change(conn, replace(found, mapping=mapping, visibility=base.visibility, trust=base.trust))
