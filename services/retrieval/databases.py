"""Databases: names under which the one catalogue can be searched (pure).

A name chooses how far one looks and in which dialect of MARC records come: `CNMARC-CALIS` is everything in the form of
CALIS, `CNMARC-CALIS-province` the libraries of the province. Whoever runs the node may give further names.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

DEFAULT = "Default"
LONGEST = 100  # characters of a name that we don't list
SCOPES = ("library", "city", "province", "nation")  # levels of the scope bar
MARC21, CALIS, NLC = "marc21", "cnmarc-calis", "cnmarc-nlc"
# "" = records stay in the format that they are catalogued in.
DIALECTS: Mapping[str, str] = {DEFAULT: "", "MARC21": MARC21, "CNMARC-CALIS": CALIS, "CNMARC-NLC": NLC}


@dataclass(frozen=True, slots=True, kw_only=True)
class Database:
    """A name, and what stands behind it."""

    name: str
    dialect: str  # of MARC, "" = each record's own
    scope: str = ""  # one of `SCOPES`, a library's symbol, or "" = all that the node holds


class Databases:
    """All databases of a node."""

    def __init__(self, named: Iterable[Database] = ()) -> None:
        """`named` are the operator's, which come before ours of the same name."""
        own = [Database(name=name, dialect=dialect) for name, dialect in DIALECTS.items()]
        scoped = [
            Database(name=f"{each.name}-{scope}", dialect=each.dialect, scope=scope) for each in own for scope in SCOPES
        ]
        self._all = {each.name.lower(): each for each in (*own, *scoped, *named)}

    def every(self) -> tuple[Database, ...]:
        """Those that are listed; besides them each of ours followed by `-` and a library's symbol."""
        return tuple(self._all.values())

    def find(self, name: str) -> Database | None:
        """The database of that name, whatever the case of its letters; None if there is none."""
        known = self._all.get(name.lower())
        if known is not None or len(name) > LONGEST:
            return known
        for base, dialect in DIALECTS.items():
            if name.lower().startswith(f"{base.lower()}-"):
                return Database(name=name, dialect=dialect, scope=name[len(base) + 1 :].upper())
        return None
