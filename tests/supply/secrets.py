"""`./dev secrets`: secrets in files that git keeps: private keys, tokens by their shape, passwords in addresses, and
random-looking values given to names like `password` or `token`.

A scanner of our own, because our own keys and codes are what is likeliest to slip in, and the well-known Python one has
had no release since 2024. What is found and is none is listed in `allowed_secrets.toml` by file, rule and the digest of
the text, each with its reason; an entry that finds nothing any more is an error too. Findings are printed by rule,
place and digest, never in full: logs of checks are read by many.
"""

from __future__ import annotations

import hashlib
import math
import re
import subprocess
import sys
import tomllib
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.supply.locked import ROOT

ALLOWED = Path(__file__).with_name("allowed_secrets.toml")
DIGEST = 16  # hexadecimal digits of the SHA-256 of what was found
LEAST = 3.2  # bits a character, from which a value looks random; words have about 2.5 to 3
SHORTEST = 12  # characters of a value that may be a secret

# Shapes that nothing else has: what stands in the group `secret`, or the whole match.
SHAPES: dict[str, str] = {
    "private-key": r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----"
    r"(?:\s|\\n|\\r|[\"'+])+(?P<secret>[\w+/=:, -]{40,})",
    "tianlu-key": r"(?i)\btlk_[a-z0-9]{6,12}_[a-z0-9]{24,}",
    "tianlu-code": r"\bTIANLU1(?:-[0-9A-HJKMNP-TV-Z]{2,5}){8,}",
    "tianlu-password": r"\b(?:[a-hjkmnp-z2-9]{5}-){4}[a-hjkmnp-z2-9]{5}\b",  # also a reset code
    "totp": r"otpauth://[^\s\"']*[?&]secret=(?P<secret>[A-Z2-7]{16,})",
    "password-hash": r"\$(?:argon2(?:id|i|d)\$v=\d+\$[^$\s]+|2[aby]\$\d\d|6|scrypt\$[^$\s]+)"
    r"\$[\w./+]{16,}(?:\$[\w./+]{20,})?",
    "aws": r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b",
    "alibaba": r"\bLTAI[0-9A-Za-z]{12,24}\b",
    "tencent": r"\bAKID[0-9A-Za-z]{32}\b",
    "github": r"\b(?:gh[pousr]_[0-9A-Za-z]{36,}|github_pat_[0-9A-Za-z_]{60,})",
    "gitlab": r"\bgl(?:pat|dt|rt|cbt|ptt)-[\w-]{20,}",
    "slack": r"\bxox[abeoprs]-[0-9A-Za-z-]{20,}|hooks\.slack\.com/services/[\w/]{20,}",
    "google": r"\bAIza[\w-]{35}",
    "pypi": r"\bpypi-[\w-]{50,}",
    "npm": r"\bnpm_[0-9A-Za-z]{36}\b",
    "stripe": r"\b[rs]k_live_[0-9A-Za-z]{20,}",
    "model-service": r"\bsk-(?:ant-|proj-)?[\w-]{32,}",
    "hugging-face": r"\bhf_[0-9A-Za-z]{34}\b",
    "jwt": r"\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{16,}",
    "address-password": r"\b[a-z][a-z0-9+.-]{1,20}://[^\s/:@\"'<>{}]{1,60}:(?P<secret>[^\s/:@\"'<>{}$*%]{6,})@[\w\[]",
}
NAMES = r"(?:pass(?:word|wd|phrase)?|pwd|secret|token|credential|(?:api|access|private|signing)[-_]?key|canary)"
# name = "value", "name": "value", name=value at the end of a line; the name may go on (token_file is for a place).
GIVEN = (
    rf"(?i){NAMES}[\w-]{{0,20}}[\"']?\s*(?::\s*[\w.\[\]| ]+)?(?:=|:|=>)\s*"
    rf"[bru]{{0,2}}[\"'](?P<secret>[^\s\"'{{}}$]{{{SHORTEST},}})[\"']",
    rf"(?im)^[^\S\n]*(?:export\s+)?\w*{NAMES}\w{{0,20}}\s*[=:]\s*(?P<secret>[\w+/=.-]{{{SHORTEST},}})\s*$",
)
HINTS = {"private-key": "PRIVATE KEY", "totp": "otpauth", "tianlu-code": "TIANLU1"}  # most files have none of these
_SHAPES = {rule: re.compile(shape, re.ASCII) for rule, shape in SHAPES.items()}
_GIVEN = [re.compile(shape, re.ASCII) for shape in GIVEN]


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What looks like a secret."""

    file: str
    line: int
    rule: str
    digest: str  # of the text: names it without telling it

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.rule} {self.digest}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowed:
    """What is no secret though it looks like one."""

    file: str
    rule: str
    digest: str
    reason: str


def scan(file: str, text: str) -> list[Found]:
    """What looks like a secret in a text, by line."""
    found: dict[tuple[int, str], Found] = {}
    for rule, start, secret in sorted(_matches(text), key=lambda each: each[1]):
        digest = hashlib.sha256(secret.encode("utf-8", "surrogateescape")).hexdigest()[:DIGEST]
        line = text.count("\n", 0, start) + 1
        # The same text by its shape and by the name it is given to is one finding.
        if not any(each.line == line and each.digest == digest for each in found.values()):
            found[line, digest] = Found(file=file, line=line, rule=rule, digest=digest)
    return list(found.values())


def _matches(text: str) -> Iterator[tuple[str, int, str]]:
    for rule, shape in _SHAPES.items():
        if HINTS.get(rule, "") in text:
            for match in shape.finditer(text):
                named = "secret" in shape.groupindex
                if not named or rule != "address-password" or not _is_word(match["secret"]):
                    yield rule, match.start(), match["secret"] if named else match[0]
    for shape in _GIVEN:
        for match in shape.finditer(text):
            if looks_random(match["secret"]):
                yield "assignment", match.start("secret"), match["secret"]


def looks_random(value: str) -> bool:
    """Whether a value has as much information a character as keys and generated passwords have, and is not put
    together from words, paths or calls.
    """
    if len(value) < SHORTEST or re.search(r"[()\[\]\s<>]|://|\.\w+$|^[./~]", value) or _is_word(value):
        return False
    return entropy(value) >= LEAST


def entropy(value: str) -> float:
    """Bits a character (Shannon), from how often each is in the value itself."""
    return -sum(n / len(value) * math.log2(n / len(value)) for n in Counter(value).values())


def _is_word(value: str) -> bool:
    """Words and numbers joined by hyphens, underscores or dots, as names of things are."""
    parts = re.split(r"[-_.:,]", value)
    return all(len(part) < 16 and re.fullmatch(r"[A-Za-z]?[a-z]*|[A-Z]+|\d{1,4}", part) for part in parts)


def tracked(root: Path) -> list[str]:
    """The files that git keeps or is about to keep, as paths within `root`."""
    asked = ["git", "-c", f"safe.directory={root}", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(asked, cwd=root, capture_output=True, check=True).stdout
    return sorted(name.decode() for name in listed.split(b"\0") if name and (root / name.decode()).is_file())


def scan_files(root: Path, files: Iterable[str]) -> list[Found]:
    """What is found in files; those that are not text are read byte by byte."""
    found: list[Found] = []
    for file in files:
        data = (root / file).read_bytes()
        found += scan(file, data.decode("latin-1" if b"\0" in data else "utf-8", "surrogateescape"))
    return found


def allowed(path: Path = ALLOWED) -> list[Allowed]:
    """The exceptions."""
    return [Allowed(**each) for each in tomllib.loads(path.read_text(encoding="utf-8")).get("allowed", [])]


def judge(found: Sequence[Found], exceptions: Collection[Allowed]) -> tuple[list[Found], list[Allowed]]:
    """What is not allowed, and exceptions that nothing needs any more."""
    known = {(each.file, each.rule, each.digest) for each in exceptions}
    seen = {(each.file, each.rule, each.digest) for each in found}
    bad = [each for each in found if (each.file, each.rule, each.digest) not in known]
    return bad, [each for each in exceptions if (each.file, each.rule, each.digest) not in seen]


def main() -> int:
    """Scans the checkout; 1 when there is something, 3 when nobody can say which files belong to it."""
    try:
        files = tracked(ROOT)
    except (OSError, subprocess.CalledProcessError) as error:
        print(f"secrets: UNKNOWN, which is no pass: git doesn't tell the files of {ROOT}: {error}", file=sys.stderr)
        return 3
    bad, stale = judge(scan_files(ROOT, files), allowed())
    for each in bad:
        print(f"secrets: {each}", file=sys.stderr)
    for entry in stale:
        print(f"secrets: nothing is there any more that allows {entry.file} {entry.digest}", file=sys.stderr)
    if bad:
        print(
            "secrets: take it out, and make a new one if it was ever pushed; what is none goes into "
            "tests/supply/allowed_secrets.toml with its reason",
            file=sys.stderr,
        )
    print(f"secrets: {len(files)} files looked at, {len(bad)} findings", file=sys.stderr)
    return 1 if bad or stale else 0


if __name__ == "__main__":
    sys.exit(main())
