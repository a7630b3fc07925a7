"""`python -m tests.z3950.capture`: APDUs that yaz-client and zoomsh really send, kept in the folder `captured`.

What answers them is a server of a few lines, so they can be made again without a node.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Sequence
from pathlib import Path

from msgspec import structs

from protocols import marcxml
from protocols.z3950 import apdu
from protocols.z3950.apdu.query import Null
from protocols.z3950.apdu.scan import ListEntries, TermInfo
from protocols.z3950.ber import Frames
from tests import builders, targets
from tests.z3950 import programs

CAPTURED = Path(__file__).parent / "captured"
ALL = frozenset(range(32))


def answering() -> targets.Answer:
    """A server that does as it is asked."""
    record = builders.iso2709(builders.a_bib())
    library = targets.library([record] * 20)

    def answer(request: apdu.Apdu) -> Sequence[apdu.Apdu | bytes]:
        match request:
            case apdu.InitRequest():
                return [structs.replace(targets.welcome(request), options=ALL)]
            case apdu.ScanRequest():
                terms = ListEntries(entries=(TermInfo(term=Null()),))
                return [apdu.ScanResponse(scan_status=0, number_of_entries_returned=1, entries=terms)]
            case apdu.SortRequest():
                return [apdu.SortResponse(sort_status=0)]
            case apdu.DeleteRequest():
                return [apdu.DeleteResponse(delete_operation_status=0)]
            case apdu.ExtendedServicesRequest():
                return [apdu.ExtendedServicesResponse(operation_status=1)]
            case apdu.Close():
                return [request]
        return library(request)

    return answer


def keeping(kept: list[bytes]) -> targets.Handler:
    """Speaking, it keeps what it hears in the octets that it came in."""
    answer = answering()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        frames = Frames()
        while data := await reader.read(1 << 16):
            for octets in frames.feed(data):
                kept.append(octets)
                writer.writelines(
                    each if isinstance(each, bytes) else apdu.encode(each) for each in answer(apdu.decode(octets))
                )

    return handle


async def capture() -> dict[str, bytes]:
    """By name: the script, which of its APDUs, and its kind."""
    made: dict[str, bytes] = {}
    with tempfile.NamedTemporaryFile(suffix=".xml") as record:
        record.write(marcxml.write(builders.a_bib()).encode())
        record.flush()
        values = {"isbn": "9787101000016", "user": "reader", "password": "word", "record": record.name}
        for script, charset in [*((name, "utf-8") for name in programs.NAMES), ("records.yaz-client", "gb18030")]:
            kept: list[bytes] = []
            async with targets.serving(keeping(kept)) as port:
                await programs.said(script, values | {"port": port}, charset)
            for number, octets in enumerate(kept):
                if octets not in made.values():
                    made[f"{script}-{charset}-{number:02}-{type(apdu.decode(octets)).__name__}"] = octets
    return made


def init() -> bytes:
    """How yaz-client begins a session when nothing is told."""
    return (CAPTURED / "plain.yaz-client-utf-8-00-InitRequest").read_bytes()


def conversations(script: str) -> list[bytes]:
    """The APDUs of a script by connection; one that began as another did has not been kept with its Init."""
    begun: list[bytes] = []
    for path in sorted(CAPTURED.glob(f"{script}-*")):
        if path.name.endswith("InitRequest"):
            begun.append(b"")
        elif not begun:
            begun.append(init())
        begun[-1] += path.read_bytes()
    return begun


def main() -> None:
    CAPTURED.mkdir(exist_ok=True)
    for path in CAPTURED.iterdir():
        path.unlink()
    for name, octets in asyncio.run(capture()).items():
        (CAPTURED / name).write_bytes(octets)


if __name__ == "__main__":
    main()
