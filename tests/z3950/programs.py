"""yaz-client and zoomsh with the scripts beside, and what they print."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path

from tests import programs

SCRIPTS = Path(__file__).parent / "scripts"
NAMES = tuple(sorted(path.name for path in SCRIPTS.iterdir()))
PATIENCE = 60.0  # seconds
NEGOTIATED = {"utf-8": "utf-8", "gb18030": "gbk"}  # what programs call them


async def said(script: str, values: Mapping[str, object], charset: str = "utf-8") -> str:
    """What a program prints for a script that is typed in a charset. The name's ending is the program."""
    text = (SCRIPTS / script).read_text()
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    typed = "\n".join([*lines, "quit", ""])
    for name, value in {"charset": NEGOTIATED[charset], **values}.items():
        typed = typed.replace("{" + name + "}", str(value))
    process = await asyncio.create_subprocess_exec(
        programs.need(Path(script).suffix[1:]),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        cwd="/",
    )
    async with asyncio.timeout(PATIENCE):
        out, _ = await process.communicate(typed.encode(charset))
    return out.decode(charset, "replace")
