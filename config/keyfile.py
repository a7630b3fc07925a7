"""Files that hold a secret: written whole or not at all, for their owner alone."""

from __future__ import annotations

import os
import secrets
from pathlib import Path


def write(path: Path, content: bytes, *, replace: bool = False) -> None:
    """Write and sync. Without `replace` a file that another process made meanwhile stays."""
    fresh = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    if replace:
        fresh.replace(path)
        return
    try:
        os.link(fresh, path)  # unlike rename, never replaces what is there
    except FileExistsError:
        pass
    fresh.unlink()
