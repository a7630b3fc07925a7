"""From one dialect of the UNIMARC family to another: CALIS and NLC of CNMARC, international UNIMARC (pure).

`dialects.toml` says what they write differently. Whatever dialect a record comes in, even a mixture, it is read: pinyin
in capital codes, in $9 or in linked fields; series in 410 or 461; links embedded or in standard subfields.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from operator import itemgetter
from typing import Any, NamedTuple

from dms.crosswalk import linked
from dms.crosswalk.lines import Known, Lines, mapped
from dms.crosswalk.linked import Said
from dms.crosswalk.marc import agencies, linking, twofold
from dms.crosswalk.marc.twofold import CHINESE, LATIN, NINE, SPELLED, Entry
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
_WRITTEN = (*SPELLED, "4", "801", "100")  # and fields that dialects write differently for another reason
_SERIES = ("410", "461")
_SUBSERIES = ("411", "462")
_LANGUAGE = slice(22, 25)  # of 100 $a
_TURNED = frozenset((*_SERIES, *_SUBSERIES, "700", "710", "720", "701", "711"))  # tags that the record decides about
_ONE, _FOUR = DELIMITER + "1", DELIMITER + "4"
_HEADS = frozenset(("700", "710", "720"))
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


def turned(record: Record, name: str) -> tuple[Record, list[Loss]]:
    """A record that a crosswalk made, in the dialect `name`, and the lines of what that loses. Raises KeyError."""
    if twofold.has_twins(record):
        converted = to(record, name)
        return converted.record, [loss for _, loss in converted.losses() if loss.fate is Fate.LOST]
    dialect = dialects()[name]
    around = _Around(record, dialect)
    fields: list[tuple[str, str]] = []
    lost: list[Loss] = []
    twins = 0
    for each in record.fields:
        own, text = each
        if not own.startswith(_WRITTEN):
            fields.append(each)
            continue
        if NINE in text and own.startswith(SPELLED):
            text = twofold.capitals(text)
        tag = around.tag(own, text) if own in _TURNED else own
        if not _is_written(own, tag, text, dialect, around.is_han):
            written = _known_as(own, tag, text, dialect, around.is_han)
            lost += [loss for loss in written.losses if loss.fate is Fate.LOST]
            text = written.text
            if written.twin:
                twins += 1
                fields += _linked(tag, written, twins)
                continue
        fields.append((tag, text))
    fields.sort(key=_TAG)
    return Record(record.leader, tuple(fields)), lost


def to(record: Record, name: str) -> Converted:
    """A record of the UNIMARC family in the dialect `name`, and what became of every subfield. Raises KeyError."""
    dialect = dialects()[name]
    around = _Around(record, dialect)
    fields: list[tuple[str, str]] = []
    lines: list[Lines] = [()] * len(record.fields)
    twins = 0
    for entry in twofold.read(record):
        own, text, place, twin, _ = entry
        tag = around.tag(own, text) if own in _TURNED else own
        written = _known_as(own, tag, text, dialect, around.is_han)
        losses = written.losses
        if NINE in (raw := record.fields[place][1]) and raw is not text and twin is None:
            losses = _recoded(losses, tuple(code for code, _ in marc.subfields(raw)))
        if twin is None:
            lines[place] = losses
        else:
            lines[place], lines[twin] = _parted(tag, entry, losses)
        if written.twin:
            twins += 1
            fields += _linked(tag, written, twins)
        else:
            fields.append((tag, written.text))
    fields.sort(key=_TAG)
    seen: dict[str, int] = {}
    fates: list[tuple[int, Lines]] = []
    for (tag, _), told in zip(record.fields, lines, strict=True):
        seen[tag] = nth = seen.get(tag, 0) + 1
        fates.append((nth, told))
    return Converted(Record(record.leader, tuple(fields)), tuple(fates))


def _known_as(own: str, tag: str, text: str, dialect: Dialect, is_han: bool) -> _Written:
    """A field as the dialect writes it, remembered."""
    known = _known.setdefault((dialect.name, is_han), {})
    written = known.get((own, tag, text))
    if written is None:
        if len(known) >= REMEMBERED:
            known.clear()
        written = known[own, tag, text] = _written(own, tag, text, dialect, is_han)
    return written


def _linked(tag: str, written: _Written, number: int) -> list[tuple[str, str]]:
    """The field and the one in the other script, with their links."""
    link = f"{DELIMITER}6a{number:02}{DELIMITER}7"
    return [
        (tag, f"{written.text[:2]}{link}{CHINESE}{written.text[2:]}"),
        (tag, f"{written.twin[:2]}{link}{LATIN}{written.twin[2:]}"),
    ]


def _is_written(own: str, tag: str, text: str, dialect: Dialect, is_han: bool) -> bool:
    """Whether a field, which nothing is to be told of, plainly is as the dialect writes it."""
    if tag[0] == "4":
        return dialect.links == EMBEDDED and _ONE in text
    if own == "801":
        return marc.value(text, "a") != ""
    if dialect.pinyin != CAPITAL or not tag.startswith(SPELLED) or (is_han and own[0] == "7" and _FOUR in text):
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


def _parted(tag: str, entry: Entry, losses: Iterable[Loss]) -> tuple[tuple[Loss, ...], tuple[Loss, ...]]:
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
    if not target.startswith(SPELLED):
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
