"""CQL to the neutral tree. Operators have one precedence and group from the left (CQL 1.2), so no call recurses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from protocols import query
from protocols.cql import contexts, terms
from protocols.cql.diagnostics import Diagnosed, Sru
from protocols.cql.tokens import SYMBOLS, Token, tokens
from protocols.query import And, Index, Near, Node, Not, Or, Relation, SetOf, Structure, Term, Unit

DEEPEST = query.MOST_TERMS  # parentheses within each other
OPERATORS: Mapping[str, type[And | Or | Not]] = {"and": And, "or": Or, "not": Not}
WORDS = (*OPERATORS, "prox")

# Relations: what of the tree each is. `=` of a text is its words as they follow each other.
STRUCTURES: Mapping[str, Structure] = {
    "=": "phrase", "adj": "phrase", "all": "all", "any": "some", "==": "exact", "exact": "exact", "scr": "all",
}  # fmt: skip
COMPARED: Mapping[str, Relation] = {"<": "<", "<=": "<=", ">=": ">=", ">": ">", "<>": "<>"}
WITHIN = "within"
NAMED = frozenset({*STRUCTURES, WITHIN, "encloses"})

# Modifiers of relations: those that change the structure, and those that say what is the case anyway.
SHAPES: Mapping[str, Structure] = {"string": "exact", "word": "all", "phrase": "phrase", "some": "some"}
USUAL = frozenset({"masked", "ignorecase", "ignoreaccents", "relevant", "isodate", "number"})
UNMASKED = "unmasked"
UNITS: Mapping[str, Unit] = {"word": "word", "element": "field", "record": "record"}


@dataclass(frozen=True, slots=True)
class SortKey:
    """An index to sort by."""

    index: Index
    descending: bool = False


@dataclass(frozen=True, slots=True)
class Query:
    """A whole query."""

    tree: Node
    keys: tuple[SortKey, ...] = ()


@dataclass(frozen=True, slots=True)
class Modifier:
    """`/name` or `/name=value` behind a relation, an operator or a key."""

    name: str  # in small letters, without the prefix of its set
    sign: str
    value: str
    place: int


@dataclass(frozen=True, slots=True)
class _Joint:
    """An operator that waits for its right operand."""

    word: str
    modifiers: tuple[Modifier, ...]
    place: int


@dataclass(slots=True)
class _Level:
    """What is known within one pair of parentheses."""

    prefixes: dict[str, str]
    left: Node | None = None
    joint: _Joint | None = None
    assigned: set[str] = field(default_factory=set)


def read(text: str) -> Node:
    """The tree of a query that asks for no order. Raises Diagnosed."""
    found = parse(text)
    if found.keys:
        raise Diagnosed(Sru.FEATURE, "sortBy")
    return found.tree


def parse(text: str) -> Query:
    """The tree of a query, and by what it is sorted. Raises Diagnosed."""
    found = _Parser(tokens(text)).whole()
    if too_much := query.beyond(found.tree):
        raise Diagnosed(Sru.TOO_MANY_OPERATORS, too_much)
    return found


class _Parser:
    """Takes the tokens of one query from the left."""

    def __init__(self, found: list[Token]) -> None:
        self._tokens = found
        self._at = 0
        self._levels = [_Level({**contexts.PREFIXES, "": contexts.OWN})]

    @property
    def _next(self) -> Token:
        return self._tokens[self._at]

    def _take(self) -> Token:
        token = self._tokens[self._at]
        self._at = min(self._at + 1, len(self._tokens) - 1)
        return token

    def _sign(self, *signs: str) -> bool:
        return self._next.sign and self._next.text in signs

    def whole(self) -> Query:
        while True:
            self._operand()
            while self._sign(")"):
                self._close()
            if self._next.is_word(*WORDS):
                self._operator()
                continue
            keys = self._keys() if self._next.is_word("sortby") else ()
            if self._next.text or self._next.quoted:
                raise Diagnosed(Sru.SYNTAX, self._next.text, self._next.place)
            if len(self._levels) > 1:
                raise Diagnosed(Sru.PARENTHESES, "a parenthesis is not closed", self._next.place)
            tree = self._levels[0].left
            assert tree is not None  # an operand was taken
            return Query(tree, keys)

    def _operand(self) -> None:
        """Assignments, opening parentheses, and a clause behind them."""
        while self._sign("(", ">"):
            if self._sign(">"):
                self._assignment()
                continue
            if len(self._levels) > DEEPEST:
                raise Diagnosed(Sru.PARENTHESES, f"more than {DEEPEST} within each other", self._next.place)
            self._take()
            self._levels.append(_Level(self._levels[-1].prefixes))
        self._join(self._clause())

    def _assignment(self) -> None:
        """`> prefix = "uri"`, or `> "uri"` for names without a prefix."""
        level = self._levels[-1]
        start = self._take()
        first = self._name("a context set")
        prefix, uri = "", first
        if self._sign("="):
            self._take()
            prefix, uri = first.lower(), self._name("a context set")
        if prefix in level.assigned:
            raise Diagnosed(Sru.PREFIX_TWICE, prefix, start.place)
        level.assigned.add(prefix)
        level.prefixes = {**level.prefixes, prefix: contexts.SAME.get(uri, uri)}

    def _name(self, what: str) -> str:
        token = self._take()
        if not token.named:
            raise Diagnosed(Sru.SYNTAX, f"{what} is missing", token.place)
        return token.text

    def _operator(self) -> None:
        token = self._take()
        self._levels[-1].joint = _Joint(token.text.lower(), self._modifiers(), token.place)

    def _close(self) -> None:
        token = self._take()
        if len(self._levels) == 1:
            raise Diagnosed(Sru.PARENTHESES, "a parenthesis was not opened", token.place)
        inner = self._levels.pop().left
        assert inner is not None  # an operand was taken
        self._join(inner)

    def _join(self, right: Node) -> None:
        level = self._levels[-1]
        if level.left is None or level.joint is None:
            level.left = right
        else:
            level.left = _joined(level.joint, level.left, right)
        level.joint = None

    def _modifiers(self) -> tuple[Modifier, ...]:
        found: list[Modifier] = []
        while self._sign("/"):
            self._take()
            place = self._next.place
            name = self._name("a modifier").lower().rpartition(".")[2]
            sign = value = ""
            if self._next.sign and self._next.text in SYMBOLS:
                sign = self._take().text
                value = self._name("a modifier's value").lower()
            found.append(Modifier(name, sign, value, place))
        return tuple(found)

    def _clause(self) -> Node:
        """`term`, or `index relation term`."""
        first = self._take()
        if not first.named or first.is_word(*WORDS, "sortby"):
            raise Diagnosed(Sru.SYNTAX, first.text or "a term is missing", first.place)
        if self._relates():
            relation = self._take()
        elif self._next.named and not self._next.is_word(*WORDS, "sortby"):
            following = self._tokens[min(self._at + 1, len(self._tokens) - 1)]
            known = following.named and not following.is_word(*WORDS, "sortby")
            raise Diagnosed(Sru.RELATION if known else Sru.SYNTAX, self._next.text, self._next.place)
        else:
            return terms.meant(Term(text=""), terms.read(first.text, "all", first.place))
        modifiers = self._modifiers()
        term = self._take()
        if not term.named:  # behind a relation a word such as `and` is a term (CQL 1.2, BNF)
            raise Diagnosed(Sru.SYNTAX, term.text or "a term is missing", term.place)
        return self._searched(first, relation, modifiers, term)

    def _relates(self) -> bool:
        """Whether a relation comes next."""
        token = self._next
        if token.sign:
            return token.text in SYMBOLS
        return not token.quoted and token.text.lower().removeprefix("cql.") in NAMED

    def _searched(self, index: Token, relation: Token, modifiers: tuple[Modifier, ...], term: Token) -> Node:
        sign = relation.text.lower().removeprefix("cql.")
        name = self._index(index)
        if name == contexts.RESULT_SET or sign == WITHIN:
            for modifier in modifiers:
                if modifier.name not in USUAL:
                    raise Diagnosed(Sru.RELATION_MODIFIER, modifier.name, modifier.place)
        if name == contexts.RESULT_SET:
            if sign not in ("=", "==", "exact"):
                raise Diagnosed(Sru.RELATION_OF_INDEX, relation.text, relation.place)
            return SetOf(terms.read(term.text, "exact", term.place, masked=False).text)
        if sign == WITHIN:
            return _within(name, term)
        if sign not in STRUCTURES and sign not in COMPARED:
            raise Diagnosed(Sru.RELATION, relation.text, relation.place)
        structure: Structure = "all" if name == "everything" else STRUCTURES.get(sign, "all")
        masked = True
        for modifier in modifiers:
            if modifier.name in SHAPES:
                structure = SHAPES[modifier.name]
            elif modifier.name == UNMASKED:
                masked = False
            elif modifier.name not in USUAL:
                raise Diagnosed(Sru.RELATION_MODIFIER, modifier.name, modifier.place)
        said = terms.read(term.text, structure, term.place, masked=masked)
        if not said.text.strip():
            raise Diagnosed(Sru.EMPTY_TERM, term.text, term.place)
        return terms.meant(Term(index=name, text="", relation=COMPARED.get(sign, "="), structure=structure), said)

    def _index(self, token: Token) -> Index:
        """The index of a name; `contexts.RESULT_SET` passes for one."""
        prefix, _, name = token.text.rpartition(".")
        uri = self._levels[-1].prefixes.get(prefix.lower())
        indexes = contexts.SETS.get(uri or "")
        if indexes is None:
            raise Diagnosed(Sru.CONTEXT_SET, uri or prefix, token.place)
        if name.lower() == contexts.RESULT_SET and uri in (contexts.CQL, contexts.OWN):
            return contexts.RESULT_SET  # type: ignore[return-value]  # told apart by the caller
        if name.lower() not in indexes:
            raise Diagnosed(Sru.INDEX, token.text, token.place)
        return indexes[name.lower()]

    def _keys(self) -> tuple[SortKey, ...]:
        word = self._take()
        found: list[SortKey] = []
        while self._next.named:
            token = self._take()
            index = self._index(token)
            if index == contexts.RESULT_SET:
                raise Diagnosed(Sru.SORT_PATH, token.text, token.place)
            descending = False
            for modifier in self._modifiers():
                if modifier.name not in ("ascending", "descending", "ignorecase", "ignoreaccents"):
                    raise Diagnosed(Sru.FEATURE, modifier.name, modifier.place)
                descending = descending or modifier.name == "descending"
            found.append(SortKey(index, descending))
        if not found:
            raise Diagnosed(Sru.SYNTAX, "sortBy without an index", word.place)
        return tuple(found)


def _joined(joint: _Joint, left: Node, right: Node) -> Node:
    if joint.word in OPERATORS:
        if joint.modifiers:
            raise Diagnosed(Sru.BOOLEAN_MODIFIER, joint.modifiers[0].name, joint.modifiers[0].place)
        return OPERATORS[joint.word](left, right)
    said = {modifier.name: modifier for modifier in joint.modifiers}
    for name, modifier in said.items():
        if name not in ("distance", "unit", "ordered", "unordered"):
            raise Diagnosed(Sru.BOOLEAN_MODIFIER, name, modifier.place)
    if len(said) < len(joint.modifiers) or {"ordered", "unordered"} <= set(said):
        raise Diagnosed(Sru.PROXIMITY_COMBINATION, "prox", joint.place)
    unit: Unit = "word"
    if "unit" in said:
        if said["unit"].value not in UNITS:
            raise Diagnosed(Sru.PROXIMITY_UNIT, said["unit"].value, said["unit"].place)
        unit = UNITS[said["unit"].value]
    nearest = 1 if unit == "word" else 0
    distance = _distance(said["distance"], nearest) if "distance" in said else nearest
    return Near(left=left, right=right, distance=distance, ordered="ordered" in said, unit=unit)


def _distance(said: Modifier, nearest: int) -> int:
    """At most so far; "equal" is the same where nothing can be nearer."""
    if not said.value.isascii() or not said.value.isdecimal() or len(said.value) > 6:
        raise Diagnosed(Sru.PROXIMITY_DISTANCE, said.value, said.place)
    distance = int(said.value)
    if said.sign == "<" and distance > nearest:
        return distance - 1
    if said.sign == "<=" or (said.sign in ("=", "==") and distance == nearest):
        return distance
    raise Diagnosed(Sru.PROXIMITY_RELATION, f"{said.sign}{said.value}", said.place)


def _within(index: Index, term: Token) -> Node:
    """Both ends of a span, both included."""
    ends = term.text.split()
    if len(ends) != 2:
        raise Diagnosed(Sru.TERM_FORMAT, term.text, term.place)
    first, last = (terms.read(end, "all", term.place) for end in ends)
    return And(
        terms.meant(Term(index=index, text="", relation=">="), first),
        terms.meant(Term(index=index, text="", relation="<="), last),
    )
