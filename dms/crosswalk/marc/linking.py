"""Linking fields of UNIMARC as tables write them: codes like `200a` become embedded fields (pure).

UNIMARC Manual: Bibliographic Format (2008), block 4XX, embedded fields technique: `$1`, the field's tag, its indicators
and its subfields.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from protocols import marc


def embedded(pairs: Sequence[tuple[str, str]], indicators: Mapping[str, str]) -> list[tuple[str, str]]:
    """The subfields of a field, with `$1` before those of each embedded one; codes of one character stay in front.

    `indicators`: of every field that may be embedded, by its tag. A second $a opens its field again.
    """
    if all(len(code) == 1 for code, _ in pairs):
        return list(pairs)
    outside: list[tuple[str, str]] = []
    groups: list[tuple[str, list[tuple[str, str]]]] = []
    for code, value in pairs:
        tag = code[:3]
        if len(code) == 1:
            outside.append((code, value))
        elif marc.is_control(tag):
            groups.append((tag, [("1", tag + value)]))
        else:
            group = next((inner for own, inner in reversed(groups) if own == tag), None)
            if group is None or (code[3] == "a" and any(each == "a" for each, _ in group)):
                groups.append((tag, group := [("1", tag + indicators[tag])]))
            group.append((code[3], value))
    return outside + [pair for _, inner in groups for pair in inner]
