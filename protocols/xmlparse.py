"""One element of XML parsed alone and tolerantly: safe against what XML can do (pure).

The element is wrapped in one that declares whatever prefixes it uses, so that a broken record harms no other and no
entity of the document is ever processed. Namespaces are left to the caller: many files have none or a wrong one.
"""

from __future__ import annotations

import codecs
import html
import html.entities
import re
from functools import lru_cache

from lxml import etree

from config.errors import BadRecord

LONGEST = 3 << 19  # bytes of a record element; ISO 2709 has room for 99,999
MOST_PREFIXES = 64  # of namespaces in one record
REFUSED_DOCTYPE = (
    "a DOCTYPE is refused: it can name files and addresses, and make entities of any size; take it out of the file. "
    "Nothing that it declares was read"
)

_PREFIX = re.compile(r"[<\s/]([A-Za-z_][\w.-]*):[A-Za-z_][\w.-]*(?=[\s/>=])", re.ASCII)
_OWN_PREFIX = re.compile(r"<([A-Za-z_][\w.-]*):", re.ASCII)
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff]")
_REFERENCE = re.compile(r"&#(?:x([0-9A-Fa-f]{1,8})|([0-9]{1,10}));")
_ENTITY = re.compile(r"&([A-Za-z][A-Za-z0-9]{0,31});")
_BARE = re.compile(r"&(?!#?\w{1,32};)")
_TAGS = b"</record><leader><controlfield tag='001'><datafield ind1=\"\"><subfield>"
_NO_CHARSETS = frozenset(("idna", "punycode", "raw-unicode-escape", "undefined", "unicode-escape", "utf-7"))
_PREDEFINED = frozenset(("amp", "lt", "gt", "quot", "apos"))

Finding = tuple[str, str]  # rule id, detail


class Unreadable(BadRecord):
    """The element is no record or is damaged beyond repair."""

    code = "unreadable"


def element(data: bytes, encoding: str, findings: list[Finding]) -> etree._Element:
    """Parse the bytes of one element.

    Characters that XML forbids, unknown entities, bare ampersands and invalid bytes are mended with a finding; broken
    mark-up is not guessed at. Raises `Unreadable` with the reason.
    """
    if len(data) > LONGEST:
        raise Unreadable(f"the element has {len(data):,} bytes; no record has more than {LONGEST:,}")
    if not _is_charset(encoding):
        raise Unreadable(f"{encoding!r} in the XML declaration is no encoding that a document can be in")
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        findings.append(("encoding-invalid-bytes", f"byte {error.start}: {error.reason}"))
        text = data.decode(encoding, "replace")
    return _parse(text, findings)


@lru_cache(maxsize=256)
def _is_charset(encoding: str) -> bool:
    """Whether tags in this encoding are ASCII bytes, as `elements` found them. Python knows more by the name of an
    encoding: ways to write other texts, some of which take the square of the time."""
    try:
        return codecs.lookup(encoding).name not in _NO_CHARSETS and _TAGS.decode(encoding) == _TAGS.decode("ascii")
    except (LookupError, UnicodeError):
        return False


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


@lru_cache(maxsize=256)
def local(tag: object) -> str:
    """Local name of an element; comments and instructions have a function for a tag and no name."""
    return tag.rpartition("}")[2].rpartition(":")[2] if isinstance(tag, str) else ""


def content(element: etree._Element) -> str:
    """All text under the element, comments aside."""
    return "".join(str(part) for part in element.itertext()) if len(element) else element.text or ""


def clean(text: str) -> str:
    """The text with blanks for characters that XML forbids."""
    return _CONTROL.sub(" ", text)
