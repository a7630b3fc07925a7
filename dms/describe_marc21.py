"""A MARC 21 record's description (MARC 21 Format for Bibliographic Data; 880 by Appendix D, model A).

Where a field has its original script in an 880, that is what readers of the language look for: it comes first and the
romanised form beside it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from catalog.model import Description, Format, unique
from dms import addresses, isbd
from dms.formats import identifiers, resources
from dms.formats.resources import Evidence
from protocols import marc

Fields = dict[str, list[str]]

# Leader/06 (type of record).
NAMES = ("100", "110", "111", "700", "710", "711", "720")
NOTES = (
    "500", "501", "502", "504", "505", "508", "511", "513", "515", "516", "518", "525", "530", "533", "534", "538",
    "545", "546", "547", "550", "555", "580", "586",
)  # fmt: skip
SUBJECTS = ("600", "610", "611", "630", "647", "648", "650", "651", "653", "655")
CLASSES = ("050", "055", "060", "070", "080", "082", "084", "090", "093")
OTHER_TITLES = ("130", "240", "246", "247", "222", "242", "740")

_LATIN_END = 0x0370  # letters from here on (but Latin Extended Additional) are another script
_LATIN_MORE = range(0x1E00, 0x1F00)


class _Reader:
    """A record's fields by tag, each with its 880 at hand."""

    __slots__ = ("_mates", "fields")

    def __init__(self, record: marc.Record) -> None:
        self.fields: Fields = defaultdict(list)
        self._mates: dict[str, str] = {}  # "245-01" -> text of the 880
        for tag, text in record.fields:
            if tag == "880":
                link = marc.value(text, "6")
                self._mates.setdefault(link[:6], text)
                if link[4:6] == "00":  # an original with nothing romanised beside it stands for itself
                    self.fields[link[:3]].append(text)
            else:
                self.fields[tag].append(text)

    def scripts(self, tag: str, text: str) -> list[str]:
        """The field and its 880 if it has one, the one in another script than Latin first."""
        if not self._mates:
            return [text]
        link = marc.value(text, "6")
        mate = self._mates.get(f"{tag}-{link[4:6]}") if link[:3] == "880" else None
        if mate is None:
            return [text]
        return [text, mate] if _other_script(text) else [mate, text]

    def with_mates(self) -> Fields:
        """All fields, those in other scripts under 880."""
        return {**self.fields, "880": [*self.fields["880"], *self._mates.values()]} if self._mates else self.fields

    def first(self, *tags: str) -> str:
        """The first field of the first of `tags` that is there, in its original script; "" if there is none."""
        return next((self.scripts(tag, self.fields[tag][0])[0] for tag in tags if tag in self.fields), "")

    def texts(self, tags: Iterable[str]) -> list[tuple[str, str]]:
        """(tag, text) of all fields with these tags, in the order of the tags, original script first."""
        return [(t, one) for t in tags if t in self.fields for text in self.fields[t] for one in self.scripts(t, text)]

    def shown(self, tags: Iterable[str]) -> list[str]:
        """The same without the romanised twins."""
        return [self.scripts(t, text)[0] for t in tags if t in self.fields for text in self.fields[t]]


def describe(record: marc.Record) -> Description:
    """The description of a MARC 21 record."""
    reader = _Reader(record)
    titles = reader.scripts("245", reader.fields["245"][0]) if reader.fields.get("245") else [""]
    main, own = titles[0], _title(titles[0]) or _title_elsewhere(reader)
    romanised = _title(titles[1]) if len(titles) > 1 else ""
    publication = _publication(reader)
    coded = (reader.fields.get("008") or [""])[0]
    date = isbd.plain(marc.value(publication, "c"))
    year = _coded_year(coded) or isbd.year(date)
    languages = _languages(reader, coded)
    subtitle, parallel = _rest_of_title(main)
    return Description(
        title=own,
        subtitle=subtitle,
        volume=" ".join(_plain(marc.values(main, "np"))),
        parallel=_parallel(reader, own, parallel, romanised),
        responsibility=isbd.plain(" ".join(marc.values(main, "c"))),
        authors=unique([_name(tag, text) for tag, text in reader.texts(NAMES)]),
        edition=", ".join(_plain(marc.values(reader.first("250"), "ab"))),
        place=isbd.unbracketed(marc.value(publication, "a")),
        publisher=isbd.unbracketed(marc.value(publication, "b")),
        date=date,
        year=year,
        extent=_extent(reader.first("300")),
        series=_series(reader),
        isbns=unique([f"{n}" for t in reader.fields["020"] if (n := identifiers.isbn(marc.value(t, "a")))]),
        issns=unique([identifiers.issn(marc.value(t, "a")) for t in reader.fields["022"]]),
        subjects=unique([s for tag, text in reader.texts(SUBJECTS) for s in _subjects(tag, text)]),
        classification=unique(
            [isbd.plain(v.replace("/", "")) for tag in CLASSES for t in reader.fields[tag] for v in marc.values(t, "a")]
        ),
        languages=languages,
        kind=resources.kind(Format.MARC21, Evidence(record.leader, reader.with_mates(), year, languages)),
        summary="\n".join(_plain(" ".join(marc.values(text, "ab")) for text in reader.shown(["520"]))),
        notes=unique(
            [isbd.plain(" ".join(v for c, v in marc.subfields(t) if c.isalpha())) for t in reader.shown(NOTES)]
        ),
        links=_links(reader.fields["856"]),
        pinyin=_pinyin(main, romanised, languages),
    )


def _plain(values: Iterable[str]) -> list[str]:
    return [v for value in values if (v := isbd.plain(value))]


def _other_script(text: str) -> bool:
    """The field's text is not (only) in Latin letters."""
    body = "".join(value for code, value in marc.subfields(text) if code.isalpha())
    if body.isascii():
        return False
    return any(ord(c) >= _LATIN_END and ord(c) not in _LATIN_MORE and c.isalpha() for c in body)


def _title(text: str) -> str:
    """$a; for collections without one $k (form), $f (dates), $g; a part's own $n and $p as the last resort."""
    return isbd.plain(marc.value(text, "a")) or " ".join(_plain(marc.values(text, "kfg") or marc.values(text, "np")))


def _title_elsewhere(reader: _Reader) -> str:
    """A record without 245$a still has a name: its 245$b, key title or uniform title."""
    for tag, codes in (
        ("245", "b"),
        ("222", "a"),
        ("130", "a"),
        ("240", "a"),
        ("246", "a"),
        ("730", "a"),
        ("740", "a"),
    ):
        title = " ".join(_plain(marc.values(reader.first(tag), codes)))
        if title:
            return title
    return ""


def _rest_of_title(text: str) -> tuple[str, list[str]]:
    """$b is other title information, but a parallel title after `=` (ISBD 1.3)."""
    rest = marc.value(text, "b")
    before = text.partition(marc.DELIMITER + "b")[0].rstrip()
    pieces = rest.split(" = ")
    if before.endswith("="):
        return "", _plain(pieces)
    return isbd.plain(pieces[0]), _plain(pieces[1:])


def _parallel(reader: _Reader, own: str, parallel: Sequence[str], romanised: str) -> tuple[str, ...]:
    """Romanised and parallel titles first, then the other titles under which the thing is known."""
    found = [romanised, *parallel]
    found += [_title(one) for text in reader.fields["245"][1:] for one in reader.scripts("245", text)]
    found += [" ".join(_plain(marc.values(text, "abnp"))) for _, text in reader.texts(OTHER_TITLES)]
    return unique([title for title in found if title != own])


def _name(tag: str, text: str) -> str:
    """The heading without dates, relators, titles and affiliation."""
    codes = {"0": "abcq", "1": "abnd", "2": "aed"}.get(tag[1:2] if tag != "720" else "", "a")
    if tag in ("110", "710"):
        codes = "ab"
    elif tag in ("111", "711"):
        codes = "ae"
    parts = [v.strip(" ,") if c != "q" else v.strip() for c, v in marc.subfields(text) if c in codes]
    return isbd.plain(" ".join(part for part in parts if part))


def _publication(reader: _Reader) -> str:
    """264 of publication (second indicator 1) before 260, before any other 264."""
    statements = [reader.scripts("264", text)[0] for text in reader.fields.get("264", ())]
    published = next((text for text in statements if text[1:2] == "1"), "")
    return published or reader.first("260") or (statements[0] if statements else "")


def _extent(text: str) -> str:
    extent = ", ".join(_plain(v.rstrip(" +") for v in marc.values(text, "a")))
    for code, mark in (("b", " : "), ("c", " ; "), ("e", " + ")):
        more = ", ".join(_plain(v.rstrip(" +") for v in marc.values(text, code)))
        extent += (mark if extent else "") + more if more else ""
    return extent


def _series(reader: _Reader) -> tuple[str, ...]:
    """490 and 440 as transcribed, else the headings of 8xx; of a component part its host (773$t)."""
    told = []
    for text in reader.shown(("440", "490")) or reader.shown(("800", "810", "811", "830")):
        title = ". ".join(_plain(marc.values(text, "t") or marc.values(text, "anp")))
        number = isbd.plain(marc.value(text, "v"))
        told.append(f"{title} ; {number}" if title and number else title)
    return unique(told + [isbd.plain(marc.value(text, "t")) for text in reader.shown(["773"])])


def _subjects(tag: str, text: str) -> list[str]:
    if tag == "653":  # uncontrolled terms: each $a by itself
        return _plain(marc.values(text, "a"))
    heading = isbd.plain(" ".join(v for c, v in marc.subfields(text) if c in "abcdfgklmnopqrst"))
    parts = [heading, *_plain(v for c, v in marc.subfields(text) if c in "vxyz")]
    joined = "--".join(part for part in parts if part)
    return [joined] if joined else []


def _coded_year(coded: str) -> int:
    """008/07-10, date 1."""
    digits = coded[7:11]
    plausible = len(digits) == 4 and digits.isascii() and digits.isdigit() and 500 <= int(digits) <= 2100
    return int(digits) if plausible else 0


def _languages(reader: _Reader, coded: str) -> tuple[str, ...]:
    found = [v.strip().lower() for text in reader.fields.get("041", ()) for v in marc.values(text, "ad")]
    split = [v[i : i + 3] for v in found for i in range(0, len(v), 3)]  # "engfre" is two codes (obsolete habit)
    return unique([c for c in [coded[35:38].lower(), *split] if len(c) == 3 and c.isascii() and c.isalpha()])


def _links(texts: Sequence[str]) -> tuple[str, ...]:
    """Addresses of the thing itself: 856 with second indicator 2 is of something related."""
    return unique([u.strip() for t in texts if t[1:2] != "2" for u in marc.values(t, "u") if addresses.public(u)])


def _pinyin(main: str, romanised: str, languages: Sequence[str]) -> str:
    """245$9 of Chinese systems, else the romanised title of a book in Chinese."""
    told = _plain(marc.values(main, "9"))
    return told[0] if told else romanised if "chi" in languages else ""
