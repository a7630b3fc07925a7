"""From a file, a pipe or a .gz to stretches: pieces of about 1 MB that end where a record ends.

A stretch is what lands in the inbox and what `protocols.reading.read` takes: it can be read alone. Memory stays within
a few megabytes whatever the input is.

- ISO 2709 is cut after the record terminator 1D, never by leader lengths.
- MARC-in-JSON lines (also an array with one object a line) are cut at line ends. Any other JSON (pretty-printed
  objects, an array on one line, an object around an array) is one document: one stretch of at most 64 MB.
- MARCXML is cut after a `record` end tag. If the document declares an encoding, every later stretch begins with the
  declaration again; `position` is set back by its length, so that `position` + a place in `data` is always right.
- UTF-16 and UTF-32 are turned into UTF-8 first; positions then count UTF-8 bytes.
"""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from config.errors import BadRecord, NotFound, Refused
from protocols import marcjson, standard_input, xmlscan
from protocols.detect import HEAD, ISO2709, KINDS, LINES, MARCJSON, MARCXML, wide_encoding
from protocols.gunzip import Input
from protocols.xmlscan import Shape

Readable = BinaryIO | io.RawIOBase
SIZE = 1 << 20
MAX_RECORD = 1 << 24  # bytes without a record's end that are believed to be one record
MAX_DOCUMENT = 1 << 26  # bytes of a JSON document that is not one object a line
XML = frozenset((MARCXML, *KINDS))
ENDING = 1 << 12  # bytes in which a document's last end tag is looked for
_ROOT = re.compile(rb"<([A-Za-z_][\w.-]*(?::[\w.-]+)?)(?:\s[^<>]*?)?(/)?>")
_ENVELOPES = frozenset((
    "collection", "records", "record", "recordList", "OAI-PMH", "ListRecords", "GetRecord", "searchRetrieveResponse",
    "modsCollection", "metadata", "repository", "present", "oai_marc", "feed", "mods", "dc", "rdf", "RDF", "root",
))  # fmt: skip
SHOWN = 1 << 16  # bytes kept of what is too long


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """Bytes of the input from `position` on (bytes from the start of the decompressed input).

    A `fault` says why the stretch can't be read: `data` is then only the beginning of `length` bytes, to be put into
    quarantine and not to be given to `reading.read`.
    """

    position: int
    data: bytes
    length: int  # bytes of input this stretch stands for
    fault: str = ""

    @property
    def end(self) -> int:
        """Where the next stretch begins: the checkpoint."""
        return self.position + self.length


def open_input(path: str) -> Input:
    """Open a file, or standard input for "-", un-gzipping it if it is gzip. Raises `NotFound` or `Refused`."""
    if path == "-":
        return Input(standard_input.opened(), "standard input")
    try:
        return Input(open(path, "rb"), path)
    except FileNotFoundError as error:
        raise NotFound(f"{path}: no such file") from error
    except OSError as error:
        raise Refused(f"{path}: {error.strerror}") from error


def stretches(stream: Readable, carrier: str, start: int = 0, size: int = SIZE) -> Iterator[Stretch]:
    """Cut `stream`, which stands at its first byte, into stretches, leaving out the first `start` bytes.

    Raises `BadRecord` (damaged compression or workbook) or `Refused` after the last readable byte was delivered.
    """
    source = _Source(stream, start, carrier)
    if carrier == MARCJSON and not marcjson.is_lines(source.head):
        yield from _document(source)
        return
    buffer, position = bytearray(), start
    ended = False
    bare = carrier in XML and not start  # no record so far in the document
    while not ended:
        piece = source.read(size)
        ended = not piece
        buffer += piece
        if len(buffer) < size and not ended:
            continue
        cut = len(buffer) if ended else _boundary(buffer, carrier)
        if cut:
            bare = bare and next(xmlscan.elements(bytes(buffer[:cut]), _shape(carrier, buffer)), None) is None
            if bare and ended and not source.fault:
                bare_document(source.head, bytes(buffer[-ENDING:]))
            yield source.stretch(position, bytes(buffer[:cut]))
            del buffer[:cut]
            position += cut
        elif len(buffer) >= MAX_RECORD:
            shown, skipped, rest = _skip(source, buffer, carrier)
            yield Stretch(
                position=position,
                data=shown,
                length=skipped,
                fault=f"{skipped:,} bytes from {position:,} on hold no record's end",
            )
            position += skipped
            buffer = rest
    if source.fault:
        raise source.fault


def bare_document(head: bytes, tail: bytes) -> None:
    """Raise BadRecord if it is no wonder that an XML document holds no record: it is of another kind, or was cut off.

    An envelope of records may well be empty. `head`, `tail`: the first and last bytes of it.
    """
    roots = [found.group(1, 2) for found in _ROOT.finditer(xmlscan.without_comments(head))][:1]
    if not roots:
        raise BadRecord("no record was found: this is no XML document, it has no element")
    name, empty = roots[0][0].decode(), bool(roots[0][1])
    if name.rpartition(":")[2] not in _ENVELOPES:
        raise BadRecord(f"no record was found: this is an XML document of another kind, its root element is <{name}>")
    if not empty and b"</" + name.encode() not in tail:
        raise BadRecord(f"no record was found: the document ends before its root element <{name}> does")


def _boundary(buffer: bytearray, carrier: str) -> int:
    """One past the last record's end, or 0."""
    if carrier == ISO2709:
        return buffer.rfind(0x1D) + 1
    if carrier == MARCJSON:
        return buffer.rfind(b"\n") + 1
    if carrier in LINES:
        return LINES[carrier].boundary(buffer)
    return _shape(carrier, buffer).boundary(buffer)


def _shape(carrier: str, buffer: bytes | bytearray) -> Shape:
    """What a document's records look like."""
    return KINDS[carrier].shape_of(buffer) if carrier in KINDS else xmlscan.MARC


def _skip(source: _Source, buffer: bytearray, carrier: str) -> tuple[bytes, int, bytearray]:
    """Read on to the next record's end, keeping nothing: (beginning, bytes skipped, what was read after them)."""
    shown, skipped = bytes(buffer[:SHOWN]), len(buffer)
    keep = buffer[-64:]  # an end tag may straddle two pieces
    while piece := source.read(SIZE):
        keep += piece
        cut = _first_end(keep, carrier)
        skipped += len(piece)
        if cut:
            rest = keep[cut:]
            return shown, skipped - len(rest), rest
        keep = keep[-64:]
    return shown, skipped, bytearray()


def _first_end(buffer: bytearray, carrier: str) -> int:
    if carrier in LINES:
        return LINES[carrier].boundary(buffer)
    if carrier in XML:
        return _shape(carrier, buffer).first_end(buffer)
    return buffer.find(0x1D if carrier == ISO2709 else 0x0A) + 1


def _document(source: _Source) -> Iterator[Stretch]:
    """A whole JSON document as one stretch."""
    buffer = bytearray()
    while piece := source.read(SIZE):
        buffer += piece
        if len(buffer) > MAX_DOCUMENT:
            raise Refused(
                f"this JSON is one document of more than {MAX_DOCUMENT >> 20} MB; write one record a line, "
                "e.g. with jq -c '.[]'"
            )
    if buffer[source.start :]:
        yield Stretch(position=0, data=bytes(buffer), length=len(buffer))
    if source.fault:
        raise source.fault


class _Source:
    """The stream as UTF-8 or 8-bit bytes, with what later stretches must know of its beginning."""

    def __init__(self, stream: Readable, start: int, carrier: str) -> None:
        self.fault: BadRecord | Refused | None = None
        self.start = start
        self._stream = stream
        self.head = self._raw(HEAD)
        self._ahead = self.head
        wide, mark = wide_encoding(self.head) if carrier != ISO2709 else ("", 0)
        self._decoder = codecs.getincrementaldecoder(wide)("replace") if wide else None
        if self._decoder:
            self.head = self._ahead = self._narrow(self.head[mark:])
        plain = wide or carrier not in XML or xmlscan.declared_encoding(self.head) in ("", "utf-8", "us-ascii")
        self._prefix = b"" if plain else xmlscan.declaration(self.head)
        if start and (carrier != MARCJSON or marcjson.is_lines(self.head)):
            self._go(start)

    def _go(self, start: int) -> None:
        if self._decoder is None and self._stream.seekable():
            self._ahead = b""
            self._stream.seek(start)
            return
        while start > 0 and (piece := self.read(min(start, SIZE))):
            start -= len(piece)

    def read(self, size: int) -> bytes:
        """At most `size` bytes (wide text: about as many); empty at the end or at a fault."""
        if self._ahead:
            taken, self._ahead = self._ahead[:size], self._ahead[size:]
            return taken
        if not self._decoder:
            return self._raw(size)
        while piece := self._raw(size):
            if text := self._narrow(piece):
                self._ahead = text[size:]
                return text[:size]
        return self._narrow(b"", final=True)

    def stretch(self, position: int, data: bytes) -> Stretch:
        """A stretch that can be read alone."""
        if not self._prefix or position == 0:
            return Stretch(position=position, data=data, length=len(data))
        shift = len(self._prefix)
        return Stretch(position=position - shift, data=self._prefix + data, length=shift + len(data))

    def _raw(self, size: int) -> bytes:
        if self.fault:
            return b""
        try:
            return self._stream.read(size) or b""
        except (BadRecord, Refused) as error:
            self.fault = error
            return b""

    def _narrow(self, piece: bytes, final: bool = False) -> bytes:
        assert self._decoder is not None
        text = self._decoder.decode(piece, final)
        return _WIDE_DECLARATION.sub(r"\1\3", text, count=1).encode("utf-8", "replace") if text else b""


_WIDE_DECLARATION = re.compile(r"""(<\?xml[^>]{0,200}?)(\s+encoding\s*=\s*["'][^"']{1,40}["'])([^>]{0,100}\?>)""")
