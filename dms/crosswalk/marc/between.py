"""A record in any dialect of MARC, from whichever it is in, and what became of every subfield (pure).

MARC 21 becomes CNMARC by the crosswalk `marc21_cnmarc`, in the form of CALIS, and from there its dialect; the UNIMARC
family becomes MARC 21 by `cnmarc_marc21`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from catalog.model import Format
from dms.crosswalk.lines import Known, Lines, mapped
from dms.crosswalk.marc import dialects, pairs, twofold
from dms.crosswalk.marc.convert import crosswalk
from dms.crosswalk.marc.pairs import Origin
from dms.crosswalk.model import Converted, Fate, Loss
from protocols import marc
from protocols.marc import DELIMITER, Record

MARC21 = "marc21"
# Dialects that a record can be asked in, and the format of each.
FORMATS: Mapping[str, Format] = {MARC21: Format.MARC21} | dict.fromkeys(dialects.dialects(), Format.CNMARC)
NO_TWIN = "the romanised form spells no subfield of the field"
ONE_FIELD = "one field"  # where the link of two fields went that became one
_PERSONS = ("600", "700", "701", "702")
_SIX, _SEVEN = DELIMITER + "6", DELIMITER + "7"
_CODES = 36  # characters of 100 $a (UNIMARC Manual, 100)
_FIRST_YEAR = 68  # two-digit years from here on are of the last century: MARC began in 1968
# Script of the title, UNIMARC 100 $a/34-35: first and last character of a range.
_SCRIPTS = tuple(
    (code, re.compile(f"[{first}-{last}]"))
    for code, first, last in (
        ("ea", "\u3400", "\u9fff"),
        ("ca", "\u0400", "\u04ff"),
        ("da", "\u3040", "\u30ff"),
        ("ka", "\uac00", "\ud7af"),
        ("fa", "\u0600", "\u06ff"),
        ("ha", "\u0590", "\u05ff"),
        ("ga", "\u0370", "\u03ff"),
    )
)


def to(record: Record, fmt: Format, dialect: str) -> Converted:
    """The record, which is in `fmt`, in a dialect of `FORMATS`. Raises KeyError for another name."""
    if FORMATS[dialect] is Format.MARC21:
        return same(record) if fmt is Format.MARC21 else _to_marc21(record)
    if fmt is Format.CNMARC:
        return dialects.to(record, dialect)
    there = _to_cnmarc(record)
    onward, lost = dialects.turned(there.record, dialect)
    return Converted(onward, _joined_losses(record, there, lost) if lost else there.fates)


def same(record: Record) -> Converted:
    """A record that is in its dialect already: everything stays where it is."""
    seen: dict[str, int] = {}
    fates = []
    for tag, text in record.fields:
        seen[tag] = nth = seen.get(tag, 0) + 1
        codes = ("",) if marc.is_control(tag) else tuple(code for code, _ in marc.subfields(text))
        fates.append((nth, mapped(tag, tag, codes, codes)))
    return Converted(record, tuple(fates))


def _to_cnmarc(record: Record) -> Converted:
    """MARC 21 as CNMARC in the form of CALIS."""
    crossing = crosswalk("marc21_cnmarc")
    whole, origins = pairs.joined(record, crossing.table.settings["spelled"])
    converted = crossing.convert(whole)
    return Converted(_finished(converted.record), _attributed(record, whole, origins, converted))


def _to_marc21(record: Record) -> Converted:
    """The UNIMARC family as MARC 21."""
    crossing = crosswalk("cnmarc_marc21")
    if not twofold.has_twins(record):
        return crossing.convert(record)
    whole, origins = twofold.joined(record)
    converted = crossing.convert(whole)
    return Converted(converted.record, _attributed(record, whole, origins, converted))


def _attributed(
    record: Record, whole: Record, origins: Sequence[Origin], converted: Converted
) -> tuple[tuple[int, Lines], ...]:
    """What became of the record, by what became of the one with fields joined."""
    if whole is record:
        return converted.fates
    lines: dict[tuple[str, int], Lines] = {}
    linked: set[tuple[str, int]] = set()  # fields that got lines of links, which they may not have
    of_fields, of_leader = converted.fates[: len(origins)], converted.fates[len(origins) :]
    for origin, (tag, _), (_, losses) in zip(origins, whole.fields, of_fields, strict=True):
        place, romanised = origin.own, origin.romanised
        own = losses
        if romanised is not None or origin.unlinked or tag != place[0]:
            own, spelled = _parted(losses, tag, _nameless(origin))
            linked.add(place)
            if romanised is not None:
                lines[romanised] = lines.get(romanised, ()) + spelled
                linked.add(romanised)
        lines[place] = lines[place] + own if place in lines else own
    fates = []
    seen: dict[str, int] = {}
    for tag, text in record.fields:
        seen[tag] = nth = seen.get(tag, 0) + 1
        told = lines.get((tag, nth), ())
        if linked and (tag, nth) in linked:
            absent = ("" if _SIX in text else "6") + ("" if _SEVEN in text else "7")
            told = _without(told, absent) if absent else told
        fates.append((nth, told))
    return (*fates, *of_leader)


def _nameless(origin: Origin) -> Origin:
    """The same without which of its tag it is: lines don't say that."""
    romanised = (origin.romanised[0], 0) if origin.romanised else None
    return origin._replace(own=(origin.own[0], 0), romanised=romanised)


@Known
def _parted(losses: Lines, tag: str, origin: Origin) -> tuple[Lines, Lines]:
    """The lines of a field `tag` and those of the one that was joined to it."""
    one = origin.own[0]
    own: list[Loss] = []
    if origin.unlinked:
        own.append(Loss(one, "6", Fate.MAPPED, ONE_FIELD))
    if origin.romanised is None:
        own += losses if tag == one else [loss._replace(tag=one) for loss in losses]
        return tuple(own), ()
    two = origin.romanised[0]
    spelled: list[Loss] = []
    for code in "67":
        own.append(Loss(one, code, Fate.MAPPED, ONE_FIELD))
        spelled.append(Loss(two, code, Fate.MAPPED, ONE_FIELD))
    for loss in losses:
        if loss.code.isalpha() and loss.code.isupper():
            spelled.append(loss._replace(tag=two, code=loss.code.lower()))
        else:
            own.append(loss._replace(tag=one))
    spelled += [Loss(two, code, Fate.MAPPED, f"{one}${code}") for code in origin.same]
    spelled += [Loss(two, code, Fate.LOST, why=NO_TWIN, value=value) for code, value in origin.left]
    return tuple(own), tuple(spelled)


@Known
def _without(losses: Lines, codes: str) -> Lines:
    """The lines without those of some codes, which the field has not."""
    left = tuple(loss for loss in losses if loss.code not in codes or not loss.code)
    return losses if len(left) == len(losses) else left


def _finished(record: Record) -> Record:
    """The record with what no row can say: the century and the script in 100, one 101, pinyin in its place, names in
    Han entered directly."""
    languages = record.all("101")
    fields: list[tuple[str, str]] = []
    for each in record.fields:
        tag, text = each
        if tag[:2] == "00":
            fields.append(each)
        elif tag == "100":
            fields.append((tag, _coded(text, marc.value(record.first("200") or "", "a"))))
        elif tag == "101" and len(languages) > 1:
            if text is languages[0]:
                fields.append((tag, _languages(languages)))
        else:
            told = pairs.in_order(text)
            if tag in _PERSONS and _is_chinese(told):
                told = f"{told[:1]}0{told[2:]}"
            fields.append(each if told is text else (tag, told))
    return Record(record.leader, tuple(fields))


def _is_chinese(text: str) -> bool:
    """Whether a personal name is one in Han that is not parted: it is entered directly (CN 7XX, second indicator 0)."""
    name = marc.value(text, "a")
    return "\u3400" <= name[:1] <= "\u9fff" and not marc.value(text, "b")


def _languages(several: list[str]) -> str:
    """The field of coded data and the one of 041 in one: all languages once, the first first, the indicator of 041."""
    found = dict.fromkeys(pair for text in several for pair in marc.subfields(text))
    return marc.field(several[-1][:2], sorted(found, key=lambda pair: pair[0]))


def _coded(text: str, title: str) -> str:
    """A 100 with the century of its date and the script of the title."""
    data = marc.value(text, "a")
    if len(data) != _CODES:
        return text
    entered = data[2:8]
    century = ("19" if int(entered[:2]) >= _FIRST_YEAR else "20") if entered.isdigit() else "  "
    script = data[34:36]
    if script == "ba":
        script = next((code for code, letters in _SCRIPTS if letters.search(title)), script)
    return text.replace(data, f"{century}{data[2:34]}{script}", 1)


def _joined_losses(record: Record, first: Converted, second: Iterable[Loss]) -> tuple[tuple[int, Lines], ...]:
    """The lines of the first conversion, with what the second lost of what they tell of."""
    lost = {f"{loss.tag}${loss.code}": loss.why for loss in second}
    told = []
    of_fields, of_leader = first.fates[: len(record.fields)], first.fates[len(record.fields) :]
    for (_, text), (nth, losses) in zip(record.fields, of_fields, strict=True):
        lines = []
        for line in losses:
            why = next((lost[to] for to in line.to.split(", ") if to in lost), "")
            if line.fate is Fate.MAPPED and why:
                value = " ".join(marc.values(text, line.code))
                line = Loss(line.tag, line.code, Fate.LOST, why=why, value=value)
            lines.append(line)
        told.append((nth, tuple(lines)))
    return (*told, *of_leader)
