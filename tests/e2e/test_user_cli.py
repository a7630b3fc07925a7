"""`tianlu user`, `--as`, and what `init` and `doctor` say of accounts, as they are typed."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from node import cli
from tests import access

Say = Callable[..., list[dict[str, Any]]]


@pytest.fixture(autouse=True)
def plain(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [*os.environ]:
        if name.startswith("TIANLU_") and not name.startswith("TIANLU_TEST_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("LANG", "C.UTF-8")


@pytest.fixture
def node(home: Path, dsn: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    """A node with its first account."""
    (tmp_path / "dsn").write_text(dsn, encoding="utf-8")
    words = ["init", "--tier", "local", "--symbol", "CN-TJU", "--dsn-file", str(tmp_path / "dsn")]
    assert cli.main(["--home", str(home), *words]) == 0
    assert "operator signs in with the password" in capsys.readouterr().out
    return home


@pytest.fixture
def say(node: Path, capsys: pytest.CaptureFixture[str]) -> Say:
    """Gives a command and returns what it answers; `code` is the exit code that is expected."""

    def said(*words: str, code: int = 0) -> list[dict[str, Any]]:
        found = cli.main(["--home", str(node), "--json", *words])
        told = capsys.readouterr()
        assert found == code, told.err
        return [json.loads(line) for line in (told.out or told.err).splitlines()]

    return said


def test_an_account_from_its_first_day_to_its_last(say: Say) -> None:
    (made,) = say("user", "add", "bianmu-1", "--role", "cataloguer-change", "--title", "编目一组")
    assert set(made) == {"account", "password"}
    rows = {row["name"]: row for row in say("user", "list")}
    assert rows["bianmu-1"]["roles"] == ["cataloguer-change@CN-TJU"] and rows["bianmu-1"]["title"] == "编目一组"
    assert rows["operator"]["roles"] == ["auditor", "operator", "security"]
    (again,) = say("user", "passwd", "bianmu-1")
    assert again["password"] != made["password"]
    say("user", "role", "bianmu-1", "--add", "library-admin")
    say("user", "role", "bianmu-1", "--remove", "cataloguer-change")
    say("user", "disable", "bianmu-1")
    rows = {row["name"]: row for row in say("user", "list")}
    assert rows["bianmu-1"]["roles"] == ["library-admin@CN-TJU"] and rows["bianmu-1"]["state"] == "disabled"
    say("user", "enable", "bianmu-1")
    (code,) = say("user", "reset", "bianmu-1")
    assert len(code["code"]) == 29
    say("user", "unlock", "bianmu-1")
    say("user", "totp", "bianmu-1", "--remove")


def test_mistakes_are_named(say: Say, tmp_path: Path) -> None:
    say("user", "add", "bianmu-1")
    assert say("user", "add", "BIANMU-1", code=5)[0]["error"] == "conflict"
    assert say("user", "passwd", "nobody-here", code=1)[0]["error"] == "not-found"
    assert "post" in say("user", "add", "wang@example.org", code=1)[0]["message"]
    assert say("user", "add", "x-1", "--library", "CN-NONE", code=1)[0]["error"] == "not-found"
    assert say("user", "role", "bianmu-1", "--remove", "auditor", code=1)[0]["error"] == "not-found"
    assert say("user", "role", "bianmu-1", "--add", "reader", code=1)[0]["error"] == "refused"
    weak = tmp_path / "weak"
    weak.write_text("password1234\n", encoding="utf-8")
    assert say("user", "passwd", "bianmu-1", "--password-file", str(weak), code=1)[0]["error"] == "weak-password"
    assert say("user", "passwd", "bianmu-1", "--prompt", code=2)[0]["error"] == "misconfigured"  # no terminal


def test_a_password_from_a_file_is_not_said_again(say: Say, tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text(access.PASSWORD + "\n", encoding="utf-8")
    assert say("user", "add", "bianmu-1", "--role", "cataloguer-copy", "--password-file", str(file)) == [
        {"account": "bianmu-1"}
    ]


def test_as_an_account_that_has_something_to_put_in_order_nothing_is_done(
    say: Say, dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "password"
    file.write_text(access.PASSWORD, encoding="utf-8")
    monkeypatch.setenv("TIANLU_PASSWORD_FILE", str(file))
    say("user", "add", "second", "--role", "security", "--password-file", str(file))
    (refused,) = say("--as", "second", "user", "list", code=1)
    assert refused["error"] == "refused"
    assert "change the password" in refused["message"] and "/account" in refused["message"]
    asyncio.run(access.settle(dsn, "second"))
    assert "one-time codes" in say("--as", "second", "user", "list", code=1)[0]["message"]
    monkeypatch.setenv("TIANLU_ACCESS__TOTP", "nobody")
    say("--as", "second", "user", "list")
    told = [(each["object"], each["outcome"]) for each in say("audit", "list", "--act", "session.prove")]
    assert sorted(told) == [("second", "done"), ("second", "refused"), ("second", "refused")]


def test_with_as_somebody_proves_to_be_the_account(
    say: Say, dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, code = tmp_path / "password", tmp_path / "code"
    file.write_text(access.PASSWORD, encoding="utf-8")
    say("user", "add", "admin", "--role", "library-admin", "--password-file", str(file))
    asyncio.run(access.settle(dsn, "admin"))
    say("library", "add", "CN-SZL", "--name", "深圳图书馆")
    say("user", "add", "elsewhere", "--role", "cataloguer-copy", "--library", "CN-SZL")
    assert say("--as", "admin", "user", "list", code=2)[0]["error"] == "misconfigured"  # no password
    monkeypatch.setenv("TIANLU_PASSWORD_FILE", str(file))
    assert [row["name"] for row in say("--as", "admin", "user", "list")] == ["admin", "operator"]
    assert say("user", "disable", "elsewhere", "--as", "admin", code=1)[0]["error"] == "not-found"
    assert say("user", "disable", "operator", "--as", "admin", code=1)[0]["error"] == "refused"
    assert say("user", "role", "admin", "--add", "operator", "--as", "admin", code=1)[0]["error"] == "refused"
    say("user", "add", "bianmu-1", "--role", "cataloguer-copy", "--as", "admin")
    rows = {row["name"]: row for row in say("user", "list")}
    assert rows["bianmu-1"]["made_by"] == "account:admin" and rows["admin"]["made_by"].startswith("os:")
    file.write_text("wrong", encoding="utf-8")
    assert say("--as", "admin", "user", "list", code=1)[0]["error"] == "not-signed-in"
    code.write_text("123456", encoding="utf-8")
    monkeypatch.setenv("TIANLU_CODE_FILE", str(code))
    for _ in range(12):
        error = say("--as", "admin", "user", "list", code=1)[0]["error"]
    assert error == "locked"
    say("user", "unlock", "admin")


def test_separate_duties_are_three_accounts(
    home: Path, dsn: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TIANLU_DATABASE__DSN", dsn)
    words = ["--home", str(home), "--json", "init", "--tier", "local", "--symbol", "CN-TJU", "--duties", "separate"]
    assert cli.main(words) == 0
    said = [json.loads(line) for line in capsys.readouterr().out.splitlines()][1:]
    assert [each["account"] for each in said] == ["operator", "security", "auditor"]
    assert len({each["password"] for each in said}) == 3


def test_a_node_that_changes_over_to_separate_duties_is_told_who_has_several(
    node: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def told() -> list[dict[str, Any]]:
        assert cli.main(["--home", str(node), "--json", "doctor"]) in (0, 1)
        return [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    assert not [each for each in told() if each["detail"] == "operator"]
    monkeypatch.setenv("TIANLU_ACCESS__DUTIES", "separate")
    (several,) = (each for each in told() if each["detail"] == "operator")
    assert several["state"] == "warn" and "--remove ROLE" in several["todo"]
