"""Access as values: one-time codes, good passwords, pauses, form tokens, seals, QR codes, who may give which role."""

from __future__ import annotations

import asyncio
import hashlib
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from config.errors import Misconfigured, Retry
from services.access import attempts, csrf, giving, keeping, passwords, qr, sealed, totp
from services.access.accounts import Account
from services.access.policy import ALL, DUTIES, Actor, Grant, Role

# RFC 6238, appendix B: seconds since the epoch, and the 8-digit code with SHA-1.
RFC_SECRET = b"12345678901234567890"
RFC_CODES = (
    (59, "94287082"), (1111111109, "07081804"), (1111111111, "14050471"), (1234567890, "89005924"),
    (2000000000, "69279037"), (20000000000, "65353130"),
)  # fmt: skip
GOOD = "correct horse battery staple"


@pytest.mark.parametrize(("seconds", "code"), RFC_CODES)
def test_codes_are_those_of_the_standard(seconds: int, code: str) -> None:
    at = datetime.fromtimestamp(seconds, UTC)
    assert totp.code(RFC_SECRET, totp.step(at), digits=8) == code
    assert totp.matching(RFC_SECRET, code[2:], at) == totp.step(at)


def test_a_code_counts_in_its_step_and_those_beside_it() -> None:
    at = datetime(2026, 11, 21, 12, 0, 15, tzinfo=UTC)
    code = totp.code(RFC_SECRET, totp.step(at))
    assert totp.matching(RFC_SECRET, f" {code[:3]} {code[3:]}", at + timedelta(seconds=30)) == totp.step(at)
    assert totp.matching(RFC_SECRET, code, at - timedelta(seconds=30)) == totp.step(at)
    assert totp.matching(RFC_SECRET, code, at + timedelta(seconds=60)) is None
    assert totp.matching(RFC_SECRET, code, at - timedelta(seconds=60)) is None
    for wrong in ("", "000000", "１２３４５６", code[:5], f"{code}0"):
        assert wrong == code or totp.matching(RFC_SECRET, wrong, at) is None


def test_the_address_for_authenticator_apps_names_node_and_account() -> None:
    made = totp.uri(RFC_SECRET, "Tianlu CN-TJU", "编目-1")
    assert made.startswith("otpauth://totp/Tianlu%20CN-TJU%3A%E7%BC%96%E7%9B%AE-1?")
    assert "secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ" in made and "issuer=Tianlu%20CN-TJU" in made


@pytest.mark.parametrize(
    ("password", "why"),
    [
        ("short-ürgh", "short"),
        ("a" * 129, "long"),
        ("abcabcabcabc", "few"),
        ("123456789012", "common"),
        ("password1234!", "common"),
        ("P@ssw0rd-2026", "common"),
        ("qwertyuiop123", "common"),
        ("woaini1314520", "common"),
        ("tushuguan2026", "common"),
        ("Tianlu-2026-TJU", "known"),
        ("bianmu-1-cntju", "known"),
        ("天津大学图书馆123456", "known"),
        (GOOD, ""),
        ("夜半钟声到客船，江枫渔火", ""),
        ("Tr0ub4dor&3xyz", ""),
    ],
)
def test_a_password_is_good_if_it_is_long_and_not_tried_first(password: str, why: str) -> None:
    about = ("bianmu-1", "cn-tju", "CNTJU", "天津大学图书馆", "Tianlu")
    assert passwords.objection(password, about) == why


def test_full_width_signs_are_the_same_password() -> None:
    kept = passwords.shroud("ｃｏｒｒｅｃｔ horse battery staple")
    assert asyncio.run(passwords.right(GOOD, kept))


def test_passwords_that_are_made_are_good_and_have_more_than_100_bits() -> None:
    made = {passwords.make().reveal() for _ in range(50)}
    assert len(made) == 50
    assert not any(passwords.objection(each) for each in made)
    assert all(set(each) <= {*passwords.LETTERS, "-"} for each in made)
    assert len(passwords.LETTERS) ** (passwords.GROUPS * passwords.GROUP) > 2**100


def test_a_password_is_kept_as_argon2id_and_only_itself_is_right() -> None:
    kept, again = passwords.shroud(GOOD), passwords.shroud(GOOD)
    assert kept.startswith("$argon2id$v=19$m=47104,t=2,p=1$") and kept != again and not passwords.outdated(kept)

    async def look() -> list[bool]:
        return [await passwords.right(each, kept) for each in (GOOD, f"{GOOD} ", GOOD.upper(), "", "x" * 100_000)]

    assert asyncio.run(look()) == [True, False, False, False, False]
    assert passwords.outdated(kept.replace("m=47104", "m=19456"))


def test_without_an_account_as_much_is_done_and_nothing_is_right(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []
    verify = passwords._verify

    def noted(password: str, kept: str) -> bool:
        seen.append(kept.rsplit("$", 2)[0])
        return verify(password, kept)

    monkeypatch.setattr(passwords, "_verify", noted)

    async def look() -> tuple[bool, bool]:
        return await passwords.right(GOOD, passwords.shroud(GOOD)), await passwords.right(GOOD, "")

    assert asyncio.run(look()) == (True, False)
    assert seen[0] == seen[1] == "$argon2id$v=19$m=47104,t=2,p=1"


def test_where_too_many_wait_one_is_sent_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "WAITING", 1)
    kept = passwords.shroud(GOOD)

    async def crowd() -> list[object]:
        asked = (passwords.right(GOOD, kept) for _ in range(8))
        return list(await asyncio.gather(*asked, return_exceptions=True))

    found = asyncio.run(crowd())
    assert found.count(True) == 3
    assert sum(isinstance(each, Retry) for each in found) == 5


def test_each_try_that_locks_doubles_the_pause_and_time_takes_tries_away() -> None:
    assert [attempts.pause(over) // timedelta(seconds=1) for over in range(6)] == [90, 180, 360, 720, 900, 900]
    now = datetime(2026, 11, 21, tzinfo=UTC)
    assert attempts.counted_now(9, now - timedelta(minutes=4), now) == 9
    assert attempts.counted_now(9, now - timedelta(minutes=16), now) == 6
    assert attempts.counted_now(2, now - timedelta(days=1), now) == 0
    assert attempts.counted_now(2, now + timedelta(days=1), now) == 2  # a clock that was set back


def test_tries_are_counted_by_what_one_visitor_has() -> None:
    assert attempts.of_address("192.0.2.7") == attempts.of_address("::ffff:192.0.2.7") == "address:192.0.2.7"
    assert attempts.of_address("2001:db8:1:2::7") == attempts.of_address("2001:db8:1:2:ffff::1")
    assert attempts.of_address("2001:db8:1:2::7") != attempts.of_address("2001:db8:1:3::7")
    assert attempts.of_account("Ｂianmu-1 ") == attempts.of_account("bianmu-1") != attempts.of_account("bianmu-2")
    assert "hunter2" not in attempts.of_account("hunter2")  # a password in the wrong field


def test_a_form_token_belongs_to_its_session() -> None:
    assert csrf.right("session-1", csrf.token("session-1"))
    for presented in (csrf.token("session-2"), "", "x", "é"):
        assert not csrf.right("session-1", presented)
    assert "session-1" not in csrf.token("session-1")


@pytest.mark.parametrize(
    ("headers", "foreign"),
    [
        ({}, False),
        ({"Sec-Fetch-Site": "same-origin"}, False),
        ({"Sec-Fetch-Site": "none"}, False),
        ({"Sec-Fetch-Site": "same-site"}, True),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "https://a.example"}, True),
        ({"Origin": "https://A.example"}, False),
        ({"Origin": "https://a.example:443"}, False),
        ({"Origin": "http://a.example"}, True),
        ({"Origin": "https://a.example.evil"}, True),
        ({"Origin": "null"}, True),
    ],
)
def test_a_form_of_another_site_is_foreign(headers: dict[str, str], foreign: bool) -> None:
    assert csrf.foreign(headers, "https://a.example") is foreign


def test_what_is_sealed_opens_in_its_place_with_its_key_alone(tmp_path: Path) -> None:
    seal = sealed.of(tmp_path)
    closed = seal.close(RFC_SECRET, "totp:1")
    assert RFC_SECRET not in closed and closed != seal.close(RFC_SECRET, "totp:1")
    assert sealed.of(tmp_path).open(closed, "totp:1") == RFC_SECRET
    with pytest.raises(Misconfigured):
        seal.open(closed, "totp:2")
    assert stat.S_IMODE((tmp_path / sealed.FILE).stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == [sealed.FILE]
    (tmp_path / sealed.FILE).unlink()
    with pytest.raises(Misconfigured, match="backup"):
        sealed.of(tmp_path).open(closed, "totp:1")
    (tmp_path / sealed.FILE).write_text("zz")
    with pytest.raises(Misconfigured, match="damaged"):
        sealed.of(tmp_path)


# Drawn by another program (python-qrcode 8.2) for the same text: HELLO in bytes, level L, version 1, mask 3.
HELLO = [
    "111111101011101111111", "100000100011001000001",
    "101110101101001011101", "101110101100101011101",
    "101110101001001011101", "100000100111101000001",
    "111111101010101111111", "000000000001100000000",
    "111100101111110011101", "110101011001111001100",
    "001011100001000000011", "110101001101001111010",
    "100111101000100100101", "000000001001001000101",
    "111111100001100100000", "100000100110000111110",
    "101110100010111111011", "101110101101001011110",
    "101110101000101100100", "100000101000010110001",
    "111111101100010100000",
]  # fmt: skip


def test_a_qr_code_is_what_other_programs_draw() -> None:
    assert ["".join(map(str, row)) for row in qr.matrix(b"HELLO")] == HELLO
    # Versions with alignment patterns, version bits and several blocks; read by zxing-cpp 3.1 when they were noted.
    text = "otpauth://totp/Tianlu%20CN-TJU%3Aoperator?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Tianlu%20CN-TJU"
    sizes = {n: len(qr.matrix(bytes(n))) for n in (17, 18, 106, 134, 135, 500, 858)}
    assert sizes == {17: 21, 18: 25, 106: 37, 134: 41, 135: 45, 500: 77, 858: 97}
    picture = qr.svg(text)
    assert hashlib.sha256(picture).hexdigest() == "3543cfd1a39905fd8959d2436b3b7f786726a8bb5fd7b677d9c5495262b1740b"
    assert b"style" not in picture and b"script" not in picture
    with pytest.raises(ValueError, match="too many"):
        qr.matrix(bytes(859))


def an_account(number: int, *grants: tuple[Role, str], library: str = "TJU", kind: str = "staff") -> Account:
    at = datetime(2026, 11, 21, tzinfo=UTC)
    return Account(
        account=number, name=f"post-{number}", title="", library=library, kind=kind, must_change=False, state="active",
        made_at=at, made_by="os:root", password_at=at, seen_at=None, has_totp=False,
        grants=tuple(Grant(role=role, library=where) for role, where in grants),
    )  # fmt: skip


OPERATOR = an_account(1, *((each, ALL) for each in DUTIES), library="NODE")
SECURITY = an_account(2, (Role.SECURITY, ALL), library="NODE")
ADMIN = an_account(3, (Role.ADMIN, "TJU"))
CATALOGUER = an_account(4, (Role.CATALOGUER, "TJU"))
FOREIGN = an_account(5, (Role.CATALOGUER, "PKU"), library="PKU")
MIXED = an_account(6, (Role.COPYIST, "TJU"), (Role.ADMIN, "PKU"))
READER = an_account(7, (Role.READER, "TJU"), kind="reader")
AUDITOR = an_account(8, (Role.AUDITOR, ALL), library="TJU")
EVERYBODY = (OPERATOR, SECURITY, ADMIN, CATALOGUER, FOREIGN, MIXED, READER, AUDITOR)


def test_accounts_are_looked_after_by_who_reaches_all_that_they_may() -> None:
    def of(actor: Account) -> set[int]:
        return {each.account for each in EVERYBODY if giving.may_manage(actor.actor, each)}

    everybody = {each.account for each in EVERYBODY}
    assert of(OPERATOR) == of(SECURITY) == everybody
    assert of(ADMIN) == {3, 4, 7}  # not who is at home there with a duty, or with rights elsewhere
    for each in (CATALOGUER, FOREIGN, READER, AUDITOR):
        assert of(each) == set()


@pytest.mark.parametrize(
    ("actor", "account", "role", "library", "separate", "why"),
    [
        (SECURITY, CATALOGUER, Role.OPERATOR, ALL, True, ""),
        (SECURITY, SECURITY, Role.OPERATOR, ALL, False, "own"),
        (SECURITY, AUDITOR, Role.OPERATOR, ALL, True, "duties"),
        (SECURITY, AUDITOR, Role.OPERATOR, ALL, False, ""),
        (SECURITY, AUDITOR, Role.AUDITOR, ALL, True, ""),
        (ADMIN, CATALOGUER, Role.ADMIN, "TJU", False, ""),
        (ADMIN, CATALOGUER, Role.COPYIST, "PKU", False, "beyond"),
        (ADMIN, CATALOGUER, Role.OPERATOR, ALL, False, "beyond"),
        (ADMIN, CATALOGUER, Role.OPERATOR, "TJU", False, ""),
        (ADMIN, MIXED, Role.COPYIST, "TJU", False, "beyond"),
        (ADMIN, FOREIGN, Role.COPYIST, "TJU", False, "beyond"),
        (ADMIN, READER, Role.COPYIST, "TJU", False, "kind"),
        (ADMIN, CATALOGUER, Role.READER, "TJU", False, "kind"),
        (AUDITOR, CATALOGUER, Role.COPYIST, "TJU", False, "beyond"),
        (CATALOGUER, READER, Role.READER, "TJU", False, "beyond"),
    ],
)
def test_nobody_gives_what_reaches_further_than_his_own(
    actor: Account, account: Account, role: Role, library: str, separate: bool, why: str
) -> None:
    assert giving.objection(actor.actor, account, Grant(role=role, library=library), separate=separate) == why
    assert not why or why in keeping.REASONS


def test_one_time_codes_are_asked_of_those_whom_the_setting_names() -> None:
    asked = {rule: [each.account for each in EVERYBODY if each.must_have_totp(rule)] for rule in ("duties", "staff")}
    assert asked == {"duties": [1, 2, 8], "staff": [1, 2, 3, 4, 5, 6, 8]}
    assert not any(each.must_have_totp("nobody") for each in EVERYBODY)


def test_an_actor_of_the_machine_has_no_account_and_may_help_everybody() -> None:
    machine = Actor(name="os:root", grants=tuple(Grant(role=each, library=ALL) for each in DUTIES))
    assert all(giving.may_manage(machine, each) for each in EVERYBODY)
