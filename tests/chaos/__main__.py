"""`./dev chaos [--records N] [--kills N] [--seed S] [--landed]`: kill two nodes of an exchange again and again.

Records are published straight into the child's feed (`bench.feeding`). Both nodes run in all roles, each with its own
PostgreSQL. At the end nothing is lost, nothing came twice, at most one segment a kill was sent again, and both ends say
the same. The same seed strikes at the same places.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time

from bench import options
from tests.chaos import force, nodes
from tests.chaos.force import Broken, Trial


def main() -> int:
    """1 if a promise was broken."""
    parser = argparse.ArgumentParser(prog="./dev chaos", description=__doc__)
    parser.add_argument("--records", type=options.size, default=1_000_000, help="like 20k or 1M (default: %(default)s)")
    parser.add_argument("--kills", type=int, default=100, help="(default: %(default)s)")
    parser.add_argument("--edits", type=int, default=100, help="batches of edits meanwhile (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="of the places (default: %(default)s)")
    parser.add_argument("--landed", action="store_true", help="don't wait until the parent has placed what landed")
    parser.add_argument("--patience", type=float, default=3600.0, help="seconds for placing (default: %(default)s)")
    given = parser.parse_args()
    trial = Trial(records=given.records, kills=given.kills, seed=given.seed, edits=given.edits)
    try:
        asyncio.run(_run(trial, None if given.landed else given.patience))
    except Broken as error:
        say(f"seed {given.seed}: {error}")
        return 1
    return 0


async def _run(trial: Trial, patience: float | None) -> None:
    began = time.monotonic()
    say(f"making {trial.records:,} records")
    async with nodes.couple(trial.records) as couple:
        say(f"made in {time.monotonic() - began:.0f} s; {trial.kills} kills and {trial.edits} edits from here on")
        began = time.monotonic()
        await trial.run(couple, say)
        took = time.monotonic() - began
        found = await force.landed(couple, trial)
        say(
            f"all landed after {took:.0f} s: {found.told:,} records in {found.landed} segments, {found.again} sent "
            f"again; {dict(trial.killed)}; at most {trial.longest:.1f} s without progress"
        )
        if patience is not None:
            await force.placed(couple, trial, patience)
            say(f"all placed after {time.monotonic() - began:.0f} s")
        await force.equal(couple)
        say("0 lost, 0 doubled, both ends equal")


def say(text: str) -> None:
    """On standard error, at once."""
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    raise SystemExit(main())
