"""Talking to another node: signed requests out, verified answers back (shell).

All of it goes through the outgoing door, as to a host that the operator named: a parent's address is that of the code
with which he joined it, and no message changes it. No redirects, no compression, bounded answers. Whatever isn't signed
by the node that we mean is no answer. Where the other side refuses for the time, the difference of the clocks is
measured from its own signed answer, and the request signed again in its time.
"""

from __future__ import annotations

import contextlib
import logging
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

import msgspec

from catalog import peers
from catalog.database.pool import Database
from catalog.peers import Peer
from config.errors import BadRecord, Conflict, NotFound, Refused, Retry, TianluError, Unreachable
from exchange import greeting, keys, signing
from exchange.greeting import Fault
from exchange.keys import Keyring
from protocols import suites
from protocols.http import door
from protocols.http.door import Door, Limits
from protocols.http.guard import Rules
from protocols.signatures import fields, message, sign, verify
from protocols.signatures.digests import BadDigest
from protocols.signatures.fields import BadField
from protocols.signatures.message import BadMessage, Request, Response
from protocols.signatures.verify import BadSignature

log = logging.getLogger(__name__)

MOST = 8 * 1024 * 1024  # bytes of a body, in both directions
PATIENCE = 60.0  # seconds for a request as a whole, unless its caller knows better
ALARMING = 30.0  # seconds that the clocks may be apart without a warning

# Refusals of what didn't arrive as it was signed: the next attempt may.
PASSING = frozenset(
    (BadSignature.code, BadField.code, BadMessage.code, BadDigest.code, verify.Skewed.code, signing.Replayed.code)
)

T = TypeVar("T")


class Barred(Refused):
    """The other node has suspended or revoked this one."""

    code = "barred"


class Busy(Retry):
    """The other node takes no more for now; `pause` = seconds that it asks for."""

    code = "busy"

    def __init__(self, message: str, pause: float) -> None:
        super().__init__(message)
        self.pause = pause


class Impostor(Conflict):
    """Somebody answers at the node's address whose key isn't the one that we know."""

    code = "impostor"


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """Whom we mean. `key` None = only its fingerprint is known, as from a one-time code."""

    symbol: str
    address: str  # as the operator gave it
    suite: str
    fingerprint: bytes
    key: bytes | None = None
    former: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A verified answer."""

    status: int
    headers: Mapping[str, str]  # by lower-case name
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Learnt:
    """What an answer told about its sender."""

    suite: str
    key: bytes
    skew: float  # seconds that its clock is ahead of ours


async def _forget(learnt: Learnt) -> None:
    """For callers that keep nothing."""


@dataclass(kw_only=True)
class Client:
    """One node talking to another. `learn` is called when the other's key has changed."""

    out: Door
    keyring: Keyring
    me: str
    known: Known
    learn: Callable[[Learnt], Awaitable[None]] = _forget
    clock: Callable[[], float] = time.time
    ahead: float = 0.0  # seconds added to our clock, once the other side has refused for the time
    skew: float = field(default=0.0, init=False)  # as measured by the last answer

    async def send(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        *,
        headers: Mapping[str, str] | None = None,
        patience: float = PATIENCE,
    ) -> Answer:
        """A request to `path` (with its query, percent-encoded) and its answer, whatever its status.

        Unreachable if none comes, Impostor if another node answers.
        """
        answer = await self._once(method, path, body, headers or {}, patience)
        if answer.status != 401:
            return answer
        fault = _fault(answer)
        if fault.code == verify.Skewed.code and fault.time:
            self.ahead = fault.time - self.clock()
            log.warning(
                "the clock of %s is %.0f s ahead of ours; requests to it are signed in its time: set the clocks right",
                self.known.symbol,
                self.ahead,
            )
        elif fault.code != signing.Replayed.code:  # a broken connection made the request go twice
            return answer
        return await self._once(method, path, body, headers or {}, patience)

    async def call(self, path: str, told: msgspec.Struct, kind: type[T], *, patience: float = PATIENCE) -> T:
        """POST a message and read the answer as `kind`; a refusal is raised by its meaning."""
        answer = await self.send("POST", path, greeting.encode(told), patience=patience)
        if answer.status != 200:
            raise self.refusal(answer)
        return greeting.decode(answer.body, kind)

    def refusal(self, answer: Answer) -> TianluError:
        """What an answer that isn't a success means for the caller."""
        fault = _fault(answer)
        text = f"{self.known.symbol}: {fault.reason or f'status {answer.status}'}"
        match answer.status:
            case 403 if fault.code in ("suspended", "revoked"):
                return Barred(text)
            case 401 | 403 if fault.code not in PASSING:
                return Refused(text)
            case 404:
                return NotFound(text)
            case 409:
                return Conflict(text)
            case 429:
                return Busy(text, _seconds(answer.headers.get("retry-after", "")))
            case status if status in (401, 403) or status >= 500:
                return Retry(text)
        return BadRecord(text)

    async def _once(self, method: str, path: str, body: bytes, headers: Mapping[str, str], patience: float) -> Answer:
        request = self._signed(method, path, body, headers)
        sent = self.clock()
        try:
            got = await self.out.send(
                method,
                request.target,
                headers=request.headers,
                body=body,
                named=True,
                raw=True,
                limits=Limits(total=patience, body=MOST),
            )
        except (Refused, Unreachable) as error:
            raise Unreachable(f"{self.known.symbol} can't be asked: {error}") from error
        told = Response(status=got.status, request=request, headers=message.headers(got.headers.items()))
        created = await self._verified(told, got.body, request)
        self.skew = created - (sent + self.clock()) / 2
        if abs(self.skew) > ALARMING:
            log.warning("the clock of %s is %.0f s ahead of ours: set the clocks right", self.known.symbol, self.skew)
        return Answer(status=told.status, headers=told.headers, body=got.body)

    def _signed(self, method: str, path: str, body: bytes, headers: Mapping[str, str]) -> Request:
        key = self.keyring.key()
        fields_ = message.headers(headers.items())
        if body:
            fields_.setdefault("content-type", greeting.MEDIA)
        if succession := keys.announced(key):
            fields_[signing.SUCCESSION] = succession
        bare = Request(method=method, target=f"{self.known.address.rstrip('/')}{path}", headers=fields_)
        return sign.request(
            signing.signer(key, self.me, self.known.symbol),
            bare,
            body,
            now=int(self.clock() + self.ahead),
            nonce=secrets.token_urlsafe(18),
            more=[name for name in signing.BOUND_OF_REQUEST if name in fields_],
        )

    async def _verified(self, told: Response, content: bytes, request: Request) -> int:
        """When the answer was signed, in its sender's time. How old it is doesn't matter: it covers our request."""
        label = next(iter(fields.byte_sequences(request.headers[sign.SIGNATURE])))
        where = f"{self.known.symbol} at {self.known.address}"
        try:
            claim = verify.response(told, signing.tag(self.me), signing.BOUND_OF_ANSWER, label)
            wanted = signing.key_id(claim.key_id)
        except Refused as error:
            raise Unreachable(
                f"what answers for {where} isn't that node (status {told.status}, {error}): check the address"
            ) from error
        public = self._key(wanted, told)
        if wanted.symbol != self.known.symbol or public is None:
            raise Impostor(
                f"{where}: {wanted.symbol} answers with a key that isn't the known one; nothing was believed"
            )
        suite = suites.named(wanted.suite)
        try:
            verify.genuine(claim, suite, public)
            verify.body(told, content)
        except Refused as error:
            raise Unreachable(
                f"the answer of {where} (status {told.status}) was changed on its way, or a proxy changes what goes "
                f"there: it must keep the Host header, and exchange.address there name the address outside; {error}"
            ) from error
        if self.known.key is None or public not in (self.known.key, self.known.former):
            learnt = Learnt(suite=suite.name, key=public, skew=self.skew)
            former = self.known.key
            self.known = Known(
                symbol=self.known.symbol,
                address=self.known.address,
                suite=suite.name,
                fingerprint=wanted.fingerprint,
                key=public,
                former=former,
            )
            await self.learn(learnt)
        return claim.created

    def _key(self, wanted: signing.KeyId, told: Response) -> bytes | None:
        """The known key that is meant, or one that the known one has named as its successor."""
        known = self.known
        if known.key is None:
            with contextlib.suppress(Refused, StopIteration):
                shown = next(iter(fields.byte_sequences(told.headers.get(signing.KEY, "")).values()))
                fits = wanted.suite == known.suite and wanted.fingerprint == known.fingerprint
                return shown if fits and suites.named(known.suite).fingerprint(shown) == known.fingerprint else None
            return None
        found = signing.matching(wanted, known.suite, known.key, known.former)
        if found is not None:
            return found
        announced = told.headers.get(signing.SUCCESSION, "")
        suite, heir = keys.heir(announced, known.symbol, known.suite, known.key)
        return signing.matching(wanted, suite, heir)


def _seconds(field: str) -> float:
    """Of a Retry-After field; 0 where it says a date (RFC 9110, 10.2.3), or nothing."""
    return float(field) if field.isdecimal() else 0.0


def _fault(answer: Answer) -> Fault:
    try:
        return greeting.decode(answer.body, Fault)
    except BadRecord:
        return Fault(code="", reason="")


@contextlib.asynccontextmanager
async def connect(database: Database, keyring: Keyring, me: str, peer: Peer, rules: Rules) -> AsyncIterator[Client]:
    """A client to a peer of ours; a change of its key is kept."""

    async def learn(learnt: Learnt) -> None:
        async with database.transaction() as conn:
            current = await peers.get(conn, peer.symbol)
            await peers.set_key(conn, current, learnt.suite, learnt.key)

    async with door.open(rules) as out:
        yield Client(out=out, keyring=keyring, me=me, known=known(peer), learn=learn)


def known(peer: Peer) -> Known:
    """A peer of the table as somebody to talk to."""
    return Known(
        symbol=peer.symbol,
        address=peer.address,
        suite=peer.suite,
        fingerprint=suites.named(peer.suite).fingerprint(peer.key),
        key=peer.key,
        former=peer.former,
    )


async def hello(client: Client, told: greeting.Hello) -> greeting.Greeted:
    """Greet the parent: agree on the protocol, and compare how far each has heard the other."""
    greeted = await client.call("/x/hello", told, greeting.Greeted)
    greeting.agree((greeted.proto, greeted.proto), client.known.symbol)
    return greeted
