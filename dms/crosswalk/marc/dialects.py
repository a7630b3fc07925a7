"""From one dialect of the UNIMARC family to another: CALIS and NLC of CNMARC, international UNIMARC (pure).

`dialects.toml` says what they write differently. Whatever dialect a record comes in, even a mixture, it is read: pinyin
in capital codes, in $9 or in linked fields; series in 410 or 461; links embedded or in standard subfields.
"""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from operator import itemgetter
from typing import Any, NamedTuple

from dms.crosswalk import linked
from dms.crosswalk.lines import Known, Lines, mapped
from dms.crosswalk.linked import Said
from dms.crosswalk.marc import agencies, linking, pairs
from dms.crosswalk.model import Converted, Fate, Loss
from protocols import marc
from protocols.marc import DELIMITER, Record

CAPITAL, TWIN = "capital", "twin"
EMBEDDED = "embedded"
WORDS = "words"
NO_PINYIN = "the dialect writes pinyin of $a only"
UNKNOWN = "und"
REMEMBERED = 30_000  # fields, by dialect and script of the title; about 100 MB at worst, with six of eight in use
_TAG = itemgetter(0)
_HAN = re.compile(r"[\u2e80-\u9fff\uf900-\ufaff]")
_CAPITALS = "ABCDEFGHI"
_SPELLED = ("200", "225", "5", "60", "61", "70", "71", "72")  # fields that have pinyin
_WRITTEN = (*_SPELLED, "4", "801", "100")  # and fields that dialects write differently for another reason
_SERIES = ("410", "461")
_SUBSERIES = ("411", "462")
_LANGUAGE = slice(22, 25)  # of 100 $a
_TURNED = frozenset((*_SERIES, *_SUBSERIES, "700", "710", "720", "701", "711"))  # tags that the record decides about
_ONE, _FOUR, _SEVEN, _NINE = DELIMITER + "1", DELIMITER + "4", DELIMITER + "7", DELIMITER + "9"
_HEADS = frozenset(("700", "710", "720"))
_LETTER = re.compile("[A-Za-z]")
_LINK = re.compile(r"a(\d\d)")
_LATIN, _CHINESE = "ba", "ea"  # UNIMARC Manual, $7
# Standard subfield of a link → field and subfield that is embedded, the other way round of `linked.STANDARD`.
_INSIDE: Mapping[str, str] = {
    "0": "001", "a": "700a", "c": "210a", "d": "210d", "e": "205a", "h": "200h", "i": "200i", "n": "210c", "o": "200e",
    "p": "215a", "t": "200a", "u": "856u", "v": "200v", "x": "011a", "y": "010a",
}  # fmt: skip
_INDICATORS: Mapping[str, str] = {"010": "  ", "011": "  ", "200": "1 ", "205": "  ", "210": "  ", "215": "  ",
                                  "700": " 1", "856": "4 "}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """A row of the table."""

    name: str
    pinyin: str
    series: tuple[str, str]
    links: str
    main: str
    roles: str
    country: str
    language: str


@cache
def dialects() -> Mapping[str, Dialect]:
    """Every dialect by name."""
    told = dict(_told())
    told.pop("roles")
    return {
        name: Dialect(
            name=name,
            pinyin=row["pinyin"],
            series=(row["series"][0], row["series"][1]),
            links=row["links"],
            main=row["main"],
            roles=row["roles"],
            country=row["country"],
            language=row["language"],
        )
        for name, row in told.items()
    }


@cache
def _told() -> Mapping[str, Any]:
    return tomllib.loads(files("dms.crosswalk.marc").joinpath("dialects.toml").read_text(encoding="utf-8"))


@cache
def _roles(kind: str) -> Mapping[str, str]:
    """Code → word, or word → code."""
    table: Mapping[str, str] = _told()["roles"]
    return table if kind == WORDS else {word: code for code, word in table.items()}


def to(record: Record, name: str, *, whole: bool = True) -> Converted:
    """A record of the UNIMARC family in the dialect `name`, and what became of every subfield. Raises KeyError.

    Without `whole` fields that no dialect writes otherwise have no lines.
    """
    dialect = dialects()[name]
    around = _Around(record, dialect)
    known = _known.setdefault((name, around.is_han), {})
    fields: list[tuple[str, str]] = []
    lines: list[Lines] = [()] * len(record.fields)
    twins = 0
    for entry in _read(record) if has_twins(record) else map(_alone, range(len(record.fields)), record.fields):
        own, text, place, twin, _ = entry
        if not whole and twin is None and not own.startswith(_WRITTEN):
            fields.append((own, text))
            continue
        tag = around.tag(own, text) if own in _TURNED else own
        if not whole and twin is None and _is_written(own, tag, text, dialect, around.is_han):
            fields.append((tag, text))
            continue
        written = known.get((own, tag, text))
        if written is None:
            if len(known) >= REMEMBERED:
                known.clear()
            written = known[own, tag, text] = _written(own, tag, text, dialect, around.is_han)
        losses = written.losses
        if _NINE in (raw := record.fields[place][1]) and raw is not text and twin is None:
            losses = _recoded(losses, tuple(code for code, _ in marc.subfields(raw)))
        if twin is None:
            lines[place] = losses
        else:
            lines[place], lines[twin] = _parted(tag, entry, losses)
        if written.twin:
            twins += 1
            link = f"{DELIMITER}6a{twins:02}{DELIMITER}7"
            fields.append((tag, f"{written.text[:2]}{link}{_CHINESE}{written.text[2:]}"))
            fields.append((tag, f"{written.twin[:2]}{link}{_LATIN}{written.twin[2:]}"))
        else:
            fields.append((tag, written.text))
    fields.sort(key=_TAG)
    seen: dict[str, int] = {}
    fates: list[tuple[int, Lines]] = []
    for (tag, _), told in zip(record.fields, lines, strict=True):
        seen[tag] = nth = seen.get(tag, 0) + 1
        fates.append((nth, told))
    return Converted(Record(record.leader, tuple(fields)), tuple(fates))


def _is_written(own: str, tag: str, text: str, dialect: Dialect, is_han: bool) -> bool:
    """Whether a field, which nothing is to be told of, plainly is as the dialect writes it."""
    if tag[0] == "4":
        return dialect.links == EMBEDDED and _ONE in text
    if own == "801":
        return marc.value(text, "a") != ""
    if dialect.pinyin != CAPITAL or not tag.startswith(_SPELLED) or (is_han and own[0] == "7" and _FOUR in text):
        return False
    return text[2:3] == DELIMITER and DELIMITER * 2 not in text and text[-1] != DELIMITER


class _Written(NamedTuple):
    """A field as the dialect writes it."""

    text: str
    losses: Lines
    twin: str = ""  # the field in the other script


# By dialect and whether the title is in Han: (tag, target tag, text) → the field.
_known: dict[tuple[str, bool], dict[tuple[str, str, str], _Written]] = {}


@Known
def _recoded(losses: Lines, codes: tuple[str, ...]) -> Lines:
    """The lines with the codes that the field came with: its pinyin was in $9."""
    return tuple(each._replace(code=code) for each, code in zip(losses, codes, strict=True))


def _parted(tag: str, entry: _Entry, losses: Iterable[Loss]) -> tuple[tuple[Loss, ...], tuple[Loss, ...]]:
    """The lines of a field and those of the one that was joined to it, whose subfields are in capital codes."""
    own: list[Loss] = []
    others: list[Loss] = []
    for loss in losses:
        if loss.code in _CAPITALS:
            others.append(loss._replace(code=loss.code.lower()))
        else:
            own.append(loss)
    links = [Loss(entry.tag, code, Fate.MAPPED, f"{tag}${code}") for code in "67"]
    same = [Loss(entry.tag, code, Fate.MAPPED, f"{tag}${code}") for code in entry.same]
    return (*own, *links), (*others, *same, *links)


class _Entry(NamedTuple):
    """A field of the record, with pinyin in capital codes."""

    tag: str
    text: str
    place: int  # of the field in the record
    twin: int | None  # of the one that was joined to it
    same: tuple[str, ...] = ()  # codes that say the same in both


def has_twins(record: Record) -> bool:
    """Whether fields may stand in two scripts."""
    return any(_SEVEN in text for _, text in record.fields)


def joined(record: Record) -> tuple[Record, list[pairs.Origin]]:
    """The record with the fields that stand in two scripts as one, and the origin of every field."""
    seen: Counter[str] = Counter()
    places: list[tuple[str, int]] = []
    for tag, _ in record.fields:
        seen[tag] += 1
        places.append((tag, seen[tag]))
    entries = _read(record)
    origins = [
        pairs.Origin(places[each.place], None if each.twin is None else places[each.twin], (), each.same)
        for each in entries
    ]
    return Record(record.leader, tuple((each.tag, each.text) for each in entries)), origins


def _read(record: Record) -> list[_Entry]:
    """The record's fields, those in two scripts as one, pinyin in capital codes."""
    if not has_twins(record):
        return list(map(_alone, range(len(record.fields)), record.fields))
    chinese: dict[tuple[str, str], int] = {}
    latin: dict[tuple[str, str], int] = {}
    for index, (tag, text) in enumerate(record.fields):
        if DELIMITER + "7" in text and (link := _LINK.match(marc.value(text, "6"))):
            known = {_CHINESE: chinese, _LATIN: latin}.get(marc.value(text, "7")[:2])
            if known is not None:
                known.setdefault((tag, link[1]), index)
    twins = {index: latin[link] for link, index in chinese.items() if link in latin}
    whole = {
        index: woven
        for index, twin in twins.items()
        if not (woven := _woven(record.fields[index], record.fields[twin][1])).left
    }
    inside = {twins[index] for index in whole}
    entries: list[_Entry] = []
    for index, (tag, text) in enumerate(record.fields):
        if index in inside:
            continue
        if index in whole:
            entries.append(_Entry(tag, whole[index].text, index, twins[index], whole[index].same))
        else:
            entries.append(_Entry(tag, _capitals(text) if tag.startswith(_SPELLED) else text, index, None))
    return entries


def _alone(index: int, field: tuple[str, str]) -> _Entry:
    """A field that stands in no two scripts."""
    tag, text = field
    return _Entry(tag, _capitals(text) if _NINE in text and tag.startswith(_SPELLED) else text, index, None)


def _woven(field: tuple[str, str], twin: str) -> pairs.Woven:
    tag, text = field
    return pairs.woven(tag, _unlinked(text), _unlinked(twin), text[:2])


def _unlinked(text: str) -> str:
    return marc.field(text[:2], [(code, value) for code, value in marc.subfields(text) if code not in "67"])


def _capitals(text: str) -> str:
    """The field with pinyin in the capital code of what it spells, where it was in $9."""
    if _NINE not in text:
        return text
    told: list[tuple[str, str]] = []
    for code, value in marc.subfields(text):
        if code == "9" and told and _HAN.search(told[-1][1]) and not _HAN.search(value) and _LETTER.search(value):
            code = told[-1][0].upper()
        told.append((code, value))
    return marc.field(text[:2], told)


class _Around:
    """What of the whole record decides about a field."""

    def __init__(self, record: Record, dialect: Dialect) -> None:
        self._dialect = dialect
        self.is_han = bool(_HAN.search(record.first("200") or ""))
        self._series = {_folded(marc.value(text, "a")) for text in record.all("225")}
        self._heads = _HEADS.isdisjoint([tag for tag, _ in record.fields])

    def tag(self, tag: str, text: str) -> str:
        """The field's tag in the dialect."""
        if tag in _SERIES and _folded(_title(text)) in self._series:
            return self._dialect.series[0]
        if tag in _SUBSERIES and _folded(_title(text)) in self._series:
            return self._dialect.series[1]
        if self.is_han and self._dialect.main == "701" and tag in ("700", "710"):
            return tag[:2] + "1"
        if self.is_han and self._dialect.main == "700" and self._heads and tag in ("701", "711"):
            self._heads = False
            return tag[:2] + "0"
        return tag


def _title(text: str) -> str:
    """The title that a linking field names."""
    return next((each.value for each in linked.said(text) if each.code == "t"), "")


def _folded(title: str) -> str:
    return "".join(filter(str.isalnum, title)).lower()


def _written(tag: str, target: str, text: str, dialect: Dialect, is_han: bool) -> _Written:
    """A field as the dialect writes it, and what became of its subfields."""
    if marc.is_control(tag):
        return _Written(text, mapped(tag, target, ("",), ("",)))
    if target[0] == "4":
        said = linked.said(text)
        own, codes = tuple(each.source for each in said), tuple(each.code or each.source for each in said)
        return _Written(_link(text, dialect), mapped(tag, target, own, codes))
    if not target.startswith(_SPELLED):
        codes = tuple(code for code, _ in marc.subfields(text))
        return _Written(_completed(target, text, dialect), mapped(tag, target, codes, codes))
    return _spelled(tag, target, text, dialect, is_han)


def _completed(tag: str, text: str, dialect: Dialect) -> str:
    """What other formats don't say and this dialect must: the country of an agency, the language of cataloguing."""
    if tag == "801" and not marc.value(text, "a"):
        country = agencies.country(marc.value(text, "b").strip()) or dialect.country
        return f"{text[:2]}{DELIMITER}a{country}{text[2:]}" if country else text
    if tag == "100" and dialect.language and marc.value(text, "a")[_LANGUAGE] == UNKNOWN:
        coded = marc.value(text, "a")
        true = coded[: _LANGUAGE.start] + dialect.language + coded[_LANGUAGE.stop :]
        return text.replace(coded, true, 1)
    return text


def _link(text: str, dialect: Dialect) -> str:
    """A linking field by the dialect's technique, where that says all of it."""
    said = linked.said(text)
    is_embedded = f"{DELIMITER}1" in text
    if dialect.links == EMBEDDED and not is_embedded and all(each.code in _INSIDE for each in said):
        return marc.field(text[:2], linking.embedded([(_INSIDE[e.code], e.value) for e in said], _INDICATORS))
    if dialect.links != EMBEDDED and is_embedded and all(_is_standard(each) for each in said):
        return marc.field(text[:2], [(each.code, each.value) for each in said])
    return text


def _is_standard(said: Said) -> bool:
    """Whether the standard subfield leads back to where it came from."""
    return _INSIDE.get(said.code) == said.source[1:].replace("$", "")


def _spelled(tag: str, target: str, text: str, dialect: Dialect, is_han: bool) -> _Written:
    """A field with its pinyin, and the words of its roles, as the dialect writes them."""
    told: list[tuple[str, str]] = []
    twin: list[tuple[str, str]] = []
    codes: list[str] = []
    went: list[str] = []
    lost: dict[int, str] = {}  # place of a subfield → its value
    for code, value in marc.subfields(text):
        to = code
        if code in _CAPITALS and any(each == code.lower() for each, _ in told):
            if dialect.pinyin == TWIN:
                to = code.lower()
                twin.append((to, value))
            elif dialect.pinyin == CAPITAL:
                told.append((code, value))
            elif code == "A":
                to = dialect.pinyin
                told.append((to, value))
            else:
                lost[len(codes)] = value
        elif code == "4" and tag[0] == "7" and is_han:
            told.append((code, _roles(dialect.roles).get(value, value)))
        else:
            told.append((code, value))
        codes.append(code)
        went.append(to)
    losses = mapped(tag, target, tuple(codes), tuple(went))
    if lost:
        losses = tuple(
            Loss(tag, each.code, Fate.LOST, why=NO_PINYIN, value=lost[place]) if place in lost else each
            for place, each in enumerate(losses)
        )
    return _Written(marc.field(text[:2], told), losses, marc.field(text[:2], twin) if twin else "")
