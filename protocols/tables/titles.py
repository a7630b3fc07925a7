"""Rows that are copies of one title (shell: what has to wait for the end of a table waits on disk).

Lists with one row a copy repeat the title in every row. A template says by what rows name the same title (`same`): the
list's own number of it, wherever the rows stand; or, where rows have no such number, ISBN and title in neighbouring
rows. A number that stands at different titles, as copied numbers do, is no name of any of them.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from array import array
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import IO, NamedTuple

from protocols.tables.cells import Row
from protocols.tables.header import Header, squeezed

MOST_COPIES = 5_000  # rows of one title; more than that are no copies
IN_MEMORY = 32 << 20  # bytes of rows, before they go to disk

Placed = tuple[Row, Header]
_Key = tuple[str, ...]


class Title(NamedTuple):
    """Rows of which one record is made. `unnamed`: the number that they have is of other titles too."""

    rows: tuple[Placed, ...]
    unnamed: bool = False


def titles(rows: Iterable[Placed]) -> Iterator[Title]:
    """The titles of a table, each where its first row stands; those of sheets with numbers behind the others."""
    with _Shelf() as shelf:
        yield from _joined(Title((one,)) for one in rows if not shelf.take(one))
        yield from _joined(shelf.titles())


def _joined(found: Iterable[Title]) -> Iterator[Title]:
    """Neighbours without a number that are the same title as one."""
    run: list[Placed] = []
    last: _Key = ()
    for each in found:
        key = _key(each.rows[0], number=False) if len(each.rows) == 1 and not _number(each.rows[0]) else ()
        if run and (key != last or not key or len(run) >= MOST_COPIES):
            yield _title(run)
            run = []
        last = key
        if key:
            run.append(each.rows[0])
        else:
            yield each
    if run:
        yield _title(run)


def _title(rows: Sequence[Placed], unnamed: bool = False) -> Title:
    """Rows in the order of their copies, so that a list in another order makes the same record."""
    return Title(tuple(sorted(rows, key=_copy)) if len(rows) > 1 else tuple(rows), unnamed)


def _copy(one: Placed) -> _Key:
    row, header = one
    return tuple(_cell(row, header, key) for key in header.template.copy)


def _number(one: Placed) -> str:
    """The number of its title, as it is compared."""
    row, header = one
    if row.fault or len(row.cells) > len(header.names):
        return ""
    return next((squeezed(_cell(row, header, group[0])) for group in header.template.same if _names(group, header)), "")


def _names(group: _Key, header: Header) -> bool:
    """Whether these columns begin with one that names records, and that the table has."""
    return group[0] in header.places and (group[0],) in header.template.id


def _key(one: Placed, *, number: bool) -> _Key:
    """What rows of the same title have in common, by their number or without it; () = nothing tells."""
    row, header = one
    if row.fault or len(row.cells) > len(header.names):
        return ()
    for group in header.template.same:
        if ((group[0],) in header.template.id) == number:
            told = tuple(squeezed(_cell(row, header, key)) for key in group)
            if told[0] and (number or all(told[1:2])):
                return told
    return ()


def _cell(row: Row, header: Header, key: str) -> str:
    place = header.places.get(key, -1)
    return row.cells[place] if 0 <= place < len(row.cells) else ""


class _Shelf:
    """Rows of sheets in which titles have numbers. They wait for the last one, for any of them may be of a title that
    has been before: in memory, or if they are many on disk, but for 16 bytes of each.
    """

    def __init__(self) -> None:
        self._spool: IO[bytes] = tempfile.SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115 - closed by __exit__
        self._headers: list[Header] = []
        self._digests = array("Q")  # of numbers; 0 = without one
        self._starts = array("Q")

    def __enter__(self) -> _Shelf:
        return self

    def __exit__(self, *_: object) -> None:
        self._spool.close()

    def take(self, one: Placed) -> bool:
        """Whether the row is of such a sheet: then it is kept."""
        row, header = one
        if not any(_names(group, header) for group in header.template.same):
            return False
        if not self._headers or self._headers[-1] is not header:
            self._headers.append(header)
        self._digests.append(_digest(_number(one)))
        self._starts.append(self._spool.tell())
        self._spool.write(json.dumps((len(self._headers) - 1, *row)).encode() + b"\n")
        return True

    def titles(self) -> Iterator[Title]:
        """Once, when all rows are there."""
        members, later = self._repeated()
        for place in range(len(self._starts)):
            if place in members:
                yield from _parted([self._row(each) for each in members[place]])
            elif place not in later:
                yield Title((self._row(place),))

    def _repeated(self) -> tuple[dict[int, list[int]], set[int]]:
        """Rows with the same number by the first of them, and all of these rows but the first."""
        members: dict[int, list[int]] = {}
        later: set[int] = set()
        order = sorted(range(len(self._starts)), key=self._digests.__getitem__)
        for digest, some in groupby(order, key=self._digests.__getitem__):
            if digest and len(places := list(some)) > 1:
                members[places[0]] = places
                later.update(places[1:])
        return members, later

    def _row(self, place: int) -> Placed:
        self._spool.seek(self._starts[place])
        sheet, number, cells, fault, name = json.loads(self._spool.readline())
        return Row(number, tuple(cells), fault, name), self._headers[sheet]


def _digest(number: str) -> int:
    told = number.encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.blake2b(told, digest_size=8).digest()) if told else 0


def _parted(rows: Sequence[Placed]) -> Iterator[Title]:
    """Rows of one number by their titles. One without a title (cells that were merged) is of the only one there is."""
    by: dict[_Key, list[Placed]] = {}
    for one in rows:
        by.setdefault(_key(one, number=True), []).append(one)
    whole = [key for key in by if any(key[1:])]
    if len(whole) == 1:
        same = [one for found in by.values() for one in found]
        by = {whole[0]: same}
    for found in by.values():
        if len(found) > MOST_COPIES:
            yield from (Title((one,), unnamed=True) for one in found)
        else:
            yield _title(found, unnamed=len(by) > 1)
