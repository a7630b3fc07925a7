"""A pair under comparison and the rules that give points, each a small function named after its field."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from rapidfuzz.distance import Levenshtein

from catalog import facts as model
from dms.match import editions, people, volume, words
from dms.match.features import Features, unified_identifier

CONTRASTS = tuple(frozenset(group) for group in words.folded(words.TABLE["contrasts"]["groups"]))
APART_TITLES = frozenset(("title-contrast", "title-other", "title-unlike"))
SIMILAR = 0.85
UNLIKE = 0.5
WESTERN_HEAD = 40  # letters from which on two titles that begin alike are one title, shortened in two ways
WESTERN_ENOUGH = 10  # letters of a Western title that say something
JOINTS = ("之", "系列", "系列之", "丛书", "丛书之")  # between a title and a part run on to it
AuthorRelation = Literal["", "author-same", "author-near", "author-differs"]


class Pair:
    """Two records' features and what several rules need of both. Nothing here depends on which comes first."""

    __slots__ = ("_author", "a", "ambiguous", "b", "common", "sure_isbn", "title", "volumes")

    def __init__(self, a: Features, b: Features, ambiguous: Callable[[int], bool]) -> None:
        self.a, self.b, self.ambiguous = a, b, ambiguous
        self.common = [i for i in a.isbns if i in b.isbns] if a.isbns and b.isbns else []
        self.sure_isbn = bool(self.common) and not all(map(self._names_several, self.common))
        self.volumes = self._volumes()
        self.title = self._title()
        self._author: AuthorRelation | None = None

    @property
    def author(self) -> AuthorRelation:
        """What the names say, looked up when first asked for."""
        if self._author is None:
            self._author = author(self.a, self.b)
        return self._author

    @property
    def shares_identifier(self) -> bool:
        """Whether any number stands in both records."""
        a, b = self.a, self.b
        return bool(
            self.common
            or (a.unified and not set(a.unified).isdisjoint(b.unified))
            or (a.issns and not set(a.issns).isdisjoint(b.issns))
            or (a.cn_numbers and not set(a.cn_numbers).isdisjoint(b.cn_numbers))
            or (a.control and not set(a.control).isdisjoint(b.control))
            or (a.dois and not set(a.dois).isdisjoint(b.dois))
        )

    @property
    def one_work(self) -> bool:
        """Whether a veto still leaves them related: titles agree and authors do not contradict."""
        return self.author != "author-differs" and self.title not in APART_TITLES

    def rules(self) -> list[str]:
        """Names of all rules that fire, in the order of the list below."""
        return [name for rule in RULES if (name := rule(self))]

    def _names_several(self, isbn: int) -> bool:
        """An ISBN known from several things, or of a set where a volume of it is described."""
        a, b = self.a, self.b
        if (isbn in a.set_isbns or isbn in b.set_isbns) and (a.volume or b.volume or a.part or b.part):
            return True
        return self.ambiguous(isbn)

    def _volumes(self) -> str:
        """`` (none), `one` side only, or the relation of two codes. A number at the title's end may be the volume."""
        a, b = self.a, self.b
        if a.volume and b.volume:
            return volume.relation(a.volume, b.volume)
        if not a.volume and not b.volume:
            return ""
        bare, numbered = (a, b) if b.volume else (b, a)
        if bare.soft and bare.soft == numbered.volume and bare.title.startswith(numbered.title):
            return "same"
        return "one"

    def _title(self) -> str:
        a, b = self.a, self.b
        if a.title == b.title:
            return _equal(a) if a.title else "title-other-script"
        if a.han != b.han:
            return _other_script(a, b)
        if self.volumes == "same" and (a.soft or b.soft):
            bare, numbered = (a, b) if b.volume else (b, a)
            if bare.title[len(numbered.title) :].isalnum() and len(bare.title) - len(numbered.title) <= 4:
                return "title-same"
        similarity = Levenshtein.normalized_similarity(a.title, b.title, score_cutoff=UNLIKE)
        if a.title[:1] == b.title[:1]:
            if not wholes(a).isdisjoint(wholes(b)):
                return "title-whole"
        elif not similarity and not a.more and not b.more:
            return "title-unlike"
        if a.title in b.more or b.title in a.more:
            return "title-parallel"
        if not a.han and (continued := _continues(a, b)):
            return continued
        short, long = sorted((a.title, b.title), key=len)
        if not short:
            return "title-other-script"
        if similarity >= SIMILAR or (
            len(short) >= 5 and len(short) == len(long) and similarity >= 1 - 1.01 / len(long)
        ):
            if contrast(a.title, b.title):
                return "title-contrast"
            if len(short) >= 5:
                return "title-similar"
        if long.startswith(short):
            return "title-begins"
        return "title-unlike" if similarity < UNLIKE else "title-other"


def _equal(features: Features) -> str:
    if features.generic:
        return "title-generic"
    return "title-short" if len(features.title) < 4 else "title-same"


def _continues(a: Features, b: Features) -> str:
    """Western titles and subtitles are cut and shortened in many ways: compare all words of the titles together."""
    if a.annual and a.numbers != b.numbers:
        return ""
    short, long = sorted((a.title + a.part + a.rest, b.title + b.part + b.rest), key=len)
    if len(short) < WESTERN_ENOUGH or a.generic or b.generic:
        return ""
    if long.startswith(short):
        return "title-continues"
    head = next(
        (place for place, (one, other) in enumerate(zip(short, long, strict=False)) if one != other), len(short)
    )
    if head >= WESTERN_HEAD and a.title[:WESTERN_ENOUGH] == b.title[:WESTERN_ENOUGH]:
        return "title-continues"
    return "title-similar" if Levenshtein.normalized_similarity(short, long, score_cutoff=SIMILAR) else ""


def _other_script(a: Features, b: Features) -> str:
    if a.title in b.more or b.title in a.more:
        return "title-parallel"
    if a.romanised or b.romanised:
        alike = Levenshtein.normalized_similarity(a.sound, b.sound, score_cutoff=SIMILAR)
        return "title-romanised" if alike and a.sound else "title-other-script"
    return "title-unlike"


def wholes(features: Features) -> set[str]:
    """The ways in which title, part and subtitle may be run together."""
    title, part, rest = features.title, features.part, features.rest
    found = {title + part + rest, title + rest + part}
    tail = part or rest
    if tail:
        other = rest if part else ""
        found |= {title + joint + tail + other for joint in JOINTS}
    return found


def contrast(a: str, b: str) -> bool:
    """Whether two like titles differ in words that set books of a row apart: 高等/初等, 上/下, Part A/Part B."""
    for step in Levenshtein.editops(a, b):
        if step.tag == "replace":
            one, other = a[step.src_pos], b[step.dest_pos]
            if any(one in group and other in group for group in CONTRASTS):
                return True
        elif (a[step.src_pos] if step.tag == "delete" else b[step.dest_pos]).isdigit() and words.is_han(a):
            return True
    return False


def author(a: Features, b: Features) -> AuthorRelation:
    """What the names say. Names in different scripts say nothing; helpers of one may be authors of the other."""
    if a.authors and b.authors and a.authors[0] == b.authors[0]:
        return "author-same"
    if _stated(a, b) or _stated(b, a):
        return "author-same"
    if not a.authors or not b.authors:
        return ""
    names_a = a.authors + tuple(helper[2:] for helper in a.helpers)
    names_b = b.authors + tuple(helper[2:] for helper in b.helpers)
    compared = near = False
    for one in names_a:
        for other in names_b:
            if people.comparable(one, other):
                compared = True
                if people.same(one, other):
                    return "author-same"
                near = near or people.near(one, other)
    if not compared:
        return ""
    return "author-near" if near else "author-differs"


def _stated(a: Features, b: Features) -> bool:
    """Whether a surname heading of `a` is named in the statement of responsibility of `b`."""
    return any(name.partition(",")[0] in b.stated for name in a.authors) if b.stated else False


def _title_rule(pair: Pair) -> str:
    return pair.title


def _subtitle(pair: Pair) -> str:
    a, b = pair.a.rest, pair.b.rest
    if not a or not b or pair.title in ("title-whole", "title-begins", "title-continues"):
        return ""
    if a == b or a.startswith(b) or b.startswith(a):
        return "subtitle-same"
    return "subtitle-same" if Levenshtein.normalized_similarity(a, b) >= SIMILAR else "subtitle-differs"


def _part(pair: Pair) -> str:
    a, b = pair.a, pair.b
    if a.parts and b.parts:
        return "part-same"
    if (not a.parts and not b.parts) or pair.title == "title-whole" or pair.volumes == "same":
        return ""
    with_part, without = (a, b) if a.part else (b, a)
    return "" if with_part.part in without.title + without.rest else "part-one-side"


def _volume(pair: Pair) -> str:
    return {"same": "volume-same", "one": "volume-one-side", "unclear": "volume-unclear"}.get(pair.volumes, "")


def _isbn(pair: Pair) -> str:
    a, b = pair.a, pair.b
    if pair.common:
        return "isbn-same" if pair.sure_isbn else "isbn-ambiguous"
    if not set(a.isbns + a.weak_isbns).isdisjoint(b.isbns + b.weak_isbns):
        return "isbn-weak"
    if not a.isbns or not b.isbns or _set_only(a) != _set_only(b):
        return ""  # the number of a set and the number of its volume do not contradict
    return "isbn-other-binding" if other_binding(pair) else "isbn-differs"


def _set_only(features: Features) -> bool:
    """Whether a volume carries only the number of its set."""
    return bool(features.volume or features.part) and set(features.isbns) <= set(features.set_isbns)


def other_binding(pair: Pair) -> bool:
    """Hardback against paperback of one printing: both say their binding, and all else is equal."""
    a, b = pair.a, pair.b
    bound_a, bound_b = {kind for _, kind in a.bindings}, {kind for _, kind in b.bindings}
    return (
        bool(bound_a) and bool(bound_b) and bound_a.isdisjoint(bound_b)
        and a.title == b.title and a.year == b.year and a.pages == b.pages and a.year > 0
        and publisher(pair) == "publisher-same" and pair.author in ("author-same", "")
    )  # fmt: skip


def _unified(pair: Pair) -> str:
    a, b = pair.a.unified, pair.b.unified
    if not a or not b:
        return ""
    common = [number for number in a if number in b]
    if not common:
        return "unified-differs"
    several = all(pair.ambiguous(unified_identifier(number)) for number in common)
    return "unified-ambiguous" if several else "unified-same"


def _issn(pair: Pair) -> str:
    return _numbers(pair.a.issns, pair.b.issns, "issn-same", "issn-differs")


def _cn(pair: Pair) -> str:
    return _numbers(pair.a.cn_numbers, pair.b.cn_numbers, "cn-same", "cn-differs")


def _doi(pair: Pair) -> str:
    return _numbers(pair.a.dois, pair.b.dois, "doi-same", "")


def _control(pair: Pair) -> str:
    return _numbers(pair.a.control, pair.b.control, "control-same", "")


def _numbers(a: tuple[str, ...], b: tuple[str, ...], same: str, differs: str) -> str:
    if not a or not b:
        return ""
    return differs if set(a).isdisjoint(b) else same


def _host(pair: Pair) -> str:
    a, b = pair.a, pair.b
    if not a.host or not b.host:
        return ""
    if a.host != b.host:
        return "host-differs"
    return "host-same" if not a.host_place or not b.host_place or a.host_place == b.host_place else "host-differs"


def _author(pair: Pair) -> str:
    return pair.author


def publisher(pair: Pair) -> str:
    """What the publishers say."""
    a, b = pair.a.publishers, pair.b.publishers
    if not a or not b:
        return ""
    if a[0] == b[0] or not set(a).isdisjoint(b):
        return "publisher-same"
    best = max((_publishers(one, other) for one in a for other in b), key=PUBLISHER_ORDER.index)
    if best == "publisher-differs" and not pair.a.han and not pair.b.han and same_place(pair):
        return "publisher-other"  # printer, agency, distributor: which one is named is the cataloguer's choice
    return best


def same_place(pair: Pair) -> bool:
    """Whether a town of publication stands in both."""
    return not set(pair.a.places).isdisjoint(pair.b.places)


PUBLISHER_ORDER = ["publisher-differs", "publisher-near", "publisher-same"]


def _publishers(a: str, b: str) -> str:
    """Western imprints are shortened in many ways (words in common); Han names differ by one word (湖南人民, 人民)."""
    if not a.isascii() or not b.isascii():
        if people.comparable(a, b):
            return "publisher-differs"
        return "publisher-near"
    words_a, words_b = a.split(), b.split()
    met = sum(any(_alike(one, other) for other in words_b) for one in words_a)
    if not met:
        return "publisher-differs"
    return (
        "publisher-same"
        if _alike(words_a[0], words_b[0]) or met >= min(len(words_a), len(words_b))
        else "publisher-near"
    )


def _alike(a: str, b: str) -> bool:
    """One word, a longer form of it (putnam, putnams), or a slip of the pen in a long one."""
    if a == b or (len(a) >= 5 and len(b) >= 5 and (a.startswith(b) or b.startswith(a))):
        return True
    return len(a) >= 6 and len(b) >= 6 and Levenshtein.distance(a, b, score_cutoff=1) <= 1


def _year(pair: Pair) -> str:
    a, b = pair.a, pair.b
    if not a.years or not b.years:
        return ""
    apart = abs(a.year - b.year)
    if apart == 0:
        return "year-same"
    if (a.annual or b.annual) and apart == 1 and a.record_class != model.SERIAL:
        return "annual-year-near"
    if a.year in b.years or b.year in a.years:
        return "year-also"
    if apart == 1:
        return "year-near"
    return "year-differs-isbn" if pair.sure_isbn else "year-differs"


def _pages(pair: Pair) -> str:
    a, b = pair.a.pages, pair.b.pages
    if not a or not b:
        return _pieces(pair.a.pieces, pair.b.pieces)
    apart = abs(a - b)
    if apart == 0:
        return "pages-same"
    if apart <= max(3, max(a, b) // 100):
        return "pages-near"
    if pair.sure_isbn:
        return "pages-differ-isbn"
    return "pages-off" if not pair.a.han and not pair.b.han and apart * 10 <= max(a, b) else "pages-differ"


def _pieces(a: int, b: int) -> str:
    if not a or not b:
        return ""
    if a == b:
        return "pieces-same" if a < 99 else "pieces-open"
    return "pieces-open" if 99 in (a, b) else ""


def _edition(pair: Pair) -> str:
    a, b = pair.a, pair.b
    if a.edition == b.edition and a.edition_words == b.edition_words:
        return ""
    if a.edition and b.edition:
        return ""  # equal numbers (others are vetoed): the words beside them do not matter
    if a.edition or b.edition:
        other = b if a.edition else a
        return "edition-word" if other.edition_words else "edition-one-side"
    forms = (set(a.edition_words) ^ set(b.edition_words)) - editions.REVISIONS
    return "edition-form" if forms else "edition-word"


RULES: tuple[Callable[[Pair], str], ...] = (
    _title_rule, _subtitle, _part, _volume, _isbn, _unified, _issn, _cn, _doi, _control, _host, _author, publisher,
    _year, _pages, _edition,
)  # fmt: skip
