"""A library moves from one host to another: what is said and signed, and each end's life as a table of states (pure).

The *giver* hosts the library so far, the *taker* from then on; one of the two is the other's parent. The child asks,
again and again: it says its state and hears the parent's, so a message that is lost, doubled or late changes nothing.
Each end stays in a state until the peer's state allows the next step and the step is done; every step can be repeated
after a crash.

    parent gives   due · freezing · moving · retiring · done     (hosted → own node)
    child takes    due · moving · landing · rising · risen · done
    child gives    due · freezing · moving · moved · done        (own node → hosted)
    parent takes   due · moving · landing · retiring · done

*freezing*: loads that are under way are seen through, new ones are refused. *moving*: the giver has signed that it
gives way; source records go over where the two ends differ. *landing*: they are placed and merged. *rising*: the new
node's merged records go up. *retiring*: the parent takes away the copy that counts no more. Until it has signed the
giver can cancel: a parent forgets the hand-over and revokes the node, a child stays in *cancelled* until the parent has
forgotten it too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

import msgspec

from catalog.hosting import DROPPED
from catalog.payload import Habits, encode
from config.errors import Refused
from exchange.model import Signer, Trusted

MOST_ASKED = 4096  # proofs in a question
LONGEST = 1024 * 1024  # bytes of a statement


class Untrue(Refused):
    """A statement that isn't the old host's, or is of another hand-over."""

    code = "untrue-statement"


class Side(Enum):
    """Which end of which hand-over: (the peer's role, way)."""

    PARENT_GIVES = ("child", "out")
    CHILD_TAKES = ("parent", "in")
    CHILD_GIVES = ("parent", "out")
    PARENT_TAKES = ("child", "in")


class Step(Enum):
    """What an end does in a state. It is done when it says so."""

    WAIT = "wait"  # for the peer
    FREEZE = "freeze"  # see open loads through, then give way
    ACCEPT = "accept"  # verify the statement, and say what is here already
    CARRY = "carry"  # reconcile the ledgers of source records, and move what differs
    RESTORE = "restore"  # bring back what is here still
    LAND = "land"  # wait until what landed is placed and merged
    RISE = "rise"  # wait until the parent has applied what this node tells
    RETIRE = "retire"  # take away the copy that counts no more, once the other is in place
    CLEAR = "clear"  # forget what only the hand-over needed
    DROP = "drop"  # forget the hand-over: it was cancelled, and the peer knows


@dataclass(frozen=True, slots=True)
class Turn:
    """In `state`, when the peer is in one of `theirs`: do `step`, then be in `then`."""

    state: str
    theirs: frozenset[str]
    step: Step
    then: str


def _turn(state: str, theirs: str, step: Step, then: str) -> Turn:
    return Turn(state, frozenset(theirs.split()), step, then)


ANY = "due freezing moving moved landing rising risen retiring done"

LIVES: Mapping[Side, tuple[Turn, ...]] = {
    Side.PARENT_GIVES: (
        _turn("due", "due", Step.WAIT, "freezing"),
        _turn("freezing", ANY, Step.FREEZE, "moving"),
        _turn("moving", "risen", Step.RETIRE, "retiring"),
        _turn("retiring", ANY, Step.CLEAR, "done"),
    ),
    Side.CHILD_TAKES: (
        _turn("due", "moving", Step.ACCEPT, "moving"),
        _turn("moving", "moving", Step.CARRY, "landing"),
        _turn("landing", ANY, Step.LAND, "rising"),
        _turn("rising", ANY, Step.RISE, "risen"),
        _turn("risen", "done", Step.CLEAR, "done"),
    ),
    Side.CHILD_GIVES: (
        _turn("due", "due", Step.WAIT, "freezing"),
        _turn("freezing", ANY, Step.FREEZE, "moving"),
        _turn("moving", "moving", Step.CARRY, "moved"),
        _turn("moved", "done", Step.CLEAR, "done"),
        _turn(DROPPED, DROPPED, Step.DROP, DROPPED),
    ),
    Side.PARENT_TAKES: (
        _turn("due", "moving", Step.ACCEPT, "moving"),
        _turn("moving", "moved", Step.RESTORE, "landing"),
        _turn("landing", ANY, Step.RETIRE, "retiring"),
        _turn("retiring", ANY, Step.CLEAR, "done"),
    ),
}


def due(side: Side, mine: str, theirs: str) -> Turn | None:
    """What is to be done now; None = wait for the peer, or it is over."""
    return next((turn for turn in LIVES[side] if turn.state == mine and theirs in turn.theirs), None)


class Statement(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """The old host gives way. New members go last and have a default."""

    library: str
    reign: int  # the new host's
    old: str  # symbol of the node that signs
    new: str
    suite: str
    sources: tuple[Habits, ...]
    made: int  # seconds since 1970, for people


class _Signed(msgspec.Struct, array_like=True, frozen=True, gc=False):
    core: bytes
    signature: bytes


class Ask(msgspec.Struct, frozen=True, kw_only=True):
    """POST /x/handover: the child's state."""

    library: str
    reign: int
    way: str  # the child's: in = it takes the library
    state: str
    statement: bytes = b""  # of a child that gives
    sources: tuple[str, ...] = ()  # names of its sources, before a child that gives is bound


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """The answer: the parent's state."""

    state: str
    statement: bytes = b""  # of a parent that gives
    reason: str = ""  # what it waits for


class Have(msgspec.Struct, frozen=True, kw_only=True):
    """POST /x/have: proofs of payloads that the child is about to tell."""

    proofs: tuple[bytes, ...]


class Had(msgspec.Struct, frozen=True, kw_only=True):
    """The answer: places in the question of those that the parent can put together itself."""

    places: tuple[int, ...]


_decode_signed = msgspec.msgpack.Decoder(_Signed).decode
_decode_statement = msgspec.msgpack.Decoder(Statement).decode
_SEAL = b"tianlu hand-over\0"  # what is signed begins with it: no other message of the node is one


def sign(told: Statement, signer: Signer) -> bytes:
    """The statement and its signature."""
    core = encode(told)
    return encode(_Signed(core, signer.sign(_SEAL + core)))


def verify(signed: bytes, trusted: Trusted, *, library: str, reign: int, old: str, new: str) -> Statement:
    """The statement, if the old host signed it and it is about this hand-over; else Untrue."""
    told = read(signed)
    if (told.library, told.reign, told.old, told.new) != (library, reign, old, new):
        raise Untrue(
            f"a statement about {told.library} from {told.old} to {told.new} under reign {told.reign} is not about "
            f"{library} from {old} to {new} under reign {reign}"
        )
    both = _decode_signed(signed)
    verifier = trusted.get(told.suite)
    if verifier is None or not verifier.verify(_SEAL + both.core, both.signature):
        raise Untrue(f"the statement that {library} moves to {new} isn't signed by a trusted key of {old}")
    return told


def read(signed: bytes) -> Statement:
    """What a statement says, believed or not; Untrue if it is none."""
    try:
        return _decode_statement(_decode_signed(signed[: LONGEST + 1]).core)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Untrue("this is no statement of a hand-over") from error
