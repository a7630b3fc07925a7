"""MARCXML one record element at a time: find the elements in bytes, read one tolerantly, write one.

MARC 21 XML Schema (MARC21slim). Each `record` element is parsed alone, wrapped in an element that declares whatever
prefixes it uses, so a file of any size needs the memory of one record, a broken record harms no other, and neither a
DOCTYPE nor an entity of the document is ever processed: a DOCTYPE is refused where it stands, and whatever it declares
is passed over. Namespaces are ignored: many files have none or a wrong one. Only the innermost `record` elements count,
so records inside SRU, OAI-PMH or our own envelopes are found too.
"""

from __future__ import annotations

import codecs
import html
import html.entities
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from lxml import etree

from config.errors import BadRecord
from protocols import marc
from protocols.marc import DELIMITER, Record

NAMESPACE = "http://www.loc.gov/MARC21/slim"
DEFAULT_LEADER = "00000nam a2200000   4500"
LONGEST = 3 << 19  # bytes of a record element; ISO 2709 has room for 99,999
MOST_PREFIXES = 64  # of namespaces in one record
REFUSED_DOCTYPE = (
    "a DOCTYPE is refused: it can name files and addresses, and make entities of any size; take it out of the file. "
    "Nothing that it declares was read"
)

_TOKEN = re.compile(rb"<!--|<!\[CDATA\[|<!DOCTYPE(?=[\s\[>])|<(/?)(?:[A-Za-z_][\w.-]*:)?record(?=[\s/>])")
_CLOSE = re.compile(rb"\s*>")
_SKIPPED = {b"<!--": b"-->", b"<![CDATA[": b"]]>"}
_DOCTYPE = b"<!DOCTYPE"
_IN_DOCTYPE = re.compile(rb"[\[\]>\"']|<!--|<\?")
_CLOSING = {b'"': b'"', b"'": b"'", b"<!--": b"-->", b"<?": b"?>"}
_CONTENT = re.compile(rb"<(?:[A-Za-z_][\w.-]*:)?(?:leader|controlfield|datafield)[\s/>]")
_PREFIX = re.compile(r"[<\s/]([A-Za-z_][\w.-]*):[A-Za-z_][\w.-]*(?=[\s/>=])", re.ASCII)
_OWN_PREFIX = re.compile(r"<([A-Za-z_][\w.-]*):", re.ASCII)
_DECLARATION = re.compile(rb"""^\s*<\?xml[^>]{0,200}?encoding\s*=\s*["']([A-Za-z0-9._-]{1,40})["'][^>]{0,100}\?>""")
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff]")
_REFERENCE = re.compile(r"&#(?:x([0-9A-Fa-f]{1,8})|([0-9]{1,10}));")
_ENTITY = re.compile(r"&([A-Za-z][A-Za-z0-9]{0,31});")
_BARE = re.compile(r"&(?!#?\w{1,32};)")
_IN_QUOTES = str.maketrans(
    {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\n": "&#10;", "\r": "&#13;", "\t": "&#9;"}
)
_TAGS = b"</record><leader><controlfield tag='001'><datafield ind1=\"\"><subfield>"
_NO_CHARSETS = frozenset(("idna", "punycode", "raw-unicode-escape", "undefined", "unicode-escape", "utf-7"))
_PREDEFINED = frozenset(("amp", "lt", "gt", "quot", "apos"))

Finding = tuple[str, str]  # rule id, detail


class Unreadable(BadRecord):
    """The element is no MARC record or is damaged beyond repair."""

    code = "unreadable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Element:
    """Place of one `record` element in a document; `whole` is false when one of its tags is missing or damaged."""

    start: int
    end: int
    whole: bool
    doctype: bool = False  # it is no element but a document type declaration


def declared_encoding(head: bytes) -> str:
    """Encoding named in the XML declaration, or "" (then it is UTF-8)."""
    found = _DECLARATION.match(head.removeprefix(b"\xef\xbb\xbf"))
    return found.group(1).decode("ascii").lower() if found else ""


@lru_cache(maxsize=256)
def _is_charset(encoding: str) -> bool:
    """Whether tags in this encoding are ASCII bytes, as `elements` found them. Python knows more by the name of an
    encoding: ways to write other texts, some of which take the square of the time."""
    try:
        return codecs.lookup(encoding).name not in _NO_CHARSETS and _TAGS.decode(encoding) == _TAGS.decode("ascii")
    except (LookupError, UnicodeError):
        return False


def declaration(head: bytes) -> bytes:
    """The XML declaration's bytes, as they stand, if it names an encoding."""
    found = _DECLARATION.match(head.removeprefix(b"\xef\xbb\xbf"))
    return found.group().lstrip() if found else b""


def elements(data: bytes) -> Iterator[Element]:
    """Every innermost `record` element of `data`, pieces that hold MARC fields but lack a tag, and DOCTYPEs between
    records, in order."""
    opened, last = -1, 0  # place of the open start tag; end of the element before
    at = 0
    absent: set[bytes] = set()  # comments or sections that never end: their start is then plain text
    while token := _TOKEN.search(data, at):
        at = token.end()
        if token.group() == _DOCTYPE:
            at = _after_doctype(data, at, absent) or at
            if opened < 0:  # within a record it is bad mark-up like any other
                if orphan := _CONTENT.search(data, last, token.start()):
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
                if orphan := _CONTENT.search(data, last, token.start()):
                    yield Element(start=orphan.start(), end=token.start(), whole=False)
                last = at
        elif token.group(1):
            closed = _CLOSE.match(data, at)
            end = closed.end() if closed else at
            if opened >= 0:
                yield Element(start=opened, end=end, whole=bool(closed))
            elif orphan := _CONTENT.search(data, last, token.start()):  # its start tag was damaged
                yield Element(start=orphan.start(), end=end, whole=False)
            opened = -1
            at = last = end
        else:
            if piece := _CONTENT.search(data, max(opened, last), token.start()):
                yield Element(start=opened if opened >= 0 else piece.start(), end=token.start(), whole=False)
            last = token.start()
            end = data.find(b">", at)
            opened = -1 if end > 0 and data[end - 1] == 0x2F else token.start()
    if piece := _CONTENT.search(data, max(opened, last)):
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


def read(data: bytes, encoding: str = "utf-8") -> tuple[Record, tuple[Finding, ...]]:
    """Read the bytes of one `record` element.

    Characters that XML forbids, unknown entities, bare ampersands and invalid bytes are mended with a finding; broken
    mark-up is not guessed at. Raises `Unreadable` with the reason.
    """
    if len(data) > LONGEST:
        raise Unreadable(f"the element has {len(data):,} bytes; no record has more than {LONGEST:,}")
    if not _is_charset(encoding):
        raise Unreadable(f"{encoding!r} in the XML declaration is no encoding that a document can be in")
    findings: list[Finding] = []
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        findings.append(("encoding-invalid-bytes", f"byte {error.start}: {error.reason}"))
        text = data.decode(encoding, "replace")
    element = _parse(text, findings)
    return _record(element, findings), tuple(findings)


def _parse(text: str, findings: list[Finding]) -> etree._Element:
    """Parse as it stands, with the prefixes it uses declared, or mended: whatever works first."""
    own = _OWN_PREFIX.match(text)
    names = _names({own.group(1)}) if own else ""
    try:
        return _element(text, names)
    except etree.XMLSyntaxError as error:
        first = error.msg
    prefixes = set(_PREFIX.findall(text))
    if len(prefixes) > MOST_PREFIXES:
        raise Unreadable(f"the element uses {len(prefixes):,} prefixes; no record has more than {MOST_PREFIXES}")
    names = _names(prefixes)
    mended = _mended(text, findings)
    for attempt in (text, mended):
        try:
            return _element(attempt, names)
        except etree.XMLSyntaxError as error:
            first = error.msg
        if mended == text:
            break
    raise Unreadable(f"not well-formed: {first}")


def _names(prefixes: set[str]) -> str:
    """Declarations of prefixes; the addresses do not matter, only local names are looked at."""
    return "".join(f' xmlns:{prefix}="urn:p"' for prefix in sorted(prefixes - {"xml", "xmlns"}))


def _element(text: str, names: str) -> etree._Element:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False, load_dtd=False)
    wrapped = f"<w{names}>{text}</w>".encode("utf-8", "replace")
    return etree.fromstring(wrapped, parser)[0]


def _mended(text: str, findings: list[Finding]) -> str:
    """The text without what XML forbids in character data."""
    clean = _CONTROL.sub(" ", text)
    clean = _REFERENCE.sub(_allowed, clean)
    if clean != text:
        findings.append(("xml-control-character", "characters that XML forbids became blanks"))
    before = clean
    clean = _ENTITY.sub(_named, clean)
    if clean != before:
        findings.append(("xml-entity", "entities that XML does not define were replaced"))
    clean, bare = _BARE.subn("&amp;", clean)
    if bare:
        findings.append(("xml-ampersand", f"{bare} bare ampersands"))
    return clean


def _allowed(match: re.Match[str]) -> str:
    number = int(match.group(1), 16) if match.group(1) else int(match.group(2))
    if number in (9, 10, 13) or 0x20 <= number <= 0xD7FF or 0xE000 <= number <= 0xFFFD or 0x10000 <= number <= 0x10FFFF:
        return match.group()
    return " "


def _named(match: re.Match[str]) -> str:
    name = match.group(1)
    if name in _PREDEFINED:
        return match.group()
    point = html.entities.name2codepoint.get(name)
    return chr(point) if point else "\ufffd"


def _record(element: etree._Element, findings: list[Finding]) -> Record:
    leader = ""
    fields: list[tuple[str, str]] = []
    for child in element:
        name = _local(child.tag)
        if name == "leader":
            leader = _text(child)
        elif name in ("controlfield", "datafield"):
            tag = (child.get("tag") or "").strip()
            if tag:
                fields.append((tag, _text(child) if name == "controlfield" else _data_field(child, findings)))
            else:
                findings.append(("xml-tag", f"a {name} without a tag was left out: {_text(child)[:60]!r}"))
    if not fields:
        raise Unreadable("the element has no MARC fields")
    return Record(leader=_leader(leader, findings), fields=tuple(fields))


def _data_field(element: etree._Element, findings: list[Finding]) -> str:
    parts = [(element.get("ind1") or " ")[:1] + (element.get("ind2") or " ")[:1]]
    text = element.text
    if text and not text.isspace():
        findings.append(("xml-stray-text", f"text outside subfields was left out: {text.strip()[:60]!r}"))
    for child in element:
        if _local(child.tag) == "subfield":
            code = child.get("code") or ""
            if len(code) != 1:
                findings.append(("xml-subfield-code", f"subfield code {code!r} in {element.get('tag')}"))
                code = code[:1] or " "
            parts.append(DELIMITER + code + (_text(child) if len(child) else child.text or ""))
    return "".join(parts)


@lru_cache(maxsize=256)
def _local(tag: object) -> str:
    """Local name of an element; comments and instructions have a function for a tag and no name."""
    return tag.rpartition("}")[2].rpartition(":")[2] if isinstance(tag, str) else ""


def _text(element: etree._Element) -> str:
    """All text under the element, comments aside."""
    return "".join(str(part) for part in element.itertext()) if len(element) else element.text or ""


def _leader(text: str, findings: list[Finding]) -> str:
    if len(text) == 24:
        return text
    stripped = text.strip()
    if not stripped:
        findings.append(("leader-missing", "the record has no leader"))
        return DEFAULT_LEADER
    findings.append(("leader-length", f"the leader has {len(text)} characters"))
    return stripped[:24] if len(stripped) >= 24 else text.replace("\n", "").replace("\r", "")[:24].ljust(24)


def write(record: Record, namespace: bool = True) -> str:
    """The record as one MARCXML element, valid against MARC21slim.xsd where its tags and codes are.

    Characters that XML forbids become blanks; the leader is made whole (24 characters, numbers at its fixed places).
    """
    out = [f'<record xmlns="{NAMESPACE}">' if namespace else "<record>", f"<leader>{_escaped(leader(record))}</leader>"]
    for tag, value, pairs in marc.walk(record):
        name = _quoted(_clean(tag))
        if marc.is_control(tag):
            out.append(f"<controlfield tag={name}>{_escaped(_clean(value))}</controlfield>")
            continue
        one, two = (_quoted(_clean(indicator)) for indicator in value.partition(DELIMITER)[0].ljust(2)[:2])
        out.append(f"<datafield tag={name} ind1={one} ind2={two}>")
        out.extend(
            f"<subfield code={_quoted(_clean(code))}>{_escaped(_clean(text))}</subfield>" for code, text in pairs
        )
        out.append("</datafield>")
    out.append("</record>")
    return "".join(out)


def leader(record: Record) -> str:
    """A leader of 24 characters as MARC21slim.xsd wants it: numbers in 0-4 and 12-16, 22, 4500."""
    text = _clean(record.leader).ljust(24)[:24]
    length = text[:5] if text[:5].isdigit() else "00000"
    base = text[12:17] if text[12:17].isdigit() else "00000"
    return f"{length}{text[5:9]}{text[9]}22{base}{text[17:20]}4500"


def _clean(text: str) -> str:
    return _CONTROL.sub(" ", text)


def _escaped(text: str) -> str:
    return html.escape(text, quote=False)


def _quoted(value: str) -> str:
    return f'"{value.translate(_IN_QUOTES)}"'
