"""Bad weather between two real nodes: what it harms is found and never applied, and all goes on soon after."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests import postgres
from tests.chaos import force, nodes
from tests.chaos.force import Trial
from tests.chaos.nodes import Couple
from tests.chaos.proxy import Weather

SEGMENT = 4_000  # records
HEALED = 30.0  # seconds after which all must go on
HARMED = 3  # connections or pieces that the weather must have got hold of

WEATHERS = {
    "cut in the middle of a segment": Weather(cut=100_000),
    "bits flip": Weather(flip=50_000),
    "nobody gets through": Weather(down=True),
    "slow": Weather(rate=200_000, latency=0.05),
}
DEAD = {
    "stalled": Weather(stall=True),
    "half open": Weather(half_open=True),
}


@pytest_asyncio.fixture
async def couple() -> AsyncIterator[Couple]:
    """Both run, and have told each other everything."""
    async with nodes.couple(SEGMENT, ("web", "exchange")) as opened:
        opened.parent.start()
        opened.child.start()
        await postgres.eventually(opened.landed, 60.0)
        yield opened


@pytest.mark.chaos
async def test_what_weather_harms_is_found_and_all_goes_on_when_it_is_over(couple: Couple) -> None:
    trial = Trial(records=SEGMENT, kills=len(WEATHERS) + len(DEAD), seed=0, alive=set(couple.clusters))
    took = {}
    for name, weather in {**WEATHERS, **DEAD}.items():
        before, heard = couple.proxy.harmed, await couple.heard()
        await couple.proxy.turn(weather)
        trial.alive |= set(await couple.child.fill(SEGMENT))
        if name == "slow":
            await postgres.eventually(couple.landed, 60.0)
            continue
        await _harmed(couple, before + (1 if name in DEAD else HARMED))
        if name != "half open":
            assert await couple.heard() == heard, f"{name}: something was applied"
        await couple.proxy.turn(Weather())
        healed = time.monotonic()
        await postgres.eventually(couple.landed, 90.0)
        took[name] = round(time.monotonic() - healed, 1)
    print(took)
    assert max(took.values()) <= HEALED, took
    await force.landed(couple, trial)
    await force.equal(couple)
    assert not await couple.parent.value("select count(*) from quarantine")


async def _harmed(couple: Couple, times: int) -> None:
    async def harmed() -> bool:
        return couple.proxy.harmed >= times

    await postgres.eventually(harmed, 60.0)
