"""MARC 21 or the UNIMARC family (CNMARC, Taiwan's CMARC, RUSMARC), told by content: no file says it reliably.

Every row of the tables is a piece of evidence with points, positive for MARC 21 (KORMARC too, which shares its tags),
negative for UNIMARC: tags that one of them has and the other lacks or uses for something else.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from protocols.marc import Record, value

MARC21, CNMARC = "marc21", "cnmarc"

# Presence of a tag. MARC 21 Format for Bibliographic Data; UNIMARC Manual (2008); WH/T 0503-1996 (CNMARC).
TAGS: dict[str, int] = {
    "008": 4, "040": 2, "041": 2, "043": 2, "050": 2, "082": 2, "130": 2, "240": 2, "245": 8,
    "246": 3, "250": 1, "260": 4, "264": 4, "336": 2, "337": 2, "338": 2, "490": 2, "504": 1, "650": 3, "651": 3,
    "640": 2, "641": 2, "642": 2, "643": 2, "644": 2, "645": 2, "646": 2, "655": 2, "663": 2, "664": 2, "667": 2,
    "670": 1, "752": 1, "880": 2, "852": 1, "853": 2, "863": 2, "866": 1,
    "101": -3, "102": -3, "105": -3, "106": -3, "181": -2, "182": -2, "205": -3, "207": -2, "215": -3, "225": -3,
    "304": -1, "305": -1, "320": -2, "327": -2, "330": -3, "517": -2,
    "601": -2, "605": -2, "606": -3, "607": -3, "686": -1, "690": -1, "701": -4,
    "702": -4, "712": -3, "801": -4,
}  # fmt: skip

DIALECTS: dict[str, str] = {  # names that a source may be given → the family whose tables read it
    "marc21": MARC21,
    "kormarc": MARC21,
    "cnmarc": CNMARC,
    "unimarc": CNMARC,
    "cmarc": CNMARC,
    "rusmarc": CNMARC,
}

_CODED = re.compile(r"[0-9]{8}[a-z |#]|[ 0-9]{8}[a-k |#u]")
_ISBN = re.compile(r"(97[89][-0-9]|[0-9][-0-9]{8})[-0-9]*[0-9Xx]\b")
_LCC = re.compile(r"[A-Z]{1,3}[0-9]")
_ISSN = re.compile(r"[0-9]{4}-[0-9]{3}[0-9Xx]")


def _field_100(text: str) -> int:
    """General processing data of 36 characters, or a personal name."""
    data = value(text, "a")
    if len(data) >= 26 and _CODED.match(data):
        return -8
    return 4 if data and not data[:8].isdigit() else 0


def _field_200(text: str) -> int:
    return -7 if value(text, "a") else -2


def _field_210(text: str) -> int:
    """Publication ($c name, $d date), or an abbreviated title ($a, $b)."""
    return -4 if value(text, "c") or value(text, "d") else 1


def _field_010(text: str) -> int:
    return -4 if _ISBN.match(value(text, "a").strip()) or value(text, "d") else 1


def _field_011(text: str) -> int:
    return -4 if _ISSN.match(value(text, "a").strip()) else 0


def _field_020(text: str) -> int:
    return 4 if _ISBN.match(value(text, "a").strip()) else 0


def _field_022(text: str) -> int:
    return 4 if _ISSN.match(value(text, "a").strip()) else 0


def _field_006(text: str) -> int:
    """Coded data of 18 characters; some systems keep words of their own in 00X."""
    return 2 if len(text.rstrip()) <= 18 and text[:1] in "acdefgijkmoprst" and text.isascii() else 0


def _field_007(text: str) -> int:
    """Coded data that begins with a category of material."""
    return 1 if len(text) > 1 and text[0] in "acdfghkmoqrstvz" and text.isascii() else 0


def _linking(text: str) -> int:
    """UNIMARC's 4XX hold embedded fields or a title; what else has these tags are local notes."""
    return -2 if "\x1f1" in text or "\x1ft" in text else 0


def _class_number(text: str) -> int:
    """A number of the UDC or of Dewey; MARC 21 authorities keep sources of headings in 675."""
    return -2 if value(text, "a")[:1] in "0123456789(=" and value(text, "a") else 0


def _field_680(text: str) -> int:
    """A class of the Library of Congress, or a note of a MARC 21 authority."""
    return -2 if _LCC.match(value(text, "a")) and "\x1fi" not in text else 0


def _field_700(text: str) -> int:
    """In UNIMARC $a is the entry element only and the rest of the name is in $b, $c, $f."""
    return -2 if "\x1ff" in text or ("\x1fb" in text and "\x1ft" not in text) else 1


CONTENTS: dict[str, Callable[[str], int]] = {
    "006": _field_006,
    "007": _field_007,
    "010": _field_010,
    "011": _field_011,
    "020": _field_020,
    "022": _field_022,
    "100": _field_100,
    "200": _field_200,
    "210": _field_210,
    "454": _linking,
    "461": _linking,
    "462": _linking,
    "463": _linking,
    "675": _class_number,
    "676": _class_number,
    "680": _field_680,
    "700": _field_700,
}


_TELLING = frozenset(TAGS.keys() | CONTENTS.keys())


def _leader(leader: str) -> int:
    points = 0
    if leader[9:10] == "a":
        points += 2  # character coding scheme; undefined in UNIMARC
    if leader[18:19] in ("a", "c"):
        points += 2  # descriptive cataloguing form AACR2, ISBD without punctuation
    if leader[8:9] in ("0", "1", "2"):
        points -= 3  # hierarchical level; type of control is blank or "a" in MARC 21
    if leader[20:24] == "450 ":
        points -= 2
    elif leader[20:24] == "4500":
        points += 1
    return points


def weigh(record: Record) -> list[tuple[str, int]]:
    """The evidence in a record as (tag or "leader", points); repeated tags count once."""
    return [(name, points) for name, points in _evidence(record).items() if points]


def _evidence(record: Record) -> dict[str, int]:
    found = {"leader": _leader(record.leader)}
    for tag, text in record.fields:
        if tag not in _TELLING or found.get(tag):
            continue
        if tag not in TAGS:
            found[tag] = CONTENTS[tag](text)
        elif "\x1f" in text or tag == "008":  # without subfields it is no data field of either
            found[tag] = TAGS[tag]
    return found


def family(record: Record) -> str:
    """The name "marc21" or "cnmarc" (for all UNIMARC); without any evidence "marc21"."""
    return MARC21 if sum(_evidence(record).values()) >= 0 else CNMARC
