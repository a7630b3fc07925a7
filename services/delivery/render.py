"""A published cluster in the forms that leave the node.

The merged body is stored without the numbers that only make sense outside: 001 becomes the cluster's id and 005 the
time of its last change (MARC 21 and UNIMARC agree on both, and on the form of 005). What a source left there goes.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache

from catalog import packing
from catalog.model import Description, Published
from config import errors
from dms.crosswalk import targets
from protocols import iso2709, marcjson
from protocols.charsets import codec
from protocols.marc import Record, is_control, subfields
from services.delivery import coding, slim

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
    kept = [each for each in merged.fields if each[0] not in OURS]
    named = Record(merged.leader, (("001", published.id), ("005", _stamp(published.at)), *kept))
    return coding.said(named, published.format, codec.UTF8)


@lru_cache(maxsize=4096)
def _stamp(at: datetime) -> str:
    """A time as 005 says it. Records that were merged together have the same."""
    return at.astimezone(UTC).strftime("%Y%m%d%H%M%S.0")


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
    return _crossed(published, "dc")


def as_qdc(published: Published) -> str:
    """Qualified Dublin Core. Raises `Tombstone`."""
    return _crossed(published, "qdc")


def as_mods(published: Published) -> str:
    """MODS. Raises `Tombstone`."""
    return _crossed(published, "mods")


def _crossed(published: Published, target: str) -> str:
    return targets.TARGETS[target](record(published), published.format, published.id).text


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
