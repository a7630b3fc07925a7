"""`python -m bench NAME [--size N] [--libraries N] [--json]`: measure, print a table, keep it in `bench/results`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence

from bench import (
    audit,
    check,
    convert,
    door,
    exchange,
    generate,
    load,
    match,
    options,
    reconcile,
    rekey,
    scan,
    search,
    visible,
    z3950,
)
from bench.node import Failed
from bench.options import Options
from bench.report import Report

BENCHES: dict[str, Callable[[Options], Report]] = {
    "generate": generate.run,
    "scan": scan.run,
    "load": load.run,
    "visible": visible.run,
    "search": search.run,
    "match": match.run,
    "exchange": exchange.run,
    "reconcile": reconcile.run,
    "door": door.run,
    "audit": audit.run,
    "check": check.run,
    "convert": convert.run,
    "rekey": rekey.run,
    "z3950": z3950.run,
}


def main(words: Sequence[str] | None = None) -> int:
    """Run one bench; exit code 1 when a command of the node failed."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("name", choices=sorted(BENCHES), help="what to measure")
    parser.add_argument(
        "--size", type=options.size, help="number of records: 5000, 100k, 1M (default: the bench's own)"
    )
    parser.add_argument(
        "--libraries",
        type=int,
        default=options.LIBRARIES,
        metavar="N",
        help="files that the records come in, one a library and load (default: %(default)s)",
    )
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    given = parser.parse_args(words)
    try:
        report = BENCHES[given.name](Options(size=given.size, libraries=given.libraries))
    except Failed as error:
        print(f"bench {given.name}: {error}", file=sys.stderr)
        return 1
    kept = report.keep()
    print(report.json() if given.json else report.table())
    print(f"kept in {kept}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
