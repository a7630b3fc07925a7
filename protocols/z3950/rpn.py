"""RPN of Z39.50 (type 1 and 101 queries) to and from the neutral tree, and what can't be answered as diagnostics."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import ClassVar, TypeVar

import msgspec

from config import errors
from protocols import query
from protocols.query import Node, Truncation, Unanswerable, Why
from protocols.z3950 import attributes as bib1
from protocols.z3950 import charsets, oids
from protocols.z3950.apdu import query as apdu
from protocols.z3950.diagnostics import TEXTS, Bib1
from protocols.z3950.primitive import Oid

Decode = Callable[[bytes], str]  # terms of a session come in its character set
Encode = Callable[[str], bytes]
Chosen = Mapping[str, Sequence[tuple[int, int]]]  # (type, value) pairs that one server wants for an index

_Word = TypeVar("_Word")

_OPERATORS: Mapping[type, type[query.And | query.Or | query.Not]] = {
    apdu.And: query.And, apdu.Or: query.Or, apdu.AndNot: query.Not,
}  # fmt: skip
FEW = 8  # attributes
_NOT_CUT: Truncation = "none"
_LESS, _LESS_OR_EQUAL, _EQUAL = 1, 2, 3  # of a proximity
_EXPRESSION = re.compile(
    r"\\(?P<plain>.)|(?P<any>\.\*)|(?P<one>\.)|(?P<sign>[\[\](){}|^$+*?\\])|(?P<text>.)", re.DOTALL
)

# What the catalogue says, in bib-1's numbers.
DIAGNOSTICS: Mapping[Why, Bib1] = {
    "query": Bib1.MALFORMED_QUERY, "complex": Bib1.TOO_MANY_TERMS, "long": Bib1.TOO_MANY_TERMS,
    "index": Bib1.USE_ATTRIBUTE, "relation": Bib1.RELATION_ATTRIBUTE, "structure": Bib1.STRUCTURE_ATTRIBUTE,
    "truncation": Bib1.TRUNCATION_ATTRIBUTE, "position": Bib1.POSITION_ATTRIBUTE,
    "completeness": Bib1.COMPLETENESS_ATTRIBUTE, "combination": Bib1.ATTRIBUTE_COMBINATION,
    "empty": Bib1.MALFORMED_TERM, "term": Bib1.ILLEGAL_TERM_VALUE, "short": Bib1.TRUNCATED_TOO_SHORT,
    "masks": Bib1.TRUNCATION_ATTRIBUTE, "proximity": Bib1.PROXIMITY_COMBINATION, "distance": Bib1.PROXIMITY_DISTANCE,
    "unit": Bib1.PROXIMITY_UNIT, "set": Bib1.NO_SUCH_SET, "sort": Bib1.SORT_SEQUENCE, "keys": Bib1.TOO_MANY_SORT_KEYS,
}  # fmt: skip
_VALUES: Mapping[Why, Mapping[int, str]] = {  # in the place of the tree's words
    "relation": bib1.RELATIONS, "truncation": bib1.TRUNCATIONS, "position": {1: "first", 3: "any"},
    "completeness": {3: "whole", 1: "part"}, "structure": bib1.STRUCTURES, "unit": bib1.UNITS,
    "index": {uses[0]: index for index, uses in bib1.USES.items()},
}  # fmt: skip


class Diagnosed(errors.Refused):
    """A query that is answered by a diagnostic of bib-1."""

    code = "z3950-query"
    exit_code: ClassVar[int] = 2

    def __init__(self, number: Bib1, addinfo: object = "") -> None:
        self.number = number
        self.addinfo = str(addinfo)
        super().__init__(TEXTS[number] + (f": {self.addinfo}" if self.addinfo else ""))


def diagnosed(error: Unanswerable) -> Diagnosed:
    """What the catalogue could not answer, with the attribute's value where it is about one."""
    values = {word: number for number, word in reversed([*_VALUES.get(error.why, {}).items()])}
    return Diagnosed(DIAGNOSTICS[error.why], values.get(error.value, error.value))


def read(asked: apdu.RpnQuery, decode: Decode) -> Node:
    """The tree of a query. Raises Diagnosed."""
    whole = _node(asked.rpn, asked.attribute_set, decode)
    if too_much := query.beyond(whole):
        raise Diagnosed(Bib1.TOO_MANY_TERMS, too_much)
    return whole


def _node(rpn: apdu.Rpn, attribute_set: Oid, decode: Decode) -> Node:
    match rpn:
        case apdu.AttributesPlusTerm():
            return term(rpn, attribute_set, decode)
        case str():
            return query.SetOf(rpn)
        case apdu.ResultSetPlusAttributes():
            raise Diagnosed(Bib1.RESULT_ATTR, rpn.result_set)
        case apdu.RpnOperation():
            left, right = (_node(side, attribute_set, decode) for side in (rpn.rpn1, rpn.rpn2))
            if isinstance(rpn.op, apdu.Proximity):
                return _near(rpn.op, left, right)
            return _OPERATORS[type(rpn.op)](left, right)


def _near(op: apdu.Proximity, left: Node, right: Node) -> query.Near:
    """Two terms near each other; a distance that is less than one is one less at most."""
    if isinstance(left, query.SetOf) or isinstance(right, query.SetOf):
        raise Diagnosed(Bib1.PROXIMITY_OF_SETS)
    if op.exclusion:
        raise Diagnosed(Bib1.OPERATOR, "proximity with exclusion")
    code = op.proximity_unit_code
    if not isinstance(code, int) or code not in bib1.UNITS:
        raise Diagnosed(Bib1.PROXIMITY_UNIT, code if isinstance(code, int) else code.number)
    # Different words are at least 1 apart, so for neighbours "equal" and "at most" are the same, and so for one record.
    nearest = op.distance == (1 if bib1.UNITS[code] == "word" else 0)
    if op.relation_type not in (_LESS, _LESS_OR_EQUAL) and not (op.relation_type == _EQUAL and nearest):
        raise Diagnosed(Bib1.PROXIMITY_RELATION, op.relation_type)
    return query.Near(
        left=left,
        right=right,
        distance=op.distance - (op.relation_type == _LESS),
        ordered=op.ordered,
        unit=bib1.UNITS[code],
    )


class _Meant(msgspec.Struct, frozen=True):
    """What attributes say of a term."""

    index: query.Index
    relation: query.Relation = "="
    structure: query.Structure = "all"
    truncation: int = 100  # of bib-1
    position: query.Position = "any"
    completeness: query.Completeness = "part"


_EVERYTHING = _Meant("everything")


def term(operand: apdu.AttributesPlusTerm, attribute_set: Oid, decode: Decode) -> query.Term:
    """One term with its attributes, as in a query or as the start of a scan. Raises Diagnosed."""
    plain = len(operand.attributes) <= FEW and all(type(each.attribute_value) is int for each in operand.attributes)
    meant = (_usual if plain else _meant)(operand.attributes, attribute_set)
    text = _text(operand.term, decode)
    if meant is _EVERYTHING:
        return query.Term(index="everything", text=text or "1")
    masked, truncation = (text, _NOT_CUT) if meant.truncation == 100 else _truncation(text, meant.truncation)
    return query.Term(
        index=meant.index,
        text=masked,
        relation=meant.relation,
        structure=meant.structure,
        truncation=truncation,
        position=meant.position,
        completeness=meant.completeness,
    )


def _meant(attributes: tuple[apdu.AttributeElement, ...], attribute_set: Oid) -> _Meant:
    given = _given(attributes, attribute_set)
    use = given.get(bib1.USE, 1016)
    index = bib1.INDEXES.get(use) if isinstance(use, int) else _named(use)
    if index is None:
        raise Diagnosed(Bib1.USE_ATTRIBUTE, use)
    numbers = {kind: value for kind, value in given.items() if isinstance(value, int)}
    for kind, value in given.items():
        if kind != bib1.USE and not isinstance(value, int):
            raise Diagnosed(_KINDS[kind], value)
    relation = numbers.get(bib1.RELATION, 3)
    if relation == bib1.ALWAYS_MATCHES:
        return _EVERYTHING
    structure = numbers.get(bib1.STRUCTURE, 6)
    if (structure in bib1.DATES and index not in bib1.DATED) or (structure in bib1.CODED and index in bib1.WORDED):
        raise Diagnosed(Bib1.ATTRIBUTE_COMBINATION, f"1={use} 4={structure}")
    return _Meant(
        index=index,
        relation=_known(bib1.RELATIONS, relation, bib1.RELATION),
        structure=_known(bib1.STRUCTURES, structure, bib1.STRUCTURE),
        truncation=numbers.get(bib1.TRUNCATION, 100),
        position=_known(bib1.POSITIONS, numbers.get(bib1.POSITION, 3), bib1.POSITION),
        completeness=_known(bib1.COMPLETENESSES, numbers.get(bib1.COMPLETENESS, 1), bib1.COMPLETENESS),
    )


_usual = lru_cache(maxsize=256)(_meant)  # programs have a few combinations, which they send with every term


_KINDS = {
    bib1.USE: Bib1.USE_ATTRIBUTE,
    bib1.RELATION: Bib1.RELATION_ATTRIBUTE,
    bib1.POSITION: Bib1.POSITION_ATTRIBUTE,
    bib1.STRUCTURE: Bib1.STRUCTURE_ATTRIBUTE,
    bib1.TRUNCATION: Bib1.TRUNCATION_ATTRIBUTE,
    bib1.COMPLETENESS: Bib1.COMPLETENESS_ATTRIBUTE,
}


def _known(table: Mapping[int, _Word], value: int, kind: int) -> _Word:
    if value not in table:
        raise Diagnosed(_KINDS[kind], value)
    return table[value]


def _given(elements: Sequence[apdu.AttributeElement], attribute_set: Oid) -> dict[int, int | str]:
    """Values by type. Raises Diagnosed: another set, a type that bib-1 doesn't have, a type twice, several values."""
    found: dict[int, int | str] = {}
    for element in elements:
        of = element.attribute_set or attribute_set
        if of != oids.BIB_1:
            raise Diagnosed(Bib1.ATTRIBUTE_SET, oids.dotted(of))
        kind = element.attribute_type
        if kind not in bib1.TYPES:
            raise Diagnosed(Bib1.ATTRIBUTE_TYPE, kind)
        value = _single(element)
        if kind in found:
            raise Diagnosed(Bib1.ATTRIBUTE_COMBINATION, f"{kind}={found[kind]} {kind}={value}")
        found[kind] = value
    return found


def _single(element: apdu.AttributeElement) -> int | str:
    value = element.attribute_value
    if not isinstance(value, apdu.ComplexAttribute):
        return value
    if len(value.list) != 1 or value.semantic_action:
        raise Diagnosed(Bib1.COMPLEX_ATTRIBUTE, element.attribute_type)
    return value.list[0]


def _named(use: str) -> query.Index | None:
    """An index by our own name, as stringSchema lets clients ask for."""
    return next((index for index in query.INDEXES if index == use.lower() and index != "everything"), None)


def _text(given: apdu.Term, decode: Decode) -> str:
    match given:
        case bytes():
            return decode(given)
        case str():  # whose octets are in the charset of the session too, whatever the standard says of it
            return decode(charsets.octets(given))
        case bool():
            raise Diagnosed(Bib1.TERM_TYPE, "boolean")
        case int():
            return str(given)
        case apdu.DateTime(text=text):
            return f"{text[:4]}-{text[4:6]}-{text[6:8]}"
    raise Diagnosed(Bib1.TERM_TYPE, type(given).__name__)


def _truncation(text: str, value: int) -> tuple[str, Truncation]:
    """A term with its masks as the tree writes them."""
    if value in bib1.TRUNCATIONS:
        return text, bib1.TRUNCATIONS[value]
    if value == bib1.NUMBER_SIGNS:
        return _plain(text).replace("#", "*"), "masked"
    if value == bib1.CCL:
        # Z39.58: # is one sign and ? any; ?2 (at most two) is more than the tree says.
        if re.search(r"\?\d", text):
            raise Diagnosed(Bib1.TRUNCATION_ATTRIBUTE, value)
        parts = [_plain(part) for part in text.split("?")]
        return "*".join(parts).replace("#", "?"), "masked"
    if value in bib1.EXPRESSIONS:
        return "".join([_expressed(found, value) for found in _EXPRESSION.finditer(text)]), "masked"
    raise Diagnosed(Bib1.TRUNCATION_ATTRIBUTE, value)


def _expressed(found: re.Match[str], value: int) -> str:
    """A piece of a regular expression; of its signs only the dot and what may follow it have a meaning here."""
    if found["any"]:
        return "*"
    if found["one"]:
        return "?"
    if found["sign"]:
        raise Diagnosed(Bib1.TRUNCATION_ATTRIBUTE, value)
    return _plain(found["plain"] or found["text"])


def _plain(text: str) -> str:
    """A text in which no sign is a mask."""
    return re.sub(r"[\\*?]", r"\\\g<0>", text)


def write(tree: Node, encode: Encode, chosen: Chosen | None = None) -> apdu.RpnQuery:
    """The query that another server is asked; `chosen` attributes of an index take the place of use and structure.

    Raises Unanswerable for what RPN has no words for.
    """
    return apdu.RpnQuery(attribute_set=oids.BIB_1, rpn=_written(tree, encode, chosen or {}))


def _written(tree: Node, encode: Encode, chosen: Chosen) -> apdu.Rpn:
    match tree:
        case query.SetOf(name=name):
            return name
        case query.Term():
            return _operand(tree, encode, chosen)
    op: apdu.Operator
    match tree:
        case query.And():
            op = apdu.And()
        case query.Or():
            op = apdu.Or()
        case query.Not():
            op = apdu.AndNot()
        case query.Near():
            op = apdu.Proximity(
                exclusion=False,
                distance=tree.distance,
                ordered=tree.ordered,
                relation_type=_LESS_OR_EQUAL,
                proximity_unit_code=_first(bib1.UNITS, tree.unit),
            )
    return apdu.RpnOperation(rpn1=_written(tree.left, encode, chosen), rpn2=_written(tree.right, encode, chosen), op=op)


def _operand(term: query.Term, encode: Encode, chosen: Chosen) -> apdu.AttributesPlusTerm:
    pairs: list[tuple[int, int]] = []
    if term.index == "everything":
        pairs = [(bib1.USE, 1016), (bib1.RELATION, bib1.ALWAYS_MATCHES)]
    else:
        own = chosen.get(term.index)
        pairs = [*own] if own else [(bib1.USE, _use(term.index)), (bib1.STRUCTURE, _structure(term))]
        pairs += _beside(term)
    text = term.text
    if term.truncation == "masked":
        text = _ccl(text)
    return apdu.AttributesPlusTerm(
        attributes=tuple(
            [apdu.AttributeElement(attribute_type=kind, attribute_value=value) for kind, value in sorted(pairs)]
        ),
        term=encode(text),
    )


def _use(index: query.Index) -> int:
    uses = bib1.USES.get(index)
    if not uses:
        raise Unanswerable("index", index, f"Bib-1 has no use attribute for {index}.")
    return uses[0]


def _structure(term: query.Term) -> int:
    """The usual structure: a word that stands alone is a word, a year a year."""
    if term.index == "year" and term.structure == "exact":
        return 4
    if term.index == "changed" and term.structure == "exact":
        return 5
    if term.structure == "all" and len(term.text.split()) < 2:
        return 2
    return _first(bib1.STRUCTURES, term.structure)


def _beside(term: query.Term) -> list[tuple[int, int]]:
    """Attributes that say more than the usual."""
    found = []
    if term.relation != "=":
        found.append((bib1.RELATION, _first(bib1.RELATIONS, term.relation)))
    if term.position != "any":
        found.append((bib1.POSITION, _first(bib1.POSITIONS, term.position)))
    if term.truncation != "none":
        masked = term.truncation == "masked"
        found.append((bib1.TRUNCATION, bib1.CCL if masked else _first(bib1.TRUNCATIONS, term.truncation)))
    if term.completeness != "part":
        found.append((bib1.COMPLETENESS, 3))
    return found


def _ccl(text: str) -> str:
    """Masks as Z39.58 has them. Signs that it gives a meaning can't be told from masks."""
    made = ""
    for part in re.finditer(r"\\(?P<plain>.)|(?P<mask>[*?])|(?P<text>.)", text, re.DOTALL):
        plain = part["plain"] or part["text"] or ""
        if plain in ("#", "?") and plain:
            raise Unanswerable("truncation", text, f"A masked term can't have the sign {plain} in it.")
        made += {"*": "?", "?": "#"}[part["mask"]] if part["mask"] else plain
    if re.search(r"\?\d", made):
        raise Unanswerable("truncation", text, "A digit behind * has another meaning for other servers.")
    return made


def _first(table: Mapping[int, _Word], word: _Word) -> int:
    return next(number for number, one in table.items() if one == word)
