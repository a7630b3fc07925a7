"""MODS 3.x in, one `mods` element a record (Library of Congress; table `mods.toml`, pure).

Here is what a table of elements can't say: names, whose parts depend on each other and on the first name of all, and
subjects, whose first child decides what kind of heading they are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from lxml import etree

from protocols import descriptive, tomarc, xmlscan
from protocols.marc import DELIMITER, Record, field
from protocols.tomarc import Made
from protocols.xmlparse import Finding, Unreadable, content, local

Pairs = list[tuple[str, str]]

# type of name → MARC tags of a main and of an added entry.
NAMES: Mapping[str, tuple[str, str]] = {
    "personal": ("100", "700"),
    "family": ("100", "700"),
    "corporate": ("110", "710"),
    "conference": ("111", "711"),
    "": ("720", "720"),
}
# First child of a subject → tag; another child → subfield.
SUBJECTS: Mapping[str, str] = {
    "topic": "650",
    "geographic": "651",
    "hierarchicalGeographic": "651",
    "temporal": "648",
    "titleInfo": "630",
    "genre": "655",
    "occupation": "656",
}
SUBDIVISIONS: Mapping[str, str] = {"topic": "x", "geographic": "z", "temporal": "y", "genre": "v", "occupation": "x"}
SUBJECT_NAMES: Mapping[str, str] = {"corporate": "610", "conference": "611"}
AUTHORITIES: Mapping[str, str] = {"lcsh": "0", "lcshac": "1", "mesh": "2", "nal": "3", "csh": "5", "rvm": "6"}


def _record(element: etree._Element, ident: str, findings: list[Finding]) -> Record:
    made = Made()
    tomarc.make(element, tomarc.table("mods"), made)
    _names(element, made)
    for child in _children(element, "subject"):
        made.fields += _subject(child)
    if not made.fields:
        raise Unreadable("the element holds nothing of MODS")
    made.fields = [(tag, _one_title(text) if tag == "245" else text) for tag, text in made.fields]
    return made.record(ident or _own_identifier(element), findings)


def _own_identifier(element: etree._Element) -> str:
    info = (child for child in element if local(child.tag) == "recordInfo")
    found = (content(each).strip() for one in info for each in _children(one, "recordIdentifier"))
    return next(filter(None, found), "")


def _children(element: etree._Element, name: str) -> Iterator[etree._Element]:
    return (child for child in element if local(child.tag) == name)


def _one_title(text: str) -> str:
    """The words that do not file stand in a subfield of their own: they go before the title, and are counted."""
    head, *parts = text.split(DELIMITER)
    if len(parts) > 1 and parts[0][:1] == parts[1][:1] == "a":
        article = parts[0][1:]
        apart = "" if article.endswith(("'", "\u2019", "-")) else " "
        skip = len(article + apart)
        head = head[0] + (str(skip) if skip < 10 else "0")
        parts[:2] = ["a" + article + apart + parts[1][1:]]
    return DELIMITER.join((head, *parts))


def _names(element: etree._Element, made: Made) -> None:
    """The name marked as primary is the main entry, else the first one."""
    names = list(_children(element, "name"))
    primary = next((name for name in names if name.get("usage") == "primary"), names[0] if names else None)
    for name in names:
        main, added = NAMES.get(name.get("type") or "", NAMES[""])
        if pairs := _name(name):
            signs = "  "
            if name.get("type") in ("personal", "family"):
                signs = "1 " if "," in pairs[0][1] else "0 "
            elif name.get("type"):
                signs = "2 "
            made.fields.append((main if name is primary else added, field(signs, pairs)))


def _name(name: etree._Element) -> Pairs:
    """Subfields of a heading: the name, what goes with it, dates, roles."""
    parts: dict[str, list[str]] = {}
    for part in _children(name, "namePart"):
        if text := " ".join(content(part).split()):
            parts.setdefault(part.get("type") or "", []).append(text)
    given = ", ".join(" ".join(parts.get(kind, [])) for kind in ("family", "given") if parts.get(kind))
    whole = parts.get("", [])
    if not (given or whole):
        return []
    corporate = name.get("type") == "corporate"
    pairs = [("a", given or (whole[0] if corporate else " ".join(whole)))]
    pairs += [("b", unit) for unit in whole[1:]] if corporate else []
    pairs += [("c", text) for text in parts.get("termsOfAddress", [])]
    pairs += [("d", text) for text in parts.get("date", [])]
    for role in _children(name, "role"):
        for term in _children(role, "roleTerm"):
            if text := " ".join(content(term).split()):
                # Real data calls words codes: a code of the MARC list has three letters.
                code = term.get("type") == "code" and len(text) == 3 and text.isascii()
                pairs.append(("4" if code else "e", text))
    pairs += [("u", text) for each in _children(name, "affiliation") if (text := content(each).strip())]
    return pairs


def _subject(subject: etree._Element) -> list[tuple[str, str]]:
    tag, signs = "", "  "
    pairs: Pairs = []
    authority = subject.get("authority") or ""
    for child in subject:
        name = local(child.tag)
        text = " ".join(" ".join(content(part).split()) for part in ([child] if not len(child) else child)).strip()
        if not name or not text:
            continue
        if name == "name":
            kind = child.get("type") or "personal"
            found = _name(child)
            if not tag and found:
                tag = SUBJECT_NAMES.get(kind, "600")
                signs = "2" if tag != "600" else "1" if "," in found[0][1] else "0"
                pairs += found
            else:
                pairs += [("x", text)] if tag else []
        elif not tag and name in SUBJECTS:
            tag, signs = SUBJECTS[name], "0" if name == "titleInfo" else " "
            pairs.append(("a", text))
        elif name in SUBDIVISIONS:
            pairs.append((SUBDIVISIONS[name], text))
        elif name == "titleInfo":
            pairs.append(("t", text))
    if not tag:
        return []
    second = AUTHORITIES.get(authority, "7" if authority else "4")
    if second == "7":
        pairs.append(("2", authority))
    return [(tag, field(signs[:1] + second, pairs))]


KIND = descriptive.Kind(
    title="MODS",
    names=frozenset(("mods",)),
    shape=xmlscan.Shape("mods", "titleInfo|recordInfo|originInfo|typeOfResource"),
    record=_record,
)
