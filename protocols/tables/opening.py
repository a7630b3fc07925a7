"""An opened table: rows go in, lines of MARC-in-JSON come out, as of any other file (shell).

The template is found before anything is read on: the one that was chosen, or the ready one that knows most of the
header's columns. Of a workbook every sheet is read whose header row fits it, and the others are named.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Generator, Iterator, Sequence
from itertools import chain, groupby, islice
from typing import cast

from config.errors import BadRecord, Misconfigured, Refused
from protocols.gunzip import Input
from protocols.tables import cells, header, rows, template, titles, workbook
from protocols.tables.cells import Row
from protocols.tables.header import Header
from protocols.tables.rows import Given
from protocols.tables.template import Template
from protocols.tables.titles import Placed

HEAD = 1 << 20
LOST = "surrogateescape"  # bytes without meaning stay what they are (PEP 383)


class NoTemplate(BadRecord):
    """No template knows this table's columns."""

    code = "no-template"


class Table(io.RawIOBase):
    """Reads like `protocols.gunzip.Input`, which it is made of. Raises `NoTemplate`, or `workbook.BadWorkbook`."""

    compressed = True  # its size is not that of its lines

    def __init__(
        self,
        source: Input,
        name: str,
        chosen: Template | None = None,
        encoding: str = "auto",
        given: Given = rows.NOTHING_GIVEN,
    ) -> None:
        super().__init__()
        self.name = name
        self.headers: list[Header] = []  # of every sheet that is read, as far as it has been
        self.skipped: list[str] = []  # sheets without such a header
        self._source = source
        self._templates = [chosen] if chosen else list(template.ready().values())
        self._seen: tuple[str, ...] = ()  # the widest row where a header was looked for
        self._buffer = bytearray()
        self._fault: BadRecord | Refused | None = None
        head = source.head(HEAD)
        if workbook.is_workbook(head):
            told = _of_workbook(source)
        else:
            codec = cells.encoding_of(head) if encoding == "auto" else encoding
            told = cells.rows(_lines(source, codec), cells.separator_of(_text(head, codec)) or ",")
        self._lines = self._made(told, given)
        self._more()
        if not self.headers:
            if self._fault:
                raise type(self._fault)(f"{name}: {self._fault}") from self._fault
            raise NoTemplate(f"{name}: {self._unknown()}")

    @property
    def digest(self) -> bytes:
        """SHA-256 of the source up to where it has been read."""
        return self._source.digest

    def readable(self) -> bool:
        """Always."""
        return True

    def seekable(self) -> bool:
        """Never: lines are made one after the other."""
        return False

    def read(self, size: int = -1) -> bytes:
        """Up to `size` bytes of lines; empty only at the end. A fault of the source is raised behind the last line."""
        while (size < 0 or len(self._buffer) < size) and self._more():
            pass
        if self._fault and not self._buffer:
            raise self._fault
        taken = bytes(self._buffer if size < 0 else self._buffer[:size])
        del self._buffer[: len(taken)]
        return taken

    def close(self) -> None:
        """Close the source too."""
        if not self.closed:
            self._lines.close()
            self._source.close()
        super().close()

    def _more(self) -> bool:
        """One line more; False at the end."""
        if self._fault:
            return False
        try:
            line = next(self._lines, None)
        except (BadRecord, Refused) as error:
            self._fault = error
            return False
        if line:
            self._buffer += line
        return line is not None

    def _made(self, told: Iterator[Row], given: Given) -> Generator[bytes, None, None]:
        behind: list[BadRecord | Refused] = []
        for title in titles.titles(self._placed(told, behind)):
            yield from rows.lines(title, given)
        for fault in behind:
            raise fault

    def _placed(self, told: Iterator[Row], behind: list[BadRecord | Refused]) -> Iterator[Placed]:
        """The rows of every sheet that has a header. A fault of the source ends them, and is put into `behind`."""
        try:
            for sheet, group in groupby(told, key=lambda row: row.sheet):
                opening = list(islice(group, header.DEEPEST))
                found = find(opening, self._templates)
                if found is None:
                    self.skipped.append(sheet)
                    self._seen = max([self._seen, *(row.cells for row in opening)], key=_filled)
                    continue
                first, columns = found
                self.headers.append(columns)
                for row in chain(opening[first:], group):
                    yield row, columns
        except (BadRecord, Refused) as error:
            behind.append(error)

    def _unknown(self) -> str:
        names = ", ".join(filter(None, map(str.strip, self._seen)))[:400]
        known = ", ".join(each.name for each in self._templates)
        return f"no template ({known}) knows these columns: {names or 'there are none'}. See docs/templates.md"


def is_table(head: bytes) -> bool:
    """Whether a stream that begins with `head` is a workbook, or a text with column names that a ready template knows.

    A workbook is one whatever is in it; so is no file of MARC records, which are told by their separators.
    """
    if workbook.is_workbook(head):
        return True
    text, separator = _divided(head)
    if not separator:
        return False
    lines = text.splitlines(keepends=True)[: 2 * header.DEEPEST]
    opening = list(islice(cells.rows(lines, separator), header.DEEPEST))
    return find(opening, list(template.ready().values())) is not None


def is_divided(head: bytes) -> bool:
    """Whether a text that begins with `head` is divided into cells, most lines into as many."""
    return bool(_divided(head)[1])


def _divided(head: bytes) -> tuple[str, str]:
    """(text, separator) of the beginning of a table; the separator is "" if it is something else."""
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
    wide = head[:2] in (b"\xff\xfe", b"\xfe\xff") or b"\0" in head[:400]
    if start in (b"", b"<", b"{", b"[") or (not wide and (b"\x1e" in head or b"\x1d" in head)):
        return "", ""
    text = _text(head[:HEAD], cells.encoding_of(head[:HEAD]))
    return text, cells.separator_of(text)


def find(opening: Sequence[Row], templates: Sequence[Template]) -> tuple[int, Header] | None:
    """(place of the first row behind the header, header) in the first rows of a table; None if no template fits."""
    for each in templates:
        if not each.header:
            wide = max((len(row.cells) for row in opening), default=0)
            if found := header.fitted([""] * wide, each):
                return 0, found
    for place, row in enumerate(opening):
        if not row.fault and (found := header.best(row.cells, templates)):
            return place + 1, found
    return None


def digest_of(chosen: Template | None) -> bytes:
    """What tells a load by one template from a load by another: the digest of the chosen one, or of all ready ones."""
    return chosen.digest if chosen else hashlib.sha256(b"".join(e.digest for e in template.ready().values())).digest()


def _filled(names: Sequence[str]) -> int:
    return sum(bool(name.strip()) for name in names)


def _text(head: bytes, codec: str) -> str:
    try:
        return head.decode(codec, LOST)
    except LookupError as error:
        raise Misconfigured(f"tables can't be read in the encoding {codec}") from error
    except UnicodeDecodeError:  # UTF-16 cut within a character, which has no such way out
        return head.decode(codec, "replace")


def _lines(source: Input, codec: str) -> Iterator[str]:
    """Lines with their ends. One that is too long comes shortened to a little more than the bound."""
    wide = codec.startswith("utf-16")
    with io.TextIOWrapper(
        io.BufferedReader(cast(io.RawIOBase, source)), codec, "replace" if wide else LOST, newline=""
    ) as text:
        while line := text.readline(cells.LONGEST_LINE + 1):
            rest = line
            while len(rest) > cells.LONGEST_LINE and not rest.endswith(("\n", "\r")):
                rest = text.readline(cells.LONGEST_LINE + 1)
            yield line


def _of_workbook(source: Input) -> Iterator[Row]:
    data = source.read(workbook.MOST_BYTES + 1)
    if len(data) > workbook.MOST_BYTES:
        raise workbook.BadWorkbook(f"the workbook has more than {workbook.MOST_BYTES:,} bytes: save it as CSV")
    return workbook.rows(data)
