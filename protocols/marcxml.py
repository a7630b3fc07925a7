"""MARC in XML, one record element at a time: read any of its forms, write MARCXML.

Read are MARCXML (MARC 21 XML Schema, MARC21slim; also under the namespaces of UNIMARC, KORMARC and others, or none),
MarcXchange (ISO 25577, the same elements), OAI-MARC (`oai_marc` with `fixfield` and `varfield`) and Turbomarc (`r`
with `c001`, `d245`, `sa`). Namespaces are ignored, but for those of formats that only borrow the names. The header of
an OAI-PMH record that was deleted is a record too, one whose leader says so.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

from lxml import etree

from protocols import marc, oaiheader, oaimarc, xmlparse, xmlscan
from protocols.marc import DELIMITER, Record
from protocols.pieces import UNREADABLE, Piece
from protocols.xmlparse import LONGEST, MOST_PREFIXES, REFUSED_DOCTYPE, Finding, Unreadable, clean, content, local

__all__ = ["LONGEST", "MOST_PREFIXES", "REFUSED_DOCTYPE", "Unreadable", "leader", "read", "read_all", "write"]

NAMESPACE = "http://www.loc.gov/MARC21/slim"
DEFAULT_LEADER = "00000nam a2200000   4500"
OTHERS = {"picaXML": "PICA+"}  # part of a namespace → the format that has the names of MARCXML and other contents

_IN_QUOTES = str.maketrans(
    {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\n": "&#10;", "\r": "&#13;", "\t": "&#9;"}
)
_HEADER = re.compile(rb"<(?:[\w.-]+:)?identifier>\s*([^<]{1,400}?)\s*</")


def read_all(data: bytes, encoding: str) -> Iterator[Piece]:
    """The record elements of a stretch.

    A deletion has only an OAI identifier, and our records their 001: it is taken to be of the record whose 001 ends the
    identifier, unless the live records beside it show that this repository does not name them so.
    """
    found: list[Piece] = []
    named: list[bool] = []  # of live records with a header: whether 001 is the end of their identifier
    gone: list[int] = []
    last = 0
    for element in xmlscan.elements(data):
        piece = _piece(data, element, encoding)
        if piece.record is not None and piece.rule == _DELETION:
            gone.append(len(found))
        elif (
            piece.record is not None and len(named) < _ENOUGH and (headers := _HEADER.findall(data, last, piece.start))
        ):
            ident = headers[-1].decode("utf-8", "replace")
            named.append(oaiheader.local_part(ident) == (piece.record.first("001") or "").strip())
        last = element.end
        found.append(piece)
    for at in gone:
        found[at] = _named(found[at], any(named) or not named)
    yield from found


_DELETION = "deletion"  # a mark on pieces within this module
_ENOUGH = 100


def _named(piece: Piece, by_local_part: bool) -> Piece:
    assert piece.record is not None
    ident = piece.record.first("001") or ""
    record = oaiheader.deletion(oaiheader.local_part(ident) if by_local_part else ident)
    return piece._replace(record=record, rule="")


def _piece(data: bytes, element: xmlscan.Element, encoding: str) -> Piece:
    raw = data[element.start : element.end]
    if element.doctype:
        return Piece(element.start, element.end, rule="doctype", reason=REFUSED_DOCTYPE)
    findings: list[Finding] = []
    try:
        if not element.whole:
            raise Unreadable("a tag of the record element is missing or damaged")
        parsed = xmlparse.element(raw, encoding, findings)
        if oaiheader.deleted(parsed):
            record = oaiheader.deletion(oaiheader.identifier(parsed))
            return Piece(element.start, element.end, record, encoding, tuple(findings), _DELETION)
        record = _record(parsed, findings)
    except Unreadable as error:
        return Piece(element.start, element.end, rule=UNREADABLE, reason=str(error))
    return Piece(element.start, element.end, record, encoding, tuple(findings))


def read(data: bytes, encoding: str = "utf-8") -> tuple[Record, tuple[Finding, ...]]:
    """Read the bytes of one record element (see `xmlparse.element`). Raises `Unreadable` with the reason."""
    findings: list[Finding] = []
    parsed = xmlparse.element(data, encoding, findings)
    if oaiheader.deleted(parsed):
        return oaiheader.deletion(oaiheader.local_part(oaiheader.identifier(parsed))), tuple(findings)
    return _record(parsed, findings), tuple(findings)


def _record(element: etree._Element, findings: list[Finding], *, outer: bool = True) -> Record:
    match local(element.tag):
        case "oai_marc":
            record = oaimarc.record(element, findings)
        case "r":
            record = oaimarc.turbo(element, findings)
        case _:
            record = _slim(element, findings)
    if not record.fields:
        packed = next((text for child in element if (text := content(child).lstrip()).startswith("<")), "")
        if not (packed and outer):
            raise Unreadable("the element has no MARC fields")
        # SRU 1.2, recordPacking "string": the record is text that was escaped.
        return _record(xmlparse.element(packed.encode(), "utf-8", findings), findings, outer=False)
    return record


def _slim(element: etree._Element, findings: list[Finding]) -> Record:
    name = element.tag if isinstance(element.tag, str) else ""
    if other := next((other for mark, other in OTHERS.items() if mark in name), ""):
        raise Unreadable(f"this is {other}, not MARC")
    leader = ""
    fields: list[tuple[str, str]] = []
    for child in element:
        name = local(child.tag)
        if name == "leader":
            leader = content(child)
        elif name in ("controlfield", "datafield"):
            tag = (child.get("tag") or "").strip()
            if tag:
                fields.append((tag, content(child) if name == "controlfield" else _data_field(child, findings)))
            else:
                findings.append(("xml-tag", f"a {name} without a tag was left out: {content(child)[:60]!r}"))
    return Record(_leader(leader, findings) if fields else DEFAULT_LEADER, tuple(fields))


def _data_field(element: etree._Element, findings: list[Finding]) -> str:
    parts = [(element.get("ind1") or " ")[:1] + (element.get("ind2") or " ")[:1]]
    text = element.text
    if text and not text.isspace():
        findings.append(("xml-stray-text", f"text outside subfields was left out: {text.strip()[:60]!r}"))
    for child in element:
        if local(child.tag) == "subfield":
            code = child.get("code") or ""
            if len(code) != 1:
                findings.append(("xml-subfield-code", f"subfield code {code!r} in {element.get('tag')}"))
                code = code[:1] or " "
            parts.append(DELIMITER + code + (content(child) if len(child) else child.text or ""))
    return "".join(parts)


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

    Characters that XML forbids become blanks; the leader is made whole (24 characters, numbers at its fixed places);
    control fields come first, where the schema wants them.
    """
    out = [f'<record xmlns="{NAMESPACE}">' if namespace else "<record>", f"<leader>{_escaped(leader(record))}</leader>"]
    first = len(out)
    for tag, value, pairs in marc.walk(record):
        name = _quoted(clean(tag))
        if marc.is_control(tag):
            out.insert(first, f"<controlfield tag={name}>{_escaped(clean(value))}</controlfield>")
            first += 1
            continue
        one, two = (_quoted(clean(indicator)) for indicator in value.partition(DELIMITER)[0].ljust(2)[:2])
        out.append(f"<datafield tag={name} ind1={one} ind2={two}>")
        out.extend(f"<subfield code={_quoted(clean(code))}>{_escaped(clean(text))}</subfield>" for code, text in pairs)
        out.append("</datafield>")
    out.append("</record>")
    return "".join(out)


def leader(record: Record) -> str:
    """A leader of 24 characters as MARC21slim.xsd wants it: numbers in 0-4 and 12-16, 22, 4500."""
    text = clean(record.leader).ljust(24)[:24]
    length = text[:5] if text[:5].isdigit() else "00000"
    base = text[12:17] if text[12:17].isdigit() else "00000"
    return f"{length}{text[5:9]}{text[9]}22{base}{text[17:20]}4500"


def _escaped(text: str) -> str:
    return html.escape(text, quote=False)


def _quoted(value: str) -> str:
    return f'"{value.translate(_IN_QUOTES)}"'
