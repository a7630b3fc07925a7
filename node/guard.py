"""Makes sure that our packages are ours: PyPI has projects named `config`, `node`, `exchange`, `dms` and `services`.

One of them on the path would shadow or overwrite ours and run in its place. `node/__init__.py` checks this before any
other module of ours is imported, so this one imports nothing of ours: `config.errors` might be the foreign one.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path

PACKAGES = ("node", "services", "exchange", "dms", "catalog", "protocols", "config")


def foreign(ours: Path) -> str | None:
    """What is wrong, and what to do, if a package of ours is missing or comes from another folder than `ours`."""
    for name in PACKAGES:
        spec = importlib.util.find_spec(name)
        where = Path(spec.origin).resolve().parent if spec and spec.origin else None
        if where != ours / name:
            return (
                f"the Python package {name!r} is {where or 'missing'}, not Tianlu's own in {ours / name}: run Tianlu "
                f"in a virtual environment of its own (./dev setup); if it is that one, `pip uninstall {name}` there"
            )
    return None


def check() -> None:
    """Ends the program with one line if a package is not ours; nothing else can be trusted to report it."""
    if problem := foreign(Path(__file__).resolve().parents[1]):
        raise SystemExit(f"tianlu: error: {problem}")
