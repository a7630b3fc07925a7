"""`./dev audit`: whether known vulnerabilities touch what we lock, asked of the OSV database (one request).

What could not be asked is *unknown*, and unknown is no pass: an audit that can't reach its database says so loudly and
ends with a code of its own. Exit codes: 0 all were asked about and none is known · 1 a vulnerability is known · 3 some
could not be asked about.

OSV and no other: it takes all packages in one request and covers the Python advisories; programs in other languages
inside the wheels are in no such database under the names of the wheels, so they are named for a person to look up.
"""

from __future__ import annotations

import argparse
import json
import queue
import sys
import threading
import tomllib
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from tests.supply import bundled, locked
from tests.supply.locked import Locked

OSV = "https://api.osv.dev/v1/querybatch"
PATIENCE = 8.0  # seconds for the whole question, names and connection included
LARGEST = 16 * 1024 * 1024  # bytes of an answer
ACCEPTED = Path(__file__).with_name("accepted.toml")


class NotAnswered(Exception):
    """The database did not answer in full; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What is known of one package. `known` None = unknown: nobody could be asked."""

    package: Locked
    known: tuple[str, ...] | None  # ids of vulnerabilities


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """A known vulnerability that doesn't touch us, or that we live with until a day."""

    reason: str
    until: date


def accepted(path: Path = ACCEPTED) -> dict[str, Accepted]:
    """The exceptions by id of the vulnerability."""
    told = tomllib.loads(path.read_text(encoding="utf-8"))
    return {ident: Accepted(**each) for ident, each in told.items()}


def ask(packages: Sequence[Locked], address: str, patience: float) -> list[Verdict]:
    """What the database at `address` knows of each. Raises NotAnswered after at most `patience` seconds."""
    queries = [{"package": {"purl": f"pkg:pypi/{each.name}"}, "version": each.version} for each in packages]
    answer = _within(patience, lambda: _post(address, {"queries": queries}, patience))
    results = answer.get("results")
    if not isinstance(results, list) or len(results) != len(packages):
        raise NotAnswered("the answer does not fit the question")
    return [_verdict(package, result) for package, result in zip(packages, results, strict=True)]


def _verdict(package: Locked, result: Any) -> Verdict:
    """`{}` = nothing known. Anything that we don't understand, or an answer with further pages and no id on the first,
    is unknown.
    """
    if not isinstance(result, dict) or set(result) - {"vulns", "next_page_token"}:
        return Verdict(package=package, known=None)
    found = tuple(sorted(str(each["id"]) for each in result.get("vulns", [])))
    return Verdict(package=package, known=None if result.get("next_page_token") and not found else found)


def _post(address: str, question: Mapping[str, Any], patience: float) -> dict[str, Any]:
    body = json.dumps(question).encode()
    request = urllib.request.Request(address, body, {"Content-Type": "application/json", "User-Agent": "tianlu-audit"})
    with urllib.request.urlopen(request, timeout=2 * patience) as response:
        data = response.read(LARGEST + 1)
    answer = json.loads(data)
    if len(data) > LARGEST or not isinstance(answer, dict):
        raise NotAnswered("the answer is too long or not an object")
    return answer


def _within(patience: float, work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """The result of `work`, which runs in a thread that is left behind when time is up: a look-up of a name can't be
    given a limit of its own, and one for each read would add up.
    """
    done: queue.SimpleQueue[dict[str, Any] | Exception] = queue.SimpleQueue()

    def run() -> None:
        try:
            done.put(work())
        except (OSError, ValueError, NotAnswered) as error:
            done.put(error)

    threading.Thread(target=run, daemon=True).start()
    try:
        result = done.get(timeout=patience)
    except queue.Empty:
        raise NotAnswered(f"no answer within {patience:g} s") from None
    if isinstance(result, Exception):
        raise NotAnswered(f"{type(result).__name__}: {result}") from result
    return result


def report(verdicts: Sequence[Verdict], exceptions: Mapping[str, Accepted], today: date) -> tuple[list[str], int]:
    """Lines for people, and the exit code."""
    lines: list[str] = []
    bad = 0
    for each in verdicts:
        for ident in each.known or ():
            fine = exceptions.get(ident)
            bad += fine is None or fine.until < today
            note = f" (accepted until {fine.until}: {fine.reason})" if fine else ""
            lines.append(f"VULNERABLE {each.package.name} {each.package.version}: https://osv.dev/{ident}{note}")
    unknown = [each.package.name for each in verdicts if each.known is None]
    if asked := len(verdicts) - len(unknown):
        told = (
            f"{bad} known vulnerabilities that are not accepted"
            if bad
            else "no others known"
            if lines
            else "none known"
        )
        lines.append(f"{asked} of {len(verdicts)} packages asked about on {today}: {told}")
    if unknown:
        which = ", ".join(unknown) if asked else "all of them"
        lines.append(f"UNKNOWN, which is no pass: {len(unknown)} packages could not be asked about: {which}")
    return lines, 1 if bad else 3 if unknown else 0


def main(arguments: Sequence[str]) -> int:
    """Asks and prints; the exit code says how it went."""
    parser = argparse.ArgumentParser(prog="./dev audit", description="Known vulnerabilities of what we lock.")
    parser.add_argument("--address", default=OSV, help="of another database that speaks OSV's querybatch")
    parser.add_argument("--patience", type=float, default=PATIENCE, help="seconds to wait for the answer")
    given = parser.parse_args(arguments)
    packages = locked.read(locked.ALL)
    try:
        verdicts = ask(packages, given.address, given.patience)
    except NotAnswered as error:
        print(f"audit: the database did not answer: {error}", file=sys.stderr)
        verdicts = [Verdict(package=each, known=None) for each in packages]
    lines, code = report(verdicts, accepted(), datetime.now(UTC).date())
    print("\n".join(f"audit: {line}" for line in lines), file=sys.stderr)
    inside = ", ".join(f"{each.name} {each.version}" for each in bundled.here())
    print(f"audit: in no package database, look them up by hand: {inside}", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
