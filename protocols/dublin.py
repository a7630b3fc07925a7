"""Dublin Core in: simple and qualified, in any of the containers it comes in (pure).

Containers: `oai_dc:dc`, `srw_dc:dc`, `qdc:qualifieddc`, `rdf:Description`, `dc:record` and `simpledc`; the table is
`dublin.toml`. Names are those of DCMES 1.1 and DCMI Metadata Terms, whatever their prefix.
"""

from __future__ import annotations

from lxml import etree

from protocols import descriptive, tomarc, xmlscan
from protocols.marc import Record
from protocols.tomarc import Made
from protocols.xmlparse import Finding, Unreadable, content, local

NAMES = ("dc", "qualifieddc", "oai_qdc", "simpledc", "Description", "record")
_ELEMENTS = "title|creator|identifier|subject|alternative"


def _record(element: etree._Element, ident: str, findings: list[Finding]) -> Record:
    made = Made()
    tomarc.make(element, tomarc.table("dublin"), made)
    if not made.fields and not made.coded:
        raise Unreadable("the element holds nothing of Dublin Core")
    own = next((text for c in element if local(c.tag) == "identifier" and (text := content(c).strip())), "")
    about = next((str(value) for key, value in element.attrib.items() if local(key) == "about"), "")  # of RDF
    return made.record(ident or about or own, findings)


KIND = descriptive.Kind(
    title="Dublin Core",
    names=frozenset(NAMES),
    shape=xmlscan.Shape("|".join(NAMES), _ELEMENTS),
    record=_record,
)
