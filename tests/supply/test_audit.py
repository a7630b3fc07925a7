"""The audit of dependencies: what can't be asked is unknown, and unknown is never told as a pass."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.supply import audit, locked

DAY = date(2026, 11, 21)
PACKAGES = locked.read(locked.ALL)
PASSING = ("none known", "no others known")


@contextmanager
def database(answer: Any, wait: threading.Event | None = None) -> Iterator[tuple[str, list[Any]]]:
    """A database that answers every question so: bytes as they are, `Exception` = by hanging up."""
    asked: list[Any] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            if wait:
                wait.wait(30)
            if answer is Exception:
                self.connection.close()
                return
            body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
            with suppress(ConnectionError):  # who asked may have given up
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/v1/querybatch", asked
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def run(address: str, capsys: pytest.CaptureFixture[str], patience: float = 10) -> tuple[int, str]:
    """Exit code and what was said."""
    code = audit.main(["--address", address, "--patience", str(patience)])
    said = capsys.readouterr()
    assert said.out == ""
    return code, said.err


def results(vulnerable: dict[str, Any]) -> dict[str, Any]:
    return {"results": [vulnerable.get(each.name, {}) for each in PACKAGES]}


def test_every_locked_package_is_asked_about_with_its_version(capsys: pytest.CaptureFixture[str]) -> None:
    with database(results({})) as (address, asked):
        code, said = run(address, capsys)
    assert code == 0
    assert f"{len(PACKAGES)} of {len(PACKAGES)} packages asked about" in said
    assert "none known" in said
    assert "UNKNOWN" not in said
    told = {(query["package"]["purl"], query["version"]) for query in asked[0]["queries"]}
    assert told == {(f"pkg:pypi/{each.name}", each.version) for each in PACKAGES}


def test_known_vulnerability_fails_and_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    with database(results({"aiohttp": {"vulns": [{"id": "GHSA-test", "modified": "2026-01-01"}]}})) as (address, _):
        code, said = run(address, capsys)
    assert code == 1
    assert "VULNERABLE aiohttp" in said
    assert "GHSA-test" in said
    assert not any(each in said for each in PASSING)


@pytest.mark.parametrize(
    "answer",
    [
        Exception,
        b"",
        b"<html>no</html>",
        [],
        {},
        {"results": []},
        {"results": [{}]},
        {"code": 3, "message": "Invalid query."},
        {"results": [None] * len(PACKAGES)},
        {"results": [{"error": "no"}] * len(PACKAGES)},
        {"results": [{"next_page_token": "more"}] * len(PACKAGES)},
    ],
    ids=lambda answer: str(answer)[:40],
)
def test_what_is_no_answer_is_unknown(answer: Any, capsys: pytest.CaptureFixture[str]) -> None:
    with database(answer) as (address, _):
        code, said = run(address, capsys)
    assert code == 3
    assert f"UNKNOWN, which is no pass: {len(PACKAGES)} packages" in said
    assert not any(each in said for each in PASSING)


def test_database_that_is_not_there_is_unknown(capsys: pytest.CaptureFixture[str]) -> None:
    code, said = run("http://127.0.0.1:9/", capsys)
    assert code == 3
    assert "UNKNOWN" in said
    assert not any(each in said for each in PASSING)


def test_database_that_never_answers_is_given_up(capsys: pytest.CaptureFixture[str]) -> None:
    wait = threading.Event()
    with database(results({}), wait) as (address, asked):
        code, said = run(address, capsys, patience=0.3)
        wait.set()
    assert asked
    assert code == 3
    assert "no answer within 0.3 s" in said


def test_part_that_is_unknown_is_counted_and_named(capsys: pytest.CaptureFixture[str]) -> None:
    with database(results({"lxml": {"odd": True}, "numpy": {"next_page_token": "more"}})) as (address, _):
        code, said = run(address, capsys)
    assert code == 3
    assert f"{len(PACKAGES) - 2} of {len(PACKAGES)} packages asked about" in said
    assert "UNKNOWN, which is no pass: 2 packages could not be asked about: lxml, numpy" in said


def test_known_weighs_more_than_unknown() -> None:
    one, other = PACKAGES[:2]
    verdicts = [audit.Verdict(package=one, known=("X-1",)), audit.Verdict(package=other, known=None)]
    lines, code = audit.report(verdicts, {}, DAY)
    assert code == 1
    assert [line.split()[0] for line in lines] == ["VULNERABLE", "1", "UNKNOWN,"]


def test_accepted_vulnerability_passes_until_its_day(tmp_path: Path) -> None:
    file = tmp_path / "accepted.toml"
    file.write_text('[X-1]\nreason = "not called"\nuntil = 2026-11-21\n', encoding="utf-8")
    exceptions = audit.accepted(file)
    verdicts = [audit.Verdict(package=PACKAGES[0], known=("X-1",))]
    lines, code = audit.report(verdicts, exceptions, DAY)
    assert code == 0
    assert "not called" in lines[0]
    assert audit.report(verdicts, exceptions, date(2026, 11, 22))[1] == 1
    assert audit.report(verdicts, {}, DAY)[1] == 1


def test_programs_that_no_database_knows_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    with database(results({})) as (address, _):
        said = run(address, capsys)[1]
    assert "postgresql" in said.splitlines()[-1]
    assert "openssl" in said.splitlines()[-1]
