"""A CNMARC record's description (新版中国机读目录格式使用手册; UNIMARC Manual, bibliographic format, 3rd edition)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from catalog.model import Description, Format, unique
from dms import addresses, isbd
from dms.formats import identifiers, resources
from dms.formats.resources import Evidence
from protocols import embedded, marc

Fields = dict[str, list[str]]

# Leader/06 (type of record).
PARALLEL_TITLES = (
    "510",
    "541",
    "500",
    "501",
    "503",
    "512",
    "513",
    "514",
    "515",
    "516",
    "517",
    "518",
    "520",
    "532",
    "540",
)
NAMED_BY = ("500", "501", "503", "530", "532", "510", "517", "540")  # where there is no 200
NAMES = ("700", "701", "710", "711", "720", "721", "730", "702", "712", "722")
NOTES = (
    "300", "301", "302", "303", "304", "305", "306", "307", "308", "310", "311", "312", "313", "314", "315", "316",
    "317", "320", "321", "322", "323", "324", "325", "326", "327", "328", "332", "333", "336", "337",
)  # fmt: skip
SUBJECTS = ("600", "601", "602", "604", "605", "606", "607", "608", "610", "620")
CLASSES = ("690", "692", "686", "676", "675", "680")
SERIES_LINKS = ("410", "461", "462")

_ABSENT = [""]
_REST = marc.DELIMITER + "b"
_HAN = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]")


def describe(record: marc.Record) -> Description:
    """The description of a CNMARC or other UNIMARC record."""
    fields: Fields = {}
    for tag, text in record.fields:
        if tag in fields:
            fields[tag].append(text)
        else:
            fields[tag] = [text]
    titles = fields.get("200", _ABSENT)
    main = _Title(titles[0])
    own = main.title() or _title_elsewhere(fields)
    publication = (fields.get("210") or fields.get("214") or _ABSENT)[0]
    date = isbd.plain(marc.value(publication, "d") or marc.value(publication, "h"))
    year = _coded_year(fields) or isbd.year(date)
    languages = _languages(fields)
    editions = fields.get("205", ())
    return Description(
        title=own,
        subtitle=" : ".join(main.all("e")),
        volume=" ".join(main.all("hi")),
        parallel=_parallel(fields, own, main, titles),
        responsibility=" ; ".join(main.all("fg")),
        authors=unique([_name(text) for text in _of(fields, NAMES)]),
        edition=", ".join(_plain(marc.values(editions[0], "abdfg"))) if editions else "",
        place=isbd.unbracketed(marc.value(publication, "a")),
        publisher=isbd.unbracketed(marc.value(publication, "c")),
        date=date,
        year=year,
        extent=_extent(fields),
        series=_series(fields),
        isbns=unique([f"{n}" for text in fields.get("010", ()) if (n := identifiers.isbn(marc.value(text, "a")))]),
        issns=unique([identifiers.issn(marc.value(text, "a")) for text in fields.get("011", ())]),
        subjects=unique([s for tag in SUBJECTS if tag in fields for text in fields[tag] for s in _subjects(tag, text)]),
        classification=unique(
            [isbd.plain(marc.value(t, "a")) or isbd.plain(marc.value(t, "c")) for t in _of(fields, CLASSES)]
        ),
        languages=languages,
        kind=resources.kind(Format.CNMARC, Evidence(record.leader, fields, year, languages)),
        summary="\n".join(_plain([v for text in fields.get("330", ()) for v in marc.values(text, "a")])),
        notes=unique([isbd.plain(" ".join(marc.values(text, "abc"))) for text in _of(fields, NOTES)]),
        links=unique([u.strip() for t in fields.get("856", ()) for u in marc.values(t, "u") if addresses.public(u)]),
        pinyin=" ".join(main.all("A")[:1] or main.all("9")[:1]),
    )


def _of(fields: Fields, tags: Iterable[str]) -> list[str]:
    """All fields with these tags, in the order of the tags."""
    return [text for tag in tags if tag in fields for text in fields[tag]]


def _plain(values: Iterable[str]) -> list[str]:
    return [v for value in values if (v := isbd.plain(value))]


class _Title:
    """200 as plain texts, the empty ones left out. $A (CALIS), or the $9 after $a (NLC), is pinyin."""

    __slots__ = ("pairs",)

    def __init__(self, text: str) -> None:
        self.pairs = [(code, plain) for code, value in marc.subfields(text) if (plain := isbd.plain(value))]

    def all(self, codes: str) -> list[str]:
        """Texts of some subfields, in field order."""
        return [text for code, text in self.pairs if code in codes]

    def title(self) -> str:
        """$a; several are works without a collective title: $a of the same author, $c of another (UNIMARC 200)."""
        title = ""
        for code, text in self.pairs:
            if code in "ac":
                title += ("" if not title else " ; " if code == "a" else ". ") + text
        return title or " ".join(self.all("hi")) or " : ".join(self.all("e"))


def _title_elsewhere(fields: Fields) -> str:
    """A record without 200 still has a name: its uniform, key, expanded or other title."""
    return next((title for text in _of(fields, NAMED_BY) if (title := isbd.plain(marc.value(text, "a")))), "")


def _parallel(fields: Fields, own: str, main: _Title, titles: Sequence[str]) -> tuple[str, ...]:
    """Titles in other languages and scripts first, then the other titles under which the thing is known."""
    found = main.all("d") + [_Title(text).title() for text in titles[1:]]
    found += [" ".join(_plain(marc.values(text, "ahi"))) for text in _of(fields, PARALLEL_TITLES)]
    return unique([title for title in found if title != own])


def _name(text: str) -> str:
    """$a with the rest of the name ($b): joined where it is Chinese, inverted where it is not."""
    entry = isbd.plain(marc.value(text, "a"))
    if _REST not in text or not entry:
        return entry
    rest = _plain(marc.values(text, "b"))
    if not rest:
        return entry
    if text[1:2] == "1" and not _HAN.search(entry):
        return f"{entry}, {rest[0]}"
    return entry + (rest[0] if _HAN.search(entry) else " " + ". ".join(rest))


def _extent(fields: Fields) -> str:
    by_code: dict[str, list[str]] = {}
    for code, value in marc.subfields(fields.get("215", _ABSENT)[0]):
        by_code.setdefault(code, []).append(value.rstrip(" +"))
    extent = ""
    for code, mark in (("a", ""), ("c", " : "), ("d", " ; "), ("e", " + ")):
        if code in by_code and (more := ", ".join(_plain(by_code[code]))):
            extent += (mark if extent else "") + more
    return extent


def _series(fields: Fields) -> tuple[str, ...]:
    """225 as transcribed; where there is none, the set or host that 410, 461, 462 or (of an article) 463 links to."""
    told = []
    for text in fields.get("225", ()):
        title = ". ".join(_plain(marc.values(text, "ahi")))
        number = isbd.plain(marc.value(text, "v"))
        told.append(f"{title} ; {number}" if title and number else title)
    if not any(told):
        told = [_linked_title(text) for tag in SERIES_LINKS for text in fields.get(tag, ())]
    return unique(told + [_linked_title(text) for text in fields.get("463", ())])


def _linked_title(text: str) -> str:
    """Title and number of a 4xx field: embedded fields ($12001 $a … $v) or standard subfields ($t … $v)."""
    title = ""
    for tag, inner in embedded.fields(text):
        if tag in ("200", embedded.OUTSIDE):
            title = title or isbd.plain(marc.value(inner, "a" if tag else "t"))
    number = isbd.plain(marc.value(text, "v"))
    return f"{title} ; {number}" if title and number else title


def _subjects(tag: str, text: str) -> list[str]:
    if tag == "610":  # uncontrolled terms: each $a by itself
        return _plain(marc.values(text, "a"))
    if tag == "620":  # place and date access
        return [heading] if (heading := ", ".join(_plain(marc.values(text, "abcd")))) else []
    name = _name(text) if tag in ("600", "601", "602") else isbd.plain(marc.value(text, "a"))
    parts = [name, *_plain(marc.values(text, "txyzj"))]
    heading = "--".join(filter(None, parts))
    return [heading] if heading else []


def _coded_year(fields: Fields) -> int:
    """100$a/09-12, publication date 1, where it stands in place and can be one (UNIMARC 100)."""
    data = marc.value((fields.get("100") or [""])[0], "a")
    digits = data[9:13]
    plausible = len(digits) == 4 and digits.isascii() and digits.isdigit() and 500 <= int(digits) <= 2100
    return int(digits) if plausible and data[8:9].isalpha() else 0


def _languages(fields: Fields) -> tuple[str, ...]:
    found = [v.strip().lower() for text in fields.get("101", ()) for v in marc.values(text, "a")]
    split = [v[i : i + 3] for v in found for i in range(0, len(v), 3)]  # "chieng" is two codes
    return unique([code for code in split if len(code) == 3 and code.isascii() and code.isalpha()])
