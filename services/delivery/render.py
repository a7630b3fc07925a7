"""A published cluster in the forms that leave the node.

The merged body is stored without the numbers that only make sense outside: 001 becomes the cluster's id and 005 the
time of its last change (MARC 21 and UNIMARC agree on both, and on the form of 005). What a source left there goes.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC

from catalog import packing
from catalog.model import Description, Format, Published
from config import errors
from protocols import iso2709, marcjson
from protocols.marc import DELIMITER, Record, is_control, subfields, value
from services.delivery import dublin, slim

CHARACTER_SETS = slice(26, 30)  # of a UNIMARC 100 $a
OURS = ("001", "003", "005")  # 003 names the agency of the 001 that we replace


class Tombstone(errors.NotFound):
    """The record was deleted: there is nothing to render."""

    code = "gone"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A field as the MARC view shows it; control fields have a `value`, data fields indicators and subfields."""

    tag: str
    indicators: str = ""  # two characters, blanks as "#"
    value: str = ""
    subfields: tuple[tuple[str, str], ...] = ()


def described(published: Published) -> Description:
    """The description. Raises `Tombstone`."""
    if published.description is None:
        raise Tombstone(f"Record {published.id} was deleted.")
    return published.description


def record(published: Published) -> Record:
    """The merged record as it leaves. Raises `Tombstone`."""
    described(published)
    merged = packing.unpack(published.body)
    stamp = published.at.astimezone(UTC).strftime("%Y%m%d%H%M%S.0")
    kept = (each for each in merged.fields if each[0] not in OURS)
    # Leader/09 says UTF-8 in MARC 21; the UNIMARC family says it in 100 $a and leaves leader/09 blank.
    if published.format is Format.CNMARC:
        kept = ((tag, _in_unicode(text) if tag == "100" else text) for tag, text in kept)
    leader = merged.leader.ljust(24)[:24]
    coding = "a" if published.format is Format.MARC21 else " "
    return Record(leader[:9] + coding + leader[10:], (("001", published.id), ("005", stamp), *kept))


def _in_unicode(text: str) -> str:
    """A UNIMARC 100 whose $a/26-29 names ISO 10646 as the character set, whatever the source wrote in."""
    coded = value(text, "a")
    if len(coded) < CHARACTER_SETS.stop:
        return text
    unicode = f"{coded[: CHARACTER_SETS.start]}50  {coded[CHARACTER_SETS.stop :]}"
    return text.replace(f"{DELIMITER}a{coded}", f"{DELIMITER}a{unicode}", 1)


def as_marcxml(published: Published) -> str:
    """MARCXML: a `record` element that MARC21slim.xsd accepts, for both formats."""
    return slim.write(record(published))


def as_iso2709(published: Published) -> bytes:
    """ISO 2709 in UTF-8. Raises `iso2709.TooLong`."""
    return iso2709.write(record(published))


def as_marcjson(published: Published) -> str:
    """MARC-in-JSON, one line."""
    return marcjson.write(record(published))


def as_dc(published: Published) -> str:
    """oai_dc. Raises `Tombstone`."""
    return dublin.write(described(published), published.id)


def lines(marc: Record) -> list[Line]:
    """The fields for the MARC view."""
    return [
        Line(tag=tag, value=text)
        if is_control(tag)
        else Line(tag=tag, indicators=text[:2].replace(" ", "#"), subfields=tuple(subfields(text)))
        for tag, text in marc.fields
    ]


def as_lines(marc: Record) -> str:
    """The MARC view as text, a field a line; `$` before each subfield code."""
    rows = [f"LDR    {marc.leader}"]
    for line in lines(marc):
        content = line.value or " ".join(f"${code} {value}" for code, value in line.subfields)
        rows.append(f"{line.tag} {line.indicators:2} {content}".rstrip())
    return "\n".join(rows) + "\n"
