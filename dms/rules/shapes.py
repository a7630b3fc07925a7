"""What the outline of a field says: tag, indicators and subfield codes against the definitions (pure).

The values of a field do not matter here, so what is found is remembered by outline: a file of a million records has a
few thousand of them.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from catalog.model import Format
from dms.rules.definitions.tables import Codes, Definitions, Field
from protocols.directory import STRAY
from protocols.marc import DELIMITER, is_control

NO_VALUE = "#"  # how both manuals write a blank
MOST_OUTLINES = 1 << 16  # remembered; rubbish could make any number of them
OTHER = "880"  # of MARC 21: a field in another script
_STANDS_FOR = re.compile(r"\x1f6([0-9]{3})")


class Fault(NamedTuple):
    """A finding that stands in no record yet."""

    rule: str
    code: str = ""
    at: int = -1
    value: str = ""
    wanted: str = ""


class Shapes:
    """Faults of outlines under one set of definitions (None: no tables, only what any MARC demands)."""

    def __init__(self, definitions: Definitions | None, fmt: Format, off: frozenset[str]) -> None:
        self._known = definitions
        self._embeds = fmt == Format.CNMARC
        self._off = off
        self.faults = lru_cache(maxsize=MOST_OUTLINES)(self._faults)

    def of(self, tag: str, text: str) -> tuple[Fault, ...]:
        """Faults of a field, those of empty subfields among them."""
        head, *parts = text.split(DELIMITER)
        found = self.faults(tag, head[:2], len(head), "".join([part[:1] for part in parts]), len(parts))
        if is_control(tag):
            return found
        empty = [part[:1] for part in parts if not part[1:].strip()]
        if empty and "subfield-empty" not in self._off and len(empty) < len(parts):
            found += tuple(Fault("subfield-empty", code) for code in empty)
        if len(empty) == len(parts) and not (head[2:] if parts else head).strip():
            return (Fault("field-empty"),) if "field-empty" not in self._off else ()
        return found

    def other(self, text: str) -> tuple[Fault, ...]:
        """Faults of an 880's indicators and codes, which are those of the field that it stands for (MARC 21, 880).

        One that does not say which ($6) is judged by the rules of links.
        """
        tag = meant(OTHER, text)
        if tag == OTHER or self._known is None or tag not in self._known.fields:
            return ()
        head, *parts = text.split(DELIMITER)
        codes = [part[:1] for part in parts]
        codes.remove("6")  # stands in every 880, and not in every field
        if len(head) != 2 or not codes:
            return ()
        return self.faults(tag, head, 2, "".join(codes), len(codes))

    def _faults(self, tag: str, head: str, width: int, codes: str, count: int) -> tuple[Fault, ...]:
        """`head` and `width`: what stands before the first subfield; `count` of subfields, some without a code."""
        return tuple(fault for fault in self._all(tag, head, width, codes, count) if fault.rule not in self._off)

    def _all(self, tag: str, head: str, width: int, codes: str, count: int) -> list[Fault]:
        if tag == STRAY:
            return []  # the reader told what it is
        if len(tag) != 3 or not tag.isascii() or not tag.isalnum():
            return [Fault("tag-invalid", value=tag)]
        found: list[Fault] = []
        known = self._known.fields.get(tag) if self._known else None
        if self._known and known is None and not is_local(tag):
            found.append(Fault("field-undefined", value=tag))
        if is_control(tag):
            if count:
                found.append(Fault("control-with-subfields"))
            elif not width:
                found.append(Fault("field-empty"))
            return found
        if not count:
            return [*found, Fault("field-without-subfields")]
        if width != 2:
            found.append(Fault("indicator-count", value=str(width), wanted="2"))
        elif known:
            found += _indicators(known, head)
        return found + self._subfields(tag, known, codes) if known else found

    def _subfields(self, tag: str, known: Field, codes: str) -> list[Fault]:
        if known.subfields is None:
            return []
        if self._embeds and "1" in known.subfields:
            codes = codes.partition("1")[0]  # then come fields within the field, see the UNIMARC Manual, 4--
            if not codes:
                return []
        found: list[Fault] = []
        for code in dict.fromkeys(codes):
            if code in known.subfields.former:
                found.append(Fault("subfield-obsolete", code))
            elif code not in known.subfields.legal and code != "9":  # $9 is everybody's own
                found.append(Fault("subfield-undefined", code))
            elif code in known.once and codes.count(code) > 1:
                found.append(Fault("subfield-repeated", code, value=str(codes.count(code)), wanted="1"))
        needs = self._known.needs.get(tag, "") if self._known else ""
        if needs and not set(needs) & set(codes):
            found.append(Fault("subfield-missing", needs[0], wanted=" ".join(f"${code}" for code in needs)))
        return found


def meant(tag: str, text: str) -> str:
    """The tag by which a field's indicators and codes are judged: an 880 names it in $6."""
    stands_for = _STANDS_FOR.search(text) if tag == OTHER else None
    return stands_for[1] if stands_for and not is_control(stands_for[1]) else tag


def is_local(tag: str) -> bool:
    """Tags with a 9 are everybody's own (MARC 21, 9XX, X9X and XX9; UNIMARC, the same), and so are names (CAT, OWN)."""
    return "9" in tag or not tag.isdigit()


def _indicators(known: Field, head: str) -> list[Fault]:
    found: list[Fault] = []
    for number, (value, codes) in enumerate(zip(head, known.indicators, strict=True), 1):
        if codes is None or value in codes.legal:
            continue
        rule = "indicator-obsolete" if value in codes.former else "indicator-undefined"
        found.append(Fault(rule, f"ind{number}", value=shown(value), wanted=listed(codes)))
    return found


def shown(value: str) -> str:
    """A value with its blanks to be seen."""
    return value.replace(" ", NO_VALUE)


@lru_cache(maxsize=1 << 10)
def listed(codes: Codes, most: int = 24) -> str:
    """The legal values, or the first of many."""
    values = sorted(codes.legal, key=lambda each: (len(each), each))
    return " ".join(map(shown, values[:most])) + (" …" if len(values) > most else "")
