"""Queries of a search and terms of a scan: RPN with attributes (types 1 and 101), and others as they come."""

from __future__ import annotations

from msgspec import Struct

from protocols.z3950 import ber
from protocols.z3950.apdu.parts import EXTERNAL, INT_UNIT, RESULT_SET, STRING_OR_NUMERIC, External, IntUnit
from protocols.z3950.ber import CONSTRUCTED, CONTEXT, Malformed, Source
from protocols.z3950.notation import choice, explicit, implicit, recurring, sequence, sequence_of, wrapped
from protocols.z3950.primitive import (
    ANY,
    BOOLEAN,
    GENERAL,
    INTEGER,
    NULL,
    OCTETS,
    OID,
    TIME,
    Oid,
    Pieces,
    Put,
    Type,
    Way,
    element,
)


class ComplexAttribute(Struct, frozen=True, kw_only=True):
    """Values in order of preference, and how to choose among them."""

    list: tuple[str | int, ...]
    semantic_action: tuple[int, ...] | None = None


class AttributeElement(Struct, frozen=True, kw_only=True):
    """One attribute: a type (1 use, 2 relation …) and its value."""

    attribute_set: Oid | None = None  # None: that of the query
    attribute_type: int
    attribute_value: int | ComplexAttribute


ATTRIBUTES: Type[tuple[AttributeElement, ...]] = implicit(
    44,
    recurring(
        sequence(
            AttributeElement,
            attribute_set=implicit(1, OID),
            attribute_type=implicit(120, INTEGER),
            attribute_value=choice(
                numeric=implicit(121, INTEGER),
                complex=implicit(
                    224,
                    sequence(
                        ComplexAttribute,
                        list=implicit(1, sequence_of(STRING_OR_NUMERIC)),
                        semantic_action=implicit(2, sequence_of(INTEGER)),
                    ),
                ),
            ),
        )
    ),
)


class DateTime(Struct, frozen=True):
    """A term that is a GeneralizedTime."""

    text: str


class Null(Struct, frozen=True):
    """The term that is none."""


Term = bytes | int | str | Oid | DateTime | External | IntUnit | Null  # bytes: general, str: characterString
TERM: Type[Term] = choice(
    general=implicit(45, OCTETS),
    numeric=implicit(215, INTEGER),
    characterString=implicit(216, GENERAL),
    oid=implicit(217, OID),
    dateTime=wrapped(DateTime, implicit(218, TIME)),
    external=implicit(219, EXTERNAL),
    integerAndUnit=implicit(220, INT_UNIT),
    null=wrapped(Null, implicit(221, NULL)),
)


class AttributesPlusTerm(Struct, frozen=True, kw_only=True):
    """A term and what is meant by it."""

    attributes: tuple[AttributeElement, ...]
    term: Term


class ResultSetPlusAttributes(Struct, frozen=True, kw_only=True):
    """A result set and by which of its values it is related to another."""

    result_set: str
    attributes: tuple[AttributeElement, ...]


ATTRIBUTES_PLUS_TERM = implicit(102, sequence(AttributesPlusTerm, attributes=ATTRIBUTES, term=TERM))
Operand = AttributesPlusTerm | str | ResultSetPlusAttributes  # str: the name of a result set
OPERAND: Type[Operand] = choice(
    attrTerm=ATTRIBUTES_PLUS_TERM,
    resultSet=RESULT_SET,
    resultAttr=implicit(214, sequence(ResultSetPlusAttributes, result_set=RESULT_SET, attributes=ATTRIBUTES)),
)


class And(Struct, frozen=True):
    """Both."""


class Or(Struct, frozen=True):
    """Either."""


class AndNot(Struct, frozen=True):
    """The first without the second."""


class PrivateUnit(Struct, frozen=True):
    """A unit of proximity that the standard doesn't number."""

    number: int


class Proximity(Struct, frozen=True, kw_only=True):
    """ProximityOperator: both, within a distance."""

    exclusion: bool | None = None
    distance: int
    ordered: bool
    relation_type: int  # 1 <, 2 <=, 3 =, 4 >=, 5 >, 6 <>
    proximity_unit_code: int | PrivateUnit  # 1 character, 2 word, 3 sentence, 4 paragraph …


Operator = And | Or | AndNot | Proximity
OPERATOR: Type[Operator] = explicit(
    46,
    choice(
        and_=wrapped(And, implicit(0, NULL)),
        or_=wrapped(Or, implicit(1, NULL)),
        and_not=wrapped(AndNot, implicit(2, NULL)),
        prox=implicit(
            3,
            sequence(
                Proximity,
                exclusion=implicit(1, BOOLEAN),
                distance=implicit(2, INTEGER),
                ordered=implicit(3, BOOLEAN),
                relation_type=implicit(4, INTEGER),
                proximity_unit_code=explicit(
                    5, choice(known=implicit(1, INTEGER), private=wrapped(PrivateUnit, implicit(2, INTEGER)))
                ),
            ),
        ),
    ),
)


class RpnOperation(Struct, frozen=True, kw_only=True):
    """rpnRpnOp: two operands and what joins them."""

    rpn1: Rpn
    rpn2: Rpn
    op: Operator


Rpn = AttributesPlusTerm | str | ResultSetPlusAttributes | RpnOperation


class _Structure(Type[Rpn]):
    """RPNStructure, which contains itself; one call a level, since a query may be as deep as the limits allow.

    Its two operands begin with the same tags: the order tells them apart.
    """

    python = (AttributesPlusTerm, str, ResultSetPlusAttributes, RpnOperation)

    def __init__(self) -> None:
        self._operand = ber.key(CONTEXT, 0)
        self._operation = ber.key(CONTEXT, 1)
        self._operand_ways, self._put_operand = OPERAND.ways(), explicit(0, OPERAND).writer()
        self._operator_ways, self._put_operator = OPERATOR.ways(), OPERATOR.writer()
        self._head = ber.identifier(self._operation, CONSTRUCTED)

    def ways(self) -> dict[int, Way]:
        return {
            self._operand: Way(self._take_operand, CONSTRUCTED, None),
            self._operation: Way(self._take_operation, CONSTRUCTED, None),
        }

    def _take_operand(self, source: Source, start: int, stop: int) -> Rpn:
        operand: Operand = element(self._operand_ways, source, start, stop)[0]
        return operand

    def _take_operation(self, source: Source, start: int, stop: int) -> RpnOperation:
        source.enter(start)
        source.spend(3, start)
        operands: list[Rpn] = []
        at = start
        while len(operands) < 2:
            tag, form, inside, end, at = source.header(at, stop)
            if form and tag == self._operation:
                operands.append(self._take_operation(source, inside, end))
            elif form and tag == self._operand:
                operands.append(self._take_operand(source, inside, end))
            else:
                raise Malformed(inside, "an operand or an operation")
        operator: Operator = element(self._operator_ways, source, at, stop)[0]
        source.depth -= 1
        return RpnOperation(rpn1=operands[0], rpn2=operands[1], op=operator)

    def writer(self) -> Put:
        return self._write

    def _write(self, value: Rpn, out: Pieces) -> int:
        if not isinstance(value, RpnOperation):
            return self._put_operand(value, out)
        size = self._put_operator(value.op, out) + self._write(value.rpn2, out) + self._write(value.rpn1, out)
        head = self._head + ber.length(size)
        out.append(head)
        return size + len(head)


class RpnQuery(Struct, frozen=True, kw_only=True):
    """A tree of operands, and the attribute set of those that name none."""

    attribute_set: Oid
    rpn: Rpn


RPN_QUERY = sequence(RpnQuery, attribute_set=OID, rpn=_Structure())


class Type0(Struct, frozen=True):
    """A query that both sides agreed on elsewhere, as one whole element."""

    octets: bytes


class Type1(Struct, frozen=True):
    """RPN of version 2."""

    query: RpnQuery


class Type2(Struct, frozen=True):
    """ISO 8777."""

    octets: bytes


class Type100(Struct, frozen=True):
    """Z39.58."""

    octets: bytes


class Type101(Struct, frozen=True):
    """RPN with proximity and result sets with attributes."""

    query: RpnQuery


class Type102(Struct, frozen=True):
    """Ranked list."""

    octets: bytes


class Type104(Struct, frozen=True):
    """A query of a type that an object identifier names, such as CQL."""

    external: External


Query = Type0 | Type1 | Type2 | Type100 | Type101 | Type102 | Type104
QUERY: Type[Query] = choice(
    type_0=wrapped(Type0, explicit(0, ANY)),
    type_1=wrapped(Type1, implicit(1, RPN_QUERY)),
    type_2=wrapped(Type2, explicit(2, OCTETS)),
    type_100=wrapped(Type100, explicit(100, OCTETS)),
    type_101=wrapped(Type101, implicit(101, RPN_QUERY)),
    type_102=wrapped(Type102, explicit(102, OCTETS)),
    type_104=wrapped(Type104, implicit(104, EXTERNAL)),
)
