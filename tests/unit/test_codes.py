"""One-time codes as people print, mail and type them, and the node's key in its file."""

from __future__ import annotations

import stat
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.errors import Misconfigured
from config.secret import Secret
from exchange import codes, keys
from exchange.codes import Code, Mistyped, NotACode
from exchange.keys import Keyring, Succession
from protocols.suites import ED25519

CODE = Code(
    address="http://union.example:8080/",
    symbol="CENTRE",
    suite=ED25519,
    fingerprint=bytes(range(16)),
    secret=Secret("00112233445566778899aabbccddeeff"),
)


def test_code_survives_mail_capitals_and_lookalikes() -> None:
    text = codes.write(CODE)
    assert text.startswith("TIANLU1-")
    assert len(text) < 160
    assert codes.read(text) == CODE
    folded = text.lower().replace("-", " ")
    assert codes.read(f"  {folded[:40]}\n{folded[40:]}\n") == CODE
    head, _, tail = text.partition("-")
    assert codes.read(f"{head}-{tail.replace('0', 'O').replace('1', 'l')}") == CODE
    assert CODE.secret.reveal() not in repr(CODE)


@given(
    st.text(st.characters(codec="utf-8"), min_size=1, max_size=60),
    st.binary(min_size=16, max_size=16),
    st.binary(min_size=16, max_size=16),
)
def test_every_code_reads_back(address: str, fingerprint: bytes, secret: bytes) -> None:
    code = Code(address=address, symbol="X", suite=ED25519, fingerprint=fingerprint, secret=Secret(secret.hex()))
    assert codes.read(codes.write(code)) == code


def test_every_wrong_missing_or_swapped_character_is_noticed() -> None:
    text = codes.write(CODE).replace("-", "")
    for at in range(len(codes.PREFIX), len(text)):
        others = [text[:at] + other + text[at + 1 :] for other in codes.ALPHABET]
        swapped = text[:at] + text[at : at + 2][::-1] + text[at + 2 :]
        for wrong in (*others, text[:at] + text[at + 1 :], swapped):
            if wrong != text:
                with pytest.raises(Mistyped):
                    codes.read(wrong)


@pytest.mark.parametrize("text", ["", "hello", "TIANLU9-ABCDE", "x" * 5000, "TIANLU1" + "A" * 5000])
def test_what_is_no_code_is_told_apart(text: str) -> None:
    with pytest.raises(NotACode) as caught:
        codes.read(text)
    assert caught.value.exit_code == 2


@pytest.mark.parametrize("text", ["TIANLU1", "TIANLU1-", "TIANLU1-AAAA", "TIANLU1-U", "TIANLU1-天禄"])
def test_part_of_a_code_is_a_typing_error(text: str) -> None:
    with pytest.raises(Mistyped):
        codes.read(text)


def test_ticket_is_made_of_the_secret_and_the_claim_names_the_key() -> None:
    seed, public = codes.ticket(CODE.secret, ED25519)
    assert ED25519.public(seed) == public
    assert seed != bytes.fromhex(CODE.secret.reveal())
    assert codes.ticket(Secret("01" * 16), ED25519)[1] != public
    claims = {codes.claim(p, s, k) for p in (b"p", b"q") for s in ("TJU", "PKU") for k in (b"k", b"l")}
    assert len(claims) == 8


def test_key_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "node.key"
    key = Keyring(path).key()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert Keyring(path).key() == key
    assert key.seed.reveal() not in repr(key)
    assert ED25519.verify(key.public, b"x", key.sign(b"x"))
    assert [each.name for each in tmp_path.iterdir()] == ["node.key"]


def test_change_of_key_is_seen_by_a_ring_that_is_open(tmp_path: Path) -> None:
    ring, other = Keyring(tmp_path / "node.key"), Keyring(tmp_path / "node.key")
    old = ring.key()
    new = other.change("TJU")
    assert ring.key() == new != old
    assert stat.S_IMODE(ring.path.stat().st_mode) == 0o600


def test_heir_is_whom_the_known_key_named(tmp_path: Path) -> None:
    ring = Keyring(tmp_path / "node.key")
    known = [ring.key(), ring.change("TJU"), ring.change("TJU"), ring.change("TJU")]
    text = keys.announced(known[-1])
    for each in known:
        assert keys.heir(text, "TJU", ED25519.name, each.public) == (ED25519.name, known[-1].public)
    stranger = Keyring(tmp_path / "other.key").key()
    assert keys.heir(text, "TJU", ED25519.name, stranger.public)[1] == stranger.public
    assert keys.heir(text, "PKU", ED25519.name, known[0].public)[1] == known[0].public
    assert keys.announced(known[0]) == ""


@pytest.mark.parametrize("text", ["", "!", "AAAA", "A" * 9999, "wQ=="])
def test_what_is_no_succession_names_nobody(text: str) -> None:
    assert keys.heir(text, "TJU", ED25519.name, b"k") == (ED25519.name, b"k")


def test_forged_succession_names_nobody(tmp_path: Path) -> None:
    old, thief = Keyring(tmp_path / "old.key").key(), Keyring(tmp_path / "thief.key").key()
    bare = Succession("TJU", ED25519.name, old.public, ED25519.name, thief.public)
    forged = msgspec.structs.replace(bare, signature=thief.sign(bare.signed))
    text = keys.announced(keys.Key(suite=ED25519, seed=thief.seed, public=thief.public, successions=(forged,)))
    assert keys.heir(text, "TJU", ED25519.name, old.public)[1] == old.public


@pytest.mark.parametrize("content", [b"", b"{}", b"\xff", b'{"suite":"ed25519-sha256-blake3","seed":"00"}'])
def test_damaged_key_file_is_named_and_never_replaced(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "node.key"
    path.write_bytes(content)
    with pytest.raises(Misconfigured, match=r"node\.key"):
        Keyring(path).key()
    assert path.read_bytes() == content
