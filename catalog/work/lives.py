"""Names of processes that hold leases and beat as workers, and whether such a process has ended (shell).

A holder that was killed on this machine is known to be gone at once; one on another machine only when its lease or
beat has run out.
"""

from __future__ import annotations

import os
import secrets
import socket
from pathlib import Path


def name() -> str:
    """`host:pid:token` of one life of this process."""
    return f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(3)}"


def ended(ident: str) -> bool:
    """Whether the process with this name ran on this machine and is no more. False if that can't be told."""
    host, _, rest = ident.rpartition(":")[0].rpartition(":")
    if host != socket.gethostname() or not rest.isdecimal():
        return False
    try:
        os.kill(int(rest), 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False
    return _is_zombie(int(rest))


def _is_zombie(pid: int) -> bool:
    """Killed, and not yet waited for by its parent."""
    try:
        told = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return False
    return told.rpartition(")")[2].split()[:1] == ["Z"]
