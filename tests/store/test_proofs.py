"""What proves who somebody is holds under every way to change it (OWASP ASVS 5.0, 6.2 and 6.4)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from catalog.connection import Connection
from catalog.database.pool import Database
from services.access import passwords, resets, sealed, signing, totp
from services.access.policy import Role
from services.access.signing import Claim, Wrong
from tests import access, stocked

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
NEW = "江枫渔火对愁眠，姑苏城外寒山寺"


async def test_a_new_password_by_a_code_leaves_the_second_factor(
    database: Database, conn: Connection, home: Path
) -> None:
    await stocked.open_house(conn)
    made = await access.an_account(conn, "bianmu-1", Role.CATALOGUER)
    seal, key = sealed.of(home), bytes(range(20))
    await signing.set_up_codes(database, seal, made, key, totp.code(key, totp.step(NOW)), NOW)
    code = (await resets.issue(conn, made, "os:root", NOW)).reveal()
    await signing.reset(database, code, NEW, NOW, (), "192.0.2.1")
    later = NOW + timedelta(seconds=30)
    with pytest.raises(Wrong):
        await signing.prove(database, seal, Claim(name="bianmu-1", password=NEW), later)
    right = Claim(name="bianmu-1", password=NEW, code=totp.code(key, totp.step(later)))
    assert (await signing.prove(database, seal, right, later)).account == made.account


@pytest.mark.parametrize("length", [64, passwords.LONGEST])
async def test_a_long_password_is_good_to_its_last_character(length: int) -> None:
    words = "ten green bottles hanging on the wall and if one should fall by accident there would be nine "
    password = (words * 2)[:length]
    assert passwords.objection(password) == ""
    kept = await passwords.shrouded(password)
    assert await passwords.right(password, kept)
    for other in (password[:-1], password[:-1] + "_", password.upper(), f"{password} ", f" {password}"):
        assert not await passwords.right(other, kept)
