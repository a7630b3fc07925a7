"""Ten kills during an exchange of real processes; `./dev chaos` does a hundred in a million records."""

from __future__ import annotations

import pytest

from tests.chaos import force, nodes
from tests.chaos.force import Trial

RECORDS = 16_000
KILLS = 10
SEED = 20261121


@pytest.mark.chaos
async def test_kills_lose_and_double_nothing() -> None:
    trial = Trial(records=RECORDS, kills=KILLS, seed=SEED)
    async with nodes.couple(RECORDS) as couple:
        await trial.run(couple, print)
        await force.landed(couple, trial)
        await force.placed(couple, trial, 180.0)
        await force.equal(couple)
