"""Non-filing characters: how many signs of a title sorting passes over (MARC 21) (pure).

The article has to be one of the record's language (008/35-37, 041$a); titles in other languages are left alone. Table:
`articles.toml`. ISO 6630's marks within the text (CNMARC) are a rule of characters.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from functools import cache, lru_cache
from pathlib import Path

from catalog.model import Format
from dms.rules import bulk, edit
from dms.rules.bulk import Bools, Columns
from dms.rules.content.model import ContentRule, Fix, Look
from dms.rules.content.values import LONGEST_VALUE
from dms.rules.model import Finding, Mended
from protocols.marc import Record, value, values

# Which indicator counts, by tag (MARC 21 Bibliographic).
INDICATORS: Mapping[str, int] = {
    "130": 0, "222": 1, "240": 1, "242": 1, "243": 1, "245": 1, "440": 1, "630": 0, "730": 0, "740": 0, "830": 1,
}  # fmt: skip
_LEADING = re.compile(r"[\s\"'“”‘’«»„\[(¡¿….·]*")
_JOINTS = "'’ʼ‘-"
_OTHER_I = "İı"  # which are an i where case does not count
_NOTHING = ("0", " ", "|", "")  # indicators that pass over nothing
_TABLE = bulk.of_tags(INDICATORS)
LONGEST_ARTICLE = 12  # characters


@cache
def _table() -> tuple[Mapping[str, re.Pattern[str]], Mapping[str, tuple[str, ...]]]:
    table = tomllib.loads((Path(__file__).parent / "articles.toml").read_text("utf-8"))
    patterns = {}
    for language, articles in table["articles"].items():
        ways = [
            re.escape(a[:-1]) + f"[{re.escape(_JOINTS)}]" if a[-1] in "'-" else re.escape(a) + r"\s+"
            for a in sorted(articles, key=len, reverse=True)
        ]
        patterns[language] = re.compile(rf"(?:{'|'.join(ways)})(?=[\w\"'“‘«\[(¡¿])", re.I)
    return patterns, {language: tuple(words) for language, words in table["not"].items()}


@lru_cache(maxsize=8192)
def count(title: str, language: str) -> int:
    """How many signs stand before the first word that sorts; 0 without an article of the language."""
    patterns, exceptions = _table()
    if language not in patterns:
        return 0
    leading = _LEADING.match(title)
    start = leading.end() if leading else 0
    if title[start:].lower().startswith(exceptions.get(language, ())):
        return 0
    found = patterns[language].match(title, start)
    if found is None:
        return 0
    behind = _LEADING.match(title, found.end())
    return behind.end() if behind else found.end()


def _languages(record: Record) -> tuple[str, ...]:
    """The languages of a record's text: of 008, then of 041$a."""
    coded = (record.first("008") or "")[35:38]
    every = [coded, *[code for text in record.all("041") for code in values(text, "a")]]
    return tuple(dict.fromkeys(code for code in every if len(code) == 3 and code.isalpha()))


def _wanted(tag: str, text: str, languages: tuple[str, ...]) -> str:
    """The digit that should stand; the one that stands where nothing certain can be said."""
    at = INDICATORS[tag]
    stands = text[at : at + 1]
    title = value(text, "a")
    counted = next((found for language in languages if (found := count(title, language))), 0)
    if not 0 < counted <= 9:
        return stands
    if stands in ("0", " ", "", "|") or (stands.isdecimal() and not _ends_a_word(title, int(stands))):
        return str(counted)
    return stands


def _ends_a_word(title: str, at: int) -> bool:
    """Whether sorting that begins at `at` begins with a word."""
    return at == 0 or not title[at - 1 : at].isalnum()


def _looked(record: Record) -> Iterator[tuple[str, int, str, str]]:
    """(tag, nth, text, wanted digit) of every field that counts and has no transliteration beside it."""
    languages = _languages(record)
    seen: dict[str, int] = {}
    for tag, text in record.fields:
        if tag in INDICATORS:
            seen[tag] = seen.get(tag, 0) + 1
            yield tag, seen[tag], text, _wanted(tag, text, languages)


@cache
def _beginnings() -> frozenset[str]:
    """First words of all articles in whatever case."""
    patterns = tomllib.loads((Path(__file__).parent / "articles.toml").read_text("utf-8"))["articles"]
    return frozenset(article.casefold() for articles in patterns.values() for article in articles)


def _doubtful(tag: str, text: str) -> bool:
    """Whether a field may begin with an article, or passes over something."""
    at = INDICATORS[tag]
    if text[at : at + 1] not in _NOTHING:
        return True
    title = value(text, "a")
    if not title[:1].isalnum():
        return bool(title)
    word = title[:LONGEST_ARTICLE].split(None, 1)[0]
    return word.casefold() in _beginnings() or any(sign in word for sign in _JOINTS + _OTHER_I)


def _among(columns: Columns, fmt: Format) -> Bools:
    del fmt  # the rule is of one
    tags, texts = columns.tags, columns.texts
    return columns.rows_of([field for field in columns.tagged(_TABLE).tolist() if _doubtful(tags[field], texts[field])])


def _look(seen: Look) -> Iterator[Finding]:
    for tag, nth, text, wanted in _looked(seen.record):
        at = INDICATORS[tag]
        stands = text[at : at + 1]
        title = value(text, "a")
        if wanted != stands:
            yield Finding("non-filing", tag, nth, f"ind{at + 1}", -1, f"{stands} {title}"[:LONGEST_VALUE], wanted)
        elif stands.isdecimal() and (int(stands) >= len(title) > 0 or not _ends_a_word(title, int(stands))):
            yield Finding("non-filing-in-word", tag, nth, f"ind{at + 1}", -1, f"{stands} {title}"[:LONGEST_VALUE])


def _mend(record: Record, fmt: Format) -> Mended:
    if fmt != Format.MARC21:
        return Mended(record, ())
    languages = _languages(record)

    def change(tag: str, text: str) -> str:
        at = INDICATORS[tag]
        return text[:at] + _wanted(tag, text, languages) + text[at + 1 :]

    return edit.fields(record, "non-filing", change, INDICATORS.keys())


RULES: tuple[ContentRule, ...] = (
    ContentRule(
        ids=("non-filing", "non-filing-in-word"),
        look=_look,
        tags=frozenset(INDICATORS),
        formats=frozenset((Format.MARC21,)),
        among=_among,
    ),
)
FIXES: Mapping[str, Fix] = {"non-filing": _mend}
