"""Ordered lists of values beside an index: what a browser or a Scan walks along.

The engine knows every value but can't be asked for the next one, so the values are kept once more in a B-tree, by kind
and order. A value that went with its last title stays here: how many titles have one is always asked of the index, and
what has none is passed over. What is written is committed before the index is, so the index never knows a value that
is missing here. An index made again makes its lists again.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

from catalog.search import headings
from catalog.search.port import LISTS, MOST_LISTED, BadQuery, Listed, Stretch

FILE = "lists.db"
REMEMBERED = 50_000  # values that were written lately and need not be looked at again
STEP = 64  # values read at once
MOST_PASSED = 500  # values without a title that are looked at in a row …
MOST_PASSED_IN_ALL = 2_000  # … and on one side of a place: a small library has few of a long list
CACHE = 65_536  # kB: a build writes all over the tree

_TABLE = """
create table if not exists listed (
    kind text not null, place text not null, key text not null, shown text not null, primary key (kind, place, key)
) without rowid
"""

ONWARD = "select place, key, shown from listed where kind = ? and (place, key) > (?, ?) order by place, key limit ?"
BACKWARD = (
    "select place, key, shown from listed where kind = ? and (place, key) < (?, ?)"
    " order by place desc, key desc limit ?"
)


def check(folder: Path) -> None:
    """Raises ValueError if there is an index without whole lists."""
    if (folder / "meta.json").exists():
        try:
            with closing(_open(folder)) as file:
                file.execute("select 1 from listed limit 1").fetchone()
        except sqlite3.Error as error:
            raise ValueError(f"no ordered lists: {error}") from error


class Values:
    """The lists of one index, being written."""

    def __init__(self, folder: Path) -> None:
        self._file = sqlite3.connect(folder / FILE, isolation_level=None, check_same_thread=False)
        self._file.execute("pragma journal_mode = wal")
        self._file.execute(f"pragma cache_size = -{CACHE}")
        self._file.execute(_TABLE)
        self._known: set[tuple[str, str]] = set()
        self._fresh: dict[tuple[str, str, str], str] = {}

    def add(self, values: tuple[tuple[str, str], ...]) -> None:
        """Take over (kind, text as written) pairs; those that are known already cost nothing."""
        for pair in values:
            if pair not in self._known:
                self._known.add(pair)
                kind, text = pair
                if key := headings.key(kind, text):
                    self._fresh.setdefault((kind, headings.order(kind, text), key), text[: headings.LONGEST])

    def commit(self) -> None:
        """Make what was added visible and lasting."""
        if not self._fresh:
            return
        self._file.execute("begin immediate")
        rows = [(*place, shown) for place, shown in sorted(self._fresh.items())]
        self._file.executemany("insert or ignore into listed values (?, ?, ?, ?)", rows)
        self._file.execute("commit")
        self._fresh.clear()
        if len(self._known) > REMEMBERED:
            self._known.clear()

    def close(self) -> None:
        """Forget what was not committed."""
        self._file.close()


def stretch(folder: Path, kind: str, text: str, before: int, count: int, titles: Callable[[str], int]) -> Stretch:
    """See `port.Reader.scan`; `titles` tells how many have a value."""
    if kind not in LISTS:
        raise BadQuery(f"There is no list {kind!r}; use one of {', '.join(LISTS)}.")
    if not 0 < count <= MOST_LISTED or not 0 <= before <= count:
        raise BadQuery(f"A stretch of a list holds 1 to {MOST_LISTED} values.")
    place = headings.order(kind, text)
    with closing(_open(folder)) as file:
        earlier, start = _taken(_backward(file, kind, place), before, titles)
        later, end = _taken(_onward(file, kind, place), count - before, titles)
    return Stretch(values=(*reversed(earlier), *later), before=len(earlier), start=start, end=end)


def _taken(found: Iterator[tuple[str, str]], wanted: int, titles: Callable[[str], int]) -> tuple[list[Listed], bool]:
    """The first values that have titles; whether there are no more."""
    taken: list[Listed] = []
    passed = passed_in_all = 0
    while len(taken) < wanted and passed < MOST_PASSED and passed_in_all < MOST_PASSED_IN_ALL:
        key, shown = next(found, ("", ""))
        if not key:
            return taken, True
        if number := titles(key):
            taken.append(Listed(text=shown, count=number))
            passed = 0
        else:
            passed += 1
            passed_in_all += 1
    return taken, False


def _open(folder: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{(folder / FILE).as_uri()}?mode=ro", uri=True)


def _onward(file: sqlite3.Connection, kind: str, place: str) -> Iterator[tuple[str, str]]:
    """(key, text as written) from a place on, stretch by stretch."""
    key = ""
    while True:
        rows = file.execute(ONWARD, (kind, place, key, STEP)).fetchall()
        yield from ((key, shown) for _, key, shown in rows)
        if len(rows) < STEP:
            return
        place, key, _ = rows[-1]


def _backward(file: sqlite3.Connection, kind: str, place: str) -> Iterator[tuple[str, str]]:
    """The same before a place, the nearest first."""
    key = ""
    while True:
        rows = file.execute(BACKWARD, (kind, place, key, STEP)).fetchall()
        yield from ((key, shown) for _, key, shown in rows)
        if len(rows) < STEP:
            return
        place, key, _ = rows[-1]
