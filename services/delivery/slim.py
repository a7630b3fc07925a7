"""MARCXML for harvesters: always valid, and fast enough for pages of hundreds of records.

MARC21slim.xsd is narrower than ISO 2709, and one stray tag in a merged record would make a whole page of a harvest
invalid: so what the schema can't name is left out here, and fill characters become blanks. The other carriers give a
record as it is. Fields are joined first and escaped at once; mark-up then takes the place of separators.
"""

from __future__ import annotations

import re
from functools import lru_cache

from protocols import marcxml
from protocols.marc import DELIMITER, Record
from protocols.oaipmh.wire import escape

FIELD = "\x1e"
_CODE = r"[0-9A-Za-z!\"#$%&'()*+,\-./:;<=>?{}_^`~\[\]\\]"
_CONTROL_TAG = re.compile("00[1-9A-Za-z]")
_DATA_TAG = re.compile("0(?:[1-9A-Z][0-9A-Z]|[1-9a-z][0-9a-z])|[1-9A-Z][0-9A-Z]{2}|[1-9a-z][0-9a-z]{2}")
_TEXT = re.compile(f"[0-9a-z ]{{2}}(?:{DELIMITER}{_CODE}[^{DELIMITER}{FIELD}]*)+")
_SUBFIELD = re.compile(f"{_CODE}[^{DELIMITER}{FIELD}]*")
_INDICATOR = re.compile("[0-9a-z ]")
_LEADER = re.compile("[^0-9A-Za-z ]")
# XML 1.0, 2.2, but for our separators.
_ILLEGAL = re.compile("[^\t\n\r\x1e\x1f\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@lru_cache(maxsize=4096)
def _kind(tag: str) -> str:
    """control, data, or "" for a tag that the schema doesn't know."""
    return "control" if _CONTROL_TAG.fullmatch(tag) else "data" if _DATA_TAG.fullmatch(tag) else ""


def write(record: Record) -> str:
    """A `record` element that MARC21slim.xsd accepts: control fields first, then data fields, in record order."""
    controls, data = [], []
    for tag, text in record.fields:
        kind = _kind(tag)
        if kind == "control":
            value = escape(text)
            controls.append(f'<controlfield tag="{tag}">{value}</controlfield>')
        elif kind and (fitting := text if _TEXT.fullmatch(text) else _mended(text)):
            data.append(f"{FIELD}{tag}{fitting}")
    body = "".join(data)
    if _ILLEGAL.search(body):
        body = _ILLEGAL.sub("", body)
    body = body.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")
    rows = "".join(map(_data_field, body.split(FIELD)[1:]))
    return f'<record xmlns="{marcxml.NAMESPACE}"><leader>{_leader(record)}</leader>{"".join(controls)}{rows}</record>'


def _data_field(escaped: str) -> str:
    """A field whose text is escaped already: tag, indicators, subfields."""
    head, *parts = escaped.split(DELIMITER)
    inside = "".join(
        [
            f'<subfield code="{part[0]}">{part[1:]}</subfield>' if part[0] != "&" else _escaped_code(part)
            for part in parts
        ]
    )
    return f'<datafield tag="{head[:3]}" ind1="{head[3]}" ind2="{head[4]}">{inside}</datafield>'


def _escaped_code(part: str) -> str:
    """A subfield whose code was one of the characters that are escaped."""
    end = part.index(";") + 1
    return f'<subfield code="{part[:end]}">{part[end:]}</subfield>'


def _leader(record: Record) -> str:
    leader = _LEADER.sub(" ", marcxml.leader(record))
    return f"{leader[:6]}a{leader[7:]}" if leader[6] == " " else leader  # the one place that may not be blank


def _mended(text: str) -> str:
    """The field's text with legal indicators and subfields, "" if no subfield is legal."""
    head, *parts = text.replace(FIELD, " ").split(DELIMITER)
    kept = [part for part in parts if _SUBFIELD.fullmatch(part)]
    indicators = "".join(each if _INDICATOR.fullmatch(each) else " " for each in head.ljust(2)[:2])
    return DELIMITER.join((indicators, *kept)) if kept else ""
