"""Names of persons and bodies brought to one form, and statements of responsibility taken apart.

A form is `key` or `key,given`: for a Western person the surname and the given names (狄更斯,查尔斯; dickens,charles),
for a Chinese person the whole name, for a Western body all its words behind a mark. Dynasty, country and the name in
Latin letters stand in brackets and go.
"""

from __future__ import annotations

import re
from functools import lru_cache

from rapidfuzz.distance import Levenshtein

from catalog.search import fold
from dms.match import words

_ROLES = words.TABLE["roles"]
_CLASSES = (("D", "illustrator"), ("N", "annotator"), ("T", "translator"))
_ROLE_CLASS: dict[str, str] = dict.fromkeys(words.folded(_ROLES["author"]), "A")
_ROLE_CLASS |= {word: kind for kind, name in _CLASSES for word in words.folded(_ROLES[name])}
_RELATORS = {word: kind for kind, name in _CLASSES for word in words.folded(words.TABLE["relators"][name])}
_ENDS = re.compile(f"(?:{words.either(words.folded(words.TABLE['authors']['ends']))})+$")
_ROLE = re.compile(f"(?:{words.either(list(_ROLE_CLASS))})$")
# With what characters roles and ends end: to look is much cheaper than to try the patterns at every place.
_LAST_OF_ROLE = frozenset(word[-1] for word in _ROLE_CLASS)
_LAST_OF_END = frozenset(word[-1] for word in words.folded(words.TABLE["authors"]["ends"]))
_GROUPS = re.compile(r"\s*[;=]\s*")
_WORDS = re.compile(r"\w+")
_BRACKETS = re.compile(r"[(\[〔【〈（［<][^)\]〕】〉）］>]*[)\]〕】〉）］>]?")
_ORIGINS = frozenset(words.folded(words.TABLE["origins"]["words"]))
_LIST = re.compile(r"\s*[;,、/]\s*|\s{2,}")
_DATES = re.compile(r"[,.]?\s*\(?(?:b\.|d\.|ca\.?|fl\.|active)?\s*\d{3,4}\??(?:\s*-.*)?$|\s*\d{3,4}-\d{0,4}\??")
BODY = "@"
_BODY_FILL = frozenset(
    ["of", "the", "and", "for", "on", "in", "de", "la", "le", "et", "des", "fur", "der", "die", "und", "at", "to", "a"]
)
STATED = 12  # words kept of a statement
_DOTS = "·・•‧∙﹒.．"
_DOT = re.compile(f"[{re.escape(_DOTS)}]")
_TITLES = re.compile(
    r"\b(?:sir|lord|lady|dame|mrs|mr|miss|dr|prof|rev|jr|sr|phd|md|saint|st|baron|graf|count|von|van|de|ed|eds)\b\.?"
)


@lru_cache(maxsize=65536)
def name(text: str, body: bool = False) -> str:
    """One form of a heading or of a name out of a statement; empty if nothing of a name is left."""
    folded = fold.fold(text)
    if words.HAN_ONLY.fullmatch(folded):
        return folded  # nearly every Chinese name
    folded = _BRACKETS.sub(" ", folded)
    if words.is_han(folded):
        return _han(folded)
    if body:
        found = [word for word in _WORDS.findall(folded) if word not in _BODY_FILL and not word.isdigit()]
        return " ".join([BODY, *found]) if found else ""
    folded = _DATES.sub("", folded)
    surname, comma, given = folded.partition(",")
    surname = fold.squeeze(surname)
    if not comma:
        return surname
    given = " ".join(_WORDS.findall(_TITLES.sub(" ", given)))
    return f"{surname},{given}" if given else surname


def _han(folded: str) -> str:
    surname, comma, given = folded.partition(",")
    surname = surname.strip(" .")
    if comma:
        given = fold.squeeze("".join([c for c in given if not c.isascii() or c in _DOTS]))
        surname = fold.squeeze(surname)
        if len(surname) + len(given) <= 4 and len(surname) <= 2 and given and not given.isascii():
            return surname + given  # 王, 力: a Chinese name cut in two
        return f"{surname},{given}" if given else surname
    pieces = [piece for piece in _DOT.split(surname) if words.is_han(piece)]
    if len(pieces) > 1:
        return f"{fold.squeeze(pieces[-1])},{fold.squeeze(''.join(pieces[:-1]))}"
    return fold.squeeze(pieces[0]) if pieces else ""


@lru_cache(maxsize=4096)
def role(text: str) -> str:
    """Class of a role word or relator code: A author, T translator, N annotator, D illustrator."""
    folded = fold.fold(text).strip(" .,[]()")
    if not folded:
        return "A"
    if folded in _ROLE_CLASS:
        return _ROLE_CLASS[folded]
    for word in _WORDS.findall(folded):
        if word in _RELATORS:
            return _RELATORS[word]
    return "A"


@lru_cache(maxsize=65536)
def statement(text: str) -> tuple[tuple[str, str], ...]:
    """(class, name) of the names in a Han statement of responsibility, e.g. `(清)李汝珍著 ; 傅成山注`."""
    folded = fold.fold(text)
    if not words.is_han(folded):
        return ()
    found: list[tuple[str, str]] = []
    for group in _GROUPS.split(folded):
        kind = ""
        inside: list[tuple[str, str]] = []
        for piece in reversed(_pieces(group)):
            bare, own = _unrole(piece)
            kind = own or kind or "A"
            if form := name(bare):
                inside.append((kind, form))
        found += reversed(inside)
    return tuple(found)


def _pieces(group: str) -> list[str]:
    """Names of one group. A blank parts Chinese names (张三 李四著) but not the words of a body's name."""
    pieces: list[str] = []
    if words.HAN_ONLY.fullmatch(group):
        return [group]
    for piece in _LIST.split(_BRACKETS.sub(" ", group)):
        split = piece.split()
        if len(split) > 1 and all(len(part) <= 5 and words.is_han(part) for part in split):
            pieces += split
        elif piece.strip():
            pieces.append(piece.strip())
    return pieces


def _unrole(piece: str) -> tuple[str, str]:
    """The piece without `等` and role words at its end, and the class of the innermost role."""
    kind = ""
    bare = piece.strip(" .,:[]()")
    while True:
        cut = (_ENDS.sub("", bare) if bare[-1:] in _LAST_OF_END else bare).rstrip(" .,:")
        found = _ROLE.search(cut) if cut[-1:] in _LAST_OF_ROLE else None
        # A name keeps two characters: 张编 is a role behind a surname only where the name is longer.
        if found and (len(cut) - len(found[0]) >= 2 or not cut[: found.start()]):
            kind = _ROLE_CLASS[found[0]] if not kind or kind == "A" else kind
            cut = cut[: found.start()].rstrip(" .,:")
        if cut == bare:
            return bare, kind
        bare = cut


_WORD = re.compile(r"[^\W\d_]{3,}")
_NO_NAMES = frozenset(
    [
        "the",
        "and",
        "von",
        "van",
        "der",
        "den",
        "des",
        "del",
        "with",
        "from",
        "edited",
        "edition",
        "illustrated",
        "translated",
        "revised",
        "rev",
        "trans",
        "introduction",
        "introd",
        "preface",
        "foreword",
        "notes",
        "author",
        "department",
        "university",
        "college",
        "society",
        "institute",
        "association",
        "committee",
        "american",
        "new",
        "england",
        "london",
        "york",
        "states",
        "united",
        "great",
        "britain",
        "bureau",
        "office",
        "national",
        "research",
        "council",
        "department",
        "report",
        "mrs",
        "sir",
        "lord",
        "lady",
        "dr",
        "prof",
        "late",
        "bishop",
        "illustrations",
        "drawings",
        "photographs",
        "others",
        "par",
        "von",
        "und",
        "mit",
        "durch",
        "herausgegeben",
    ]
)


@lru_cache(maxsize=16384)
def stated_words(statements: tuple[str, ...]) -> tuple[str, ...]:
    """Capitalised words of Western statements of responsibility, folded: they hold the surnames, whoever they are."""
    found: dict[str, None] = {}
    for statement in statements:
        if not words.is_han(statement):
            for word in _WORD.findall(statement):
                if (
                    word[0].isupper()
                    and (folded := word.lower() if word.isascii() else fold.squeeze(word)) not in _NO_NAMES
                ):
                    found[folded] = None
    return tuple(sorted(found)[:STATED])


def comparable(a: str, b: str) -> bool:
    """Persons in one script, or bodies: 狄更斯 and Dickens say nothing about each other, nor a body and a person."""
    return words.is_han(a) == words.is_han(b) and is_body(a) == is_body(b)


def same(a: str, b: str) -> bool:
    """Whether two forms may be one name: equal, or equal surnames with given names that do not contradict."""
    if a == b:
        return True
    if is_body(a) and is_body(b):  # United States. Congress. Senate, with or without its committee
        words_a, words_b = set(a.split()), set(b.split())
        return len(words_a) > 2 < len(words_b) and (words_a <= words_b or words_b <= words_a)
    key_a, _, given_a = a.partition(",")
    key_b, _, given_b = b.partition(",")
    if key_a != key_b:
        if given_a + key_a == key_b or given_b + key_b == key_a:  # 阿瑟·奥萨利文 typed without the point
            return True
        short, long = sorted((key_a, key_b), key=len)
        return long.endswith(short) and len(short) >= 2 and long[: -len(short)] in _ORIGINS  # 清李汝珍
    if not given_a or not given_b:
        return True
    if words.is_han(a):
        return given_a in given_b or given_b in given_a
    return _initials(given_a, given_b)


def _initials(a: str, b: str) -> bool:
    """Given names agree as far as both tell: `charles` and `c`, `john ronald` and `j`."""
    few, many = sorted((a.split(), b.split()), key=len)
    if not _forename(few[0], many[0]):
        return False
    rest = iter(many[1:])
    return all(any(_forename(one, other) for other in rest) for one in few[1:])  # a middle name may be left out


def _forename(a: str, b: str) -> bool:
    short, long = sorted((a, b), key=len)
    return long.startswith(short) or (len(short) >= 4 and Levenshtein.distance(short, long) <= 1)


def near(a: str, b: str) -> bool:
    """Transliterations and bodies that nearly agree: 陀思妥耶夫斯基/陀斯妥耶夫斯基, 中国科学院/中国科学院地理研究所."""
    if len(a) < 4 or len(b) < 4:
        return False
    if is_body(a) and is_body(b):
        return not set(a.split()[1:]).isdisjoint(b.split()[1:])
    return a.startswith(b) or b.startswith(a) or Levenshtein.normalized_similarity(a, b) >= 0.75


def is_body(form: str) -> bool:
    """Whether a form is of a Western corporate body: words behind a mark."""
    return form[:1] == BODY
