"""Facts of a CNMARC record (新版中国机读目录格式使用手册, 2004; UNIMARC Manual: Bibliographic Format).

Subfield codes are case-sensitive: $A, $E, $F … (CALIS) and $9 (NLC) hold pinyin. 4XX fields carry whole embedded fields
(`$1200 1 $a…$v…`) or, in smaller libraries, $t and $v.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from catalog import facts as model
from catalog.facts import Facts
from catalog.model import unique
from dms.formats import identifiers, media, statements
from protocols import embedded, marc

# Tags looked at; the others are passed over.
WANTED: frozenset[str] = frozenset((
    "010", "011", "013", "020", "035", "071", "073", "091", "092", "100", "101", "106", "130", "135", "140", "200",
    "205", "207", "210", "214", "215", "225", "230", "300", "305", "306", "307", "324", "325", "337", "410", "461",
    "462", "463", "500", "501", "503", "510", "517", "530", "532", "540", "700", "701", "702", "710", "711", "712",
    "720", "730", "856", "905",
))  # fmt: skip

_CLASS = {"a": model.COMPONENT, "c": model.COLLECTION, "s": model.SERIAL, "i": model.SERIAL}
_MEDIA = {"c": model.SCORE, "d": model.SCORE, "e": model.MAP, "f": model.MAP, "g": model.VIDEO, "i": model.AUDIO,
          "j": model.AUDIO, "k": model.PICTURE, "l": model.ELECTRONIC, "m": model.KIT, "r": model.OBJECT}  # fmt: skip
_NOTES = ("300", "305", "306", "307", "324", "325")
_OTHER_TITLES = ("500", "501", "503", "530", "532", "510", "517", "540")
_PARALLEL = ("510", "517")
_HAN = re.compile("[\u3400-\u9fff]")
_PRIMARY = ("700", "701", "710", "711", "720", "730")
_SECONDARY = ("702", "712")
_LEVEL = {"1": "set", "2": "volume"}
_ANCIENT = re.compile("古籍|善本|拓|稿本|手稿|抄本|钞本|鈔本|写本|寫本|刻本|档案|檔案|家谱手")
_ELECTRONIC_PREFIXES = ("cxebk", "ebk", "ebook", "(ebook", "(cxebk", "(superstar", "(apabi", "apabi")


def facts(record: marc.Record, held: bool = False) -> Facts:
    """What a CNMARC record says about its resource. `held`: copies are told beside it, not in 905."""
    leader = record.leader.ljust(24)
    kind = leader[6]
    fields: dict[str, list[str]] = {}
    for tag, text in record.fields:
        if tag in WANTED:
            if tag in fields:
                fields[tag].append(text)
            else:
                fields[tag] = [text]
    title = _Title(fields.get("200", [""])[0])
    supplied = "" if title.titles else _supplied_title(fields)
    series, own_volume, links_down, host, host_place = _links(fields, title.titles[:1])
    isbns = _Isbns(fields.get("010", ()))
    places, publishers, dates = _imprint(fields)
    extent = "; ".join([marc.value(text, "a") for text in fields.get("215", ())])
    coded = marc.value(fields.get("100", [""])[0], "a").ljust(36)
    languages = fields.get("101", [""])[0]
    unified, cn_numbers = _091(fields)
    authors, contributors = _names(fields)
    notes = tuple([
        value for tag in _NOTES if tag in fields for text in fields[tag] if (value := marc.value(text, "a"))
    ])  # fmt: skip
    form = coded_form(fields)
    parallel = [*title.parallel, *[marc.value(text, "a") for tag in _PARALLEL for text in fields.get(tag, ())]]
    designation = " ".join(title.designations)
    return Facts(
        record_class=_CLASS.get(leader[7], model.MONOGRAPH),
        level=_LEVEL.get(leader[8], ""),
        titles=(supplied,) if supplied else title.titles,
        supplied_title=supplied != "",
        subtitle=title.subtitle,
        parallel=unique(parallel),
        romanised=title.romanised,
        volumes=title.volumes,
        parts=title.parts,
        own_series_volume=own_volume,
        series=series,
        set_evidence=isbns.of_set or links_down,
        set_size=isbns.size,
        edition=" ".join([" ".join(marc.values(text, "abe")) for text in fields.get("205", ())]),
        dates=dates,
        coded_years=_coded_years(coded),
        extent=extent,
        publishers=publishers,
        places=places,
        authors=authors,
        contributors=contributors,
        responsibility=title.responsibility,
        media=_medium(kind, designation, fields, extent, held) or (isbns.medium if len(isbns.valid) == 1 else ""),
        language=marc.value(languages, "a").strip()[:3],
        translated=languages[:1] == "1" or "\x1fc" in languages,
        isbns=isbns.valid,
        set_isbns=isbns.sets,
        weak_isbns=isbns.weak,
        invalid_isbns=isbns.invalid,
        bindings=isbns.bindings,
        unified_numbers=unified,
        issns=tuple([n for text in fields.get("011", ()) if (n := identifiers.issn(marc.value(text, "a")))]),
        cn_numbers=cn_numbers,
        dois=_dois(fields),
        host=host,
        host_place=host_place,
        notes=notes + isbns.qualifiers + tuple([d for d in title.designations if d not in ("专著", "普通图书")]),
        manuscript=kind in "bdf",
        ancient_coded="140" in fields or _ANCIENT.search(designation) is not None,
        large_print=form == "d" or "大字" in designation,
        braille=form == "f" or "盲文" in designation or "点字" in designation,
    )


def _supplied_title(fields: dict[str, list[str]]) -> str:
    """What a record without title proper is known by: a uniform, key, expanded or other title."""
    texts = (text for tag in _OTHER_TITLES for text in fields.get(tag, ()))
    return next((title for text in texts if (title := statements.trim(marc.value(text, "a")))), "")


class _Title:
    """200 taken apart. A second $a is a further title of a record without collective title."""

    __slots__ = ("designations", "parallel", "parts", "responsibility", "romanised", "subtitle", "titles", "volumes")

    def __init__(self, text: str) -> None:
        titles: list[str] = []
        subtitles: list[str] = []
        parallel: list[str] = []
        responsibility: list[str] = []
        volumes: list[str] = []
        parts: list[str] = []
        designations: list[str] = []
        romanised = ""
        after_parallel = False
        for code, value in marc.subfields(text):
            if code == "a":
                first, *others = value.split(" = ")
                titles.append(statements.trim(first))
                parallel += others
                after_parallel = False
            elif code == "d":
                parallel.append(statements.trim(value.lstrip("= ")))
                after_parallel = True
            elif code == "e" and not after_parallel:
                subtitles.append(statements.trim(value))
            elif code == "h":
                volumes.append(statements.trim(value))
            elif code == "i":
                parts.append(statements.trim(value))
            elif code in "fg":
                responsibility.append(value)
            elif code == "b":
                designations.append(value.strip(" []［］"))
            elif code in "A9" and not romanised and value.isascii():
                romanised = value
        self.titles = tuple(filter(None, titles))
        self.subtitle = " ".join(subtitles)
        self.parallel = tuple(filter(None, parallel))
        self.responsibility = tuple(responsibility)
        self.volumes = tuple(filter(None, volumes))
        self.parts = tuple(filter(None, parts))
        self.designations = tuple(designations)
        self.romanised = romanised


class _Isbns:
    """010 fields: $a ISBN, $b qualifier, $z wrong or cancelled ISBN."""

    __slots__ = ("bindings", "invalid", "medium", "of_set", "qualifiers", "sets", "size", "valid", "weak")

    def __init__(self, fields: Iterable[str]) -> None:
        self.valid: tuple[int, ...] = ()
        self.sets: tuple[int, ...] = ()
        self.weak: tuple[int, ...] = ()
        self.invalid: tuple[str, ...] = ()
        self.bindings: tuple[tuple[int, str], ...] = ()
        self.of_set = False
        self.size = 0
        self.qualifiers: tuple[str, ...] = ()
        self.medium = ""
        for text in fields:
            for code, value in marc.subfields(text):
                if code == "z":
                    if weak := identifiers.isbn(value):
                        self.weak += (weak,)
                elif code == "a":
                    self._add(value, marc.value(text, "b"))

    def _add(self, value: str, qualifier: str) -> None:
        number = identifiers.isbn(value)
        if not number:
            if identifiers.looks_like_isbn(value):
                self.invalid += (value,)
            return
        self.valid += (number,)
        if qualifier or "(" in value or "（" in value:
            self.qualifiers += (qualifier,) if qualifier else ()
            qualifier = f"{value} {qualifier}"
            self.medium = media.by_qualifier(qualifier)
            if statements.of_set(qualifier):
                self.sets += (number,)
                self.of_set = True
                self.size = self.size or statements.set_size(qualifier)
            if binding := statements.binding(qualifier):
                self.bindings += ((number, binding),)


def _links(fields: dict[str, list[str]], own: tuple[str, ...]) -> tuple[tuple[str, ...], str, bool, str, str]:
    """Series titles, the volume in a set of the record's own title, links down to pieces, the host and place in it.

    461 set level, 462 subset level and 463 piece level point up from a part and down from a set; 461 with the record's
    own title and $v is how CALIS says which volume this is. 225$v is a number in a series, never a volume.
    """
    series = [statements.trim(marc.value(text, "a")) for text in fields.get("225", ())]
    own_volume = ""
    host = host_place = ""
    for tag in ("410", "461", "462", "463"):
        for text in fields.get(tag, ()):
            parts = embedded.fields(text)
            title = next((marc.value(t, "a") for g, t in parts if g == "200"), "") or marc.value(text, "t")
            volume = marc.value(text, "v") or next((marc.value(t, "h") for g, t in parts if g == "200"), "")
            title = statements.trim(title)
            if title:
                series.append(title)
                if own and title == own[0]:
                    own_volume = own_volume or volume
                if tag in ("461", "463") and not host:
                    host, host_place = title, volume
    down = "463" in fields or ("462" in fields and "461" not in fields)
    return unique(series), own_volume, down, host, host_place


def _imprint(fields: dict[str, list[str]]) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    """Places, publishers and dates of 210 (and UNIMARC's newer 214)."""
    places: list[str] = []
    publishers: list[str] = []
    dates: list[str] = []
    for tag in ("210", "214"):
        for text in fields.get(tag, ()):
            for code, value in marc.subfields(text):
                if code == "a":
                    places.append(statements.trim(value))
                elif code == "c":
                    publishers.append(statements.trim(value))
                elif code == "d":
                    dates.append(value)
    return tuple(filter(None, places)), tuple(filter(None, publishers)), tuple(dates)


def _coded_years(coded: str) -> tuple[int, ...]:
    """100$a/9-12. The second date (13-16) is the end of a run or the original's, so it is not a year of this thing."""
    return (int(coded[9:13]),) if coded[9:13].isdecimal() and 0 < int(coded[9:13]) < 2100 else ()


def _091(fields: dict[str, list[str]]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """统一书号 and CN 刊号 both stand in 091 (and the first in 092 or 010 of some), told apart by their form."""
    unified: list[str] = []
    cn_numbers: list[str] = []
    for tag in ("091", "092"):
        for text in fields.get(tag, ()):
            for value in marc.values(text, "ab"):
                if number := identifiers.unified(value):
                    unified.append(number)
                elif number := identifiers.cn_number(value):
                    cn_numbers.append(number)
    for text in fields.get("010", ()) if not unified else ():
        value = marc.value(text, "a")
        if value and not identifiers.isbn(value) and (number := identifiers.unified(value)):
            unified.append(number)
    return tuple(dict.fromkeys(unified)), tuple(dict.fromkeys(cn_numbers))


def _names(fields: dict[str, list[str]]) -> tuple[tuple[tuple[str, str], ...], tuple[tuple[str, str], ...]]:
    """70X and 71X: $a, $b (rest of an inverted name, or subordinate unit); the role is $4, Chinese text in China. A
    Western body is named as one, as in MARC 21: `ProQuest` of both is one name.
    """
    both: list[tuple[tuple[str, str], ...]] = []
    for tags in (_PRIMARY, _SECONDARY):
        names: list[tuple[str, str]] = []
        for tag in tags:
            if tag not in fields:
                continue
            for text in fields[tag]:
                name = marc.value(text, "a")
                rest = marc.value(text, "b")
                if rest:
                    name = f"{name}, {rest}" if tag[1] in "023" else f"{name} {rest}"
                if name:
                    body = tag[1] == "1" and not _HAN.search(name)
                    names.append((name, model.BODY if body else marc.value(text, "4")))
        both.append(tuple(names))
    return both[0], both[1]


def coded_form(fields: dict[str, list[str]]) -> str:
    """106$a: form of item (d large print, e newspaper format, f braille, r regular print)."""
    if "106" not in fields:
        return ""
    form = marc.value(fields["106"][0], "a").strip()[:1]
    return form if form in "df" else ""


def _medium(kind: str, designation: str, fields: dict[str, list[str]], extent: str, held: bool) -> str:
    """Any of leader/06, 200$b, 215$a, 135, 230, 856 without holdings, 035 prefix, 325 may be the only one to say it."""
    if designation and (medium := media.by_designation(designation)):
        return medium
    if kind in _MEDIA:
        return _MEDIA[kind]
    if extent and (medium := media.by_extent(extent)):
        return medium
    if "135" in fields or "230" in fields:
        return model.ELECTRONIC
    for text in fields.get("035", ()):
        if marc.value(text, "a").lower().startswith(_ELECTRONIC_PREFIXES):
            return model.ELECTRONIC
    for text in fields.get("325", ()):
        if medium := media.by_designation(marc.value(text, "a")):
            return medium
    held = held or "905" in fields
    if not held and any(text[1:2] in " 0" and "\x1fu" in text for text in fields.get("856", ())):
        return model.ELECTRONIC
    return ""


def _dois(fields: dict[str, list[str]]) -> tuple[str, ...]:
    if "013" not in fields and "073" not in fields:
        return ()
    return tuple(
        value.strip().lower()
        for tag in ("013", "073")
        for text in fields.get(tag, ())
        if (value := marc.value(text, "a")).startswith("10.")
    )
