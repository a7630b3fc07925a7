"""What people said of merged records, when the records that it names get other ids (store)."""

from __future__ import annotations

from collections.abc import Mapping

from catalog.connection import Connection


async def rename(conn: Connection, source: int, names: Mapping[str, str]) -> None:
    """Words on bases and on authority ids name the records by their new ids; of two that become one the first stays.

    They are taken out and put in again, because names may be given and taken at once, and two may become one.
    """
    for table, which in (("base_choice", ""), ("authority_conflict", "_a"), ("authority_conflict", "_b")):
        rows = await conn.fetch(
            f"delete from {table} t where source{which} = $1 and local_id{which} = any($2) returning to_jsonb(t) told",
            source,
            list(names),
        )
        told = sorted((row["told"] for row in rows), key=lambda row: str(row[f"local_id{which}"]))
        await conn.execute(
            f"""insert into {table} overriding system value select * from jsonb_populate_recordset(null::{table}, $1)
                on conflict do nothing""",
            [row | {f"local_id{which}": names[row[f"local_id{which}"]]} for row in told],
        )
