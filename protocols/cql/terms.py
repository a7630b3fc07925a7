"""Terms of CQL: anchors, masks and escapes (CQL 1.2, "Masking characters"), to and from those of the tree (pure)."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from protocols.cql.diagnostics import Diagnosed, Sru
from protocols.query import LONGEST_TERM, Completeness, Position, Structure, Term, Truncation

_PARTS = re.compile(r"\\(?P<plain>.)|(?P<mask>[*?^])|(?P<text>[^\\*?^]+)", re.DOTALL)
_SPECIAL = re.compile(r'[\\*?^"]')


class Meant(msgspec.Struct, frozen=True, kw_only=True):
    """What a term says."""

    text: str
    truncation: Truncation = "none"
    position: Position = "any"
    completeness: Completeness = "part"


def read(raw: str, structure: Structure, place: int, *, masked: bool = True) -> Meant:
    """A term with its backslashes. Raises Diagnosed. `masked` = signs have their meaning."""
    if len(raw) > 2 * LONGEST_TERM:
        raise Diagnosed(Sru.TERM_TOO_LONG, str(LONGEST_TERM), place)
    parts = [(part.lastgroup or "", part[part.lastgroup or 0]) for part in _PARTS.finditer(raw)]
    if len(re.sub(r"\\(.)", r"\1", raw, flags=re.DOTALL)) > LONGEST_TERM:
        raise Diagnosed(Sru.TERM_TOO_LONG, str(LONGEST_TERM), place)
    if not masked:
        return Meant(text="".join([text for _, text in parts]))
    first, last = parts[:1] == [("mask", "^")], len(parts) > 1 and parts[-1] == ("mask", "^")
    inner = parts[first : len(parts) - last]
    if ("mask", "^") in inner or (last and not first):
        raise Diagnosed(Sru.ANCHOR_PLACE, raw, place)
    text, truncation = _truncated(inner, structure)
    if not text.strip():
        raise Diagnosed(Sru.EMPTY_TERM, raw, place)
    return Meant(
        text=text,
        truncation=truncation,
        position="first" if first and not last else "any",
        completeness="whole" if last else "part",
    )


def _truncated(parts: list[tuple[str, str]], structure: Structure) -> tuple[str, Truncation]:
    """A term as it is, with its end or beginning cut, or with masks. `dog* cat*` cuts two words, so they are masks."""
    masks = [place for place, part in enumerate(parts) if part[0] == "mask"]
    plain = "".join([text for kind, text in parts if kind != "mask"])
    if not masks:
        return plain, "none"
    left, right = parts[0] == ("mask", "*"), len(parts) > 1 and parts[-1] == ("mask", "*")
    if len(masks) == left + right and (len(plain.split()) == 1 or structure in ("phrase", "exact")):
        return plain, "both" if left and right else "left" if left else "right"
    return "".join([text if kind in ("mask", "text") else _escaped(text) for kind, text in parts]), "masked"


def _escaped(sign: str) -> str:
    """A plain sign in a masked text of the tree, which knows no anchors."""
    return "\\" + sign if sign in "\\*?" else sign


def write(term: Term) -> str:
    """A term in quotes, with its anchors and masks."""
    if term.truncation == "masked":
        text = re.sub(r'["^]', r"\\\g<0>", term.text)
    else:
        left = "*" if term.truncation in ("left", "both") else ""
        right = "*" if term.truncation in ("right", "both") else ""
        words = term.text.split()
        if len(words) < 2 or not (left or right) or term.structure not in ("all", "some"):
            words = [term.text]
        text = " ".join([left + _SPECIAL.sub(r"\\\g<0>", word) + right for word in words])
    first = "^" if term.position == "first" or term.completeness == "whole" else ""
    last = "^" if term.completeness == "whole" else ""
    return f'"{first}{text}{last}"'


def quoted(text: str) -> str:
    """A text in quotes in which no sign means anything."""
    return '"' + _SPECIAL.sub(r"\\\g<0>", text) + '"'


def meant(term: Term, said: Meant, **more: Any) -> Term:
    """A term with what its text says."""
    return msgspec.structs.replace(
        term,
        text=said.text,
        truncation=said.truncation,
        position=said.position,
        completeness=said.completeness,
        **more,
    )
