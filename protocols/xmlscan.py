"""Record elements in the bytes of an XML document, found without parsing it (pure).

Only the innermost elements of a name count, so records inside SRU, OAI-PMH or our own envelopes are found too, and a
file of any size needs the memory of one record. What a DOCTYPE declares is passed over.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_CLOSE = re.compile(rb"\s*>")
_SKIPPED = {b"<!--": b"-->", b"<![CDATA[": b"]]>"}
_DOCTYPE = b"<!DOCTYPE"
_IN_DOCTYPE = re.compile(rb"[\[\]>\"']|<!--|<\?")
_CLOSING = {b'"': b'"', b"'": b"'", b"<!--": b"-->", b"<?": b"?>"}
_DECLARATION = re.compile(rb"""^\s*<\?xml[^>]{0,200}?encoding\s*=\s*["']([A-Za-z0-9._-]{1,40})["'][^>]{0,100}\?>""")
_NAME = rb"(?:[A-Za-z_][\w.-]*:)?"  # before a local name


class Shape:
    """What records of a kind look like in bytes: the local names of their elements, and those of what is in them."""

    def __init__(self, names: str, contents: str) -> None:
        """`names` and `contents` are regular expressions of local names."""
        start = rb"<!--|<!\[CDATA\[|<!DOCTYPE(?=[\s\[>])|<(/?)" + _NAME
        self.token = re.compile(start + b"(?:" + names.encode() + rb")(?=[\s/>])")
        self.content = re.compile(b"<" + _NAME + b"(?:" + contents.encode() + rb")[\s/>]")
        self.end = re.compile(b"</" + _NAME + b"(?:" + names.encode() + rb")\s*>")

    def boundary(self, buffer: bytes | bytearray) -> int:
        """One past the last end tag, or 0."""
        at = len(buffer)
        while (at := buffer.rfind(b"</", 0, at)) >= 0:
            if found := self.end.match(buffer, at):
                return found.end()
        return 0

    def first_end(self, buffer: bytes | bytearray) -> int:
        """One past the first end tag, or 0."""
        found = self.end.search(buffer)
        return found.end() if found else 0


MARC = Shape("record|oai_marc|r", "leader|controlfield|datafield|fixfield|varfield|[cd][0-9]{3}")
WRAPPED = Shape("record", "title|creator|titleInfo")  # other kinds in an envelope


@dataclass(frozen=True, slots=True, kw_only=True)
class Element:
    """Place of one record's element in a document; `whole` is false when one of its tags is missing or damaged."""

    start: int
    end: int
    whole: bool
    doctype: bool = False  # it is no element but a document type declaration


def declared_encoding(head: bytes) -> str:
    """Encoding named in the XML declaration, or "" (then it is UTF-8)."""
    found = _DECLARATION.match(head.removeprefix(b"\xef\xbb\xbf"))
    return found.group(1).decode("ascii").lower() if found else ""


def declaration(head: bytes) -> bytes:
    """The XML declaration's bytes, as they stand, if it names an encoding."""
    found = _DECLARATION.match(head.removeprefix(b"\xef\xbb\xbf"))
    return found.group().lstrip() if found else b""


def without_comments(head: bytes) -> bytes:
    """The beginning of a document without its comments, instructions and document type."""
    return re.sub(rb"<!--.*?-->|<\?.*?\?>|<!DOCTYPE[^>\[]*(?:\[.*?\])?\s*>", b"", head, flags=re.DOTALL)


def elements(data: bytes, shape: Shape = MARC) -> Iterator[Element]:
    """Every innermost element of that shape, pieces that hold its contents but lack a tag, and DOCTYPEs between
    records, in order."""
    opened, last = -1, 0  # place of the open start tag; end of the element before
    at = 0
    absent: set[bytes] = set()  # comments or sections that never end: their start is then plain text
    while token := shape.token.search(data, at):
        at = token.end()
        if token.group() == _DOCTYPE:
            at = _after_doctype(data, at, absent) or at
            if opened < 0:  # within a record it is bad mark-up like any other
                if orphan := shape.content.search(data, last, token.start()):
                    yield Element(start=orphan.start(), end=token.start(), whole=False)
                yield Element(start=token.start(), end=at, whole=False, doctype=True)
                last = at
        elif skip := _SKIPPED.get(token.group()):
            end = data.find(skip, at) if skip not in absent else -1
            if end < 0:
                absent.add(skip)
                continue
            at = end + len(skip)
            if opened < 0:  # what stands in a comment between records is no orphan
                if orphan := shape.content.search(data, last, token.start()):
                    yield Element(start=orphan.start(), end=token.start(), whole=False)
                last = at
        elif token.group(1):
            closed = _CLOSE.match(data, at)
            end = closed.end() if closed else at
            if opened >= 0:
                yield Element(start=opened, end=end, whole=bool(closed))
            elif orphan := shape.content.search(data, last, token.start()):  # its start tag was damaged
                yield Element(start=orphan.start(), end=end, whole=False)
            opened = -1
            at = last = end
        else:
            if piece := shape.content.search(data, max(opened, last), token.start()):
                yield Element(start=opened if opened >= 0 else piece.start(), end=token.start(), whole=False)
            last = token.start()
            end = data.find(b">", at)
            opened = -1 if end > 0 and data[end - 1] == 0x2F else token.start()
    if piece := shape.content.search(data, max(opened, last)):
        yield Element(start=opened if opened >= 0 else piece.start(), end=len(data), whole=False)


def _after_doctype(data: bytes, at: int, absent: set[bytes]) -> int:
    """One past the end of the DOCTYPE whose name begins at `at`, or 0 if it has none."""
    within = False  # its internal subset
    while _DOCTYPE not in absent and (found := _IN_DOCTYPE.search(data, at)):
        sign, at = found.group(), found.end()
        if sign == b"[":
            within = True
        elif sign == b"]":
            within = False
        elif sign == b">":
            if not within:
                return at
        else:
            end = data.find(_CLOSING[sign], at)
            if end < 0:
                break
            at = end + len(_CLOSING[sign])
    absent.add(_DOCTYPE)
    return 0
