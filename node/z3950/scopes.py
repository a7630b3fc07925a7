"""Whose titles a database has: its scope as this node answers it, seen from a library (pure)."""

from __future__ import annotations

from collections.abc import Collection

from config.errors import Refused
from protocols.z3950.diagnostics import Bib1
from services.discovery import scope
from services.discovery.find import Question
from services.discovery.registry import Directory
from services.discovery.scope import NoSuchScope, Place
from services.retrieval.databases import SCOPES, Database, Databases


class NoDatabase(Refused):
    """A database whose scope this node doesn't answer for."""

    code = "no-such-database"

    def __init__(self, wanted: Database) -> None:
        super().__init__(wanted.name)
        known = wanted.scope in SCOPES  # others are libraries
        self.number = Bib1.DATABASE_UNAVAILABLE if known else Bib1.NO_SUCH_DATABASE


def libraries(
    wanted: Collection[Database], place: Place, directory: Directory, home: str = ""
) -> frozenset[str] | None:
    """Whose titles are searched in all of them together, from the library `home` ("" = the node's own); None = all.
    Raises NoDatabase.
    """
    found: frozenset[str] = frozenset()
    for each in wanted:
        if not each.scope:
            return None
        if each.scope in directory.names:
            found |= {each.scope}
            continue
        try:
            level = scope.plan(place, directory, Question(scope=each.scope, home=home or place.home)).level
        except NoSuchScope as error:
            raise NoDatabase(each) from error
        if level is None:
            raise NoDatabase(each)
        if level.libraries is None:
            return None
        found |= level.libraries
    return found


def answered(known: Databases, place: Place, directory: Directory) -> tuple[Database, ...]:
    """The databases that whoever has no account can search; besides them each of ours with a library's symbol."""
    return tuple([each for each in known.every() if _is_answered(each, place, directory)])


def _is_answered(each: Database, place: Place, directory: Directory) -> bool:
    try:
        libraries((each,), place, directory)
    except NoDatabase:
        return False
    return True
