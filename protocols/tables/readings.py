"""How a cell is read: small named functions that a template refers to (pure). Each gives "" where there is nothing."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

# Words for what a person did (GB/T 3792), the longest first; those who did not make the work itself stand apart.
SECONDARY = (
    "校注", "点校", "校点", "注释", "译注", "编译", "翻译", "插图", "审校", "审订", "校对", "译", "校", "注", "绘",
    "审",
)  # fmt: skip
PRIMARY = (
    "联合主编", "执行主编", "总主编", "副主编", "主编著", "主编", "编著", "编写", "编撰", "编纂", "纂修", "辑录",
    "选编", "合著", "原著", "撰", "著", "纂", "辑", "编",
)  # fmt: skip

_YEAR = re.compile(r"(?<!\d)(1[0-9]{3}|20[0-9]{2})(?!\d)|(?<!\d)(1[0-9]{3}|20[0-9]{2})(?=[01]\d[0-3]\d(?!\d))")
_DATE = re.compile(
    r"(?<!\d)(1[0-9]{3}|20[0-9]{2})\s*[-/.年]\s*(1[0-2]|0?[1-9])(?:\s*[-/.月]\s*(3[01]|[12]\d|0?[1-9]))?"
)
_COMPACT = re.compile(r"(?<!\d)(1[0-9]{3}|20[0-9]{2})(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])(?!\d)")
_BEFORE = re.compile(r"^\s*(?:[(（\[［〔【][^)）\]］〕】]{1,12}[)）\]］〕】]\s*)+")
_AFTER = re.compile(rf"[\s,，]*(?:等)?\s*[\[(（]?({'|'.join(SECONDARY + PRIMARY)})[\])）]?\s*$")
_ISBN = re.compile(r"(?i)^(?:isbn)?[\s:：]*([0-9][-0-9 ]{8,20}[0-9x])")
_ISSN = re.compile(r"(?i)^(?:[ep]?issn)?[\s:：]*([0-9]{4})-?([0-9]{3}[0-9x])\s*$")
_NUMBER = re.compile(r"^\d+\.0+$")
_GONE = re.compile(
    r"^\s*(?:已?(?:注销|剔除|剔旧|报废|删除|除籍|註銷|報廢|刪除)\s*$|(?:withdrawn|discarded|deleted?|weeded|removed)\b)"
)
_YES = frozenset(("是", "对", "√", "✓", "v", "x", "y", "yes", "true", "1", "d"))


def plain(text: str) -> str:
    """Blanks and line ends within are one blank; invisible characters at the ends go."""
    return " ".join(text.replace("\ufeff", "").replace("\u200b", "").split())


def year(text: str) -> str:
    """Four digits of the first year from 1000 to 2099: 2019年5月, 2019.5, 20190501."""
    found = _YEAR.search(unicodedata.normalize("NFKC", text))
    return (found[1] or found[2]) if found else ""


def date(text: str) -> str:
    """The date as ISO 8601 as far as it goes: 2019-05-01, 2019-05, 2019; what is no date stays as it is written."""
    narrow = unicodedata.normalize("NFKC", text)
    if found := _COMPACT.search(narrow):
        return "-".join(found.groups())
    if found := _DATE.search(narrow):
        return "-".join(part.zfill(2) for part in found.groups() if part)
    return year(narrow) if narrow.strip() == year(narrow) else text


def isbn(text: str) -> str:
    """The number without the word ISBN and what stands behind it; else as written (rules judge it)."""
    narrow = unicodedata.normalize("NFKC", text).strip()
    found = _ISBN.match(_NUMBER.sub(lambda whole: whole[0].partition(".")[0], narrow))
    return found[1].strip() if found else text


def isbn_only(text: str) -> str:
    """The ISBN; "" if the cell holds something else."""
    found = isbn(text)
    return found if sum(sign.isalnum() for sign in found) in (10, 13) and _ISBN.match(found) else ""


def issn(text: str) -> str:
    """The ISSN; "" if the cell holds something else."""
    found = _ISSN.search(unicodedata.normalize("NFKC", text))
    return f"{found[1]}-{found[2].upper()}" if found else ""


def level(text: str) -> str:
    """The bibliographic level that a word or an identifier tells: s for serials and what has an ISSN, else m."""
    return "s" if text.casefold() in ("serial", "journal", "newspaper") or issn(text) else "m"


def name(text: str) -> str:
    """A name without dynasty or country before it and the word for what was done behind it: (清)曹雪芹著 → 曹雪芹."""
    shorn = _AFTER.sub("", _BEFORE.sub("", text)).strip()
    return shorn if len(shorn) > 1 else text


def role(text: str) -> str:
    """The word for what was done: 著, 译."""
    found = _AFTER.search(text)
    return found[1] if found and name(text) != text else ""


def is_secondary(text: str) -> bool:
    """Whether the word behind a name says that this is no author: 译, 校注."""
    return role(text) in SECONDARY


def gone(text: str) -> str:
    """`d` (leader/05) if the word says that the copy is no longer there."""
    return "d" if _GONE.search(unicodedata.normalize("NFKC", text).casefold()) else ""


def marked(text: str) -> str:
    """`d` if a column that marks what is to go says so: yes, 1, 是, or a word for it."""
    narrow = unicodedata.normalize("NFKC", text).strip().casefold()
    return "d" if narrow in _YES else gone(text)


def before(text: str) -> str:
    """Up to the first slash: the class of a call number."""
    return text.partition("/")[0].strip()


def behind(text: str) -> str:
    """Behind the first slash: the book mark of a call number."""
    return text.partition("/")[2].strip()


READINGS: dict[str, Callable[[str], str]] = {
    "plain": plain,
    "year": year,
    "date": date,
    "isbn": isbn,
    "isbn-only": isbn_only,
    "issn": issn,
    "level": level,
    "name": name,
    "role": role,
    "gone": gone,
    "marked": marked,
    "class": before,
    "mark": behind,
}
