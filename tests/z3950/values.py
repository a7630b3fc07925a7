"""Values of any type that a table describes: every shape once, strategies, and the same as asn1tools has it."""

from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import strategies as st

from protocols.z3950 import primitive, userinfo
from protocols.z3950.apdu.parts import Arbitrary
from protocols.z3950.apdu.query import OPERAND, OPERATOR, RPN_QUERY, Or, RpnOperation
from protocols.z3950.notation import Choice, Explicit, Implicit, Sequence, SequenceOf, Wrapped
from protocols.z3950.primitive import GENERAL, Type
from tests.z3950 import oracle

RPN = RPN_QUERY.fields["rpn"]  # type: ignore[attr-defined]
FEW: dict[Any, tuple[Any, ...]] = {
    primitive.INTEGER: (0, 127, 128, -1, -128, -129, 2**31, -(2**63)),
    primitive.BOOLEAN: (False, True),
    primitive.NULL: (None,),
    primitive.OCTETS: (b"", bytes(70_000), bytes(128), bytes(127), b"\x00\xff"),
    primitive.BITS: (frozenset({0, 1, 2}), frozenset(), frozenset({7}), frozenset({8, 21})),
    primitive.OID: ((1, 2, 840, 10003, 5, 10), (2, 39, 3), (0, 0), (1, 39, 2**40)),
    primitive.ANY: (b"\x04\x01x", b"\x30\x00", b"\xbf\x81\x00\x02\x05\x00"),
    primitive.GENERAL: ("name", "", "天工开物", "é" * 100),
    primitive.VISIBLE: ("", "user/word"),
    primitive.TIME: ("20261121184200Z",),
    primitive.DESCRIPTOR: ("what it is",),
}
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
# asn1tools reads arcs of 40 and more under 2 wrongly (X.690, 8.19.4); ours is held to the example there.
OIDS = st.tuples(st.integers(0, 2), st.integers(0, 39)) | st.tuples(st.just(2), st.just(5), st.integers(0, 2**60))
MANY: dict[Any, st.SearchStrategy[Any]] = {
    primitive.INTEGER: st.integers(-(2**63), 2**63 - 1),
    primitive.BOOLEAN: st.booleans(),
    primitive.NULL: st.none(),
    primitive.OCTETS: st.binary(max_size=300),
    primitive.BITS: st.frozensets(st.integers(0, 255), max_size=8),
    primitive.OID: OIDS,
    primitive.ANY: TEXT.map(GENERAL.encode),
    primitive.GENERAL: TEXT,
    primitive.VISIBLE: st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=12),
    primitive.TIME: st.datetimes().map(lambda when: when.strftime("%Y%m%d%H%M%SZ")),
    primitive.DESCRIPTOR: st.text(st.characters(max_codepoint=126), max_size=5),
}
# What is kept as octets, of types that the oracle knows.
AS_OCTETS: dict[Any, tuple[bytes, ...]] = {
    Arbitrary: (b"\x00", b"\x03\xa8", b"\x00\xff\x01"),  # bit strings
    userinfo.Explicit: (bytes.fromhex("9f876b0103"),),  # unSupOp: proximity
}


def every(kind: Type[Any]) -> list[Any]:
    """Values that have each optional element once and not, each alternative, and few and many elements; the first is
    the least.
    """
    if kind in FEW:
        return list(FEW[kind])
    if kind is RPN:
        leaf, *leaves = every(OPERAND)
        joined = [RpnOperation(rpn1=leaf, rpn2=leaf, op=op) for op in every(OPERATOR)]
        return [leaf, *leaves, *joined, RpnOperation(rpn1=joined[0], rpn2=joined[1], op=joined[2].op)]
    match kind:
        case Implicit() | Explicit():
            return every(kind.inner)
        case Choice():
            return [value for each in kind.alternatives.values() for value in every(each)]
        case SequenceOf():
            least, *others = every(kind.inner)
            return [(), (least,), *((each,) for each in others), (least, *others[:3])]
        case Wrapped():
            return [_wrap(kind, value) for value in AS_OCTETS.get(kind.made) or every(kind.inner)]
        case Sequence():
            fields = {name: every(each) for name, each in kind.fields.items()}
            needed = {name: values[0] for name, values in fields.items() if name in kind.required}
            least = kind.made(**needed)
            one = [kind.made(**needed | {name: value}) for name, values in fields.items() for value in values]
            return [least, *one, kind.made(**{name: values[-1] for name, values in fields.items()})]
    raise TypeError(kind)


def any_of(kind: Type[Any]) -> st.SearchStrategy[Any]:
    """Any value of a type."""
    if kind in MANY:
        return MANY[kind]
    if kind is RPN:
        return st.recursive(
            any_of(OPERAND),
            lambda inner: st.builds(RpnOperation, rpn1=inner, rpn2=inner, op=any_of(OPERATOR) | st.just(Or())),
            max_leaves=6,
        )
    match kind:
        case Implicit() | Explicit():
            return any_of(kind.inner)
        case Choice():
            return st.one_of([any_of(each) for each in kind.alternatives.values()])
        case SequenceOf():
            return st.lists(any_of(kind.inner), max_size=4).map(tuple)
        case Wrapped():
            if kind.made in AS_OCTETS:
                return st.sampled_from(AS_OCTETS[kind.made]).map(kind.made)
            return any_of(kind.inner).map(lambda value: _wrap(kind, value))
        case Sequence():
            fields = {
                name: any_of(each) if name in kind.required else st.none() | any_of(each)
                for name, each in kind.fields.items()
            }
            return st.builds(kind.made, **fields)
    raise TypeError(kind)


def _wrap(kind: Wrapped[Any], value: Any) -> Any:
    return kind.made(value) if msgspec.structs.fields(kind.made) else kind.made()


def theirs(kind: Type[Any], value: Any) -> Any:
    """A value as asn1tools has it: dicts, lists, pairs of name and value."""
    if kind is RPN:
        if isinstance(value, RpnOperation):
            parts = {name: theirs(RPN, getattr(value, name)) for name in ("rpn1", "rpn2")}
            return "rpnRpnOp", parts | {"op": theirs(OPERATOR, value.op)}
        return "op", theirs(OPERAND, value)
    if kind is primitive.OID:
        return ".".join(map(str, value))
    if kind is primitive.BITS:
        return _bits(kind.encode(value)[2:])
    if kind is GENERAL:
        return value.encode().decode("latin-1")
    match kind:
        case Implicit() | Explicit():
            return theirs(kind.inner, value)
        case Choice():
            name, each = next((name, each) for name, each in kind.alternatives.items() if type(value) in each.python)
            return oracle.names()[oracle.plain(name)], theirs(each, value)
        case SequenceOf():
            return [theirs(kind.inner, each) for each in value]
        case Wrapped():
            if kind.made is Arbitrary:
                return _bits(value.octets)
            if kind.made is userinfo.Explicit:
                return oracle.specification().decode("DiagFormat", value.octets)
            fields = msgspec.structs.fields(kind.made)
            return theirs(kind.inner, getattr(value, fields[0].name) if fields else None)
        case Sequence():
            return {
                oracle.names()[oracle.plain(name)]: theirs(each, part)
                for name, each in kind.fields.items()
                if (part := getattr(value, name)) is not None or name in kind.required
            }
    return value


def _bits(octets: bytes) -> tuple[bytes, int]:
    return octets[1:], 8 * (len(octets) - 1) - octets[0]
