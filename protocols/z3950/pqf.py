"""Queries in prefix notation, as YAZ has it: what a client types, and what tests and logs show of an RPN query.

@and @attr 1=4 "红楼梦" @attr 1=1003 @attr 2=3 曹雪芹
@prox 0 2 1 2 k 2 roman empire        exclusion, distance, ordered, relation, known unit or private, unit
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from protocols.query import LONGEST_TERM, MOST_TERMS, Node, Unanswerable
from protocols.z3950 import oids, rpn
from protocols.z3950.apdu import query as apdu
from protocols.z3950.primitive import Oid

LONGEST = 20_000  # characters
_TOKEN = re.compile(r'\s*(?:"(?P<quoted>(?:\\.|[^"\\])*)"|(?P<plain>\S+))', re.DOTALL)
_OID = re.compile(r"\d+(?:\.\d+){2,15}")
_SETS = {"bib-1": oids.BIB_1, "bib1": oids.BIB_1}
_OPERATORS: dict[str, apdu.Operator] = {"@and": apdu.And(), "@or": apdu.Or(), "@not": apdu.AndNot()}


def read(text: str) -> Node:
    """The tree of a query. Raises Unanswerable if it has another form, `rpn.Diagnosed` if an attribute is unknown."""
    return rpn.read(parse(text), lambda term: term.decode("utf-8"))


def parse(text: str, encode: rpn.Encode = str.encode) -> apdu.RpnQuery:
    """The RPN of a query. Raises Unanswerable."""
    if len(text) > LONGEST:
        raise Unanswerable("long", str(len(text)), f"The query has more than {LONGEST:,} characters.")
    parser = _Parser(_tokens(text), encode)
    attribute_set = oids.BIB_1
    if parser.next_is("@attrset"):
        parser.take("")
        attribute_set = _oid(parser.take("an attribute set").text)
    found = parser.node((), 0)
    if parser.left:
        raise _broken(f"nothing may follow the query, but {parser.left[-1].text!r} does")
    return apdu.RpnQuery(attribute_set=attribute_set, rpn=found)


@dataclass(frozen=True, slots=True)
class _Token:
    text: str
    quoted: bool


def _broken(why: str) -> Unanswerable:
    return Unanswerable("query", why, f"This is no query in prefix notation: {why}.")


def _tokens(text: str) -> list[_Token]:
    """The last one first. A quotation mark that is not closed begins a word."""
    found = [
        _Token(re.sub(r"\\(.)", r"\1", token["quoted"]), True)
        if token["quoted"] is not None
        else _Token(token["plain"], False)
        for token in _TOKEN.finditer(text)
    ]
    return found[::-1]


def _oid(text: str) -> Oid:
    known = _SETS.get(text.lower())
    if known:
        return known
    if not _OID.fullmatch(text) or not text.isascii():
        raise _broken(f"{text!r} is no attribute set")
    return tuple([int(part) for part in text.split(".")])


class _Parser:
    """What is left of a query, the next token last."""

    def __init__(self, tokens: list[_Token], encode: rpn.Encode) -> None:
        self.left = tokens
        self._encode = encode

    def next_is(self, word: str) -> bool:
        return bool(self.left) and self.left[-1] == _Token(word, False)

    def take(self, what: str) -> _Token:
        if not self.left:
            raise _broken(f"it ends where {what} should stand")
        return self.left.pop()

    def node(self, given: tuple[apdu.AttributeElement, ...], depth: int) -> apdu.Rpn:
        """An operator with its operands, or a term with its attributes; those given before an operator are for both."""
        if depth > MOST_TERMS:
            raise Unanswerable("complex", str(depth), f"More than {MOST_TERMS} operators stand within each other.")
        own: tuple[apdu.AttributeElement, ...] = ()
        kind = "general"
        while True:
            token = self.take("a term")
            if token.quoted or not token.text.startswith("@"):
                break
            if token.text == "@attr":
                own = (*own, self._attribute())
            elif token.text == "@term":
                kind = self.take("a kind of term").text
            elif token.text == "@set":
                return self.take("the name of a result set").text
            elif token.text in _OPERATORS or token.text == "@prox":
                op = self._proximity() if token.text == "@prox" else _OPERATORS[token.text]
                both = _over(given, own)
                return apdu.RpnOperation(rpn1=self.node(both, depth + 1), rpn2=self.node(both, depth + 1), op=op)
            else:
                raise _broken(f"{token.text!r} is unknown")
        return apdu.AttributesPlusTerm(attributes=_over(given, own), term=self._term(token.text, kind))

    def _term(self, text: str, kind: str) -> apdu.Term:
        if len(text) > LONGEST_TERM:
            raise Unanswerable("long", str(len(text)), f"A term has more than {LONGEST_TERM} characters.")
        match kind:
            case "general":
                return self._encode(text)
            case "string":
                return text
            case "numeric":
                return self._number(text)
            case "null":
                return apdu.Null()
        raise _broken(f"terms are general, string, numeric or null, not {kind!r}")

    def _attribute(self) -> apdu.AttributeElement:
        token = self.take("an attribute").text
        of = None
        if "=" not in token:
            of, token = _oid(token), self.take("an attribute").text
        kind, _, value = token.partition("=")
        return apdu.AttributeElement(
            attribute_set=of,
            attribute_type=self._number(kind),
            attribute_value=int(value) if re.fullmatch(r"[0-9]{1,9}", value) else apdu.ComplexAttribute(list=(value,)),
        )

    def _proximity(self) -> apdu.Proximity:
        exclusion, distance, ordered, relation, known, unit = (self.take("a part of @prox").text for _ in range(6))
        if known[:1] not in ("k", "p"):
            raise _broken(f"a unit is known or private, not {known!r}")
        number = self._number(unit)
        return apdu.Proximity(
            exclusion=exclusion == "1" if exclusion in ("0", "1") else None,
            distance=self._number(distance),
            ordered=ordered == "1",
            relation_type=self._number(relation),
            proximity_unit_code=number if known[0] == "k" else apdu.PrivateUnit(number),
        )

    @staticmethod
    def _number(text: str) -> int:
        if not re.fullmatch(r"-?[0-9]{1,9}", text):
            raise _broken(f"{text!r} is no number")
        return int(text)


def _over(
    given: tuple[apdu.AttributeElement, ...], own: tuple[apdu.AttributeElement, ...]
) -> tuple[apdu.AttributeElement, ...]:
    """A term's own attributes and, of other types, those of what it stands in."""
    types = {one.attribute_type for one in own}
    return tuple(one for one in given if one.attribute_type not in types) + own


def text(asked: apdu.RpnQuery, decode: rpn.Decode = bytes.decode) -> str:
    """A query in prefix notation."""
    head = "" if asked.attribute_set == oids.BIB_1 else f"@attrset {oids.dotted(asked.attribute_set)} "
    return head + _text(asked.rpn, decode)


def _text(node: apdu.Rpn, decode: rpn.Decode) -> str:
    match node:
        case str():
            return f"@set {_quoted(node)}"
        case apdu.ResultSetPlusAttributes():
            return _attributes(node.attributes) + f"@set {_quoted(node.result_set)}"
        case apdu.AttributesPlusTerm():
            return _attributes(node.attributes) + _shown(node.term, decode)
        case apdu.RpnOperation(op=op):
            name = _prox(op) if isinstance(op, apdu.Proximity) else next(k for k, v in _OPERATORS.items() if v == op)
            return f"{name} {_text(node.rpn1, decode)} {_text(node.rpn2, decode)}"


def _prox(op: apdu.Proximity) -> str:
    known = isinstance(op.proximity_unit_code, int)
    unit = op.proximity_unit_code if isinstance(op.proximity_unit_code, int) else op.proximity_unit_code.number
    exclusion = "void" if op.exclusion is None else str(int(op.exclusion))
    return f"@prox {exclusion} {op.distance} {int(op.ordered)} {op.relation_type} {'k' if known else 'p'} {unit}"


def _attributes(elements: tuple[apdu.AttributeElement, ...]) -> str:
    made = ""
    for one in elements:
        value = one.attribute_value
        shown = value if isinstance(value, int) else "|".join(str(part) for part in value.list)
        of = f"{oids.dotted(one.attribute_set)} " if one.attribute_set else ""
        made += f"@attr {of}{one.attribute_type}={shown} "
    return made


def _shown(term: apdu.Term, decode: rpn.Decode) -> str:
    match term:
        case bytes():
            return _quoted(decode(term))
        case str():
            return f"@term string {_quoted(term)}"
        case int():
            return f"@term numeric {term}"
        case apdu.Null():
            return "@term null x"
    return f"@term string {_quoted(repr(term))}"


def _quoted(text: str) -> str:
    if text and not re.search(r'[\s"\\@]', text):
        return text
    return '"' + re.sub(r'["\\]', r"\\\g<0>", text) + '"'
