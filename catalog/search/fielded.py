"""Queries of other programs, compiled for the index: `protocols.query` trees as `tree` nodes (pure).

Spellings find each other as for readers. Whatever can't be answered as it was asked is `Unanswerable`, with the part
that is too much: a query never finds nothing because half of it was not understood.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import msgspec

from catalog.model import unique
from catalog.search import headings, masks, numbers, query, tree
from catalog.search.fold import fold, is_cjk, squeeze, words
from catalog.search.grams import Phrase, phrase
from catalog.search.headings import notation
from catalog.search.port import BadQuery
from catalog.search.tree import Node
from protocols.query import (
    LONGEST_TERM,
    And,
    Near,
    Not,
    Operator,
    Or,
    SetOf,
    Term,
    Unanswerable,
    Why,
    beyond,
    terms,
    walk,
)
from protocols.query import Node as Asked

DEEPEST = 40  # operators within each other, those of one kind in a row counted once
MOST_SOUNDING = query.MOST_WORDS  # words that are read as pinyin too
MOST_CUT = query.MOST_OPEN  # words with masks
MOST_LEFT = 3  # of these, words without their beginning
MOST_OF_WORD, MOST_MASKS = 8, 24  # signs left open in a word, and in all: each makes a pattern longer to get ready
MOST_FIRST = 64  # terms that begin a field
FARTHEST = 10  # words from one to another that is near
MOST_GAPS = 100  # between what is near each other, in a whole query: each is looked for by itself
LEAST_DIGITS = 4  # of a number that is cut …
LEAST_SIGNS = 2  # … and of a call number
CALL = f"{numbers.KINDS['call']}:"

TEXTS = frozenset({"any", "title", "author", "subject", "series", "publisher", "place", "note"})
IDENTS = frozenset(numbers.KINDS)
HEADED: dict[str, tuple[str, ...]] = {
    "any": ("title", "author", "subject", "series"), **{kind: (kind,) for kind in headings.KINDS}
}  # fmt: skip

# Codes that others use for the languages that ISO 639-2 gives two, and those of two letters that are asked for most.
_LANGUAGES = {
    "zh": "chi", "zho": "chi", "en": "eng", "ja": "jpn", "ko": "kor", "fr": "fre", "fra": "fre", "de": "ger",
    "deu": "ger", "ru": "rus", "es": "spa", "it": "ita", "la": "lat", "ar": "ara", "vi": "vie", "th": "tha",
    "bo": "tib", "bod": "tib", "mn": "mon", "ug": "uig", "cs": "cze", "ces": "cze", "nl": "dut", "nld": "dut",
    "el": "gre", "ell": "gre", "fa": "per", "fas": "per", "my": "bur", "mya": "bur", "ms": "may", "msa": "may",
}  # fmt: skip
_QUALIFIED = re.compile(r"\s*[(（][^()（）]*[)）][\s:：]*$")  # as in records: 7-02-000220-7 (精装)
_STEM = re.compile(r"[0-9]{1,3}[*?]*")
_DAY = re.compile(r"([0-9]{4})(?:-?([0-9]{2})(?:-?([0-9]{2}))?)?")


def compiled(whole: Asked) -> tree.Query:
    """What the index is asked, of a query that names no result sets. Raises Unanswerable."""
    if isinstance(whole, Term) and _is_word(whole):  # the shortest way to what the rest gives of it
        node = _all(query.plain(whole.text, whole.index, sounding=True))
    else:
        if too_much := beyond(whole):
            raise Unanswerable("complex", too_much, f"The query has {too_much}.")
        sounding = sum(len(term.text.split()) for term in terms(whole)) <= MOST_SOUNDING
        _bounded(whole)
        node = _Compiler(sounding).node(whole, 0)
    return tree.Query(wanted=(node,), unwanted=(), whole=_title(whole), piece=())


def resolved(asked: Asked, found: Callable[[str], Asked]) -> Asked:
    """A query with those of the result sets that it names in their places; `found` gives the query of a set by name."""
    if isinstance(asked, SetOf):
        return found(asked.name)
    if isinstance(asked, Operator):
        return msgspec.structs.replace(asked, left=resolved(asked.left, found), right=resolved(asked.right, found))
    return asked


def _bounded(asked: Asked) -> None:
    """Raises Unanswerable if too much is asked of the engine: words that are cut, beginnings of fields, gaps."""
    cut = left = first = gaps = signs = 0
    for node in walk(asked):
        if isinstance(node, Near):
            gaps += min(node.distance, FARTHEST) * (1 if node.ordered else 2)
        if not isinstance(node, Term) or node.index == "everything":
            continue
        first += node.position == "first"
        if node.truncation != "none":
            found = masks.words(node.text, node.truncation, last=node.structure in ("phrase", "exact"))
            masked = [word for word in found if "*" in word or "?" in word]
            cut += max(1, len(masked))
            left += sum(word[0] in "*?" for word in masked)
            of_words = [word.count("*") + word.count("?") for word in masked]
            signs += sum(of_words)
            if max(of_words, default=0) > MOST_OF_WORD:
                raise Unanswerable("masks", node.text, f"At most {MOST_OF_WORD} signs of a word may be left open.")
    if signs > MOST_MASKS:
        raise Unanswerable("masks", "", f"At most {MOST_MASKS} signs may be left open.")
    if cut > MOST_CUT or left > MOST_LEFT:
        message = f"At most {MOST_CUT} words may be cut, and {MOST_LEFT} of these at their beginning."
        raise Unanswerable("masks", "", message)
    if first > MOST_FIRST:
        raise Unanswerable("complex", str(first), f"At most {MOST_FIRST} terms may be asked to begin a field.")
    if gaps > MOST_GAPS:
        raise Unanswerable("complex", str(gaps), "Too many terms may be too far from each other.")


def _title(asked: Asked) -> str:
    """The title, squeezed, that is all of what is asked for."""
    if isinstance(asked, Term) and asked.index in ("any", "title"):
        return squeeze(asked.text)[: query.LONGEST_EXACT] if (asked.relation, asked.truncation) == ("=", "none") else ""
    return ""


def _is_word(term: Term) -> bool:
    """Whether a term is one Latin word, anywhere in its field: most are."""
    text = term.text
    return (
        text.isascii()
        and text.isalpha()
        and len(text) <= LONGEST_TERM
        and term.index in TEXTS
        and term.structure in ("phrase", "all", "some")
        and (term.relation, term.truncation, term.position, term.completeness) == ("=", "none", "any", "part")
    )


class _Compiler:
    """Makes nodes of one query."""

    def __init__(self, sounding: bool) -> None:
        self._sounding = sounding  # few enough words to read them as pinyin too

    def node(self, asked: Asked, depth: int) -> Node:
        if depth > DEEPEST:
            raise Unanswerable("complex", "", f"More than {DEEPEST} operators stand within each other.")
        match asked:
            case Term():
                return self._term(asked)
            case And():
                return tree.All(parts=tuple([self.node(part, depth + 1) for part in _row(And, asked)]))
            case Or():
                return tree.Either(parts=tuple([self.node(part, depth + 1) for part in _row(Or, asked)]))
            case Not():
                first, *others = _row(Not, asked)
                unwanted = tuple([self.node(part, depth + 1) for part in others])
                return tree.Without(wanted=self.node(first, depth + 1), unwanted=tree.Either(parts=unwanted))
            case Near():
                return self._near(asked, depth)
        raise Unanswerable("set", asked.name, f"There is no result set {asked.name!r}.")

    def _term(self, term: Term) -> Node:
        if term.index == "everything":
            return tree.Everything()
        if not words(term.text):
            raise Unanswerable("empty", term.text, f"{term.text!r} has no letters or digits.")
        if term.index == "year":
            return _years(term)
        if term.index == "changed":
            return _days(term)
        if term.relation not in ("=", "<>"):
            raise Unanswerable(
                "relation", term.relation, f"{term.relation} is for years and days, not for {term.index}."
            )
        return _unless(term, self._valued(term))

    def _valued(self, term: Term) -> Node:
        """What has the term in its index."""
        if term.index in TEXTS:
            return self._text(term)
        if term.structure == "some" and len(values := term.text.split()) > 1:
            return tree.Either(parts=tuple([_value(msgspec.structs.replace(term, text=value)) for value in values]))
        return _value(term)

    def _text(self, term: Term) -> Node:
        if term.position == "first" or term.completeness == "whole" or term.structure == "exact":
            return _headed(term)
        if term.truncation == "none" and (term.structure == "all" or len(term.text.split()) == 1):
            return _all(query.plain(term.text, term.index, sounding=self._sounding))
        if term.truncation == "none" and term.structure == "some":
            parts = [_all(query.plain(word, term.index, sounding=False)) for word in term.text.split() if words(word)]
            return parts[0] if len(parts) == 1 else tree.Either(parts=tuple(parts))
        if term.truncation == "none":
            return tree.Text(field=term.index, tokens=phrase(term.text))
        last = term.structure == "phrase"
        found = masks.words(term.text, term.truncation, last=last)
        if not found:
            raise Unanswerable("empty", term.text, f"{term.text!r} has no letters or digits.")
        if last:
            return _piece(term.index, *masks.joined(found))
        parts = [_piece(term.index, *masks.piece(word)) for word in found]
        if len(parts) == 1:
            return parts[0]
        return tree.Either(parts=tuple(parts)) if term.structure == "some" else tree.All(parts=tuple(parts))

    def _near(self, near: Near, depth: int) -> Node:
        if near.unit == "record" and near.distance == 0:
            return self.node(And(near.left, near.right), depth)
        if near.unit != "word":
            raise Unanswerable("unit", near.unit, f"Words are told apart, {near.unit}s are not.")
        if not 1 <= near.distance <= FARTHEST:
            raise Unanswerable("distance", str(near.distance), f"Words may be 1 to {FARTHEST} words apart.")
        left, right = near.left, near.right
        if not isinstance(left, Term) or not isinstance(right, Term) or left.index != right.index:
            raise Unanswerable("proximity", "", "Two terms of one index can be near each other, nothing else.")
        for term in (left, right):
            if term.index not in TEXTS or Term(index=term.index, text=term.text, structure=term.structure) != term:
                raise Unanswerable("proximity", term.index, "Near each other are plain words, without masks or places.")
            if not words(term.text):
                raise Unanswerable("empty", term.text, f"{term.text!r} has no letters or digits.")
        tokens = [phrase(term.text) for term in (left, right)]
        return tree.Near(
            field=left.index, left=tokens[0], right=tokens[1], distance=near.distance, ordered=near.ordered
        )


def _row(kind: type[And | Or | Not], asked: Asked) -> list[Asked]:
    """The operands of operators of one kind in a row; of `Not` the first is wanted and the others are not."""
    found: list[Asked] = []
    waiting: list[Asked] = [asked]
    while waiting:
        one = waiting.pop()
        if isinstance(one, kind) and (kind is not Not or one is asked or not found):
            waiting += (one.right, one.left)
        else:
            found.append(one)
    return found


def _all(nodes: tuple[Node, ...]) -> Node:
    return nodes[0] if len(nodes) == 1 else tree.All(parts=nodes)


def _unless(term: Term, node: Node) -> Node:
    """The node, or all but it."""
    return tree.Without(wanted=tree.Everything(), unwanted=node) if term.relation == "<>" else node


def _piece(field: str, tokens: Phrase, cut: bool) -> Node:
    if not cut:
        return tree.Text(field=field, tokens=tokens)
    return tree.Pattern(field=field, pattern=tokens[0][1]) if len(tokens) == 1 else tree.Cut(field=field, tokens=tokens)


def _headed(term: Term) -> Node:
    """A term that begins a field, or is the whole of it."""
    kinds = HEADED.get(term.index)
    whole = term.position != "first" or term.completeness == "whole"
    if not kinds:
        why: Why = "completeness" if whole else "position"
        raise Unanswerable(why, "whole" if whole else "first", f"Of {term.index} only words are known.")
    if term.truncation == "none" and whole:
        found = [tree.Value(field="heading", value=headings.heading(kind, term.text)) for kind in kinds]
        exact = [tree.Value(field="exact", value=squeeze(term.text)[: query.LONGEST_EXACT])] if "title" in kinds else []
        return tree.Either(parts=(*found, *exact))
    masked = " ".join(masks.words(term.text, term.truncation, last=True, whole=True))
    if masked[:1] in ("*", "?") and not whole:
        raise Unanswerable("combination", "first", "What begins a field can't have its beginning cut.")
    if not squeeze(masked):
        raise Unanswerable("empty", term.text, f"{term.text!r} has no letters or digits.")
    patterns = [masks.pattern(masked) if term.truncation != "none" else masked]
    if not whole and not masked.endswith("*"):
        patterns = [f"{masked}*"] if is_cjk(masked[-1]) else [masked, f"{masked} *"]
    return tree.Either(
        parts=tuple(
            [
                tree.Pattern(field="heading", pattern=f"{headings.KINDS[kind]}:{one}")
                for kind in kinds
                for one in patterns
            ]
        )
    )


def _value(term: Term) -> Node:
    """A term of an index of whole values: a number or a code."""
    stems = {"right": True, "none": False}
    if term.truncation not in stems:
        raise Unanswerable("truncation", term.truncation, f"Values of {term.index} can be cut at their end only.")
    cut = stems[term.truncation]
    if term.index in IDENTS:
        return _valued("ident", numbers.key(term.index, term.text), cut)
    match term.index:
        case "isbn" | "issn" | "number":
            number = _QUALIFIED.sub("", term.text)
            digits = squeeze(number).upper()
            return _valued("number", digits, True) if cut else tree.Number(values=query.numbers(number) or (digits,))
        case "class":  # a stroke belongs to numbers of some classifications, and shows where others may be shortened
            stem = notation(term.text)
            ways = [
                tree.Stem(field="class", stem=way) if cut else tree.Value(field="class", value=way)
                for way in unique((stem, stem.replace("/", "")))
            ]
            return ways[0] if len(ways) == 1 else tree.Either(parts=tuple(ways))
        case "language":
            code = squeeze(term.text)
            return _valued("language", _LANGUAGES.get(code, code), cut)
        case "letter":
            return _valued("letter", squeeze(term.text).upper(), cut)
        case "kind":
            return _valued("kind", squeeze(term.text), cut)
    symbol = term.text.strip()
    found = [_valued(term.index, one, cut) for one in unique((symbol, symbol.upper()))]
    return found[0] if len(found) == 1 else tree.Either(parts=tuple(found))


def _valued(field: str, value: str, cut: bool) -> Node:
    if not cut:
        return tree.Value(field=field, value=value)
    digits = value.partition(":")[2] or value
    if field in ("number", "ident") and len(digits) < (LEAST_SIGNS if value.startswith(CALL) else LEAST_DIGITS):
        raise Unanswerable("short", value, f"At least {LEAST_DIGITS} digits of a number are needed.")
    return tree.Stem(field=field, stem=value)


def _years(term: Term) -> Node:
    """A span of years; `199` cut at its end, or 199?, is ten of them."""
    text = fold(term.text).strip()
    cut = term.truncation == "right" or (term.truncation == "masked" and text.endswith(("*", "?")))
    if cut and _STEM.fullmatch(text):
        stem = text.rstrip("*?")
        return _unless(term, tree.Year(**_span(term, int(stem.ljust(4, "0")), int(stem.ljust(4, "9")), 9999)))
    if term.truncation not in ("none", "masked") and not (cut and text.isdecimal()):
        raise Unanswerable("truncation", term.truncation, "A year can be cut at its end only.")
    try:
        first, last = query.years(text)
    except BadQuery as error:
        raise Unanswerable("term", term.text, str(error)) from error
    return _unless(term, tree.Year(**_span(term, first, last, 9999)))


def _days(term: Term) -> Node:
    """A span of days of the last change: a day, a month or a year."""
    found = _DAY.fullmatch(fold(term.text).strip())
    if not found or term.truncation != "none":
        raise Unanswerable("term", term.text, f"A day is written 2026-11-21, 2026-11 or 2026, not {term.text!r}.")
    year, month, day = (int(part) if part else None for part in found.groups())
    first = (year or 0) * 10_000 + (month or 0) * 100 + (day or 0)
    last = (year or 0) * 10_000 + (99 if month is None else month) * 100 + (99 if day is None else day)
    return _unless(term, tree.Day(**_span(term, first, last, 99_999_999)))


def _span(term: Term, first: int, last: int, end: int) -> dict[str, int]:
    """The span that has this relation to another one."""
    match term.relation:
        case "<":
            first, last = 1, first - 1
        case "<=":
            first = 1
        case ">":
            first, last = last + 1, end
        case ">=":
            last = end
    if first > last:
        raise Unanswerable("term", term.text, f"Nothing is {term.relation} {term.text}.")
    return {"first": first, "last": last}
