"""Standard input that can be given up: whoever waits at a pipe whose writer is silent would else wait for ever, because
Python goes on reading after a signal (PEP 475)."""

from __future__ import annotations

import io
import os
import select
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_WOKEN, _WAKER = os.pipe()


def give_up() -> None:
    """It ends here, for all who read it now or later."""
    os.write(_WAKER, b"\0")


def opened() -> io.BufferedReader:
    """Standard input, buffered."""
    return io.BufferedReader(_StandardInput(0, "rb", closefd=False), 1 << 16)


class _StandardInput(io.FileIO):
    def readinto(self, buffer: WriteableBuffer, /) -> int | None:
        poll = select.poll()
        poll.register(self.fileno(), select.POLLIN)
        poll.register(_WOKEN, select.POLLIN)
        if any(number == _WOKEN for number, _ in poll.poll()):
            return 0
        return super().readinto(buffer)
