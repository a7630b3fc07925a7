"""Renaming of source records: wherever the local id of a record stands it becomes another (store).

Other nodes go on knowing a record's copies by its first id: `known_as` has it, and each copy (`holding.named`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from catalog import said
from catalog.connection import Connection

_ASIDE = "\x01"  # begins names within one statement's transaction, where a name is given and taken at once

# Tables in whose keys records are named, so that two may not swap their names in one statement: source and local id.
_KEYED = (
    ("holding", "source", "local_id"),
    ("handle", "source", "local_id"),
    ("attached", "source", "local_id"),
    ("batch_record", "source", "local_id"),
    ("known_as", "source", "local_id"),
    ("record", "source", "local_id"),  # `authority` follows by its foreign key
)
_LISTED = ("finding", "quarantine")  # tables with any number of rows of a record
# Columns that name records from elsewhere. Holdings records name their parents too (`_PARENTS`), decisions records;
# what people said of merged records goes by `catalog.said`.
_POINTING = (
    ("attached", "parent_source", "parent_id"),
    ("pin", "source_a", "local_id_a"),
    ("pin", "source_b", "local_id_b"),
    ("correction", "source", "target"),
    ("submission", "source", "local_id"),
)


async def rename(conn: Connection, source: int, names: Mapping[str, str], making_way: Mapping[str, str]) -> None:
    """Records get these new ids, all at once, wherever they are named. `making_way`: those of them that other nodes are
    not to know by their former id."""
    if not names:
        return
    known = [one for one in names if one not in making_way]
    await conn.execute(
        """update holding h set named = h.local_id from unnest($2::text[]) i (old)
           where h.source = $1 and h.local_id = i.old and h.named = '' and h.origin = ''""",
        source,
        known,
    )
    await conn.execute(
        """insert into known_as (source, local_id, named)
           select $1, r.local_id, r.local_id from unnest($2::text[]) i (old)
           join record r on r.source = $1 and r.local_id = i.old on conflict do nothing""",
        source,
        known,
    )
    await _keyed(conn, source, names)
    for table in _LISTED:
        await _write(conn, table, "source", "local_id", source, names)
    await point(conn, source, names)


async def _keyed(conn: Connection, source: int, names: Mapping[str, str]) -> None:
    """Rows whose key has the id: by a name aside where one takes what another leaves in the same breath."""
    rounds = [names]
    if names.keys() & set(names.values()):
        rounds = [{old: _ASIDE + new for old, new in names.items()}, {_ASIDE + new: new for new in names.values()}]
    for some in rounds:
        for table, of, name in _KEYED:
            await _write(conn, table, of, name, source, some)


async def _write(conn: Connection, table: str, of: str, name: str, source: int, names: Mapping[str, str]) -> None:
    """New names in a column `name` of rows that are of the source by the column `of`."""
    await conn.execute(
        f"""update {table} t set {name} = i.new from unnest($2::text[], $3::text[]) i (old, new)
            where t.{of} = $1 and t.{name} = i.old""",
        source,
        list(names),
        list(names.values()),
    )


async def point(conn: Connection, source: int, names: Mapping[str, str]) -> None:
    """Whatever names these records beside its own key names them by their new ids: holdings records their parents, pins
    and decisions what they are about."""
    await conn.execute(_PARENTS, source, list(names), list(names.values()))
    for table, of, name in _POINTING:
        await _write(conn, table, of, name, source, names)
    await words(conn, source, names)


async def words(conn: Connection, source: int, names: Mapping[str, str]) -> None:
    """What people said of these records is said of those that bear the new ids: decisions, bases, authority ids."""
    await _decided(conn, source, names)
    await said.rename(conn, source, names)


# Holdings records name their parents by its id: those of the source itself, those of sheets beside it, those attached.
_PARENTS = """
    update record h set parent = 'id:' || i.new
    from unnest($2::text[], $3::text[]) i (old, new), source s, source o
    where s.source = $1 and h.library = s.library and h.kind = 2 and h.parent = 'id:' || i.old and o.source = h.source
        and (h.source = $1 or o.mapping->>'parents' = s.name
             or exists (select from attached a where a.source = h.source and a.local_id = h.local_id
                        and a.parent_source = $1))"""


async def _decided(conn: Connection, source: int, names: Mapping[str, str]) -> None:
    """Decisions name the records by their new ids."""
    for side in ("records", "others"):
        await conn.execute(
            f"""with i as (select * from unnest($2::text[], $3::text[]) i (old, new)),
                    meant as (
                        select distinct d.decision from decision d
                        cross join lateral jsonb_array_elements(d.{side}) e
                        join i on i.old = e->>1 where (e->>0)::int = $1)
               update decision d set {side} = (
                   select jsonb_agg(case when i.new is null then e else jsonb_build_array($1::int, i.new) end
                                    order by n)
                   from jsonb_array_elements(d.{side}) with ordinality x (e, n)
                   left join i on i.old = e->>1 and (e->>0)::int = $1)
               from meant where d.decision = meant.decision""",
            source,
            list(names),
            list(names.values()),
        )


async def lost(conn: Connection) -> None:
    """A pin of a record with itself holds nothing: both of its records went into one."""
    await conn.execute("delete from pin where (source_a, local_id_a) = (source_b, local_id_b)")


async def examples(conn: Connection, source: int, number: int) -> None:
    """The ids that are kept as examples beside counts of findings are the new ones."""
    for statement in (
        """update quality_rule q set examples = array(
               select coalesce((select k.new from rekeyed k where k.source = $1 and k.rekey = $2 and k.old = e), e)
               from unnest(q.examples) with ordinality x (e, n) order by n)
           where q.source = $1 and q.examples <> '{}'""",
        """update load_rule q set examples = array(
               select coalesce((select k.new from rekeyed k where k.source = $1 and k.rekey = $2 and k.old = e), e)
               from unnest(q.examples) with ordinality x (e, n) order by n)
           from load l where l.load = q.load and l.source = $1 and q.examples <> '{}'""",
    ):
        await conn.execute(statement, source, number)


async def any_of_source(conn: Connection, source: int) -> bool:
    """Was the source ever re-keyed? Most were not: then nothing else need be asked."""
    found: bool = await conn.fetchval("select exists (select from known_as where source = $1)", source)
    return found


async def name_copies(conn: Connection, source: int, local_ids: Sequence[str]) -> None:
    """Other nodes know the copies of these records, which were just written, by the ids that they have known them by. A
    new record whose id they know another one's copies by gets a name of its own."""
    await conn.execute(
        """insert into known_as (source, local_id, named)
           select $1, i.local_id, i.local_id || '~' || (select max(rekey) from rekey where source = $1)
           from unnest($2::text[]) i (local_id)
           join known_as k on k.source = $1 and k.named = i.local_id and k.local_id <> i.local_id
           on conflict do nothing""",
        source,
        list(local_ids),
    )
    await conn.execute(
        """update holding h set named = k.named from known_as k
           where k.source = $1 and k.local_id = any($2::text[]) and h.source = $1 and h.local_id = k.local_id
               and h.origin = ''""",
        source,
        list(local_ids),
    )
