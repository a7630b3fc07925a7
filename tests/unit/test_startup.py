"""What a command imports: libraries that take long to import are left to those commands that use them."""

from __future__ import annotations

import subprocess
import sys

import pytest

SLOW = ("numpy", "pgqueuer", "pydantic", "tantivy", "aiohttp", "jinja2", "opencc", "dms.match", "catalog.search.pinyin")
LIGHT = ("load", "loads", "library")


@pytest.mark.parametrize("command", LIGHT)
def test_a_light_command_imports_nothing_slow(command: str) -> None:
    shown = f"import sys, node.cli, node.commands.{command}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", shown], check=True, capture_output=True, text=True)
    imported = set(done.stdout.split())
    assert f"node.commands.{command}" in imported
    assert not imported & set(SLOW)
