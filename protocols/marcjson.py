"""MARC-in-JSON, one record at a time, and the records of a whole document.

The form is that of pymarc, ruby-marc and marc4j: `{"leader": …, "fields": [{"001": "x"}, {"245": {"ind1": "1", "ind2":
"0", "subfields": [{"a": "…"}]}}]}`. Also read: several subfields in one object, and the spelled-out form `{"tag":
"245", "subfields": [{"code": "a", "value": "…"}]}`. Files are objects one a line (any size), or one document: an
array, pretty-printed objects one after the other, or an object that has an array of records in it. An object with
`fault` says why a row of a table (`protocols.tables`) is no record, one with `landed` when one was made of it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from config.errors import BadRecord
from protocols import landed, marc
from protocols.marc import DELIMITER, Record

DEFAULT_LEADER = "00000nam a2200000   4500"
_DECODER = json.JSONDecoder(strict=False)  # line breaks and tabs inside strings are read as they stand
_RECORD = re.compile(r'\{\s*"(?:leader|fields)"\s*:')
_ENVELOPE = re.compile(rb'\{[^\[]{0,4096}\[\s*\{\s*"(?:leader|fields)"')

_BETWEEN = re.compile(r'(?:[\s\[\]{},:\x1e\ufeff]++|"(?:[^"\\]++|\\.)*+"|[-+.0-9eE]++|true|false|null)*+', re.DOTALL)
_MARKS = " \t\r\n\x1e\ufeff\x1a\x00,[]{}"
MAX_DEPTH = 20_000  # characters that are read before a nesting is too deep
PATIENCE = 8  # times that a document is read in search of where its records end

Finding = tuple[str, str]  # rule id, detail


class Unreadable(BadRecord):
    """The JSON is broken or is no MARC record. `named`: what the record's name was to be, of a row of a table."""

    code = "unreadable"
    named = ""


def is_lines(head: bytes) -> bool:
    """Whether the text holds one whole object a line (an array with an object a line counts too)."""
    for line in head.removeprefix(b"\xef\xbb\xbf").split(b"\n"):
        line = line.strip().rstrip(b",").rstrip()
        if line not in (b"", b"["):
            if _ENVELOPE.match(line):
                return False
            return line.startswith(b"{") and (line.endswith(b"}") or b"\n" not in head) and len(line) > 2
    return False


def pieces(data: bytes) -> Iterator[tuple[int, int]]:
    """(start, end) of what should be a record each, in bytes: the lines, or the parts of a document."""
    return _lines(data) if is_lines(data) else parts(data)


def _lines(data: bytes) -> Iterator[tuple[int, int]]:
    start = 0
    while start < len(data):
        end = data.find(b"\n", start)
        end = len(data) if end < 0 else end
        line = data[start:end]
        body = line.strip().removeprefix(b"\xef\xbb\xbf").rstrip(b",").rstrip()
        if body not in (b"", b"[", b"]", b"\x1e"):
            at = start + line.find(body)
            yield at, at + len(body)
        start = end + 1


def parts(data: bytes) -> Iterator[tuple[int, int]]:
    """(start, end) of every record object of a document and of what is broken in it, in bytes."""
    text = data.decode("utf-8", "surrogateescape")
    at = place = 0  # characters, bytes
    for start, end in elements(text):
        first = place + len(text[at:start].encode("utf-8", "surrogateescape"))
        place = first + len(text[start:end].encode("utf-8", "surrogateescape"))
        at = end
        yield first, place


def elements(text: str) -> Iterator[tuple[int, int]]:
    """(start, end) of every record object of a document, and of broken pieces between them, in characters.

    What stands around records may be any JSON (an array, an envelope); what is none is a broken piece too.
    """
    last = at = 0
    patience = PATIENCE * len(text) + MAX_DEPTH
    while found := _RECORD.search(text, at):
        start = found.start()
        try:
            _, end = _DECODER.raw_decode(text, start)
        except (ValueError, RecursionError) as error:
            following = _RECORD.search(text, found.end())
            end = following.start() if following else len(text)
            # A document can be made so that it is parsed to its end from each of its beginnings.
            patience -= error.pos - start if isinstance(error, json.JSONDecodeError) else MAX_DEPTH
            if patience < 0:
                end = len(text)
        yield from _around(text, last, start)
        yield start, end
        at = last = max(end, found.end())
    yield from _around(text, last, len(text), alone=not last)


def _around(text: str, start: int, end: int, alone: bool = False) -> Iterator[tuple[int, int]]:
    """The piece between records if it is not part of a document; `alone`: all of a document without records."""
    between = _BETWEEN.fullmatch(text, start, end)
    if (between and not alone) or not (inside := text[start:end].strip(_MARKS)):
        return
    inside = text.strip() if alone else inside
    first = text.index(inside, start)
    yield first, first + len(inside)


def read(data: bytes) -> tuple[Record, tuple[Finding, ...]]:
    """Read one record object. Raises `Unreadable` with the reason."""
    findings: list[Finding] = []
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        findings.append(("encoding-invalid-bytes", f"byte {error.start}: {error.reason}"))
        text = data.decode("utf-8", "replace")
    try:
        value = json.loads(text.strip().removeprefix("\ufeff").rstrip(","), strict=False)
    except (ValueError, RecursionError) as error:  # ValueError too: a number of thousands of digits
        raise Unreadable(f"broken JSON: {error}") from error
    return _record(value, findings), tuple(findings)


def _record(value: Any, findings: list[Finding]) -> Record:
    if isinstance(value, dict) and isinstance(value.get("fault"), str):
        error = Unreadable(value["fault"][:500])
        error.named = str(value.get("name", ""))
        raise error
    if not isinstance(value, dict) or not isinstance(value.get("fields"), list):
        raise Unreadable('no MARC-in-JSON record: an object with an array "fields" was expected')
    fields = [field for item in value["fields"] for field in _fields(item, findings)]
    if not fields:
        raise Unreadable("the record has no fields")
    if "landed" in value:
        fields = landed.dated(fields, value["landed"])
    leader = value.get("leader")
    if not isinstance(leader, str) or not leader.strip():
        findings.append(("leader-missing", "the record has no leader"))
        leader = DEFAULT_LEADER
    if len(leader) != 24:
        findings.append(("leader-length", f"the leader has {len(leader)} characters"))
    return Record(leader=_whole(leader[:24].ljust(24)), fields=tuple(fields))


def _fields(item: Any, findings: list[Finding]) -> Iterator[tuple[str, str]]:
    """(tag, text) of the fields in one member of the array "fields"."""
    if not isinstance(item, dict):
        findings.append(("json-field", f"no field: {str(item)[:60]!r}"))
        return
    named = isinstance(item.get("tag"), str)
    for tag, content in [(item["tag"], item.get("value", item))] if named else item.items():
        tag = _whole(tag)
        if not tag.strip():
            findings.append(("json-field", f"a field without a tag was left out: {str(content)[:60]!r}"))
        elif isinstance(content, str):
            yield tag, _whole(content)
        elif isinstance(content, dict):
            yield tag, _whole(_indicator(content, "ind1") + _indicator(content, "ind2")) + "".join(_subfields(content))
        elif content is not None:
            yield tag, str(content)


def _subfields(content: dict[str, Any]) -> Iterator[str]:
    parts = content.get("subfields")
    for part in parts if isinstance(parts, list) else [parts]:
        if not isinstance(part, dict):
            continue
        pairs = [(part["code"], part.get("value"))] if "code" in part and "value" in part else list(part.items())
        for code, value in pairs:
            for text in value if isinstance(value, list) else [value]:
                yield DELIMITER + _whole(str(code)[:1]) + _whole("" if text is None else str(text))


def _indicator(content: dict[str, Any], name: str) -> str:
    value = content.get(name)
    return str(value)[:1] if value not in (None, "") else " "


def _whole(text: str) -> str:
    """The text without lone surrogates, which JSON can write and UTF-8 can't, and without our own separators."""
    if text.isascii():
        return text.translate(_SEPARATORS)
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").translate(_SEPARATORS)


_SEPARATORS = {0x1D: " ", 0x1E: " ", 0x1F: " "}


def write(record: Record) -> str:
    """The record as one line of MARC-in-JSON."""
    fields: list[dict[str, Any]] = []
    for tag, value, pairs in marc.walk(record):
        if marc.is_control(tag):
            fields.append({tag: value})
        else:
            signs = value.partition(DELIMITER)[0].ljust(2)
            parts = [{code: text} for code, text in pairs]
            fields.append({tag: {"ind1": signs[0], "ind2": signs[1], "subfields": parts}})
    return json.dumps({"leader": record.leader, "fields": fields}, ensure_ascii=False, separators=(",", ":"))
