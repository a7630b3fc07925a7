"""Writes a corpus: a file for every library and the truth, streaming, in one pass.

`truth.ndjson` has `{"source", "local_id", "manifestation"}` for every record that a node should have after loading all
files in mode `changes`: not those deleted later in their file; a record sent twice once. Where a library gives no 001
the local id is the node's own rule for such records: `sha256:`, 16 hex digits of the record's bytes, `#1`.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from bench.generator import cnmarc, copies, marc21, works, writing
from bench.generator.book import Book
from bench.generator.copies import Copy
from bench.generator.draw import Draw, Wheel
from bench.generator.habits import Member, directory, members
from bench.generator.maker import Maker
from bench.generator.variation import vary

PART = 250_000  # records that one process makes
DELETE_AFTER = 40  # records of the same file between a record and its deletion
LAST_STAMP = "20240601120000.0"  # 005 of corrections and deletions: later than every other

# How many libraries want a manifestation: P(n ≥ k) = k^-0.95, as in union catalogues (most books few, some everywhere).
POPULARITY: Wheel[int] = Wheel(
    [(round(k**-0.95 - (k + 1) ** -0.95, 6), k) for k in range(1, 60)] + [(0.02, 60)],
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """One record as it stands in a library's file."""

    member: Member
    body: bytes
    local_id: str
    truth: str  # empty: the record leaves no trace (it is deleted, or repeats one that counts already)


class Shelf:
    """One library at work: numbers its records, repeats and deletes a few of them."""

    def __init__(self, member: Member, count: int = 0) -> None:
        self.member = member
        self.count = count
        self._doomed: deque[tuple[int, Book, Copy]] = deque()
        habit = member.habit
        self._write: Callable[[str, writing.Fields], bytes] = writing.writer(habit.carrier, habit.encoding)

    def accept(self, draw: Draw, book: Book) -> Iterator[Written]:
        """The library catalogues the book, and perhaps corrects or deletes something at the same time."""
        self.count += 1
        habit = self.member.habit
        seen = vary(draw, book)
        copy = copies.make(draw, self.member, seen, self.count)
        doomed = bool(copy.local_id) and draw.random() < habit.delete
        yield self._record(seen, copy, "" if doomed else book.truth)
        if doomed:
            self._doomed.append((self.count + DELETE_AFTER, seen, copy))
        elif copy.local_id and draw.random() < habit.repeat:
            yield self._record(seen, replace(copy, stamp=LAST_STAMP), "")
        while self._doomed and self._doomed[0][0] <= self.count:
            yield self._deletion()

    def catalogue(self, draw: Draw, book: Book) -> Written:
        """The library describes the book just as it is."""
        self.count += 1
        return self._record(book, copies.make(draw, self.member, book, self.count), book.truth)

    def close(self) -> Iterator[Written]:
        """Deletions still due."""
        while self._doomed:
            yield self._deletion()

    def _deletion(self) -> Written:
        _, book, copy = self._doomed.popleft()
        return self._record(book, replace(copy, stamp=LAST_STAMP), "", status="d")

    def _record(self, book: Book, copy: Copy, truth: str, status: str = "n") -> Written:
        habit = self.member.habit
        if habit.format == "cnmarc":
            body = self._write(cnmarc.leader(book, status), cnmarc.fields(book, copy, habit.dialect))
        else:
            fields = marc21.fields(book, copy, habit.dialect, habit.holdings)
            body = self._write(marc21.leader(book, habit.encoding, status), fields)
        local_id = copy.local_id or f"sha256:{hashlib.sha256(body).hexdigest()[:16]}#1"
        return Written(member=self.member, body=body, local_id=local_id, truth=truth)


def records(draw: Draw, shelves: list[Shelf], count: int, turn: int = 0, turns: int = 1) -> Iterator[Written]:
    """At least `count` records, family by family; at the end the deletions that are still due."""
    maker = Maker(draw, turn, turns)
    made = 0
    while made < count:
        for book in works.FAMILIES.spin(draw)(maker):
            for written in _deal(draw, book, shelves):
                made += 1
                yield written
            if made >= count:
                break
    for shelf in shelves:
        yield from shelf.close()


def _deal(draw: Draw, book: Book, shelves: list[Shelf]) -> Iterator[Written]:
    """As many libraries as want the book, in random order."""
    wanted = POPULARITY.spin(draw)
    for shelf in draw.some(shelves, len(shelves)):
        habit = shelf.member.habit
        if draw.random() < (habit.chinese if book.chinese else habit.western):
            yield from shelf.accept(draw, book)
            wanted -= 1
            if not wanted:
                return


def generate(out: Path, *, count: int, seed: int, libraries: int) -> list[Member]:
    """Write at least `count` records (a few deletions may follow) and the truth into `out`; returns the libraries.

    A large corpus is made in parts, on all cores; what comes out depends on the arguments alone.
    """
    out.mkdir(parents=True, exist_ok=True)
    made = members(libraries)
    parts = -(-count // PART)
    sizes = [count * (n + 1) // parts - count * n // parts for n in range(parts)]
    names = [*(member.file for member in made), "truth.ndjson"]
    with ExitStack() as stack:
        files = [stack.enter_context((out / name).open("wb")) for name in names]
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=out)))
        works = [(folder / str(n), size, seed, libraries, n, parts) for n, size in enumerate(sizes)]
        done: Iterator[Path]
        if parts == 1:
            done = map(_part, works)
        else:
            done = stack.enter_context(ProcessPoolExecutor(min(parts, os.cpu_count() or 1))).map(_part, works)
        for member, file in zip(made, files, strict=False):
            file.write(writing.HEAD[member.habit.carrier])
        for part in done:
            for name, file in zip(names, files, strict=True):
                with (part / name).open("rb") as piece:
                    shutil.copyfileobj(piece, file, 1 << 20)
            shutil.rmtree(part)
        for member, file in zip(made, files, strict=False):
            file.write(writing.FOOT[member.habit.carrier])
    (out / "libraries.toml").write_text(directory(made), encoding="utf-8")
    return made


def _part(work: tuple[Path, int, int, int, int, int]) -> Path:
    """Files of one part without their heads and feet; numbers that no other part has."""
    out, count, seed, libraries, turn, turns = work
    out.mkdir()
    made = members(libraries)
    shelves = [Shelf(member, turn * PART) for member in made]
    with ExitStack() as stack:
        files = {m.symbol: stack.enter_context((out / m.file).open("wb", buffering=1 << 20)) for m in made}
        truth = stack.enter_context((out / "truth.ndjson").open("w", encoding="utf-8", buffering=1 << 20))
        for written in records(Draw(seed + turn * 1_000_003), shelves, count, turn, turns):
            files[written.member.symbol].write(written.body)
            if written.truth:
                truth.write(_truth_line(written))
    return out


def _truth_line(written: Written) -> str:
    """Sources, ids and truths are plain ASCII without quotes: nothing in them needs escaping."""
    return (
        f'{{"source": "{written.member.source}", "local_id": "{written.local_id}",'
        f' "manifestation": "{written.truth}"}}\n'
    )
