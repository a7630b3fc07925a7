"""A pair under comparison and the rules that give points, each a small function named after its field."""

from __future__ import annotations

from collections.abc import Callable

from rapidfuzz.distance import Levenshtein

from catalog import facts as model
from dms.match import agreement, editions, likeness, volume
from dms.match.features import Features, unified_identifier

TELLING = 24  # letters of a Western title that is hardly used twice in a year


class Pair:
    """Two records' features and what several rules need of both. Nothing here depends on which comes first."""

    __slots__ = ("_author", "a", "ambiguous", "b", "common", "sure_isbn", "title", "volumes")

    def __init__(self, a: Features, b: Features, ambiguous: Callable[[int], bool]) -> None:
        self.a, self.b, self.ambiguous = a, b, ambiguous
        self.common = [i for i in a.isbns if i in b.isbns] if a.isbns and b.isbns else []
        self.sure_isbn = bool(self.common) and not all(map(self._names_several, self.common))
        self.volumes = self._volumes()
        self.title = likeness.titles(a, b, self.volumes)
        self._author: agreement.AuthorRelation | None = None

    @property
    def author(self) -> agreement.AuthorRelation:
        """What the names say, looked up when first asked for."""
        if self._author is None:
            self._author = agreement.author(self.a, self.b)
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
        return self.author != "author-differs" and self.title not in likeness.APART_TITLES

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


def _title_rule(pair: Pair) -> str:
    """A long Western title says more, but never against names or pages that contradict it."""
    a = pair.a
    if (
        pair.title != "title-same"
        or not a.western
        or a.annual
        or len(a.title) < TELLING
        or not a.year
        or a.year != pair.b.year
    ):
        return pair.title
    return "title-same" if pair.author == "author-differs" or _pages(pair) == "pages-differ" else "title-long"


def _subtitle(pair: Pair) -> str:
    a, b = pair.a.rest, pair.b.rest
    if not a or not b or pair.title in ("title-whole", "title-begins", "title-continues"):
        return ""
    if a == b or a.startswith(b) or b.startswith(a):
        return "subtitle-same"
    return "subtitle-same" if Levenshtein.normalized_similarity(a, b) >= likeness.SIMILAR else "subtitle-differs"


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
        and agreement.publisher(a, b) == "publisher-same" and pair.author in ("author-same", "")
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
    """What the names say. A Western heading may be a pseudonym, a maiden name or the other of two bodies."""
    return "author-other" if pair.author == "author-differs" and _one_printing(pair) else pair.author


def _publisher(pair: Pair) -> str:
    return agreement.publisher(pair.a, pair.b)


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


def _one_printing(pair: Pair) -> bool:
    """Western: a long title, publisher, year, edition and extent agree, and no names stated contradict that."""
    a, b = pair.a, pair.b
    said = len(a.title + a.rest) if a.rest == b.rest or pair.title == "title-whole" else len(a.title)
    return (
        a.western and b.western and not a.annual and said >= TELLING
        and pair.title in ("title-same", "title-whole")
        and agreement.publisher(a, b) == "publisher-same" and bool(a.year) and a.year == b.year
        and a.edition == b.edition and a.edition_words == b.edition_words
        and _pages(pair) in ("pages-same", "pieces-same")
        and not (a.stated and b.stated and set(a.stated).isdisjoint(b.stated))
    )  # fmt: skip


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
    _title_rule, _subtitle, _part, _volume, _isbn, _unified, _issn, _cn, _doi, _control, _host, _author, _publisher,
    _year, _pages, _edition,
)  # fmt: skip
