"""The other elements that MARC is written in: OAI-MARC and Turbomarc, read from a parsed element (pure).

OAI-MARC (oai_marc.xsd, Open Archives Initiative): `fixfield` and `varfield` with `id`, `i1`, `i2`, `subfield` with
`label`; the leader in a `fixfield` LDR, or in attributes of the root. Control fields may stand in quotation marks, and
Aleph writes `^` for a blank. Turbomarc (Index Data): the tag is part of an element's name, `c001`, `d245`, `sa`.
"""

from __future__ import annotations

from collections.abc import Iterator

from lxml import etree

from protocols import coded, marc
from protocols.marc import DELIMITER, Record
from protocols.xmlparse import Finding, Unreadable, content, local

_LEADER = ("status", "type", "level")  # attributes of oai_marc for positions 5, 6, 7; encLvl 17, catForm 18


def record(element: etree._Element, findings: list[Finding]) -> Record:
    """The record of an `oai_marc` element. Raises `Unreadable` for elements that OAI-MARC does not have."""
    leader = ""
    fields: list[tuple[str, str]] = []
    for child in element:
        name, tag = local(child.tag), (child.get("id") or "").strip()
        if name == "fixfield" and tag:
            value = content(child).strip("\r\n\t").removeprefix('"').removesuffix('"').replace("^", " ")
            if not value.strip():
                raise Unreadable(f"fixfield {tag} is empty")
            if tag == "LDR":
                leader = value
            elif tag != "FMT":
                fields.append((tag if len(tag) == 3 else tag.zfill(3), value))
        elif name == "varfield" and tag:
            fields.append((tag.zfill(3), "".join(_varfield(child))))
        elif name:
            raise Unreadable(f"<{name}> is no element of OAI-MARC")
    leader = leader or _from_attributes(element)
    return coded.with_blanks(Record(coded.leader(leader, findings), tuple(fields)), "^")


def _varfield(element: etree._Element) -> Iterator[str]:
    yield (element.get("i1") or " ")[:1] + (element.get("i2") or " ")[:1]
    for child in element:
        if local(child.tag) == "subfield":
            yield DELIMITER + ((child.get("label") or " ")[:1]) + content(child)


def _from_attributes(element: etree._Element) -> str:
    head = "".join((element.get(name) or " ")[:1] for name in _LEADER)
    level, form = ((element.get(name) or " ")[:1] for name in ("encLvl", "catForm"))
    return f"00000{head}  2200000{level}{form} 4500"


def turbo(element: etree._Element, findings: list[Finding]) -> Record:
    """The record of a Turbomarc `r` element."""
    leader = ""
    fields: list[tuple[str, str]] = []
    for child in element:
        name = local(child.tag)
        tag = name[1:] or child.get("tag") or ""
        if name == "l":
            leader = content(child)
        elif name[:1] == "c" and tag:
            fields.append((tag, content(child)))
        elif name[:1] == "d" and tag:
            text = "".join(_turbo_field(child))
            # In danMARC2 00X fields have subfields.
            fields.append((tag, text[2:] if marc.is_control(tag) and DELIMITER not in text else text))
    if not leader.strip():
        findings.append(("leader-missing", "the record has no leader"))
        leader = "00000nam a2200000   4500"
    return Record(coded.leader(leader, findings), tuple(fields))


def _turbo_field(element: etree._Element) -> Iterator[str]:
    yield (element.get("i1") or " ")[:1] + (element.get("i2") or " ")[:1]
    for child in element:
        name = local(child.tag)
        code = name[1:] or child.get("code") or " "
        if name[:1] == "s":
            yield DELIMITER + code[:1] + content(child)
