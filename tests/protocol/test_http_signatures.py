"""Signed messages: the vectors of RFC 9421 and 9530, a foreign implementation, and a table of what must be refused."""

from __future__ import annotations

import base64
import dataclasses
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from http_message_signatures import HTTPMessageSigner, HTTPMessageVerifier, algorithms
from http_message_signatures.resolvers import MappingKeyResolver
from hypothesis import given
from hypothesis import strategies as st

from config.errors import Refused
from protocols import suites
from protocols.signatures import digests, fields, message, sign, verify
from protocols.signatures.fields import BadField
from protocols.signatures.message import BadMessage, Request, Response
from protocols.signatures.sign import Signer
from protocols.signatures.verify import BadSignature, Skewed
from protocols.suites import ED25519

NOW = 1_780_000_000
BODY = b'{"hello": "world"}'
SEED, OTHER = bytes(range(32)), bytes(range(1, 33))
TAG = "tianlu-1 CENTRE"
NONCE = "n" * 24
BOUND = ("content-type", "upload-offset")
TARGET = "https://centre.example/x/up/00ff?part=2"

# RFC 9421, B.1.4 and B.2
RFC_REQUEST = Request(
    method="POST",
    target="https://example.com/foo?param=Value&Pet=dog",
    headers={
        "host": "example.com",
        "date": "Tue, 20 Apr 2021 02:07:55 GMT",
        "content-type": "application/json",
        "content-digest": "sha-512=:WZDPaVn/7XgHaAy8pmojAkGWoRx2UFChF41A2svX"
        "+TaPm+AbwAgBWnrIiYllu7BNNyealdVLvRwEmTHWXvJwew==:",
        "content-length": "18",
    },
)
RFC_KEY = base64.urlsafe_b64decode("JrQLj5P_89iXES9-vFgrIy29clF9CC_oPPsw3c5D0bs=")
RFC_SEED = base64.urlsafe_b64decode("n4Ni-HpISpVObnQMW0wOhCKROaIKqKtW_2ZYb2p9KcU=")


def test_ed25519_vector_of_the_rfc() -> None:
    """RFC 9421, B.2.6."""
    told = (
        'sig-b26=("date" "@method" "@path" "@authority" "content-type" "content-length");created=1618884473'
        ';keyid="test-key-ed25519"'
    )
    covered = fields.inner_lists(told)["sig-b26"]
    base = message.base(RFC_REQUEST, covered)
    assert base.decode().splitlines() == [
        '"date": Tue, 20 Apr 2021 02:07:55 GMT',
        '"@method": POST',
        '"@path": /foo',
        '"@authority": example.com',
        '"content-type": application/json',
        '"content-length": 18',
        '"@signature-params": ("date" "@method" "@path" "@authority" "content-type" "content-length")'
        ';created=1618884473;keyid="test-key-ed25519"',
    ]
    published = fields.byte_sequences(
        "sig-b26=:wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw==:"
    )["sig-b26"]
    assert ED25519.public(RFC_SEED) == RFC_KEY
    assert ED25519.sign(RFC_SEED, base) == published
    assert ED25519.verify(RFC_KEY, base, published)
    assert not ED25519.verify(RFC_KEY, base + b" ", published)


def test_vector_of_an_answer_that_covers_its_request() -> None:
    """RFC 9421, 2.4: another algorithm, but the same base."""
    answer = Response(
        status=503,
        request=RFC_REQUEST,
        headers={
            "content-type": "application/json",
            "content-digest": "sha-512=:0Y6iCBzGg5rZtoXS95Ijz03mslf6KAMCloESHObfwnHJDbkkWWQz6Phh"
            "U9kxsTbARtY2PTBOzq24uJFpHsMuAg==:",
        },
    )
    told = (
        'reqres=("@status" "content-digest" "content-type" "@authority";req "@method";req "@path";req '
        '"content-digest";req);created=1618884479;keyid="test-key-ecc-p256"'
    )
    base = message.base(answer, fields.inner_lists(told)["reqres"])
    published = base64.b64decode(
        "dMT/A/76ehrdBTD/2Xx8QuKV6FoyzEP/I9hdzKN8LQJLNgzU4W767HK05rx1i8meNQQgQPgQp8wq2ive3tV5Ag=="
    )
    key = serialization.load_pem_public_key(
        b"-----BEGIN PUBLIC KEY-----\n"
        b"MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEqIVYZVLCrPZHGHjP17CTW0/+D9Lf\n"
        b"w0EkjqF7xB4FivAxzic30tMM4GF+hR6Dxh71Z50VGGdldkkDXZCnTNnoXQ==\n"
        b"-----END PUBLIC KEY-----\n"
    )
    assert isinstance(key, ec.EllipticCurvePublicKey)
    half = len(published) // 2
    as_der = encode_dss_signature(int.from_bytes(published[:half]), int.from_bytes(published[half:]))
    key.verify(as_der, base, ec.ECDSA(hashes.SHA256()))
    with pytest.raises(InvalidSignature):
        key.verify(as_der, base.replace(b"503", b"200"), ec.ECDSA(hashes.SHA256()))


def test_content_digest_vectors() -> None:
    """RFC 9530, appendix D and B.1."""
    assert digests.of(b'{"hello": "world"}\n') == "sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:"
    assert digests.of(b"") == "sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:"
    digests.check("sha-512=:AAAA:, sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:", b'{"hello": "world"}\n')
    with pytest.raises(digests.BadDigest):
        digests.check("sha-512=:AAAA:", b"")


# Our own messages


def signer(seed: bytes = SEED, tag: str = TAG) -> Signer:
    return Signer(suite=ED25519, seed=seed, key_id="TJU/ed25519-sha256-blake3/00", tag=tag)


def a_request(body: bytes = BODY, now: int = NOW, nonce: str = NONCE, by: Signer | None = None) -> Request:
    bare = Request(
        method="PATCH", target=TARGET, headers={"content-type": "application/msgpack", "upload-offset": "4096"}
    )
    return sign.request(by or signer(), bare, body, now=now, nonce=nonce, more=BOUND)


def accept(request: Request, body: bytes = BODY, now: float = NOW, seed: bytes = SEED) -> verify.Claim:
    claim = verify.request(request, TAG, BOUND)
    verify.genuine(claim, ED25519, ED25519.public(seed))
    verify.fresh(claim, now)
    verify.body(request, body)
    return claim


def without(request: Request, *names: str) -> Request:
    """The request, its signature made anew as if these components had been left out."""
    kept = [name for name in (*sign.OF_REQUEST, *BOUND) if name not in names]
    params = dict(fields.inner_lists(request.headers[sign.INPUT])["tianlu"].params)
    return resigned(request, kept, params)


def resigned(request: Request, covered: list[str], params: dict[str, Any]) -> Request:
    inner = fields.InnerList(tuple(fields.Item(name) for name in covered), tuple(params.items()))
    signature = ED25519.sign(SEED, message.base(request, inner))
    return with_headers(request, {sign.INPUT: f"tianlu={inner}", sign.SIGNATURE: f"tianlu={fields.bare(signature)}"})


def with_headers(request: Request, headers: dict[str, str]) -> Request:
    return dataclasses.replace(request, headers=request.headers | headers)


def with_param(request: Request, **changed: Any) -> Request:
    """Signed with other parameters; None leaves one out."""
    params = dict(fields.inner_lists(request.headers[sign.INPUT])["tianlu"].params) | changed
    kept = {name: value for name, value in params.items() if value is not None}
    return resigned(request, [*sign.OF_REQUEST, *BOUND], kept)


def test_signed_request_is_accepted_and_says_who_and_when() -> None:
    claim = accept(a_request())
    assert (claim.key_id, claim.nonce, claim.created) == ("TJU/ed25519-sha256-blake3/00", NONCE, NOW)
    assert claim.expires - claim.created == 60
    accept(a_request(b""), b"")
    accept(without(a_request()))  # the tests' own way of signing is right, so what they refuse they refuse for cause


def add_label(request: Request) -> Request:
    """A stranger adds a signature of its own with our tag."""
    theirs = a_request(by=dataclasses.replace(signer(OTHER), label="other"))
    return with_headers(
        request, {name: f"{request.headers[name]}, {theirs.headers[name]}" for name in (sign.INPUT, sign.SIGNATURE)}
    )


def double(name: str) -> Callable[[Request], Request]:
    return lambda request: with_headers(request, {name: f"{request.headers[name]}, {request.headers[name]}"})


def replaced(name: str, old: str, new: str) -> Callable[[Request], Request]:
    def change(request: Request) -> Request:
        assert old in request.headers[name]
        return with_headers(request, {name: request.headers[name].replace(old, new)})

    return change


def dropped(name: str) -> Callable[[Request], Request]:
    return lambda request: dataclasses.replace(
        request, headers={key: value for key, value in request.headers.items() if key != name}
    )


HOSTILE: dict[str, tuple[Callable[[Request], Request], type[Refused]]] = {
    "another method": (lambda r: dataclasses.replace(r, method="PUT"), BadSignature),
    "another path": (lambda r: dataclasses.replace(r, target=TARGET.replace("00ff", "00fe")), BadSignature),
    "another query": (lambda r: dataclasses.replace(r, target=TARGET.replace("part=2", "part=3")), BadSignature),
    "another host": (lambda r: dataclasses.replace(r, target=TARGET.replace("centre", "other")), BadSignature),
    "another scheme": (lambda r: dataclasses.replace(r, target=TARGET.replace("https", "http")), BadSignature),
    "another digest": (lambda r: with_headers(r, {digests.FIELD: digests.of(b"{}")}), BadSignature),
    "a covered field changed": (lambda r: with_headers(r, {"upload-offset": "0"}), BadSignature),
    "a covered field gone": (dropped("upload-offset"), BadMessage),
    "no digest": (dropped(digests.FIELD), BadMessage),
    "no input": (dropped(sign.INPUT), BadSignature),
    "no signature": (dropped(sign.SIGNATURE), BadSignature),
    "the wrong label": (replaced(sign.SIGNATURE, "tianlu=", "other="), BadSignature),
    "a shortened signature": (replaced(sign.SIGNATURE, "==:", ":"), Refused),
    "two signatures with our tag": (add_label, BadSignature),
    "a label twice in the input": (double(sign.INPUT), BadField),
    "a label twice in the signature": (double(sign.SIGNATURE), BadField),
    "the method uncovered": (lambda r: without(r, "@method"), BadSignature),
    "the host uncovered": (lambda r: without(r, "@authority"), BadSignature),
    "the address uncovered": (lambda r: without(r, "@target-uri"), BadSignature),
    "the digest uncovered": (lambda r: without(r, digests.FIELD), BadSignature),
    "a field of meaning uncovered": (lambda r: without(r, "upload-offset"), BadSignature),
    "the method only": (lambda r: without(r, *sign.OF_REQUEST[1:], *BOUND), BadSignature),
    "a component taken out of the list": (replaced(sign.INPUT, ' "@authority"', ""), BadSignature),
    "a component twice": (replaced(sign.INPUT, '"@method"', '"@method" "@method"'), BadMessage),
    "another key id": (replaced(sign.INPUT, "TJU/", "PKU/"), BadSignature),
    "a later expiry": (replaced(sign.INPUT, str(NOW + 60), str(NOW + 59)), BadSignature),
    "another nonce": (replaced(sign.INPUT, NONCE, "m" * 24), BadSignature),
    "no nonce": (lambda r: with_param(r, nonce=None), BadSignature),
    "a short nonce": (lambda r: with_param(r, nonce="n"), BadSignature),
    "no created": (lambda r: with_param(r, created=None), BadSignature),
    "no expires": (lambda r: with_param(r, expires=None), BadSignature),
    "created as text": (lambda r: with_param(r, created=str(NOW)), BadSignature),
    "a life of an hour": (lambda r: with_param(r, expires=NOW + 3600), BadSignature),
    "expires before created": (lambda r: with_param(r, expires=NOW - 1), BadSignature),
    "no key id": (lambda r: with_param(r, keyid=None), BadSignature),
    "no alg": (lambda r: with_param(r, alg=None), BadSignature),
    "another alg": (lambda r: with_param(r, alg="hmac-sha256"), BadSignature),
    "no tag": (lambda r: with_param(r, tag=None), BadSignature),
    "for another node": (lambda r: with_param(r, tag="tianlu-1 PKU"), BadSignature),
    "20 hours old": (lambda r: a_request(now=NOW - 20 * 3600), Skewed),
    "just expired": (lambda r: a_request(now=NOW - 61), Skewed),
    "of the future": (lambda r: a_request(now=NOW + 6), Skewed),
    "a foreign key": (lambda r: a_request(by=signer(OTHER)), BadSignature),
    "a parameter nobody knows": (replaced(sign.INPUT, '"@method"', '"@method" "@path";x=1'), BadMessage),
    "a component nobody knows": (replaced(sign.INPUT, '"@method"', '"@method" "@x"'), BadMessage),
    "an answer's component": (replaced(sign.INPUT, '"@method"', '"@method" "@status"'), BadMessage),
    "a line end in a field": (lambda r: with_headers(r, {"content-type": 'a\n"@method": GET'}), BadMessage),
    "user and password in the address": (
        lambda r: dataclasses.replace(r, target=TARGET.replace("https://", "https://u:p@")),
        BadMessage,
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_not_as_signed_is_refused(name: str) -> None:
    change, error = HOSTILE[name]
    with pytest.raises(error):
        accept(change(a_request()))


def test_changed_body_is_refused() -> None:
    for body in (BODY + b" ", b"", BODY[:-1]):
        with pytest.raises(digests.BadDigest):
            accept(a_request(), body)


def test_a_signature_for_somebody_else_beside_ours_does_no_harm() -> None:
    """A proxy may sign too (RFC 9421, 4.3)."""
    theirs = a_request(by=dataclasses.replace(signer(OTHER, tag="proxy"), label="proxy"))
    ours = a_request()
    both = {name: f"{theirs.headers[name]}, {ours.headers[name]}" for name in (sign.INPUT, sign.SIGNATURE)}
    assert accept(with_headers(ours, both)).label == "tianlu"


def an_answer(request: Request, status: int = 200, body: bytes = b"ok") -> Response:
    bare = Response(status=status, request=request, headers={"content-type": "application/msgpack"})
    return sign.response(signer(OTHER, "tianlu-1 TJU"), bare, body, now=NOW, answered="tianlu", more=("content-type",))


def accept_answer(answer: Response, request: Request, body: bytes = b"ok") -> None:
    seen = dataclasses.replace(answer, request=request)
    claim = verify.response(seen, "tianlu-1 TJU", BOUND, "tianlu")
    verify.genuine(claim, ED25519, ED25519.public(OTHER))
    verify.body(seen, body)


def test_answer_holds_for_its_request_alone() -> None:
    request = a_request()
    accept_answer(an_answer(request), request)
    for other in (
        a_request(nonce="m" * 24),
        a_request(b"{}"),
        a_request(now=NOW + 1),
        dataclasses.replace(request, target=TARGET + "0"),
    ):
        with pytest.raises(Refused):
            accept_answer(an_answer(request), other)
    for changed in (
        dataclasses.replace(an_answer(request), status=204),
        dataclasses.replace(an_answer(request), headers=an_answer(request).headers | {"upload-offset": "9"}),
        dataclasses.replace(an_answer(request), headers=an_answer(request).headers | {"content-type": "text/html"}),
        dataclasses.replace(an_answer(request), headers={}),
    ):
        with pytest.raises(Refused):
            accept_answer(changed, request)
    with pytest.raises(digests.BadDigest):
        accept_answer(an_answer(request), request, b"no")


@pytest.mark.parametrize("left_out", sign.of_answered("tianlu"), ids=str)
def test_answer_that_leaves_its_request_open_is_refused(left_out: fields.Item) -> None:
    request = a_request()
    answer = an_answer(request)
    covered = fields.inner_lists(answer.headers[sign.INPUT])["tianlu"]
    fewer = fields.InnerList(tuple(item for item in covered.items if item != left_out), covered.params)
    signature = ED25519.sign(OTHER, message.base(answer, fewer))
    told = {sign.INPUT: f"tianlu={fewer}", sign.SIGNATURE: f"tianlu={fields.bare(signature)}"}
    with pytest.raises(BadSignature, match="must cover"):
        accept_answer(dataclasses.replace(answer, headers=answer.headers | told), request)


# A foreign implementation


@dataclasses.dataclass
class Foreign:
    """A message as `http_message_signatures` takes it."""

    method: str
    url: str
    headers: dict[str, str]


@dataclasses.dataclass
class ForeignAnswer:
    status_code: int
    request: Foreign
    headers: dict[str, str]
    url: str = ""


KEYS = MappingKeyResolver(
    public_keys={signer().key_id: Ed25519PublicKey.from_public_bytes(ED25519.public(SEED))},
    private_keys={signer().key_id: Ed25519PrivateKey.from_private_bytes(SEED)},
)


def test_a_foreign_peer_verifies_what_we_sign() -> None:
    created = int(datetime.now(UTC).timestamp())
    request = a_request(now=created)
    verifier = HTTPMessageVerifier(signature_algorithm=algorithms.ED25519, key_resolver=KEYS)
    foreign = Foreign(request.method, request.target, dict(request.headers))
    (result,) = verifier.verify(
        foreign,
        expect_tag=TAG,
        require_components=("@method", "@authority", "@target-uri", "content-digest"),
        body=BODY,
    )
    assert (result.nonce, result.body) == (NONCE, BODY)
    answer = sign.response(signer(), Response(status=409, request=request), b"no", now=created, answered="tianlu")
    seen = ForeignAnswer(answer.status, foreign, dict(answer.headers))
    (result,) = verifier.verify(
        seen, expect_tag=TAG, require_components=("@status", '"signature";req;key="tianlu"'), body=b"no"
    )
    assert result.body == b"no"


def test_we_verify_what_a_foreign_peer_signs() -> None:
    foreign = Foreign("POST", TARGET, {"Content-Type": "application/msgpack"})
    HTTPMessageSigner(signature_algorithm=algorithms.ED25519, key_resolver=KEYS).sign(
        foreign,
        key_id=signer().key_id,
        created=datetime.fromtimestamp(NOW, UTC),
        expires=datetime.fromtimestamp(NOW + 30, UTC),
        nonce=NONCE,
        tag=TAG,
        covered_component_ids=("content-type", "@target-uri", "@authority", "@method", "content-digest"),
        body=BODY,
    )
    assert "sha-256" in foreign.headers["Content-Digest"]
    request = Request(method="POST", target=TARGET, headers=message.headers(foreign.headers.items()))
    claim = accept(request)
    assert (claim.label, claim.expires) == ("pyhms", NOW + 30)
    with pytest.raises(BadSignature):
        accept(dataclasses.replace(request, method="PUT"))


# Structured fields


@pytest.mark.parametrize(
    "text",
    [
        "a", "a=", "=:AA==:", "A=:AA==:", "a=:AA==:,", "a=:AA==:, ", "a=:AA==: b=:AA==:", "a=:A A=:", "a=:AA", "a=:A:",
        "a=:AA==:;x", "a=AA", ",a=:AA==:", "a=:AA==:,,b=:AA==:", "a=:AA==:\x00", "ａ=:AA==:",
        ", ".join(f"a{n}=:AA==:" for n in range(9)), "a=:" + "A" * 9000 + ":",
    ],
)  # fmt: skip
def test_malformed_dictionary_is_refused(text: str) -> None:
    with pytest.raises(BadField):
        fields.byte_sequences(text)


@pytest.mark.parametrize(
    "text",
    [
        "a=(", "a=()x", "a=(x)", 'a=("x""y")', 'a=("x"', 'a=("x\\y")', 'a=("é")', 'a=("x");b=1.5', 'a=("x");b=1e3',
        'a=("x");b=', 'a=("x");B=1', 'a=("x");b=1;b=2', 'a=("x";y;y)', 'a=("x");b=?2', 'a=("x");b=9999999999999999',
        "a=" + "(" * 50, "a=(" + '"x" ' * 40 + ")",
    ],
)  # fmt: skip
def test_malformed_input_is_refused(text: str) -> None:
    with pytest.raises(BadField):
        fields.inner_lists(text)


def test_fields_are_written_back_in_canonical_form() -> None:
    told = 'a=(  "@method"   "x";req;key="k\\"" );created=1; keyid="b\\\\";q;z=?0;y=:AQ==:'
    assert str(fields.inner_lists(told)["a"]) == (
        '("@method" "x";req;key="k\\"");created=1;keyid="b\\\\";q;z=?0;y=:AQ==:'
    )


@given(st.text(alphabet='ab=(), ;:"\\?01A-@\t', max_size=60))
def test_no_field_does_more_than_be_refused(text: str) -> None:
    for read in (fields.inner_lists, fields.byte_sequences):
        try:
            found = read(text)
        except BadField:
            continue
        for value in found.values():
            again = fields.bare(value) if isinstance(value, bytes) else str(value)
            assert read(f"k={again}") == {"k": value}


def test_unknown_suite_is_refused_by_name() -> None:
    with pytest.raises(suites.UnknownSuite, match="sm2-sm3"):
        suites.named("sm2-sm3")
    with pytest.raises(suites.UnknownSuite):
        suites.numbered(9)
    assert suites.named("ed25519-sha256-blake3") is suites.numbered(1)
    assert not ED25519.verify(b"short", b"", b"")
