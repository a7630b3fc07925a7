"""No statement is built from what may come from outside (OWASP ASVS 5.0, 1.2.4; CWE-89)."""

from __future__ import annotations

from pathlib import Path

import pytest

from node.guard import PACKAGES
from tests.arch import statements

ROOT = Path(__file__).resolve().parents[2]

# Statements that are put together from more than fixed texts, each with the reason why that is safe.
BUILT = {
    "catalog/database/door.py:provide": "PostgreSQL's own format() with %I has quoted the names of roles",
    "catalog/database/migrate.py:_apply": "the text of a migration: a file of the program",
    "catalog/database/supervisor.py:provide": "PostgreSQL's own format() with %I and %L has quoted names and password",
    "catalog/database/supervisor.py:make_database": "the same, for the names of database and owner",
    "catalog/renaming.py:_write": "tables and columns come from the module's own lists",
}


def found(source: str) -> list[str]:
    """What of a module's text is held to be built."""
    return [each.text for each in statements.loose(statements.read(source, ROOT / "catalog" / "made_up.py"))]


def test_no_statement_is_built() -> None:
    built: dict[str, list[str]] = {}
    looked = 0
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            looked += 1
            for each in statements.loose(statements.read(path.read_text(encoding="utf-8"), path)):
                built.setdefault(each.place, []).append(f"line {each.line}: {each.text}")
    assert looked > 200
    unknown = {place: texts for place, texts in built.items() if place not in BUILT}
    assert not unknown, "bind parameters carry values; or name the reason in BUILT"
    assert set(BUILT) == set(built), "an exception that nothing needs any more"


@pytest.mark.parametrize(
    "statement",
    [
        "await conn.fetch(f'select * from t where a = {a}')",
        "await conn.fetch('select * from t where a = ' + a)",
        "await conn.fetch('select * from t where a = %s' % a)",
        "await conn.fetch('select * from t where a = {}'.format(a))",
        "await conn.fetch(' '.join(['select * from t order by', a]))",
        "await conn.fetch(a)",
        "await conn.execute(row['statement'])",
        "await conn.execute(load())",
        "await conn.execute(query=f'drop table {a}')",
        "await conn.copy_records_to_table(a, records=[])",
        "await conn.copy_records_to_table('t', records=[], columns=[a])",
        "async for row in conn.cursor(f'select {a}'): pass",
        "x = 'select 1'\n    x += a\n    await conn.fetch(x)",
        "x = 'select 1' if a else a\n    await conn.fetch(x)",
        "for x in a:\n        await conn.execute(f'delete from {x}')",
        "await conn.fetch(f'select {[b for b in a]}')",
        "with a as x:\n        await conn.fetch(x)",
        "await conn.fetch(f'select {kind.value}')",
        "await conn.fetch(LATER)",
    ],
)
def test_what_may_come_from_outside_is_found(statement: str) -> None:
    source = f"async def f(conn, row, a: str, kind: str):\n    {statement}\nLATER = input()\n"
    assert len(found(source)) == 1


@pytest.mark.parametrize(
    "statement",
    [
        "await conn.fetch('select * from t where a = $1', a)",
        "await conn.fetch(f'select {COLUMNS} from t where a = $1', a)",
        "await conn.fetch('select 1' if a else 'select 2')",
        "await conn.fetch(f\"select {', '.join('h.' + name for name in FIELDS)} from t\")",
        "x = 'select 1'\n    x += ' from t'\n    await conn.fetch(x)",
        "for x in ('t', 'u'):\n        await conn.execute(f'delete from {x}')",
        "await conn.fetch(f'select 1 from {kind.value}')",
        "await conn.fetch(f'select 1 where {visibility.VISIBLE}')",
        "await conn.fetch(f'select 1 where {HOLDS}')",
        "sets = ', '.join(f'{n} = ${i}' for i, n in enumerate(FIELDS, 2))\n    await conn.execute(f'update t {sets}')",
        "await pins.fetch(conn, a)",
        "await answer.prepare(request)",
    ],
)
def test_what_stands_in_the_program_passes(statement: str) -> None:
    source = (
        "from enum import StrEnum\nfrom catalog import pins, visibility\nfrom catalog.visibility import HOLDS\n"
        "class Kind(StrEnum):\n    A = 'a'\nFIELDS = ('a', 'b')\nCOLUMNS = ', '.join(FIELDS)\n"
        f"async def f(conn, request: web.Request, a: str, kind: Kind):\n    {statement}\n"
    )
    assert found(source) == []
