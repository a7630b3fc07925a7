"""Who gets in, and by which way: TLS, keys in the place of passwords, one-time codes, and foreign programs."""

from __future__ import annotations

import asyncio
import socket
import ssl
from datetime import UTC, datetime
from pathlib import Path

import pytest
import uvloop

from catalog.database.pool import Database
from config import settings
from config.errors import Misconfigured
from config.settings import Z3950
from node.z3950 import settled
from protocols.z3950 import oids
from protocols.z3950.apdu.init import IdPass
from services.access import accounts, keys, sealed, signing, totp
from services.access.policy import Permission, Role, Scope
from tests import access, programs
from tests import doors as outgoing
from tests.e2e.test_load_cli import Cli, alone, cli
from tests.z3950 import standing
from tests.z3950.standing import HOST, Client

__all__ = ["alone", "cli"]


@pytest.fixture(scope="module")
def event_loop_policy() -> asyncio.AbstractEventLoopPolicy:
    """The loop that a node runs on: it hands on what clients say sooner than asyncio's own."""
    policy: asyncio.AbstractEventLoopPolicy = uvloop.EventLoopPolicy()
    return policy


async def test_with_a_certificate_the_port_speaks_tls(
    database: Database, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outgoing.certified(tmp_path, monkeypatch)
    pem = tmp_path / "secure.pem"
    async with standing.door(database, home, certificate=str(pem)) as door:
        trusted = ssl.create_default_context(cafile=pem)
        reader, writer = await asyncio.open_connection(HOST, door.port, ssl=trusted, server_hostname="secure.test")
        client = Client(reader=reader, writer=writer)
        assert (await client.init()).result
        assert (await client.search("天工开物")).result_count == 2
        assert (await client.present(1, 2, oids.XML)).number_of_records_returned == 2
        writer.close()
        shaken = await asyncio.gather(*(asyncio.to_thread(_shaken, door.port, trusted) for _ in range(20)))
        assert set(shaken) == {"TLSv1.3"}
        async with door.client() as plain:
            await plain.send(standing.apdu.encode(standing.an_init()))
            assert await plain.ended() is None


def _shaken(port: int, trusted: ssl.SSLContext) -> str | None:
    """A client of another kind, whose first octets are there as soon as it has connected; which TLS was agreed on."""
    with (
        socket.create_connection((HOST, port), standing.PATIENCE) as plain,
        trusted.wrap_socket(plain, server_hostname="secure.test") as secure,
    ):
        return secure.version()


def test_a_certificate_that_cannot_be_read_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match=r"z3950.certificate"):
        settled.secured(Z3950(certificate="none.pem"), tmp_path)


async def test_a_key_stands_in_the_place_of_a_password(database: Database, home: Path) -> None:
    async with standing.door(database, home, search="accounts") as door:
        async with database.transaction() as conn:
            wang = await access.an_account(conn, "wang", Role.COPYIST)
            scopes = [Scope(permission=Permission.COPY, library="CN-TJU")]
            now = datetime.now(UTC)
            key, secret = await keys.issue(conn, wang, "client", scopes, days=1, rate=60, by="os:root", now=now)
        for name, password, right in (
            ("wang", secret.reveal(), True),
            ("", secret.reveal(), True),
            ("li", secret.reveal(), False),
            ("wang", secret.reveal()[:-1] + "2", False),
        ):
            async with door.client() as client:
                assert (await client.init(IdPass(user_id=name, password=password))).result is right
        async with database.connection() as conn:
            await conn.execute(
                "update api_key set disabled_at = now(), disabled_by = 'os:root' where key = $1", key.key
            )
        async with door.client() as client:
            assert not (await client.init(IdPass(user_id="wang", password=secret.reveal()))).result


async def test_a_one_time_code_goes_into_the_group(database: Database, home: Path) -> None:
    async with standing.door(database, home) as door:
        async with database.transaction() as conn:
            wang = await access.an_account(conn, "wang", Role.COPYIST)
            secret = b"k" * totp.SECRET
            await accounts.set_totp(conn, wang.account, sealed.of(home).close(secret, signing.place(wang)))
        code = totp.code(secret, int(datetime.now(UTC).timestamp()) // totp.STEP)
        for group, right in ((None, False), (code, True), (code, False)):
            async with door.client() as client:
                given = IdPass(group_id=group, user_id="wang", password=access.PASSWORD)
                assert (await client.init(given)).result is right, "a code counts once"


async def test_yaz_client_finds_takes_lists_and_sorts(database: Database, home: Path) -> None:
    program = programs.need("yaz-client")
    said = "\n".join(
        (
            "base CNMARC-CALIS",
            "find @and @attr 1=4 天工开物 @attr 1=1003 宋应星",
            "format unimarc",
            "show 1",
            "find @attr 1=4 nothing",
            "find @attr 1=9999 x",
            "scan @attr 1=4 a",
            "close",
            "quit",
        )
    )
    async with standing.door(database, home) as door:
        process = await asyncio.create_subprocess_exec(
            program, f"{HOST}:{door.port}", stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
        )
        async with asyncio.timeout(standing.PATIENCE):
            out, _ = await process.communicate(said.encode())
    text = out.decode(errors="replace")
    assert "Number of hits: 1, setno 1" in text
    assert "$a 天工开物 $A tian gong kai wu" in text
    assert "Number of hits: 0, setno 2" in text
    assert "[114] Unsupported Use attribute" in text
    assert "Minerals and computers (1)" in text


def test_a_door_that_can_not_be_stops_the_start_and_config_check(cli: Cli) -> None:
    with (cli.home / settings.FILE).open("a", encoding="utf-8") as file:
        file.write('\n[z3950]\ncertificate = "none.pem"\n')
    for words in (("config", "check"), ("run",)):
        assert str(cli.home / "none.pem") in cli.run(*words, code=2).stderr.decode()
