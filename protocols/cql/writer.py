"""The neutral tree as CQL, so that the same tree is read again; the names of indexes are our own (pure)."""

from __future__ import annotations

from collections.abc import Sequence

from protocols.cql import contexts, terms
from protocols.cql.parser import SHAPES, STRUCTURES, UNITS, SortKey
from protocols.query import And, Near, Node, Not, Or, SetOf, Term, Unit

_SIGNS = {"phrase": "=", "all": "all", "some": "any", "exact": "=="}
_SHAPES = {structure: name for name, structure in SHAPES.items()}
_WORDS = {And: "and", Or: "or", Not: "not"}
_UNITS: dict[Unit, str] = {unit: name for name, unit in UNITS.items()}


def text(tree: Node, keys: Sequence[SortKey] = ()) -> str:
    """A query. A word list of which every word is cut is read again as words with masks, which is the same."""
    made = _text(tree)
    if keys:
        made += " sortBy " + " ".join(_name(key.index) + ("/sort.descending" if key.descending else "") for key in keys)
    return made


def _text(tree: Node) -> str:
    match tree:
        case Term():
            return _term(tree)
        case SetOf(name=name):
            return f"cql.{contexts.RESULT_SET} = {terms.quoted(name)}"
        case Near():
            word = f"prox/unit={_UNITS[tree.unit]}/distance<={tree.distance}" + ("/ordered" if tree.ordered else "")
        case _:
            word = _WORDS[type(tree)]
    right = _text(tree.right)
    return f"{_text(tree.left)} {word} {right if isinstance(tree.right, Term | SetOf) else f'({right})'}"


def _term(term: Term) -> str:
    sign = _SIGNS[term.structure] if term.relation == "=" else term.relation
    if term.index == "everything":
        sign = term.relation
    usual = "all" if term.index == "everything" else STRUCTURES.get(sign, "all")
    shape = "" if usual == term.structure else f"/{_SHAPES[term.structure]}"
    return f"{_name(term.index)} {sign}{shape} {terms.write(term)}"


def _name(index: str) -> str:
    return {"any": "cql.anywhere", "everything": "cql.allRecords"}.get(index, index)
