"""Foreign packages with the names of ours are noticed before anything of theirs runs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from node import guard

ROOT = Path(__file__).resolve().parents[2]


def start(planted: Path) -> subprocess.CompletedProcess[str]:
    """Starts `tianlu config check` with `planted` ahead of our own folder on the path."""
    code = "from node import cli; import sys; sys.exit(cli.main(['config', 'check', '--home', '/nonexistent']))"
    environ = {"PYTHONPATH": f"{planted}:{ROOT}", "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"}
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environ, cwd=planted, check=False
    )


# A foreign `node` would take the place of the guard itself: `./dev setup` finds that one.
@pytest.mark.parametrize("name", [name for name in guard.PACKAGES if name != "node"])
def test_foreign_package_stops_the_start_and_is_never_run(tmp_path: Path, name: str) -> None:
    folder = tmp_path / name
    folder.mkdir()
    (folder / "__init__.py").write_text("print('foreign code ran')\n", encoding="utf-8")
    done = start(tmp_path)
    assert done.returncode == 1
    assert f"pip uninstall {name}" in done.stderr
    assert str(folder) in done.stderr
    assert "Traceback" not in done.stderr
    assert "foreign code ran" not in done.stdout


def test_our_own_packages_pass(tmp_path: Path) -> None:
    assert start(tmp_path).returncode == 0
    assert guard.foreign(ROOT) is None


def test_every_top_level_package_that_is_installed_is_guarded() -> None:
    ours = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"tests", "bench"}
    assert ours == set(guard.PACKAGES)
