"""Commands ask what whoever gives them may: one check for all, and the audit log is told of refusals."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from node import cli
from tests import access

Say = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def say(
    home: Path, dsn: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Say:
    """Gives a command as an account of a node whose duties are separate, or as nobody; `code` is expected."""
    monkeypatch.setenv("LANG", "C.UTF-8")
    (tmp_path / "dsn").write_text(dsn, encoding="utf-8")
    words = [
        "init",
        "--tier",
        "local",
        "--symbol",
        "CN-TJU",
        "--duties",
        "separate",
        "--dsn-file",
        str(tmp_path / "dsn"),
    ]
    assert cli.main(["--home", str(home), "--json", *words]) == 0
    made = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    passwords = {each["account"]: each["password"] for each in made if "password" in each}

    asyncio.run(access.settle(dsn, *passwords))
    monkeypatch.setenv("TIANLU_ACCESS__TOTP", "nobody")

    def said(name: str, *words: str, code: int = 0) -> list[dict[str, Any]]:
        file = tmp_path / "password"
        file.write_text(passwords.get(name, access.PASSWORD), encoding="utf-8")
        monkeypatch.setenv("TIANLU_PASSWORD_FILE", str(file))
        found = cli.main(["--home", str(home), "--json", *(("--as", name) if name else ()), *words])
        told = capsys.readouterr()
        assert found == code, told.err
        return [json.loads(line) for line in (told.out or told.err).splitlines()]

    return said


def test_where_duties_are_separate_each_does_its_own(say: Say) -> None:
    assert "--as NAME" in say("", "library", "list", code=1)[0]["message"]
    say("operator", "library", "add", "CN-SZL", "--name", "深圳图书馆")
    for name, permission in (("security", "library"), ("auditor", "library")):
        (refused,) = say(name, "library", "add", "CN-PKU", "--name", "北京大学图书馆", code=1)
        assert refused == {
            "error": "refused",
            "message": f"account:{name} may not do this: it takes the permission `{permission}` for the whole node",
        }
    say("security", "user", "list")
    say("operator", "user", "list", code=1)
    say("auditor", "library", "list")  # as everybody may
    entries = [each for each in say("auditor", "audit", "list") if each["act"] == "library.add"]
    assert [(each["actor"], each["object"], each["outcome"]) for each in entries] == [
        ("account:auditor", "CN-PKU", "refused"),
        ("account:security", "CN-PKU", "refused"),
        ("account:operator", "CN-SZL", "done"),
    ]
    say("operator", "audit", "list", code=1)


def test_nobody_gets_anothers_duty_by_a_key(say: Say, tmp_path: Path) -> None:
    (refused,) = say("security", "key", "add", "auditor", "--title", "x", "--scope", "audit", code=1)
    assert refused["error"] == "refused" and "makes its keys itself" in refused["message"]
    file = tmp_path / "theirs"
    file.write_text(access.PASSWORD, encoding="utf-8")
    say("security", "user", "add", "admin", "--role", "library-admin", "--password-file", str(file))
    assert say("security", "key", "add", "admin", "--title", "x", "--scope", "look")[0]["secret"]
    assert say("security", "key", "list")[0]["account"] == "admin"


def test_a_role_within_a_library_is_not_enough_for_what_is_about_the_node(say: Say, dsn: str, tmp_path: Path) -> None:
    file = tmp_path / "theirs"
    file.write_text(access.PASSWORD, encoding="utf-8")
    say("security", "user", "add", "admin", "--role", "library-admin", "--password-file", str(file))
    asyncio.run(access.settle(dsn, "admin"))
    assert [each["name"] for each in say("admin", "user", "list")] == ["admin", "auditor", "operator", "security"]
    assert "for the whole node" in say("admin", "source", "list", code=1)[0]["message"]
    assert "for the whole node" in say("admin", "loads", "list", code=1)[0]["message"]
    say("admin", "library", "list")


def test_what_nobody_is_asked_for_works_without_an_account(say: Say) -> None:
    say("", "config", "show")
    say("", "config", "check")
