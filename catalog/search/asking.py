"""Trees as queries of the engine: which index fields are asked, and what a match there is worth."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import assert_never

import tantivy

from catalog.search import query, tree, worth
from catalog.search.fold import CJK, is_cjk
from catalog.search.grams import Phrase
from catalog.search.headings import notation
from catalog.search.port import Request

FACET_FIELDS = {"library": "library", "language": "language", "kind": "kind", "class": "letter", "year": "year"}
FEW = 100  # values of a filter that are looked up one by one
WHOLE_VALUES = {"class": "notation", "letter": "letter", "library": "library", "language": "language", "kind": "kind"}

_SYNTAX = re.compile(r"[\\.+*?()|\[\]{}^$#&\-~]")  # signs that the engine's patterns give a meaning


class Asker:
    """Turns trees into engine queries."""

    def __init__(self, fields: tantivy.Schema) -> None:
        self._schema = fields

    def whole(self, parsed: tree.Query, request: Request) -> tantivy.Query:
        """The query of a request: what must fit, what must not, and what ranks."""
        must, may, never = tantivy.Occur.Must, tantivy.Occur.Should, tantivy.Occur.MustNot
        titles = [self._worth(self._term("exact", parsed.whole), worth.WHOLE)] if parsed.whole else []
        if len(parsed.wanted) == 1:  # a title that is all of it fits too, however it is written: Wi-Fi, wifi
            parts = [(must, self._any(self._ways(parsed.wanted[0]) + titles))]
        else:
            wanted = parsed.wanted or (tree.Everything(),)
            if len(parsed.piece) > 1 and len(wanted) > 1:
                titles.append(self._worth(self._piece("title", parsed.piece), worth.PIECE))
            parts = [(must, self.node(node)) for node in wanted] + [(may, title) for title in titles]
        parts += [(never, self.node(node)) for node in parsed.unwanted]
        parts += [(must, self._worth(filtered, 0.0)) for filtered in self._filters(request)]
        return parts[0][1] if len(parts) == 1 else tantivy.Query.boolean_query(parts)

    def listed(self, index: str, key: str, libraries: frozenset[str] | None) -> tantivy.Query:
        """The query of the titles that have a value of an ordered list."""
        match index:
            case "year":
                value = self._years(int(key), int(key))
            case "isbn" | "issn":
                value = self._term("number", key)
            case _:
                value = self._term(WHOLE_VALUES.get(index, "heading"), key)
        if libraries is None:
            return value
        must = tantivy.Occur.Must
        return tantivy.Query.boolean_query([(must, value), (must, self._among("library", sorted(libraries)))])

    def node(self, node: tree.Node) -> tantivy.Query:
        """The query of one node."""
        match node:
            case tree.Text() | tree.Either():
                return self._any(self._ways(node))
            case tree.Sound():
                names = worth.SOUNDS.get(node.field, ())
                found = [self._piece(name, tuple(enumerate(way))) for name in names for way in node.ways]
                return self._worth(self._any(found), worth.SOUND)
            case tree.Spelled():
                return self._worth(self._term("spelled", node.letters), worth.SPELLED)
            case tree.Number():
                return self._worth(self._among("number", node.values), worth.WHOLE)
            case tree.Stem():
                return self._stem(node)
            case tree.Year():
                return self._years(node.first, node.last)
            case tree.All():
                must = tantivy.Occur.Must
                return tantivy.Query.boolean_query([(must, self.node(part)) for part in node.parts])
            case tree.Near():
                return self._near(node)
            case tree.Pattern():
                return self._pattern(node)
            case tree.Cut():
                return self._cut(node)
            case tree.Value():
                name = WHOLE_VALUES.get(node.field, node.field)
                return self._worth(self._term(name, node.value), worth.WHOLE)
            case tree.Day():
                return self._span("changed", node.first, node.last)
            case tree.Everything():
                return self._worth(self._term("what", "cluster"), 1.0)
            case tree.Without():
                must, never = tantivy.Occur.Must, tantivy.Occur.MustNot
                return tantivy.Query.boolean_query([(must, self.node(node.wanted)), (never, self.node(node.unwanted))])
            case _:
                assert_never(node)

    def _ways(self, node: tree.Node) -> list[tantivy.Query]:
        """Queries of which any will do. Those of what is within one another are put beside each other: the score is
        the same sum, and the engine is quicker.
        """
        match node:
            case tree.Either():
                return [way for part in node.parts for way in self._ways(part)]
            case tree.Text():
                return self._text(node)
            case tree.Spelled():
                return [self._worth(self._term("spelled", node.letters), worth.SPELLED)]
        return [self.node(node)]

    def _text(self, node: tree.Text) -> list[tantivy.Query]:
        """A piece of text in any of its fields, each worth what it is worth."""
        if not node.tokens:
            return [tantivy.Query.empty_query()]
        found = []
        for name in worth.SEARCHED[node.field]:
            piece = self._piece(name, node.tokens)
            found.append(self._worth(piece, worth.of(name)))
            if name == "title":
                found.append(tantivy.Query.boost_query(piece, worth.ENGINE))
        return found

    def _stem(self, node: tree.Stem) -> tantivy.Query:
        return self._each(node.field, lambda name: self._beginning(name, node.stem))

    def _pattern(self, node: tree.Pattern) -> tantivy.Query:
        stem, mask, more = re.split(r"([*?]|$)", node.pattern, maxsplit=1)
        if not mask:
            return self._each(node.field, lambda name: self._term(name, stem))
        if node.field not in worth.SEARCHED and mask == "*" and not more:
            return self._each(node.field, lambda name: self._beginning(name, stem))
        pattern = _engines(node.pattern, _OF_WORDS if node.field in worth.SEARCHED else _OF_VALUES)
        return self._each(node.field, lambda name: tantivy.Query.regex_query(self._schema, name, pattern))

    def _beginning(self, name: str, stem: str) -> tantivy.Query:
        """Terms that begin so: no letter may be another one, so none is. A pattern takes the engine 200 µs to read."""
        return tantivy.Query.fuzzy_term_query(self._schema, name, stem, distance=0, prefix=True)

    def _cut(self, node: tree.Cut) -> tantivy.Query:
        tokens = [(place, _engines(token, _OF_WORDS)) for place, token in node.tokens]
        return self._any(
            [
                self._worth(tantivy.Query.regex_phrase_query(self._schema, name, tokens), worth.of(name))  # type: ignore[arg-type]
                for name in worth.SEARCHED[node.field]
            ]
        )

    def _each(self, field: str, asked: Callable[[str], tantivy.Query]) -> tantivy.Query:
        """What is asked of any index field of a search field."""
        names = worth.SEARCHED.get(field) or (WHOLE_VALUES.get(field, field),)
        return self._any([self._worth(asked(name), worth.of(name)) for name in names])

    def _near(self, node: tree.Near) -> tantivy.Query:
        """Phrases with every gap that is near enough: the engine's own slop doesn't tell order from distance."""
        found = []
        for name in worth.SEARCHED[node.field]:
            for first, second in [(node.left, node.right)] + ([] if node.ordered else [(node.right, node.left)]):
                steps = _steps(first[-1][1], second[0][1], node.distance)
                found += [self._worth(self._piece(name, _apart(first, second, step)), worth.of(name)) for step in steps]
        return self._any(found)

    def _filters(self, request: Request) -> list[tantivy.Query]:
        found = []
        for name, values in request.filters.items():
            if name == "year":
                found.append(self._any([self._years(*query.years(value)) for value in values]))
            elif name == "class":
                stems = (tree.Stem(field="class", stem=notation(value)) for value in values)
                found.append(self._any([self._stem(stem) for stem in stems]))
            else:
                found.append(self._among(FACET_FIELDS[name], values))
        if request.libraries is not None:
            found.append(self._among("library", sorted(request.libraries)))
        return found

    def _among(self, name: str, values: Sequence[str]) -> tantivy.Query:
        """Any of these values. For a set the engine walks its list of terms, which takes longer than a few look-ups."""
        if 0 < len(values) <= FEW:
            return self._any([self._term(name, value) for value in values])
        return tantivy.Query.term_set_query(self._schema, name, list(values))

    def _years(self, first: int, last: int) -> tantivy.Query:
        return self._span("year", first, last)

    def _span(self, name: str, first: int, last: int) -> tantivy.Query:
        return tantivy.Query.range_query(self._schema, name, tantivy.FieldType.Unsigned, first, last)

    def _term(self, name: str, value: str) -> tantivy.Query:
        return tantivy.Query.term_query(self._schema, name, value)

    def _piece(self, name: str, tokens: Phrase) -> tantivy.Query:
        if len(tokens) == 1:
            return self._term(name, tokens[0][1])
        return tantivy.Query.phrase_query(self._schema, name, list(tokens))

    @staticmethod
    def _any(found: list[tantivy.Query]) -> tantivy.Query:
        if len(found) == 1:
            return found[0]
        return tantivy.Query.boolean_query([(tantivy.Occur.Should, one) for one in found])

    @staticmethod
    def _worth(found: tantivy.Query, worth: float) -> tantivy.Query:
        return tantivy.Query.const_score_query(found, worth)


# Masks of whole values, and of words: those in scripts with blanks are found without a look at all the others.
_OF_VALUES = {"*": ".*", "?": "."}
_OF_WORDS = {"*": f"[^{CJK}]*", "?": f"[^{CJK}]"}


def _literal(text: str) -> str:
    """A text as a pattern of the engine's that fits nothing else."""
    return _SYNTAX.sub(r"\\\g<0>", text)


def _engines(pattern: str, masks: Mapping[str, str]) -> str:
    """A pattern of ours as one of the engine's."""
    return "".join([masks.get(piece) or _literal(piece) for piece in re.split(r"([*?])", pattern)])


def _steps(last: str, first: str, distance: int) -> range:
    """How many places the first token of a phrase may stand behind the last one of another.

    A Chinese character takes two places, and a pair stands between its two characters.
    """
    pairs = (is_cjk(last) and len(last) > 1) + (is_cjk(first) and len(first) > 1)
    return range(pairs + 1, pairs + 1 + (2 if is_cjk(last) or is_cjk(first) else 1) * distance)


def _apart(first: Phrase, second: Phrase, step: int) -> Phrase:
    """One phrase of two, the second's first token so many places behind the first's last."""
    start = first[-1][0] + step
    return first + tuple((start + place, token) for place, token in second)
