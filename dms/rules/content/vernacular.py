"""880 and $6 of MARC 21: each field and its other script point at each other (pure).

$6 is a tag, a hyphen, an occurrence number, and maybe a script (MARC 21 Bibliographic, appendix A: control subfields).
880 with occurrence 00 stands alone. A field and its 880 that are there twice are one pair too many.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from catalog.model import Format
from dms.rules import edit
from dms.rules.bulk import Bools, Columns
from dms.rules.content.model import ContentRule, Fix, Look
from dms.rules.model import Finding, Kind, Mended
from protocols.marc import DELIMITER, Record, is_control, value

OTHER = "880"
_LINK = re.compile(r"(\d{3})-(\d{2,})((?:/[^/]*){0,2})")
_KINDS = frozenset((Kind.BIBLIOGRAPHIC, Kind.AUTHORITY))


def _links(record: Record) -> tuple[set[tuple[str, str]], set[tuple[str, str]]]:
    """(tag, occurrence) that the fields say, and that the 880s say of them."""
    said: set[tuple[str, str]] = set()
    others: set[tuple[str, str]] = set()
    for tag, text in record.fields:
        if "\x1f6" in text and not is_control(tag) and (found := _LINK.match(value(text, "6"))):
            (others if tag == OTHER else said).add((found[1] if tag == OTHER else tag, found[2]))
    return said, others


def _fault(tag: str, text: str, said: set[tuple[str, str]], others: set[tuple[str, str]]) -> str:
    """The rule that a field's $6 breaks, or nothing."""
    found = _LINK.fullmatch(value(text, "6"))
    if found is None:
        return "link6-form"
    if tag == OTHER:
        return "link6-alone" if found[2] != "00" and (found[1], found[2]) not in said else ""
    if found[1] != OTHER:
        return "link6-form"
    return "link6-alone" if (tag, found[2]) not in others else ""


def _among(columns: Columns, fmt: Format) -> Bools:
    """Records with a $6 or an 880."""
    del fmt  # the rule is of one
    octets, marks = columns.octets, columns.marks
    links = marks[(octets[marks + 1] == ord("6")) & (octets[marks] == ord(DELIMITER))]
    return columns.rows_of(columns.fields_at(links)) | columns.rows_of(columns.digits == int(OTHER))


def _look(seen: Look) -> Iterator[Finding]:
    if OTHER not in seen.fields and not any("\x1f6" in text for _, text in seen.record.fields):
        return
    said, others = _links(seen.record)
    shared = _renumbered(said)
    for tag, texts in seen.fields.items():
        if is_control(tag) or tag[0] == "9":
            continue
        taken: set[str] = set()
        for nth, text in enumerate(texts, 1):
            if "\x1f6" not in text:
                if tag == OTHER:
                    yield Finding("link6-missing", tag, nth, "6")
                continue
            link = value(text, "6")
            if fault := _fault(tag, text, said, others):
                yield Finding(fault, tag, nth, "6", -1, link[:40])
            elif tag != OTHER:
                occurrence = link[4:].partition("/")[0]
                if occurrence in taken:
                    yield Finding("link6-twice", tag, nth, "6", -1, link[:40])
                elif (tag, occurrence) in shared:
                    wanted = f"{link[:4]}{shared[tag, occurrence]}"
                    yield Finding("link6-shared", tag, nth, "6", -1, link[:40], wanted)
                taken.add(occurrence)


def _renumbered(said: set[tuple[str, str]]) -> dict[tuple[str, str], str]:
    """New occurrence numbers for the tags that have a number which a lower tag has too."""
    numbers = {int(occurrence) for _, occurrence in said}
    if len(numbers) == len(said):
        return {}
    free = max(numbers) + 1
    taken: set[int] = set()
    found: dict[tuple[str, str], str] = {}
    for tag, occurrence in sorted(said):
        if int(occurrence) in taken:
            found[tag, occurrence] = f"{free:02d}"
            free += 1
        taken.add(int(occurrence))
    return found


def _mend(record: Record, fmt: Format) -> Mended:
    """A field that points at no 880 loses its $6; an 880 that points at no field gets occurrence 00."""
    if fmt != Format.MARC21:
        return Mended(record, ())
    said, others = _links(record)

    def change(tag: str, text: str) -> str | None:
        if is_control(tag) or tag[0] == "9" or "\x1f6" not in text or _fault(tag, text, said, others) != "link6-alone":
            return text
        link = value(text, "6")
        if tag == OTHER:
            script = link[4:].partition("/")[1:]
            return text.replace(f"\x1f6{link}", f"\x1f6{link[:4]}00{''.join(script)}", 1)
        left = text.replace(f"{DELIMITER}6{link}", "", 1)
        return left if DELIMITER in left else None  # it had nothing else

    return edit.fields(record, "link6-alone", change)


def _mend_shared(record: Record, fmt: Format) -> Mended:
    """A number that fields of several tags share: the later tags, and their 880s, get numbers of their own."""
    if fmt != Format.MARC21:
        return Mended(record, ())
    said, others = _links(record)
    shared = {pair: number for pair, number in _renumbered(said).items() if pair in others}

    def change(tag: str, text: str) -> str:
        if is_control(tag) or tag[0] == "9" or "\x1f6" not in text:
            return text
        link = value(text, "6")
        found = _LINK.fullmatch(link)
        number = shared.get((found[1] if tag == OTHER else tag, found[2])) if found else None
        if found is None or number is None:
            return text
        return text.replace(f"\x1f6{link}", f"\x1f6{found[1]}-{number}{found[3]}", 1)

    return edit.fields(record, "link6-shared", change) if shared else Mended(record, ())


def _without_link(text: str) -> str:
    return DELIMITER.join([part for part in text.split(DELIMITER) if part[:1] != "6"])


def _again(record: Record) -> dict[int, tuple[str, int]]:
    """Fields that say again, in both scripts, what a field before them says, and their 880s: by place in the record,
    the tag and its n-th."""
    others: dict[tuple[str, str], list[int]] = {}
    for place, (tag, text) in enumerate(record.fields):
        if tag == OTHER and (found := _LINK.fullmatch(value(text, "6"))) and found[2] != "00":
            others.setdefault((found[1], found[2]), []).append(place)
    known: set[tuple[str, str, tuple[str, ...]]] = set()
    claimed: set[tuple[str, str]] = set()
    again: set[int] = set()
    for place, (tag, text) in enumerate(record.fields if others else ()):
        found = None if tag == OTHER or is_control(tag) else _LINK.fullmatch(value(text, "6"))
        if found is None or (tag, found[2]) not in others or (tag, found[2]) in claimed:
            continue
        claimed.add((tag, found[2]))
        beside = others[tag, found[2]]
        key = (tag, _without_link(text), tuple(sorted(_without_link(record.fields[at][1]) for at in beside)))
        if key in known:
            again.update((place, *beside))
        known.add(key)
    counts: dict[str, int] = {}
    found_places: dict[int, tuple[str, int]] = {}
    for place, (tag, _) in enumerate(record.fields if again else ()):
        counts[tag] = counts.get(tag, 0) + 1
        if place in again:
            found_places[place] = (tag, counts[tag])
    return found_places


def _look_again(seen: Look) -> Iterator[Finding]:
    for place, (tag, nth) in _again(seen.record).items():
        if tag != OTHER:
            shown = seen.record.fields[place][1][2:].replace(DELIMITER, " ‡").strip()
            yield Finding("pair-twice", tag, nth, "", -1, shown[:200])


def _mend_again(record: Record, fmt: Format) -> Mended:
    again = _again(record) if fmt == Format.MARC21 else {}
    if not again:
        return Mended(record, ())
    places = iter(range(len(record.fields)))
    return edit.fields(record, "pair-twice", lambda tag, text: None if tag and next(places) in again else text)


RULES: tuple[ContentRule, ...] = (
    ContentRule(
        ids=("link6-form", "link6-alone", "link6-missing", "link6-shared", "link6-twice"),
        look=_look,
        formats=frozenset((Format.MARC21,)),
        kinds=_KINDS,
        among=_among,
    ),
    ContentRule(ids=("pair-twice",), look=_look_again, tags=frozenset((OTHER,)), formats=frozenset((Format.MARC21,))),
)
FIXES: Mapping[str, Fix] = {"link6-alone": _mend, "link6-shared": _mend_shared, "pair-twice": _mend_again}
