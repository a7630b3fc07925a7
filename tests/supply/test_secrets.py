"""The scan for secrets finds every planted one, tells none of them, and finds the checkout itself clean.

Nothing here is a secret, and none of it stands here in one piece: the scan reads this file too.
"""

from __future__ import annotations

import base64
import hashlib
import subprocess
from pathlib import Path

import pytest

from config.secret import Secret
from exchange import codes
from exchange.codes import Code
from protocols.suites import ED25519
from services.access import keys, passwords
from tests.supply import secrets
from tests.supply.locked import ROOT


def random(length: int, alphabet: str, salt: str = "") -> str:
    """Text that looks random and is the same each time."""
    digits = int.from_bytes(hashlib.shake_256(f"planted {length} {alphabet} {salt}".encode()).digest(length), "big")
    text = ""
    for _ in range(length):
        digits, at = divmod(digits, len(alphabet))
        text += alphabet[at]
    return text


LOWER = "abcdefghijklmnopqrstuvwxyz"
UPPER = LOWER.upper()
DIGITS = "0123456789"
BASE32 = UPPER + "234567"
BASE64 = UPPER + LOWER + DIGITS
LETTERS = passwords.LETTERS  # of what a node gives out
CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
KEY = base64.b64encode(hashlib.shake_256(b"no key at all").digest(90)).decode()
PEM = "-----BEGIN {}PRIVATE " + "KEY-----"
PASSWORD = random(20, BASE64 + "!#%")

PLANTED = {
    "private-key": [
        f"{PEM.format('')}\n{KEY[:64]}\n{KEY[64:]}\n-----END PRIVATE " + "KEY-----",
        f"{PEM.format('RSA ')}\n{KEY}",
        f"{PEM.format('EC ')}\r\n{KEY}",
        f"{PEM.format('OPENSSH ')}\n{KEY}",
        f'key = b"{PEM.format("")}\\n{KEY}"',
        f'    "{PEM.format("")}\\n"\n    "{KEY}"',
    ],
    "tianlu-key": ["tl" + f"k_{random(8, BASE32.lower())}_{random(26, BASE32.lower())}"],
    "tianlu-password": ["-".join(random(5, LETTERS, str(n)) for n in range(5))],
    "tianlu-code": ["TIAN" + "LU1-" + "-".join(random(5, CROCKFORD, str(n)) for n in range(24))],
    "totp": [f"otpauth://totp/Tianlu:wang?secr{''}et={random(32, BASE32)}&issuer=Tianlu"],
    "password-hash": [
        f"$argon2{''}id$v=19$m=19456,t=2,p=1${random(22, BASE64)}${random(43, BASE64)}",
        f"$2{''}b$12${random(53, BASE64)}",
        f"${''}6${random(86, BASE64)}",
    ],
    "aws": ["AK" + "IA" + random(16, UPPER + DIGITS)],
    "alibaba": ["LT" + "AI" + random(20, BASE64)],
    "tencent": ["AK" + "ID" + random(32, BASE64)],
    "github": ["gh" + "p_" + random(36, BASE64), "github" + "_pat_" + random(82, BASE64)],
    "gitlab": ["gl" + "pat-" + random(20, BASE64)],
    "slack": ["xo" + "xb-" + random(40, BASE64), "https://hooks.slack.com/serv" + "ices/" + random(44, BASE64)],
    "google": ["AI" + "za" + random(35, BASE64)],
    "pypi": ["py" + "pi-" + random(120, BASE64)],
    "npm": ["np" + "m_" + random(36, BASE64)],
    "stripe": ["sk" + "_live_" + random(24, BASE64)],
    "model-service": ["s" + "k-ant-" + random(48, BASE64)],
    "hugging-face": ["h" + "f_" + random(34, BASE64)],
    "jwt": ["ey" + "J" + random(20, BASE64) + ".ey" + "J" + random(60, BASE64) + "." + random(43, BASE64)],
    "address-password": [
        f"postgresql://tianlu:{PASSWORD}@db.example.org/tianlu",
        f"http://me:{PASSWORD}@[::1]:8080/",
        f"PROXY=https://who:{PASSWORD}@proxy.example.org",
    ],
    "assignment": [
        f'password = "{PASSWORD}"',
        f"password = '{PASSWORD}'",
        f'PASSWORD: str = "{PASSWORD}"',
        f'db_password="{PASSWORD}"',
        f'{{"password": "{PASSWORD}"}}',
        f'headers = {{"api-key": "{PASSWORD}"}}',
        f'connect(token="{random(40, DIGITS + "abcdef")}")',
        f'  client_secret: "{random(32, BASE64)}"',
        f"export DB_PASSWORD={random(24, BASE64)}",
        f"TIANLU_TOKEN={random(24, BASE64)}",
        f"signing_key: {random(44, BASE64)}",
        f'CANARY_TOKEN = b"{random(24, BASE64)}"',
    ],
}
INNOCENT = [
    'password = "correct-horse-battery"',
    'password = getpass.getpass("password")',
    'token = request.cookies["__Host-tianlu"]',
    'password_file = "/etc/tianlu/database.password"',
    'secret_file = "secrets/database.txt"',
    'token_url = "https://example.org/oauth/token"',
    'password: str = ""',
    'token = f"{prefix}_{secret}"',
    'error = "password too short"',
    "postgresql://user:password@host/name",
    "postgresql://tianlu:***@db/tianlu",
    'f"postgresql://{user}:{password}@{host}/{name}"',
    "token = secrets.token_urlsafe(32)",
    "-----BEGIN PRIVATE " + "KEY-----",
    "--hash=sha256:065665c041c42a5938ed220bdcd7230f22527fbec085e1853d2402c8a3615d9d",
    'password = "aaaaaaaaaaaaaaaaaaaa"',
    '"password": "password-of-the-account"',
    'resumption_token = "not-a-token"',
    "passwords: argon2id, three passes",
]
ALL = [(rule, text) for rule, texts in PLANTED.items() for text in texts]


@pytest.mark.parametrize(("rule", "text"), ALL, ids=[f"{rule}-{n}" for n, (rule, _) in enumerate(ALL)])
def test_planted_secret_is_found_where_it_is(rule: str, text: str) -> None:
    found = secrets.scan("config/a.py", f"first line\n\n{text}\nlast line\n")
    assert rule in {each.rule for each in found}, found
    assert {each.line for each in found} <= {3, 4}


def test_what_a_node_gives_out_is_found_whatever_it_is() -> None:
    for n in range(50):
        made = passwords.make().reveal()
        assert [each.rule for each in secrets.scan("a.md", f"The password is {made}, said init.")] == [
            "tianlu-password"
        ]
        key = f"tlk_{random(keys.PREFIX_LENGTH, LETTERS, str(n))}_{random(keys.SECRET_LENGTH, LETTERS, str(n))}"
        assert keys.SHAPE.fullmatch(key)
        secret = Secret(hashlib.sha256(f"invented {n}".encode()).hexdigest()[:32])
        code = Code(address="http://a.example/", symbol="A", suite=ED25519, fingerprint=bytes(16), secret=secret)
        assert [each.rule for each in secrets.scan("a.md", f"tianlu join {codes.write(code)}")] == ["tianlu-code"]
        assert [each.rule for each in secrets.scan("a.md", f"curl -H 'Authorization: Bearer {key}'")] == ["tianlu-key"]


def test_every_rule_has_a_planted_secret() -> None:
    assert set(PLANTED) == {*secrets.SHAPES, "assignment"}


@pytest.mark.parametrize("text", INNOCENT)
def test_what_is_no_secret_is_left_alone(text: str) -> None:
    assert secrets.scan("config/a.py", f"{text}\n") == []


def test_what_is_found_is_not_told() -> None:
    told = " ".join(str(each) for _, text in ALL for each in secrets.scan("a.py", text))
    assert PASSWORD not in told
    assert KEY[:20] not in told


def test_checkout_is_clean() -> None:
    found = secrets.scan_files(ROOT, secrets.tracked(ROOT))
    bad, stale = secrets.judge(found, secrets.allowed())
    assert [str(each) for each in bad] == []
    assert stale == []


def test_planted_files_are_found_also_in_what_is_not_text(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    (tmp_path / ".gitignore").write_text("ignored\n", encoding="utf-8")
    (tmp_path / "binary").write_bytes(b"\0\1\xff" + PLANTED["aws"][0].encode() + b"\0")
    (tmp_path / "new.toml").write_text(f"{PLANTED['tianlu-key'][0]}\n", encoding="utf-8")
    (tmp_path / "ignored").write_text(f"{PLANTED['tianlu-key'][0]}\n", encoding="utf-8")
    (tmp_path / "gb18030.txt").write_bytes(f"密码 {PLANTED['github'][0]}".encode("gb18030"))
    subprocess.run(["git", "add", "binary", ".gitignore"], cwd=tmp_path, check=True)
    found = secrets.scan_files(tmp_path, secrets.tracked(tmp_path))
    assert [(each.file, each.rule) for each in found] == [
        ("binary", "aws"),
        ("gb18030.txt", "github"),
        ("new.toml", "tianlu-key"),
    ]


def test_exception_is_for_one_text_in_one_file() -> None:
    one, other = (secrets.scan("a.py", text)[0] for text in PLANTED["github"])
    elsewhere = secrets.scan("b.py", PLANTED["github"][0])[0]
    allow = secrets.Allowed(file=one.file, rule=one.rule, digest=one.digest, reason="made up")
    assert secrets.judge([one], [allow]) == ([], [])
    assert secrets.judge([one, other, elsewhere], [allow]) == ([other, elsewhere], [])


def test_exception_that_nothing_needs_is_told() -> None:
    allow = secrets.Allowed(file="a.py", rule="aws", digest="0" * 16, reason="gone")
    assert secrets.judge([], [allow]) == ([], [allow])


def test_no_checkout_is_unknown_and_no_pass(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(secrets, "ROOT", tmp_path)
    assert secrets.main() == 3
    assert "UNKNOWN, which is no pass" in capsys.readouterr().err
