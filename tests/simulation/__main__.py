"""`.venv/bin/python -m tests.simulation SEED [MUTANT]`: play one seed and print what happens."""

from __future__ import annotations

import sys
from contextlib import nullcontext

from tests.simulation import mutants
from tests.simulation.scenario import Scenario
from tests.simulation.watch import Broken


def main(seed: str, mutant: str = "") -> int:
    """Exit code 1 if a promise is broken."""
    with mutants.planted(mutant) if mutant else nullcontext():
        scenario = Scenario(int(seed), verbose=True)
        try:
            outcome = scenario.run()
        except Broken as broken:
            print("\n".join(scenario.world.lines))
            print(f"BROKEN: {broken}")
            return 1
    print("\n".join(outcome.lines))
    print(outcome.trace, f"healed in {outcome.seconds:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
