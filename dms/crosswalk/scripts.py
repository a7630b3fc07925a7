"""A field and its twin in another script (880, MARC 21 appendix D) as one thing in the target (pure)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from dms.crosswalk.elements import Element
from protocols import marc
from protocols.marc import DELIMITER, Record

# Script identification code of $6 (MARC 21, appendix A) → ISO 15924.
CODES: Mapping[str, str] = {
    "(3": "Arab",
    "(B": "Latn",
    "$1": "Hani",
    "(N": "Cyrl",
    "(S": "Grek",
    "(2": "Hebr",
}


def link(tag: str, text: str) -> str:
    """What a field shares with its twin: tag and occurrence number in $6; "" = it has none."""
    told = marc.value(text, "6")
    return f"{tag}-{told[4:6]}" if told[4:6].isdigit() and told[4:6] != "00" else ""


def mates(record: Record) -> dict[str, str]:
    """A group number for every pair of a field and its 880."""
    links = Counter(
        found
        for tag, text in record.fields
        if f"{DELIMITER}6" in text
        and not marc.is_control(tag)
        and (found := link(marc.value(text, "6")[:3] if tag == "880" else tag, text))
    )
    return {found: f"{number:02d}" for number, found in enumerate((k for k, n in links.items() if n > 1), 1)}


def code(text: str) -> str:
    """The language tag (RFC 5646) of an 880's texts: language undetermined, script by $6."""
    return f"und-{CODES.get(marc.value(text, '6')[7:9], 'Zzzz')}"


def grouped(element: Element, group: str) -> Element:
    """The element marked as one of a pair (MODS, altRepGroup)."""
    return Element(element.name, {**element.attributes, "altRepGroup": group}, element.text, element.children)


def beside(element: Element, twin: Element, script: str) -> Element:
    """The element with the texts of its twin beside its own, marked with their script."""
    made = Element(element.name, element.attributes, element.text)
    left = list(twin.children)
    for child in element.children:
        mate = next((each for each in left if each.name == child.name), None)
        if mate is not None:
            left = [each for each in left if each is not mate]
        made.children.append(child if mate is None or child.text else beside(child, mate, script))
        if mate is not None and mate.text and mate.text != child.text:
            made.children.append(_marked(mate, script))
    made.children += [_marked(each, script) for each in left]
    return made


def _marked(element: Element, script: str) -> Element:
    """A copy with the script at every text."""
    attributes = {**element.attributes, "xml:lang": script} if element.text else element.attributes
    return Element(element.name, attributes, element.text, [_marked(each, script) for each in element.children])
