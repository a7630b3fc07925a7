"""The process pool: it knows our packages, nothing of the folder where a command is given, and no interrupt."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
COMMAND = """
import asyncio, sys
sys.path.insert(0, {root!r})
from dms import crew

async def go():
    there = crew.Crew(1)
    print(await there.run(len, "four"))
    there.close()

if __name__ == "__main__":
    asyncio.run(go())
"""


def test_nothing_in_the_working_folder_is_run(tmp_path: Path) -> None:
    script = tmp_path / "bin" / "command.py"
    script.parent.mkdir()
    script.write_text(COMMAND.format(root=str(ROOT)), encoding="utf-8")
    folder = tmp_path / "work"
    folder.mkdir()
    for name in ("config.py", "msgspec.py", "signal.py"):
        (folder / name).write_text("open('was-run', 'w').close()\nraise SystemExit(1)\n", encoding="utf-8")
    done = subprocess.run([sys.executable, str(script)], cwd=folder, capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stdout) == (0, "4\n"), done.stderr
    assert not (folder / "was-run").exists()


BLOCKED = """
import asyncio, re, sys
sys.path.insert(0, {root!r})
from dms import crew

def blocked():
    status = open("/proc/self/status").read()
    return bool(int(re.search(r"SigBlk:\\s*(\\w+)", status)[1], 16) & 1 << 1)

async def go():
    before = blocked()
    there = crew.Crew(1)
    print(before, await there.run(eval, "__import__('signal').pthread_sigmask(0, ())"), blocked())
    there.close()

if __name__ == "__main__":
    asyncio.run(go())
"""


def test_an_interrupt_at_the_terminal_reaches_the_command_and_not_its_pool(tmp_path: Path) -> None:
    script = tmp_path / "command.py"
    script.write_text(BLOCKED.format(root=str(ROOT)), encoding="utf-8")
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stdout) == (0, "False {<Signals.SIGINT: 2>} False\n"), done.stderr
