"""Passwords: what makes a good one, how it is kept, how one is made.

Long is good, nothing else is demanded (NIST SP 800-63B, 5.1.1; OWASP ASVS 5.0, 6.2): no kinds of signs, no change by
the calendar, but nothing that is tried first. Kept as argon2id (RFC 9106). That takes memory and tens of milliseconds
each time, so it happens in threads of its own, a few at once; where too many wait one is sent away (Retry).
"""

from __future__ import annotations

import asyncio
import functools
import os
import re
import secrets
import unicodedata
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from importlib.resources import files
from typing import Any, TypeVar

from cryptography.exceptions import InvalidKey
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from config.errors import Retry
from config.secret import Secret

SHORTEST, LONGEST = 12, 128  # characters
MEMORY, PASSES, LANES = 46 * 1024, 2, 1  # KiB: twice what OWASP's password storage cheat sheet asks for
AT_ONCE, WAITING = 2, 20
GROUPS, GROUP = 5, 5  # of a password that is made: 5 × 5 letters of 31 are 123 bits
LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # none that looks like another
FEWEST_LETTERS = 6  # different ones
LEFT_OVER = 6  # characters beside words that are tried first, that are nothing to guess
SHORTEST_WORD = 4
_LIKE = str.maketrans("@$013457!", "asoieastl")
_WORD = re.compile(r"[^\W_]+")
_THREADS = ThreadPoolExecutor(max_workers=AT_ONCE, thread_name_prefix="argon2")
_in_line: set[Future[Any]] = set()  # at it or waiting
_Result = TypeVar("_Result")


def objection(password: str, about: Iterable[str] = ()) -> str:
    """Why it is no good password: short, long, few, common or known; "" if it is good.

    `about`: what anybody knows of the account and the site, such as their names.
    """
    text = _folded(password)
    if len(text) < SHORTEST:
        return "short"
    if len(text) > LONGEST:
        return "long"
    if len(set(text)) < FEWEST_LETTERS:
        return "few"
    known = [word for each in about for word in _WORD.findall(_folded(each).lower()) if len(word) > 1]
    plain = text.lower()
    for spelled in (plain, plain.translate(_LIKE)):
        if len(_without(spelled, _common())) <= LEFT_OVER:
            return "common"
        if len(_without(spelled, [*known, *_common()])) <= LEFT_OVER:
            return "known"
    return ""


def make() -> Secret:
    """A password that nobody guesses, easy to read and to type."""
    signs = [secrets.choice(LETTERS) for _ in range(GROUPS * GROUP)]
    return Secret("-".join("".join(signs[n : n + GROUP]) for n in range(0, len(signs), GROUP)))


async def shrouded(password: str) -> str:
    """What is kept of a password: an argon2id string (PHC)."""
    return await _in_thread(lambda: shroud(password))


async def right(password: str, kept: str) -> bool:
    """Whether it is the password of which `kept` was kept; with "" as much is done, for accounts that don't exist."""
    return await _in_thread(lambda: _verify(password, kept or _nobody()) and bool(kept))


def outdated(kept: str) -> bool:
    """Whether it was kept with other costs than today's."""
    return f"$m={MEMORY},t={PASSES},p={LANES}$" not in kept


def shroud(password: str) -> str:
    """As `shrouded`, in this thread."""
    made = Argon2id(salt=os.urandom(16), length=32, iterations=PASSES, lanes=LANES, memory_cost=MEMORY)
    return made.derive_phc_encoded(_folded(password).encode())


def _verify(password: str, kept: str) -> bool:
    if len(password) > LONGEST * 4:  # nobody's
        password = ""
    try:
        Argon2id.verify_phc_encoded(_folded(password).encode(), kept)
    except InvalidKey:
        return False
    return True


@functools.cache
def _nobody() -> str:
    """Kept of no password: what one is compared with where there is no account."""
    return shroud(make().reveal())


async def _in_thread(work: Callable[[], _Result]) -> _Result:
    if len(_in_line) >= AT_ONCE + WAITING:
        raise Retry("too many sign in at this moment; try again in a few seconds")
    future = _THREADS.submit(work)
    _in_line.add(future)
    future.add_done_callback(_in_line.discard)
    return await asyncio.wrap_future(future)


def _folded(text: str) -> str:
    """One form of what may be typed in several: full-width letters, accents (NFKC, as SP 800-63B, 5.1.1.2 asks)."""
    return unicodedata.normalize("NFKC", text)


def _without(text: str, words: Iterable[str]) -> str:
    """What is left after its two longest words of the list, wherever they stand."""
    for _ in range(2):
        word = max((each for each in words if each in text), key=len, default="")
        if not word:
            break
        text = text.replace(word, "")
    return text


@functools.cache
def _common() -> tuple[str, ...]:
    lines = files("services.access").joinpath("common.txt").read_text(encoding="utf-8").splitlines()
    return tuple(each for each in lines if len(each) >= SHORTEST_WORD and not each.startswith("#"))
