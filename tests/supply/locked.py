"""What a lock file says: every package with its version, the hashes of its files, and who asked for it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
NODE = ROOT / "requirements.txt"  # what a running node needs
ALL = ROOT / "requirements-dev.txt"  # that, and what tests and checks need
_HEAD = re.compile(r"([A-Za-z0-9][\w.-]*)==([^\s;]+)\s*(?:;\s*(.*?))?\s*\\?$")
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Locked:
    """One package."""

    name: str  # normalized (PEP 503)
    version: str
    marker: str  # where it is installed (PEP 508); '' = everywhere
    hashes: tuple[str, ...]  # SHA-256 of its distribution files, sorted
    via: tuple[str, ...]  # packages that need it; a direct one has "-r …" among them

    @property
    def purl(self) -> str:
        """Its package URL."""
        return f"pkg:pypi/{self.name}@{self.version}"


def normal(name: str) -> str:
    """The name of a package as PEP 503 writes it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def read(path: Path) -> list[Locked]:
    """The packages of a lock file as `uv pip compile` writes it, by name. Raises ValueError for a line of another
    kind: nothing of it may be overlooked.
    """
    found: list[Locked] = []
    for block in re.split(r"\n(?=\S)", path.read_text(encoding="utf-8")):
        if block.startswith("#"):
            continue
        first, *rest = block.splitlines()
        head = _HEAD.match(first)
        hashes, via = _HASH.findall(block), _via(rest)
        if head is None or not hashes or not via:
            raise ValueError(f"{path.name}: not a package with version, hashes and origin: {first}")
        name, version, marker = head.groups()
        found.append(
            Locked(
                name=normal(name),
                version=version,
                marker=marker or "",
                hashes=tuple(sorted(hashes)),
                via=tuple(sorted(via)),
            )
        )
    return sorted(found, key=lambda each: each.name)


def _via(lines: list[str]) -> list[str]:
    """The names in a comment `# via a` or `# via` with a name a line under it."""
    comments = [line.strip().removeprefix("#").strip() for line in lines if line.strip().startswith("#")]
    return [name for name in (comment.removeprefix("via").strip() for comment in comments) if name]
