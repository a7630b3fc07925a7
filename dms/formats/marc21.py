"""Facts of a MARC 21 bibliographic record (Library of Congress, MARC 21 Format for Bibliographic Data).

880 fields (alternate graphic representation) replace the romanised fields that they are linked to by $6; the romanised
title is kept beside them.
"""

from __future__ import annotations

import re

from catalog import facts as model
from catalog.facts import Facts
from dms.formats import identifiers, media, statements
from protocols import marc

# Tags looked at; the others are passed over.
WANTED: frozenset[str] = frozenset((
    "006", "007", "008", "010", "020", "022", "024", "027", "035", "041", "100", "110", "111", "130", "222", "240",
    "245", "246", "250", "260", "264", "300", "337", "338", "440", "490", "500", "502", "533", "534", "700", "710",
    "711", "730", "740", "773", "800", "810", "811", "830", "852", "856", "880",
))  # fmt: skip

_CLASS = {"a": model.COMPONENT, "b": model.COMPONENT, "d": model.COMPONENT, "c": model.COLLECTION,
          "s": model.SERIAL, "i": model.SERIAL}  # fmt: skip
_MEDIA = {"c": model.SCORE, "d": model.SCORE, "e": model.MAP, "f": model.MAP, "g": model.VIDEO, "i": model.AUDIO,
          "j": model.AUDIO, "k": model.PICTURE, "m": model.ELECTRONIC, "o": model.KIT, "r": model.OBJECT}  # fmt: skip
_FORM = {"o": model.ELECTRONIC, "s": model.ELECTRONIC, "q": model.ELECTRONIC, "a": model.MICROFORM,
         "b": model.MICROFORM, "c": model.MICROFORM}  # fmt: skip
_PHYSICAL = {"h": model.MICROFORM, "s": model.AUDIO, "v": model.VIDEO, "m": model.VIDEO}
_OCLC = re.compile(r"\(OCoLC\)\s*(?:ocm|ocn|on)?0*(\d+)")
_PAGED = re.compile(r"\[?\d+\]?(?:-\[?\d+\]?)? p\b(?!\S* of)")
_COLLECTION = re.compile(r"(?!v(?:ol)?|p(?:ar)?t|b(?:an)?d|tome|book|teil|series|supp)[A-Za-z]{4,} ?[A-Za-z]{4,}", re.I)
_SEVERAL = re.compile(r"..\x1fa(?:[2-9]|\d\d) v")
_OTHER_TITLES = (
    ("245", "b"), ("245", "k"), ("222", "a"), ("130", "a"), ("240", "a"), ("246", "a"), ("730", "a"), ("740", "a"),
)  # fmt: skip
# Relators (codes and terms of the MARC list) of who made, sold, owned or was given the thing, and wrote nothing of it.
_MAKERS = frozenset((
    "bkd", "binder", "bookseller", "bsl", "dedicatee", "distributor", "dnr", "donor", "dst", "dte", "dto", "egr",
    "engraver", "fmo", "former owner", "manufacturer", "mfr", "own", "owner", "pbd", "pbl", "printer", "prt",
    "publisher", "seller", "sll",
))  # fmt: skip
_LCCN = re.compile(r"([a-z]{0,3})\s*(\d{2,4})[- ]?0*(\d{1,6})")
_TELLING_WORDS = ("reprint", "facsim", "photo", "large print", "large type", "braille", "blockbook", "woodblock")
_TELLING = re.compile(rf"[^\x00-\u02ff]|{'|'.join(_TELLING_WORDS)}", re.I)


def facts(record: marc.Record) -> Facts:
    """What a MARC 21 record says about its resource."""
    leader = record.leader.ljust(24)
    kind = leader[6]
    fields: dict[str, list[str]] = {}
    for tag, text in record.fields:
        if tag in WANTED:
            if tag in fields:
                fields[tag].append(text)
            else:
                fields[tag] = [text]
    originals = _originals(fields["880"]) if "880" in fields else {}
    coded = fields.get("008", [""])[0].ljust(40)
    title = _Title(fields, originals)
    supplied = "" if title.titles else _supplied_title(fields, originals)
    record_class = _CLASS.get(leader[7], model.MONOGRAPH)
    if record_class == model.COMPONENT and "773" not in fields:
        record_class = model.MONOGRAPH  # an offprint, catalogued by itself
    isbns = _isbns(fields.get("020", ()))
    imprint = _imprint(fields, originals)
    extent = "; ".join(map(_extent, fields.get("300", ())))
    form = coded[29] if kind in "efgkor" else coded[23]
    host = fields.get("773", [""])[0]
    languages = fields.get("041", ())
    authors, contributors = _names(fields, originals)
    return Facts(
        record_class=record_class,
        titles=(supplied,) if supplied else title.titles,
        supplied_title=supplied != "",
        subtitle=title.subtitle if title.subtitle != supplied else "",
        parallel=title.parallel,
        romanised=title.romanised,
        volumes=title.volumes,
        parts=title.parts,
        own_series_volume=title.own_series_volume,
        series=_series(fields, originals),
        set_evidence=isbns.of_set,
        set_size=isbns.size,
        edition=" ".join(
            " ".join(marc.values(originals.get(("250", marc.value(t, "6")[4:6]), t), "ab"))
            for t in fields.get("250", ())
        ),
        dates=imprint[2],
        coded_years=_coded_years(coded),
        extent=extent,
        publishers=imprint[1],
        places=imprint[0],
        authors=authors,
        contributors=contributors,
        responsibility=title.responsibility,
        media=_medium(kind, fields, form, title.designation, extent) or isbns.medium,
        language=coded[35:38].strip(" |\\"),
        translated=any(text[:1] == "1" or "\x1fh" in text for text in languages),
        isbns=isbns.valid,
        set_isbns=isbns.sets,
        weak_isbns=isbns.weak,
        invalid_isbns=isbns.invalid,
        bindings=isbns.bindings,
        issns=marc_issns(fields.get("022", ())),
        dois=_dois(fields.get("024", ())),
        control_numbers=_control_numbers(fields),
        host=statements.trim(marc.value(host, "t")) if host else "",
        host_place=" ".join(marc.values(host, "gq")) if host else "",
        notes=_notes(fields),
        manuscript=kind in "tdf" and "502" not in fields,
        ancient_coded=False,
        large_print=form == "d",
        braille=form == "f",
    )


def _extent(text: str) -> str:
    """300$a, and $b where it only goes on with the leaves or pages: `$a3 p.$bl., 180 p.`, `$axx p., 1 l.,$b359 p.`"""
    extent, more = marc.value(text, "a"), marc.value(text, "b")
    if more[:1] in ("l", "L", "ℓ"):
        return f"{extent} {more}" if extent.rstrip().endswith(("p.", "1", "p")) else extent
    return f"{extent} {more}" if extent.rstrip().endswith(",") and _PAGED.match(more) else extent


def _originals(fields: list[str]) -> dict[tuple[str, str], str]:
    """880 fields by the tag and occurrence of the field they stand beside."""
    found: dict[tuple[str, str], str] = {}
    for text in fields:
        link = marc.value(text, "6")
        found.setdefault((link[:3], link[4:6]), text)
    return found


def _original(tag: str, text: str, originals: dict[tuple[str, str], str]) -> str:
    """The 880 of a field, or the field."""
    return originals.get((tag, marc.value(text, "6")[4:6]), text) if originals else text


def _supplied_title(fields: dict[str, list[str]], originals: dict[tuple[str, str], str]) -> str:
    """What a record without title proper is known by: other title information, form, key, uniform or added title."""
    for tag, codes in _OTHER_TITLES:
        for text in fields.get(tag, ()):
            if title := " ".join(
                filter(None, map(statements.trim, marc.values(_original(tag, text, originals), codes)))
            ):
                return title
    return ""


class _Title:
    """245 taken apart (ISBD areas 1.1 to 1.6 as MARC 21 writes them)."""

    __slots__ = (
        "designation", "own_series_volume", "parallel", "parts", "responsibility", "romanised", "subtitle", "titles",
        "volumes",
    )  # fmt: skip

    def __init__(self, fields: dict[str, list[str]], originals: dict[tuple[str, str], str]) -> None:
        romanised = fields.get("245", [""])[0]
        text = _original("245", romanised, originals)
        if text is romanised and originals:
            text = next((o for (tag, _), o in originals.items() if tag == "245"), text)
        titles: list[str] = []
        rest: list[str] = []
        parallel: list[str] = []
        self.volumes: tuple[str, ...] = ()
        self.parts: tuple[str, ...] = ()
        self.designation = ""
        responsibility: list[str] = []
        after_equals = False
        for code, value in marc.subfields(text):
            if code == "a":
                titles.append(value)
            elif code == "b" and after_equals:
                parallel.append(statements.trim(value))
            elif code == "b":
                first, *others = value.split(" = ")
                rest.append(statements.trim(first))
                parallel += [statements.trim(other) for other in others]
            elif code == "n" and responsibility and _local(value, fields):
                pass
            elif code == "n" and not after_equals:
                self.volumes += (statements.trim(value),)
            elif code == "p" and not after_equals:
                self.parts += (statements.trim(value),)
            elif code == "h":
                self.designation = value
            elif code == "c":
                responsibility.append(value)
            after_equals = value.rstrip().endswith("=")
        first, *others = titles[0].split(" = ") if titles else [""]
        parallel += [statements.trim(other) for other in others]
        self.titles = tuple(t for t in (statements.trim(first), *map(statements.trim, titles[1:])) if t)
        self.subtitle = " ".join(rest)
        self.romanised = ""
        if text is not romanised:
            self.romanised = statements.trim(marc.value(romanised, "a"))
            self.designation = self.designation or marc.value(romanised, "h")
        parallel += [statements.trim(marc.value(t, "a")) for t in fields.get("246", ()) if t[1:2] == "1"]
        self.parallel = tuple(p for p in parallel if p)
        self.responsibility = tuple(responsibility)
        self.own_series_volume = ""
        for tag in ("490", "830", "440"):
            for series in fields.get(tag, ()):
                if statements.trim(marc.value(series, "a")) == (self.titles[0] if self.titles else None):
                    self.own_series_volume = self.own_series_volume or marc.value(series, "v")


def _local(number: str, fields: dict[str, list[str]]) -> bool:
    """Whether a $n behind $c, which ends the field by the standard, names a local collection or one held of N v."""
    return _COLLECTION.match(number) is not None or any(_SEVERAL.match(text) for text in fields.get("300", ()))


class _Isbns:
    """020 fields: $a ISBN (AACR2: with qualifier behind it), $q qualifier, $z cancelled or of another form."""

    __slots__ = ("bindings", "invalid", "medium", "of_set", "sets", "size", "valid", "weak")

    def __init__(self) -> None:
        self.valid: tuple[int, ...] = ()
        self.sets: tuple[int, ...] = ()
        self.weak: tuple[int, ...] = ()
        self.invalid: tuple[str, ...] = ()
        self.bindings: tuple[tuple[int, str], ...] = ()
        self.of_set = False
        self.size = 0
        self.medium = ""


def _isbns(fields: list[str] | tuple[()]) -> _Isbns:
    found = _Isbns()
    electronic = 0
    for text in fields:
        number = 0
        qualifier = " ".join(marc.values(text, "qc"))
        for code, value in marc.subfields(text):
            if code == "a":
                number = identifiers.isbn(value)
                qualifier = f"{value} {qualifier}"
                if number:
                    found.valid += (number,)
                elif identifiers.looks_like_isbn(value):
                    found.invalid += (value,)
            elif code == "z" and (weak := identifiers.isbn(value)):
                found.weak += (weak,)
        if number and qualifier:
            if statements.of_set(qualifier):
                found.sets += (number,)
                found.of_set = True
                found.size = found.size or statements.set_size(qualifier)
            if binding := statements.binding(qualifier):
                found.bindings += ((number, binding),)
            if media.by_qualifier(qualifier):
                electronic += 1
                found.medium = media.by_qualifier(qualifier)
    if electronic < len(found.valid):
        found.medium = ""  # provider-neutral habits: print and electronic numbers stand in one record
    return found


def _imprint(
    fields: dict[str, list[str]], originals: dict[tuple[str, str], str]
) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    """Places, publishers and dates of 260 and 264; second indicator 1 is publication, 4 copyright."""
    places: list[str] = []
    publishers: list[str] = []
    dates: list[str] = []
    late: list[str] = []
    for tag in ("260", "264"):
        for text in fields.get(tag, ()):
            role = text[1:2] if tag == "264" else "1"
            for code, value in marc.subfields(_original(tag, text, originals)):
                if code == "a" and role in "10 ":
                    places.append(statements.trim(value))
                elif code == "b" and role in "10 ":
                    publishers.append(statements.trim(value))
                elif code == "c":
                    (late if role in "234" else dates).append(value)
    return tuple(filter(None, places)), tuple(filter(None, publishers)), tuple(dates + late)


def _coded_years(coded: str) -> tuple[int, ...]:
    """008/07-10, and 008/11-14 where it is a copyright date (type t); the second date of a reprint is not its own."""
    years = [int(coded[7:11])] if coded[7:11].isdecimal() else []
    if coded[6] == "t" and coded[11:15].isdecimal():
        years.append(int(coded[11:15]))
    return tuple(year for year in years if 0 < year < 2100)


def _names(
    fields: dict[str, list[str]], originals: dict[tuple[str, str], str]
) -> tuple[tuple[tuple[str, str], ...], tuple[tuple[str, str], ...]]:
    """1XX, then 7XX. A corporate body's subordinate units ($b) and a person's numeration belong to the name."""
    both: list[tuple[tuple[str, str], ...]] = []
    for tags in (("100", "110", "111"), ("700", "710", "711")):
        names: list[tuple[str, str]] = []
        for tag in tags:
            for text in fields.get(tag, ()):
                if "\x1ft" in text:
                    continue  # a name-title heading: a contained or related work
                original = _original(tag, text, originals)
                name = " ".join(marc.values(original, "ab" if tag[1:] != "11" else "a"))
                roles = marc.values(original, "e4") or (marc.values(text, "e4") if original is not text else [])
                if roles and tag[0] == "7" and all(role.strip(" .,[]").lower() in _MAKERS for role in roles):
                    continue
                role = " ".join(roles)
                names.append((statements.trim(name), role if tag[1:] == "00" else model.BODY))
        both.append(tuple(names))
    return both[0], both[1]


def _series(fields: dict[str, list[str]], originals: dict[tuple[str, str], str]) -> tuple[str, ...]:
    found: list[str] = []
    for tag, code in (("490", "a"), ("440", "a"), ("830", "a"), ("800", "t"), ("810", "t"), ("773", "t")):
        found += [statements.trim(marc.value(_original(tag, text, originals), code)) for text in fields.get(tag, ())]
    return tuple(dict.fromkeys(filter(None, found)))


def _medium(kind: str, fields: dict[str, list[str]], form: str, designation: str, extent: str) -> str:
    """Leader/06, 008 form of item, 007, 245$h, 300$a, 338, 533: any of them may be the only one that says it."""
    if kind in _MEDIA:
        medium = _MEDIA[kind]
        if medium in (model.MAP, model.SCORE, model.PICTURE):
            return _FORM.get(form, "") or media.by_extent(extent) or medium
        return medium
    if form in _FORM:
        return _FORM[form]
    if designation and (medium := media.by_designation(designation)):
        return medium
    if extent and (medium := media.by_extent(extent)):
        return medium
    for physical in fields.get("007", ()):
        if physical.startswith("cr"):
            return model.ELECTRONIC
        if physical[:1] in _PHYSICAL and not extent.rstrip(" ;:").endswith(("p.", "pages", "页", "頁")):
            return _PHYSICAL[physical[0]]
    for text in fields.get("338", ()):
        carrier = marc.value(text, "b") or marc.value(text, "a")
        if carrier not in ("nc", "volume", "") and (medium := media.by_designation(marc.value(text, "a") or carrier)):
            return medium
        if carrier == "cr":
            return model.ELECTRONIC
    for text in fields.get("533", ()):
        if medium := media.by_designation(marc.value(text, "a")):
            return medium
    return ""


def marc_issns(fields: list[str] | tuple[()]) -> tuple[str, ...]:
    """022$a (MARC 21) and 011$a (CNMARC): the ISSN itself, not the linking or a cancelled one."""
    return tuple(number for text in fields if (number := identifiers.issn(marc.value(text, "a"))))


def _dois(fields: list[str] | tuple[()]) -> tuple[str, ...]:
    return tuple(
        value.strip().removeprefix("https://doi.org/").lower()
        for text in fields
        if marc.value(text, "2") == "doi" and (value := marc.value(text, "a"))
    )


def _control_numbers(fields: dict[str, list[str]]) -> tuple[str, ...]:
    """Numbers that name one edition wherever the record was copied: LCCN and OCLC. Local numbers are left out."""
    found: list[str] = []
    for text in fields.get("010", ()):
        if number := _LCCN.search(marc.value(text, "a").lower()):
            found.append(f"lccn:{number[1]}{number[2]}{number[3].zfill(6)}")
    for text in fields.get("035", ()):
        if number := _OCLC.search(marc.value(text, "a")):
            found.append(f"oclc:{number[1]}")
    return tuple(dict.fromkeys(found))


def _notes(fields: dict[str, list[str]]) -> tuple[str, ...]:
    """Notes that may tell an ancient book, a manuscript or a reproduction; most notes in Latin script do not."""
    return tuple([
        value
        for tag in ("500", "533", "534")
        for text in fields.get(tag, ())
        if (value := marc.value(text, "a")) and _telling(value)
    ])  # fmt: skip


def _telling(note: str) -> bool:
    if note.isascii():
        lower = note.lower()
        return any(word in lower for word in _TELLING_WORDS)
    return _TELLING.search(note) is not None
