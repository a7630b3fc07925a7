"""Z39.50 servers of Index Data, for benches and tests: Zebra with records indexed, and the test server of YAZ."""

from __future__ import annotations

import glob
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

# What Zebra indexes of a record in either family, by bib-1 names.
ABSTRACT = """name bib
attset bib1.att
esetname F @
esetname B @
marc usmarc.mar
xpath disable
all any
melm 001 Local-number,Local-number:0
melm 020$a ISBN
melm 010$a ISBN
melm 245 Title,Title:p
melm 200 Title,Title:p
melm 100 Author,Author:p
melm 701 Author,Author:p
"""
STARTING = 20.0  # seconds that a server may take to listen
LOOK = 0.02  # seconds between two looks whether it does


@contextmanager
def ztest(count: int = 1) -> Iterator[list[int]]:
    """The test server of YAZ, which finds something for every query, on so many ports."""
    ports = _free_ports(count)
    with _listening(["yaz-ztest", "-T", "-t", "1", *(f"tcp:127.0.0.1:{port}" for port in ports)], ports):
        yield ports


@contextmanager
def zebra(home: Path, records: bytes) -> Iterator[int]:
    """Zebra with these MARC records (ISO 2709 in UTF-8) in its database `Default`; its port."""
    modules = glob.glob("/usr/lib/*/idzebra-2.0/modules") or ["/usr/lib/idzebra-2.0/modules"]
    for folder in ("records", "register", "lock", "tmp"):
        (home / folder).mkdir(parents=True, exist_ok=True)
    (home / "records" / "all.mrc").write_bytes(records)
    (home / "bib.abs").write_text(ABSTRACT, encoding="ascii")
    (home / "zebra.cfg").write_text(
        f"profilePath: {home}:/usr/share/idzebra-2.0/tab\nattset: bib1.att\nmodulePath: {modules[0]}\n"
        f"recordType: grs.marcxml.bib\nencoding: utf-8\ndatabase: Default\n"
        f"register: {home}/register:1G\nlockDir: {home}/lock\nsetTmpDir: {home}/tmp\nkeyTmpDir: {home}/tmp\n"
        f"perm.anonymous: r\nstoreData: 1\nstoreKeys: 1\n",
        encoding="utf-8",
    )
    index = ["zebraidx", "-c", "zebra.cfg", "-d", "Default", "update", "records"]
    subprocess.run(index, cwd=home, capture_output=True, check=True)
    (port,) = _free_ports(1)
    with _listening(["zebrasrv", "-c", "zebra.cfg", f"tcp:127.0.0.1:{port}"], [port], cwd=home):
        yield port


@contextmanager
def _listening(command: Sequence[str], ports: Sequence[int], cwd: Path | None = None) -> Iterator[None]:
    """A server for the length of the block, which begins when it answers on all its ports."""
    process = subprocess.Popen(command, cwd=cwd, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until = time.monotonic() + STARTING
        for port in ports:
            while not _answers(port):
                if process.poll() is not None or time.monotonic() > until:
                    raise RuntimeError(f"{command[0]} does not listen on port {port}")
                time.sleep(LOOK)
        yield
    finally:
        process.terminate()
        process.wait()


def _free_ports(count: int) -> list[int]:
    """Ports that nobody listens on, each another one."""
    with ExitStack() as stack:
        socks = [stack.enter_context(socket.socket()) for _ in range(count)]
        for sock in socks:
            sock.bind(("127.0.0.1", 0))
        return [sock.getsockname()[1] for sock in socks]


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True
