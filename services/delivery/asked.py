"""A record in the form that a client of a search protocol asked for, whole or brief (pure).

Forms have the names of `FORMS`; a schema that stands for one is known by each of its names (`SCHEMAS`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from catalog.model import Format, Holding, Published
from dms.crosswalk import targets
from protocols import iso2709
from protocols.charsets import codec
from protocols.marc import Record
from services.delivery import coding, dublin, rows, slim
from services.delivery.forms import Going
from services.delivery.render import described

ISO2709, MARCXML, MODS, DC, QDC = "iso2709", "marcxml", "mods", "dc", "qdc"
FORMS = (ISO2709, MARCXML, MODS, DC, QDC)
# Names by which clients ask for a form of XML, lower case: short ones, namespaces, and what SRU registered.
SCHEMAS: Mapping[str, str] = {
    "marcxml": MARCXML,
    "marc21slim": MARCXML,
    "http://www.loc.gov/marc21/slim": MARCXML,
    "info:srw/schema/1/marcxml-v1.1": MARCXML,
    "mods": MODS,
    "http://www.loc.gov/mods/v3": MODS,
    **{f"info:srw/schema/1/mods-v3.{n}": MODS for n in range(8)},
    "dc": DC,
    "oai_dc": DC,
    "http://www.openarchives.org/oai/2.0/oai_dc/": DC,
    "info:srw/schema/1/dc-v1.1": DC,
    "qdc": QDC,
}
# What a brief record keeps: who, what, when, and the numbers to know it by.
BRIEF: Mapping[Format, frozenset[str]] = {
    Format.MARC21: frozenset(
        ("001", "005", "008", "010", "020", "022", "100", "110", "111", "245", "250", "260", "264", "300", "490", "880")
    ),
    Format.CNMARC: frozenset(
        ("001", "005", "010", "011", "100", "101", "200", "205", "210", "214", "215", "225", "700", "701", "710", "711")
    ),
}


def shortened(going: Going) -> Going:
    """The record with the fields that tell titles apart."""
    kept = tuple(each for each in going.record.fields if each[0] in BRIEF[going.format])
    return Going(going.ident, Record(going.record.leader, kept), going.format)


def written(going: Going, form: str, encoding: str = codec.UTF8) -> bytes:
    """The record in a form of `FORMS`; the encoding is that of ISO 2709, XML is UTF-8.

    Raises `BadRecord`, `iso2709.TooLong` where the record is longer than ISO 2709 can say.
    """
    if form == ISO2709:
        return iso2709.encoded(coding.said(going.record, going.format, encoding), encoding).data
    if form == MARCXML:
        return slim.write(going.record).encode()
    return targets.TARGETS[form](going.record, going.format, going.ident).text.encode()


def text(
    published: Published, holdings: Iterable[tuple[str, Holding]], names: Mapping[str, str], lang: str, *, brief: bool
) -> str:
    """The record as plain text for people, with its holdings; brief as one line. Raises `render.Tombstone`."""
    of = described(published)
    if brief:
        parts = (dublin.heading(of), of.responsibility, rows.publication(of), *of.isbns)
        return ". - ".join(part for part in parts if part) + "\n"
    return rows.text(of, published.id, holdings, names, lang)
