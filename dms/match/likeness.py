"""How two titles relate: the same, cut or shortened otherwise, alike, contrasting, or in two scripts."""

from __future__ import annotations

from rapidfuzz.distance import Levenshtein

from dms.match import words
from dms.match.features import Features

SIMILAR = 0.85
CONTRASTS = tuple(frozenset(group) for group in words.folded(words.TABLE["contrasts"]["groups"]))
WORDS = tuple(tuple(words.folded(line)) for line in words.TABLE["contrasts"]["words"].strip().splitlines())
UNLIKE = 0.5
WESTERN_HEAD = 40  # letters from which on two titles that begin alike are one title, shortened in two ways
WESTERN_ENOUGH = 10  # letters of a Western title that say something
FORENAMES = 12  # letters before a surname at the head of a title
ARTICLES = ("the", "a", "an")  # at the head of a subtitle, where it is not compared
JOINTS = ("之", "系列", "系列之", "丛书", "丛书之")  # between a title and a part run on to it
APART_TITLES = frozenset(("title-contrast", "title-other", "title-unlike"))


def titles(a: Features, b: Features, volumes: str) -> str:
    """Name of the rule by which two titles relate; `volumes` is the relation of the volume codes."""
    if a.title == b.title:
        return _equal(a, b) if a.title else "title-other-script"
    if a.han != b.han:
        return _other_script(a, b)
    if volumes == "same" and (a.soft or b.soft):
        bare, numbered = (a, b) if b.volume else (b, a)
        if bare.title[len(numbered.title) :].isalnum() and len(bare.title) - len(numbered.title) <= 4:
            return "title-same"
    similarity = Levenshtein.normalized_similarity(a.title, b.title, score_cutoff=UNLIKE)
    if a.title[:1] == b.title[:1]:
        if not wholes(a).isdisjoint(wholes(b)):
            return "title-whole"
    elif not similarity and not a.more and not b.more and not _within(a, b):
        return "title-unlike"
    if a.title in b.more or b.title in a.more:
        return "title-parallel"
    if not a.han and (continued := _continues(a, b) or _within(a, b)):
        return continued
    short, long = sorted((a.title, b.title), key=len)
    if not short:
        return "title-other-script"
    if similarity >= SIMILAR or (len(short) >= 5 and len(short) == len(long) and similarity >= 1 - 1.01 / len(long)):
        if contrast(a.title, b.title):
            return "title-contrast"
        if len(short) >= 5:
            return "title-similar"
    if long.startswith(short):
        return "title-begins"
    return "title-unlike" if similarity < UNLIKE else "title-other"


def _equal(a: Features, b: Features) -> str:
    if a.generic or b.generic:
        return "title-generic"
    return "title-short" if len(a.title) < 4 else "title-same"


def _continues(a: Features, b: Features) -> str:
    """Western titles and subtitles are cut and shortened in many ways: compare all words of the titles together."""
    if (a.annual and a.numbers != b.numbers) or a.generic or b.generic:
        return ""
    if any(_begins(one, other) for one in _runs(a) for other in _runs(b)):
        return "title-continues"
    short, long = sorted((a.title + a.part + a.rest, b.title + b.part + b.rest), key=len)
    if len(short) < WESTERN_ENOUGH:
        return ""
    head = next(
        (place for place, (one, other) in enumerate(zip(short, long, strict=False)) if one != other), len(short)
    )
    if head >= WESTERN_HEAD and a.title[:WESTERN_ENOUGH] == b.title[:WESTERN_ENOUGH]:
        return "title-diverges"
    alike = Levenshtein.normalized_similarity(short, long, score_cutoff=SIMILAR)
    return "title-similar" if alike and not _opposed(short, long) else ""


def _within(a: Features, b: Features) -> str:
    """Western: one title is the other's subtitle or part (what is series or host to one cataloguer is title to the
    other), or the other without the author's name at its head: `Goethe's Hermann und Dorothea`."""
    if not a.western or not b.western:
        return ""
    for one, other in ((a, b), (b, a)):
        if len(one.title) < WESTERN_ENOUGH:
            continue
        if any(len(text) >= WESTERN_ENOUGH and _begins(one.title, text) for text in (other.rest, other.part)):
            return "title-within"
        for author in one.authors:
            name = author.partition(",")[0]
            head, found, rest = other.title.partition(name)
            if found and len(name) >= 4 and len(head) <= FORENAMES and rest.removeprefix("s") == one.title:
                return "title-within"
    return ""


def _begins(a: str, b: str) -> bool:
    short, long = sorted((a, b), key=len)
    return len(short) >= WESTERN_ENOUGH and long.startswith(short)


def _runs(features: Features) -> list[str]:
    """A Western title with its part and subtitle, also with the article that was taken from the subtitle's head."""
    title, more = features.title, features.part + features.rest
    return [title + more, *[title + joint + more for joint in ARTICLES]] if more else [title]


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
        found |= {title + joint + tail + other for joint in (JOINTS if features.han else ARTICLES)}
    return found


def contrast(a: str, b: str) -> bool:
    """Whether two like titles differ in words that set books of a row apart: 高等/初等, 上/下, northern/southern."""
    han = words.is_han(a)
    if not han and _opposed(a, b):
        return True
    for step in Levenshtein.editops(a, b):
        if step.tag == "replace":
            one, other = a[step.src_pos], b[step.dest_pos]
            if any(one in group and other in group for group in CONTRASTS):
                return True
        elif han and (a[step.src_pos] if step.tag == "delete" else b[step.dest_pos]).isdigit():
            return True
    return False


def _opposed(a: str, b: str) -> bool:
    """Whether two Western texts are the same but for a word and its opposite: northern/southern Bavaria."""
    return any(
        one in a and other in b and one != other and a.replace(one, "\0") == b.replace(other, "\0")
        for group in WORDS
        for one in group
        for other in group
    )
