"""Pinyin for titles and names of persons, from our tables, where no cataloguer has written any (pure)."""

from __future__ import annotations

import re
from functools import lru_cache

from catalog.search import pinyin
from protocols import marc
from protocols.marc import DELIMITER, Record

LONGEST = 300  # characters that are spelled
CNMARC_NAMES = ("700", "701", "702")
CNMARC = ("200", *CNMARC_NAMES)
MARC21_NAMES = ("100", "700")
MARC21 = ("245", *MARC21_NAMES)
CHINESE = "chi"  # 008/35-37
MOST_LINKS = 99  # an occurrence number has two digits (MARC 21, appendix A: control subfields)
_HAN = re.compile("[\u3400-\u9fff]")
_SPELLING = re.compile(r"9[A-Za-z][\x20-\x7eü]*")
_LINK = re.compile(DELIMITER + "6([0-9]{3})-([0-9]{2})")


def beside(record: Record) -> Record:
    """A CNMARC record with pinyin in $A beside its title and its names where nobody has written any."""
    if any(DELIMITER + "7" in text for tag, text in record.fields if tag in CNMARC):
        return record  # fields of their own in the other script
    fields = ((tag, _with_pinyin(text, tag in CNMARC_NAMES) if tag in CNMARC else text) for tag, text in record.fields)
    return Record(record.leader, tuple(fields))


def linked(record: Record) -> Record:
    """A MARC 21 record of a Chinese text with pinyin in fields 880 that are linked to its title and its names, where
    these have no link."""
    if all(text.isascii() for tag, text in record.fields if tag in MARC21) or not _is_chinese(record):
        return record
    links = [found for _, text in record.fields for found in _LINK.finditer(text)]
    has_twins = {found[1] for found in links}
    last = max((int(found[2]) for found in links), default=0)
    fields: list[tuple[str, str]] = []
    twins: list[tuple[str, str]] = []
    for tag, text in record.fields:
        wanted = tag in MARC21 and tag not in has_twins and f"{DELIMITER}6" not in text and last < MOST_LINKS
        if wanted and (told := _spelled(marc.value(text, "a"), tag in MARC21_NAMES)):
            last += 1
            twins.append(("880", f"{text[:2]}{DELIMITER}6{tag}-{last:02}{DELIMITER}a{told}"))
            text = f"{text[:2]}{DELIMITER}6880-{last:02}{text[2:]}"
        fields.append((tag, text))
    end = next((at for at, (tag, _) in enumerate(fields) if tag > "880" and tag.isdigit()), len(fields))
    return Record(record.leader, (*fields[:end], *twins, *fields[end:]))


def _is_chinese(record: Record) -> bool:
    return (record.first("008") or "")[35:38] == CHINESE


@lru_cache(maxsize=4096)
def _with_pinyin(text: str, name: bool) -> str:
    """The field's text with $A behind its first $a."""
    parts = text.split(DELIMITER)
    if any(part[:1] == "A" or _SPELLING.fullmatch(part) for part in parts[1:]):
        return text
    at = next((n for n, part in enumerate(parts[1:], 1) if part[:1] == "a"), 0)
    told = _spelled(parts[at][1:], name) if at else ""
    return DELIMITER.join((*parts[: at + 1], f"A{told}", *parts[at + 1 :])) if told else text


@lru_cache(maxsize=4096)
def _spelled(text: str, name: bool) -> str:
    """A text as pinyin; "" if it has no Han."""
    if not _HAN.search(text):
        return ""
    said = text[:LONGEST]
    return " ".join(pinyin.streams(pinyin.name_readings(said) if name else pinyin.readings(said))[0])
