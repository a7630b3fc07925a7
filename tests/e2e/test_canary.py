"""Passwords and tokens that are given to a node appear in no log, trace, table, file, audit entry or error page.

Every way by which a secret comes in is gone with a canary: on the command line's files, in forms, cookies, headers,
codes and settings; rightly, wrongly, and while the database is broken or away, so that there are faults to write about.
Then everything that the node has written is searched, its database's own files and log included.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from aiohttp import ClientError

from catalog.database import place, supervisor
from config import settings
from config.secret import Secret
from exchange import codes
from exchange.codes import Code
from node.context import TRACES
from protocols import suites
from services.access import sessions
from tests import forms, postgres, terminal
from tests.forms import Browser
from tests.terminal import PATIENCE, ROOT, environ, free_port, tianlu

# What is typed or sent. Each is long and found nowhere else.
GIVEN = {
    "password of an operator": "Qz7-canary-operator-password-ptarmigan",
    "wrong password in the form": "Qz7-canary-wrong-form-password-kestrel",
    "password in the field of the name": "Qz7-canary-name-field-password-osprey",
    "password while the tables are broken": "Qz7-canary-broken-tables-password-lapwing",
    "password while the database is away": "Qz7-canary-database-away-password-curlew",
    "password of a file": "Qz7-canary-password-file-of-user-add-dunlin",
    "wrong password of --as": "Qz7-canary-wrong-as-password-turnstone",
    "password of a file while the tables are broken": "Qz7-canary-broken-file-password-whimbrel",
    "password set by a code": "Qz7-canary-reset-password-goldcrest",
    "wrong code": "Qz7-canary-wrong-code-fieldfare",
    "unknown key": "tlk_qz7cana2_canarycanarycanarycanaryuv",
    "forged cookie": "Qz7canaryForgedCookieOfThirtyTwoBytesWaxwing",
    "forged form token": "Qz7canaryFormTokenBrambling",
    "password of the database": "Qz7canaryDsnPasswordSiskin",
    "password of an unreadable DSN": "Qz7canaryBadDsnPasswordLinnet",
    "password of the proxy": "Qz7canaryProxyPasswordTwite",
    "secret of a code to join": "c0ffee" * 5 + "ca",
}
LOGGED = "canary-that-sings"  # an address that is asked for, and an account: no secrets, so they must be found


@dataclass
class Scene:
    """What was given and made, and all that was written."""

    secrets: dict[str, str] = field(default_factory=dict)
    written: dict[str, bytes] = field(default_factory=dict)

    def holds(self, text: str) -> list[str]:
        """Where a text is found, in the spellings that logs, JSON and databases use."""
        spellings = {text.encode(), text.encode().hex().encode(), text.encode("utf-16-le")}
        return [name for name, content in self.written.items() if any(each in content for each in spellings)]


@dataclass
class Operator:
    """At the terminal. What commands say goes into the scene, but for what they are to show once."""

    home: Path
    scene: Scene
    folder: Path  # for files with passwords

    def says(self, *words: str, env: Mapping[str, str] | None = None, shows: bool = False) -> str:
        done = terminal.says("--home", str(self.home), "--debug", *words, env=env)
        number = len(self.scene.written)
        self.scene.written[f"{number}: tianlu {words[0]}, standard error"] = done.stderr.encode()
        if not shows:
            self.scene.written[f"{number}: tianlu {words[0]}, standard output"] = done.stdout.encode()
        return done.stdout

    def file(self, text: str) -> str:
        path = self.folder / f"secret-{len(list(self.folder.iterdir()))}"
        path.write_text(text + "\n", encoding="utf-8")
        return str(path)


@contextlib.contextmanager
def running(home: Path, log: Path, env: Mapping[str, str]) -> Iterator[str]:
    """The node with all its roles, saying everything."""
    with open(log, "wb") as sink:
        child = subprocess.Popen(
            tianlu("--home", str(home), "--debug", "--json", "run"), env=environ() | dict(env), cwd=ROOT,
            stdout=subprocess.PIPE, stderr=sink,
        )  # fmt: skip
        try:
            assert child.stdout
            line = child.stdout.readline()
            assert line, log.read_text()
            yield str(json.loads(line)["addresses"]["web"]).rstrip("/")
        finally:
            child.send_signal(signal.SIGTERM)
            child.wait(PATIENCE)


@contextlib.asynccontextmanager
async def tables(home: Path) -> AsyncIterator[Any]:
    """A connection to the node's own database."""
    conn = await asyncpg.connect(place.prepare(home).dsn())
    try:
        yield conn
    finally:
        await conn.close()


@contextlib.asynccontextmanager
async def broken(home: Path, table: str) -> AsyncIterator[None]:
    """A table isn't there for a while: whoever needs it has a fault that nobody foresaw."""
    async with tables(home) as conn:
        await conn.execute(f"alter table {table} rename to {table}_away")
        try:
            yield
        finally:
            await conn.execute(f"alter table {table}_away rename to {table}")


def a_code(secret: str) -> str:
    """A code to join a parent that isn't there."""
    suite = next(iter(suites.SUITES.values()))
    return codes.write(
        Code(
            address="http://127.0.0.1:1/", symbol="CN-NOWHERE", suite=suite, fingerprint=b"\1" * 32,
            secret=Secret(secret),
        )
    )  # fmt: skip


async def visit(scene: Scene, name: str, browser: Browser, path: str, fields: Mapping[str, str], **headers: str) -> int:
    """Send a form, without looking at its page before; what comes back is searched too."""
    answer = await browser.ask("POST", path, fields, **headers)
    scene.written[f"{len(scene.written)}: answer to {name}"] = f"{answer.headers}{answer.body}".encode()
    return answer.status


async def act(home: Path, log: Path, scene: Scene, operator: Operator, first: str) -> None:
    """All of it, one after the other."""
    proved = GIVEN["password of an operator"]
    with running(home, log, {"TIANLU_ACCESS__TOTP": "nobody"}) as address:
        async with forms.client() as client:
            browser = Browser(client, address)
            await browser.get(f"/{LOGGED}")
            assert (await browser.sign_in("operator", first)).leads_to == "/account"
            scene.secrets["first session"] = browser.cookies[sessions.COOKIE]
            changed = await browser.send("/account", password=first, new=proved, again=proved)
            assert changed.status == 303, changed.text
            scene.secrets["second session"] = held = browser.cookies[sessions.COOKIE]
            token = str((await browser.get("/accounts")).page.xpath("string(//input[@name='csrf']/@value)"))
            scene.secrets["form token"] = token

            stranger = Browser(client, address)
            wrong = {"name": "operator", "password": GIVEN["wrong password in the form"]}
            assert await visit(scene, "a wrong password", stranger, "/sign-in", wrong) == 403
            mistaken = {"name": GIVEN["password in the field of the name"], "password": "x"}
            # Not searched: the page gives the visitor back what he typed for his name.
            assert (await stranger.ask("POST", "/sign-in", mistaken)).status == 403
            stranger.cookies[sessions.COOKIE] = GIVEN["forged cookie"]
            assert await visit(scene, "a forged cookie", stranger, "/accounts", {"csrf": "x"}) in (303, 401, 403)
            browser.cookies[sessions.COOKIE] = held
            forged = {"csrf": GIVEN["forged form token"], "name": "x"}
            assert await visit(scene, "a forged token", browser, "/accounts", forged) == 403

            # Keys
            shown = operator.says("--json", "key", "add", "operator", "--title", LOGGED, "--scope", "look", shows=True)
            key = scene.secrets["key"] = json.loads(shown.splitlines()[0])["secret"]
            for name, each in (("the key", key), ("an unknown key", GIVEN["unknown key"])):
                bearer = {"Authorization": f"Bearer {each}"}
                for path in ("/api/libraries", "/api/audit", "/nowhere", f"/api/search?q={'x' * 9000}"):
                    answer = await Browser(client, address, headers=bearer).get(path)
                    scene.written[f"{len(scene.written)}: answer to {name}"] = f"{answer.headers}{answer.body}".encode()

            # Accounts at the terminal
            file = operator.file(GIVEN["password of a file"])
            operator.says("user", "add", "canary-post", "--role", "cataloguer-copy", "--password-file", file)
            code = scene.secrets["reset code"] = json.loads(
                operator.says("--json", "user", "reset", "canary-post", shows=True).splitlines()[0]
            )["code"]
            new = GIVEN["password set by a code"]
            reset = {"code": GIVEN["wrong code"], "new": new, "again": new}
            assert await visit(scene, "a wrong reset code", Browser(client, address), "/reset", reset) == 403
            assert await visit(scene, "a reset code", Browser(client, address), "/reset", reset | {"code": code}) == 303
            for password in (proved, GIVEN["wrong password of --as"]):
                env = {"TIANLU_PASSWORD_FILE": operator.file(password), "TIANLU_ACCESS__TOTP": "nobody"}
                said = operator.says("--as", "operator", "user", "list", env=env)
                assert bool(said) is (password == proved)

            # Other nodes
            invited = operator.says("--json", "invite", "--symbol", "CN-PKU", shows=True)
            scene.secrets["invitation"] = json.loads(invited.splitlines()[0])["code"]
            proxy = {"TIANLU_EXCHANGE__PROXY": f"http://canary:{GIVEN['password of the proxy']}@127.0.0.1:9"}
            joining = a_code(GIVEN["secret of a code to join"])
            scene.secrets["code to join"] = joining
            operator.says("join", joining)
            operator.says("join", joining, env=proxy)
            operator.says("join", joining + "A", env=proxy)
            operator.says("config", "show", env=proxy)
            operator.says("doctor", env=proxy)

            # Faults that nobody foresaw
            harmed = {"name": "operator", "password": GIVEN["password while the tables are broken"]}
            async with broken(home, "attempt"):
                assert await visit(scene, "broken tables", Browser(client, address), "/sign-in", harmed) == 500
            async with broken(home, "session"):
                answer = await browser.get("/account")
                scene.written["answer to a session while the tables are broken"] = answer.body.encode()
                assert answer.status == 500
            async with broken(home, "api_key"):
                answer = await Browser(client, address, headers={"Authorization": f"Bearer {key}"}).get("/api/audit")
                scene.written["answer to a key while the tables are broken"] = answer.body.encode()
                assert answer.status == 500
            async with broken(home, "account_role"):
                file = operator.file(GIVEN["password of a file while the tables are broken"])
                operator.says("user", "add", "canary-other", "--role", "reader", "--password-file", file)

            # The database is away
            away = {"name": "operator", "password": GIVEN["password while the database is away"]}
            trying = [
                asyncio.create_task(visit(scene, "a database that goes", Browser(client, address), "/sign-in", away))
                for _ in range(3)
            ]
            postmaster = supervisor.postmaster(place.prepare(home))
            assert postmaster
            os.kill(postmaster, signal.SIGKILL)
            trying.append(
                asyncio.create_task(visit(scene, "a database away", Browser(client, address), "/sign-in", away))
            )
            for done in await asyncio.gather(*trying, return_exceptions=True):
                assert done in (403, 429, 500, 503) or isinstance(done, ClientError), done

            # Databases of other people
            there = place.prepare(home).dsn().partition("?")[2]
            for name, dsn in (
                ("password of the database", "postgresql://canary:{}@127.0.0.1:1/x"),
                ("password of the database", "postgresql://canary:{}@/tianlu?" + there),
                ("password of an unreadable DSN", "postgresql://canary:{}@[::1/x"),
                ("password of an unreadable DSN", "postgresql://canary:{}@host:port/x?sslmode=perhaps"),
            ):
                for word in ("status", "doctor"):
                    operator.says(word, env={"TIANLU_DATABASE__DSN": dsn.format(GIVEN[name])})
    operator.says("audit", "export")
    operator.says("audit", "list", "--csv")


async def dump(home: Path, scene: Scene) -> None:
    """All tables, row by row."""
    async with tables(home) as conn:
        names = await conn.fetch("select tablename as name from pg_tables where schemaname = current_schema()")
        for each in names:
            rows = await conn.fetch(f'select t::text as text from "{each["name"]}" t')
            scene.written[f"table {each['name']}"] = "\n".join(row["text"] for row in rows).encode()


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """Everything that was written, after all of it."""
    found = Scene(secrets=dict(GIVEN))
    with postgres.home() as home:
        operator = Operator(home, found, tmp_path_factory.mktemp("files"))
        told = operator.says(
            "--json", "init", "--tier", "domain", "--symbol", "CN-TJ", "--port", str(free_port()), shows=True
        )
        first = next(each["password"] for each in map(json.loads, told.splitlines()) if "password" in each)
        found.secrets["first password"] = first
        logs = tmp_path_factory.mktemp("logs")
        asyncio.run(act(home, logs / "log", found, operator, first))
        with running(home, logs / "again", {}):
            asyncio.run(dump(home, found))
        for path in (*logs.iterdir(), *home.rglob("*")):
            kept = path.name in (settings.FILE, "seal.key", "node.key") or "secrets" in path.parts
            if path.is_file() and not kept:
                found.written[f"file {path.relative_to(path.parents[-2])}"] = path.read_bytes()
        yield found


def test_the_scene_was_what_it_was_to_be(scene: Scene) -> None:
    (log,) = [content for name, content in scene.written.items() if name.startswith("file ") and name.endswith("/log")]
    assert log.count(b"Traceback") >= 3, "faults were written about"
    assert b"UndefinedTableError" in log
    assert any(each.endswith(TRACES) for each in scene.holds("UndefinedTableError"))
    assert any("table audit" in each for each in scene.holds("account.password"))
    assert {"table account", "table api_key", "table audit"} <= set(scene.written)
    assert any("/pg/" in each for each in scene.holds("canary-post")), "the database's own files are read"
    assert len(scene.written) > 100
    assert len(scene.secrets) >= len(GIVEN) + 8


def test_what_is_no_secret_is_found(scene: Scene) -> None:
    places = scene.holds(LOGGED)
    assert any(each.startswith("table api_key") for each in places)
    assert any("audit" in each for each in places)


@pytest.mark.parametrize(
    "name",
    [
        *GIVEN, "first password", "first session", "second session", "form token", "key", "reset code", "invitation",
        "code to join",
    ],
)  # fmt: skip
def test_no_secret_is_written_anywhere(scene: Scene, name: str) -> None:
    secret = scene.secrets[name]
    assert len(secret) >= 10
    assert scene.holds(secret) == []
