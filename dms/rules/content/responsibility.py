"""Statements of responsibility (200$f, $g) and the names of 7XX in CNMARC: each should have the other (pure).

Only Chinese names are compared, character by character; a Western name is inverted and shortened in too many ways.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache

from catalog.model import Format
from catalog.search.fold import fold
from dms.rules.content.model import ContentRule, Fix, Look
from dms.rules.content.values import LONGEST_VALUE
from dms.rules.model import Finding
from protocols.marc import subfields, value

NAMES = ("700", "701", "702", "710", "711", "712", "720")
_HAN_NAME = re.compile("[\u4e00-\u9fff·]{2,}")


@lru_cache(maxsize=8192)
def _plain(text: str) -> str:
    return re.sub(r"[^\w]", "", fold(text))


def _statements(seen: Look) -> str:
    """All that 200 says of responsibility, folded, without separators."""
    return "".join(
        _plain(held) for text in seen.texts("200") for code, held in subfields(text) if code in "fg" or code == "a"
    )


def _told_elsewhere(seen: Look) -> str:
    """Notes on responsibility (304, 314) and others in which a name may stand."""
    tags = ("300", "304", "305", "307", "314", "311", "312", "327", "330", "410", "454", "461", "462", "500", "517")
    return "".join(_plain(held) for tag in tags for text in seen.texts(tag) for _, held in subfields(text))


def _unsupported(seen: Look) -> Iterator[Finding]:
    """Chinese names of 7XX that neither 200 nor a note has."""
    told = _statements(seen)
    rest: str | None = None
    for tag in NAMES:
        for nth, text in enumerate(seen.texts(tag), 1):
            name = value(text, "a")
            if not _HAN_NAME.search(name):
                continue
            plain = _plain(_HAN_NAME.findall(name)[-1])
            if plain in told or _shortened(plain, told):
                continue
            if rest is None:
                rest = _told_elsewhere(seen)
            if plain not in rest and not _shortened(plain, rest):
                yield Finding("name-unsupported", tag, nth, "a", -1, name[:LONGEST_VALUE])


def _shortened(plain: str, told: str) -> bool:
    """A body's name in another length: its first and last two characters in one statement."""
    return len(plain) > 4 and plain[:2] in told and plain[-2:] in told


def _untraced(seen: Look) -> Iterator[Finding]:
    """A 200 with a Chinese statement of responsibility, and no 7XX at all."""
    if any(tag in seen.fields for tag in NAMES):
        return
    for nth, text in enumerate(seen.texts("200"), 1):
        statement = value(text, "f")
        if _HAN_NAME.search(statement):
            yield Finding("responsibility-untraced", "200", nth, "f", -1, statement[:LONGEST_VALUE])


def _repeated(seen: Look) -> Iterator[Finding]:
    """The same name as primary (701, 711) and as secondary (702, 712) responsibility, in the same role."""
    for one, other in (("701", "702"), ("711", "712")):
        first = {(_plain(value(t, "a")), value(t, "b"), value(t, "4")) for t in seen.texts(one)}
        for nth, text in enumerate(seen.texts(other), 1):
            name = value(text, "a")
            if name and "\x1ft" not in text and (_plain(name), value(text, "b"), value(text, "4")) in first:
                yield Finding("name-twice", other, nth, "a", -1, name[:LONGEST_VALUE], one)


_CNMARC = frozenset((Format.CNMARC,))

RULES: tuple[ContentRule, ...] = (
    ContentRule(ids=("name-unsupported",), look=_unsupported, tags=frozenset(NAMES), formats=_CNMARC),
    ContentRule(ids=("responsibility-untraced",), look=_untraced, tags=frozenset(("200",)), formats=_CNMARC),
    ContentRule(ids=("name-twice",), look=_repeated, tags=frozenset(("702", "712")), formats=_CNMARC),
)
FIXES: Mapping[str, Fix] = {}
