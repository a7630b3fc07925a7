"""What PostgreSQL says when it doesn't start, and what to do about it (pure)."""

from __future__ import annotations

import re

from config.errors import Fatal, Misconfigured, TianluError

# Said after a kill while old processes are still ending, or another start is under way: the same start works soon.
PASSING = re.compile(r"pre-existing shared memory block|lock file \S+ already exists|could not bind Unix address")

# The first that is found tells most; the texts are untranslated because the server runs with lc_messages = C.
COMPLAINTS: tuple[tuple[str, type[TianluError], str], ...] = (
    (r"No space left on device", Misconfigured, "the disk is full: free space there and start again"),
    (r"Disk quota exceeded", Misconfigured, "the disk quota is used up: free space there and start again"),
    (r"Read-only file system", Misconfigured, "the disk is mounted read-only: mount it for writing"),
    (
        r"database files are incompatible with server",
        Misconfigured,
        "the files were written by another version or build of PostgreSQL: run the programs that wrote them",
    ),
    (
        r"could not locate a valid checkpoint record|invalid page in block|page verification failed|"
        r"could not read file .*: read only|global/pg_control.*(incorrect checksum|invalid)|PANIC:.*pg_control",
        Fatal,
        "the files are damaged: restore the last backup (`tianlu restore`)",
    ),
    (
        r"could not map anonymous shared memory|could not create shared memory segment|Cannot allocate memory",
        Misconfigured,
        "there is not enough memory: stop other programs or give the machine more",
    ),
    (r"[Pp]ermission denied|invalid permissions|wrong ownership", Misconfigured, "give the files back to their user"),
    (
        r"could not look up effective user ID",
        Misconfigured,
        "the user this runs as has no entry in /etc/passwd: add one, or give a database.dsn",
    ),
    (
        r"error while loading shared libraries|GLIBC_\S+' not found",
        Misconfigured,
        "these programs don't run on this machine: install the package postgresql, or give a database.dsn",
    ),
)


def passing(said: str) -> bool:
    """Is this a fault that goes away by itself?"""
    return bool(PASSING.search(said))


def error(said: str, place: str) -> TianluError:
    """The error that fits what the server or `initdb` said; `place` is the folder of the files."""
    lines = [line for line in said.splitlines() if re.search(r"FATAL|PANIC|error:|ERROR", line)] or said.splitlines()
    quoted = lines[-1].strip() if lines else "nothing"
    for pattern, kind, advice in COMPLAINTS:
        if found := re.search(f"^.*(?:{pattern}).*$", said, re.MULTILINE):
            return kind(f"PostgreSQL does not start in {place}: {advice} (it says: {found[0].strip()})")
    return Fatal(f"PostgreSQL does not start in {place}; it says: {quoted}")
