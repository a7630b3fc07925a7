"""What was read of an input before it turned out to be a bomb is loaded; the rest is a case with its reason."""

from __future__ import annotations

import gzip

from catalog import quarantine, sources
from catalog.database.pool import Database
from catalog.model import LoadState
from tests import builders
from tests.pipeline import Catalogue


async def test_a_bomb_behind_good_records(database: Database) -> None:
    catalogue = await Catalogue(database).open()
    good = [builders.iso2709(builders.a_marc21(local_id=f"b{n}", title=f"Salt {n}")) for n in range(3)]
    load = await catalogue.give("one", gzip.compress(b"".join(good)) + gzip.compress(bytes(80 << 20)))
    assert (load.state, load.added) == (LoadState.DONE, 3)
    async with database.connection() as conn:
        no = (await sources.get(conn, "one")).no
        cases = await quarantine.listing(conn, source=no, rule=None, limit=10)
        assert any("grew more than" in case["reason"] for case in cases)
