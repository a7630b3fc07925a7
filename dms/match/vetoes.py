"""What forbids a join whatever the score: vetoes, with the verdict they leave, and limits, which leave a review."""

from __future__ import annotations

from collections.abc import Callable

from rapidfuzz.distance import Levenshtein

from catalog.model import Verdict
from dms.match import agreement, editions, people, rows, volume
from dms.match.features import Features
from dms.match.pair import Pair

APART, LINK = Verdict.APART, Verdict.LINK


def record_class(a: Features, b: Features) -> bool:
    """Serial, monograph and component part are different things."""
    return a.record_class != b.record_class


def medium(a: Features, b: Features) -> bool:
    """Print and electronic, map and book …; nothing said counts as print."""
    return a.media != b.media and not (a.ancient and b.ancient and {a.media, b.media} <= {"", "picture", "map"})


def reproduction(a: Features, b: Features) -> bool:
    """影印本, 缩印本, 大字本, 线装, 盲文 against plain; a Western reprint note is too often left out to forbid."""
    if a.reproduction == b.reproduction:
        return False
    soft = {"reprint", "thread"} if a.ancient or b.ancient else {"reprint"}  # ancient books are thread-bound anyway
    return set(a.reproduction) - soft != set(b.reproduction) - soft


def volumes(a: Features, b: Features) -> bool:
    """Two different volume designations."""
    return bool(a.volume and b.volume) and volume.relation(a.volume, b.volume) == "clash"


def set_and_volume(a: Features, b: Features) -> bool:
    """A whole set and one of its volumes, by designation (1-3 and 2; 2 and 2.1) or by evidence of a set."""
    if a.volume and b.volume:
        return volume.relation(a.volume, b.volume) == "within"
    return (a.of_set and bool(b.volume or b.part)) or (b.of_set and bool(a.volume or a.part))


def parts(a: Features, b: Features) -> bool:
    """Two different part titles, level by level."""
    return any(_part_differs(one, other) for one, other in zip(a.parts, b.parts, strict=False))


def _part_differs(a: str, b: str) -> bool:
    if a == b or a.startswith(b) or b.startswith(a):
        return False
    return len(a) < 5 or len(b) < 5 or Levenshtein.normalized_similarity(a, b) < 0.8


def edition_numbers(a: Features, b: Features) -> bool:
    """Two different edition numbers, or editions named by two years."""
    if a.edition and b.edition:
        return a.edition != b.edition
    if not a.edition_words or not b.edition_words:
        return False
    years_a, years_b = ({word for word in f.edition_words if word[0] == "y" and word[1:].isdigit()} for f in (a, b))
    return bool(years_a and years_b) and years_a.isdisjoint(years_b)


def numbers(a: Features, b: Features) -> bool:
    """Numbers or years in both titles, and each has one that the other lacks."""
    if not a.numbers or not b.numbers or a.numbers == b.numbers:
        return False
    set_a, set_b = set(a.numbers), set(b.numbers)
    return not (set_a <= set_b or set_b <= set_a)


def helpers(a: Features, b: Features) -> bool:
    """Translators, annotators or illustrators named on both sides, and none in common."""
    if not a.helpers or not b.helpers:
        return False
    everybody_a = {*a.authors, *(h[2:] for h in a.helpers)}
    everybody_b = {*b.authors, *(h[2:] for h in b.helpers)}
    for kind in "TND":
        names_a = [h[2:] for h in a.helpers if h[0] == kind]
        names_b = [h[2:] for h in b.helpers if h[0] == kind]
        if not names_a or not names_b:
            continue
        compared = [(x, y) for x in names_a for y in names_b if people.comparable(x, y)]
        if not compared or any(people.same(x, y) for x, y in compared):
            continue
        if not any(name in everybody_b for name in names_a) and not any(name in everybody_a for name in names_b):
            return True
    return False


def publishers(pair: Pair) -> bool:
    """Two Han publishers in two towns, and no number in common: another edition of the work."""
    a, b = pair.a, pair.b
    return (
        a.han and b.han and not pair.shares_identifier
        and bool(a.publishers and b.publishers and a.places and b.places)
        and not (a.ancient and b.ancient)
        and not agreement.same_place(a, b) and agreement.publisher(a, b) == "publisher-differs"
    )  # fmt: skip


def companions(a: Features, b: Features) -> bool:
    """A work and its workbook, teacher's book, index …, or two different companions."""
    return a.companion != b.companion


# Cheap vetoes: decided by few values, so a component of the union is guarded by them too.
TRAITS: tuple[tuple[str, Verdict, Callable[[Features, Features], bool]], ...] = (
    ("veto-class", APART, record_class),
    ("veto-media", LINK, medium),
    ("veto-volume", APART, volumes),
    ("veto-part", APART, parts),
    ("veto-edition", LINK, edition_numbers),
    ("veto-set-volume", LINK, set_and_volume),
    ("veto-reproduction", LINK, reproduction),
    ("veto-number", APART, numbers),
    ("veto-companion", LINK, companions),
)
VETOES = (*TRAITS, ("veto-translator", APART, helpers))


def stop(pair: Pair) -> list[tuple[str, Verdict]]:
    """Every veto that fires, with the verdict it leaves."""
    a, b = pair.a, pair.b
    found = [(name, verdict) for name, verdict, rule in VETOES if rule(a, b)]
    if publishers(pair):
        found.append(("veto-publisher", APART))
    if pair.title == "title-whole" and found:
        found = [(name, verdict) for name, verdict in found if name not in ("veto-companion", "veto-part")]
    return found


def clash(a: Features, b: Features) -> bool:
    """Whether two records may never share a cluster, by the cheap vetoes alone."""
    return any(rule(a, b) for _, _, rule in TRAITS)


def related(pair: Pair) -> str:
    """Why two records that are not one thing are still shown together; empty if they are not."""
    found = _companion(pair.a, pair.b) or _series(pair.a, pair.b) or _series(pair.b, pair.a)
    return "" if found and pair.author == "author-differs" else found


def _companion(a: Features, b: Features) -> str:
    if a.companion == b.companion:
        return ""
    if a.companion and b.companion:
        return "related-companion" if a.stem == b.stem and not a.generic else ""
    companion, main = (a, b) if a.companion else (b, a)
    return "related-companion" if _main(companion, main) else ""


def _series(whole: Features, part: Features) -> str:
    if not whole.of_set or whole.title not in part.series or len(whole.title) < 4 or whole.generic:
        return ""
    return "related-series" if whole.media == part.media else ""


def _main(companion: Features, main: Features) -> bool:
    """Whether `main` is the work that `companion` accompanies: its title is the stem, volume numbers aside."""
    if volumes(companion, main):
        return False
    stem = companion.stem
    if stem.startswith(main.title) and len(main.title) >= 3 and editions.TAIL.fullmatch(stem[len(main.title) :]):
        return True  # 高等数学(第六版)习题全解
    return stem in (main.title, main.title + main.part, main.title + main.rest, main.title + main.volume)


def ancient(pair: Pair, rules: list[str]) -> bool:
    """Ancient books, rubbings, manuscripts and imprints before 1912 are offered to a cataloguer, never joined."""
    return pair.a.ancient or pair.b.ancient


def edition_years(pair: Pair, rules: list[str]) -> bool:
    """An edition stated on one side only, and years apart."""
    stated = {"edition-one-side", "edition-word", "edition-form"} & set(rules)
    return bool(stated) and abs(pair.a.year - pair.b.year) >= 2 and bool(pair.a.year and pair.b.year)


def volume_one_side(pair: Pair, rules: list[str]) -> bool:
    return "volume-one-side" in rules


def volume_unclear(pair: Pair, rules: list[str]) -> bool:
    return "volume-unclear" in rules and not (pair.sure_isbn and {"pages-same", "pages-near"} & set(rules))


def part_one_side(pair: Pair, rules: list[str]) -> bool:
    return "part-one-side" in rules


def sound_only(pair: Pair, rules: list[str]) -> bool:
    """A romanised title against one in Han characters, without an identifier: the sound never decides."""
    return pair.title in ("title-romanised", "title-other-script") and not _identified(pair, rules)


def generic_title(pair: Pair, rules: list[str]) -> bool:
    return pair.title == "title-generic" and "author-same" not in rules and not _identified(pair, rules)


def supplied_title(pair: Pair, rules: list[str]) -> bool:
    """A uniform title stands for many things: sonatas of one composer, printed by one house."""
    alike = "publisher-same" in rules and _all_else(rules)
    return (pair.a.supplied or pair.b.supplied) and not alike and not _identified(pair, rules)


def like_title(pair: Pair, rules: list[str]) -> bool:
    """Titles only like each other need an identifier, or all else equal."""
    if pair.title == "title-contrast":
        return True
    if not pair.a.han and pair.title in ("title-continues", "title-begins"):
        fired = set(rules)
        told = {"author-same", "publisher-same", "year-same"} <= fired
        extent = {"pages-same", "pieces-same"} & fired
        if told and (extent or (pair.title == "title-continues" and "pages-differ" not in fired)):
            return False
        if pair.title == "title-continues":
            return not ({"year-same", "year-also"} & fired or extent) and not _identified(pair, rules)
    return pair.title in ("title-other", "title-begins", "title-unlike") and not _identified(pair, rules)


def similar_title(pair: Pair, rules: list[str]) -> bool:
    if pair.title != "title-similar" or pair.common:
        return False
    if not pair.a.han:
        told = {"author-same", "publisher-same", "year-same"} <= set(rules) and len(pair.a.title) >= LONG
        return not _solid(rules) and not (told and set(rules).isdisjoint(("pages-differ", "pages-off")))
    return not {"author-same", "publisher-same", "year-same", "pages-same"} <= set(rules)


def of_a_row(pair: Pair, rules: list[str]) -> bool:
    """Subtitles that tell books of a row apart. A Western author writes no two of them of one extent; a body does."""
    a, b = pair.a, pair.b
    if not a.rest or not b.rest or pair.title in ("title-whole", "title-begins", "title-continues"):
        return False
    person = a.western and any(not people.is_body(name) for name in (*a.authors, *b.authors))
    extent = {"pages-same", "pieces-same"} if a.han else {"pages-same", "pages-near", "pieces-same", "pieces-open"}
    alike = not extent.isdisjoint(rules)
    if "subtitle-differs" in rules and not person and not alike and not _identified(pair, rules):
        return True
    return rows.apart(a.rest, b.rest, not (person and alike))


def title_part(pair: Pair, rules: list[str]) -> bool:
    """Titles that agree in part need an identifier, or author, year and extent."""
    return pair.title in ("title-within", "title-diverges") and not _all_else(rules) and not _identified(pair, rules)


def other_publisher(pair: Pair, rules: list[str]) -> bool:
    if "publisher-other" in rules:
        return not _solid(rules)
    return "publisher-differs" in rules and not _identified(pair, rules)


def other_author(pair: Pair, rules: list[str]) -> bool:
    """Names that contradict each other, whatever else agrees."""
    return "author-differs" in rules


def set_one_side(pair: Pair, rules: list[str]) -> bool:
    """A set on one side, and nothing on the other that says whether it is the set or a volume without its number."""
    if pair.a.of_set == pair.b.of_set:
        return False
    whole, other = (pair.a, pair.b) if pair.a.of_set else (pair.b, pair.a)
    return 1 < whole.pieces < 99 and other.pages > 0 and not {"pages-same", "pages-near"} & set(rules)


def pages_far(pair: Pair, rules: list[str]) -> bool:
    """Pages far apart and no identifier: another setting, whatever else agrees, until a cataloguer has looked."""
    return "pages-differ" in rules and not _identified(pair, rules)


def thin(pair: Pair, rules: list[str]) -> bool:
    """Too little to decide by: neither author nor publisher nor an identifier agrees."""
    said = len(pair.a.title + pair.a.rest if "subtitle-same" in rules else pair.a.title)
    if not pair.a.han and said >= LONG and "year-same" in rules and {"pages-same", "pieces-same"} & set(rules):
        return "publisher-differs" in rules
    return not ({"author-same", "publisher-same"} & set(rules)) and not _identified(pair, rules)


def _all_else(rules: list[str]) -> bool:
    """Author, year and extent agree."""
    fired = set(rules)
    return {"author-same", "year-same"} <= fired and not fired.isdisjoint(("pages-same", "pieces-same"))


def _solid(rules: list[str]) -> bool:
    """Author or publisher, year and extent agree: enough beside a Western title that is only written otherwise."""
    fired = set(rules)
    return (
        not fired.isdisjoint(("author-same", "publisher-same"))
        and not fired.isdisjoint(("year-same", "year-also"))
        and not fired.isdisjoint(("pages-same", "pages-near", "pieces-same"))
    )


LONG = 16  # letters of a Western title that is hardly used twice


def _identified(pair: Pair, rules: list[str]) -> bool:
    return bool({"isbn-same", "unified-same", "issn-same", "doi-same", "control-same", "cn-same"} & set(rules))


LIMITS: tuple[tuple[str, Callable[[Pair, list[str]], bool]], ...] = (
    ("limit-ancient", ancient),
    ("limit-edition-years", edition_years),
    ("limit-volume-one-side", volume_one_side),
    ("limit-volume-unclear", volume_unclear),
    ("limit-part-one-side", part_one_side),
    ("limit-sound-only", sound_only),
    ("limit-generic-title", generic_title),
    ("limit-supplied-title", supplied_title),
    ("limit-like-title", like_title),
    ("limit-similar-title", similar_title),
    ("limit-row", of_a_row),
    ("limit-title-part", title_part),
    ("limit-other-publisher", other_publisher),
    ("limit-other-author", other_author),
    ("limit-set-one-side", set_one_side),
    ("limit-pages-far", pages_far),
    ("limit-thin", thin),
)


def limits(pair: Pair, rules: list[str]) -> list[str]:
    """Names of the limits that leave a review at most."""
    return [name for name, rule in LIMITS if rule(pair, rules)]
