"""Commands that are told to end: in the background of a script, and while nothing comes on standard input."""

from __future__ import annotations

import asyncio
import fcntl
import signal
import subprocess
import sys
import termios
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from tests import postgres
from tests.e2e.test_load_cli import Cli, alone, at_work, cli, raw

__all__ = ["alone", "cli"]

COUNT = 4000  # records: enough for a stretch to be read


def in_a_script() -> None:
    """As a shell starts what stands before `&` where nobody is at a terminal."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


class Waiting:
    """A command that has taken what it was given on standard input, which stays open."""

    def __init__(self, cli: Cli, *words: str, how: Callable[[], None] | None = None) -> None:
        self.process = cli.start(*words, stdin=subprocess.PIPE, preexec_fn=how)
        self.answer = b""
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.give(raw(1) * COUNT)
        asyncio.run(postgres.eventually(self._taken))

    def _read(self) -> None:
        assert self.process.stdout is not None
        self.answer = self.process.stdout.read()

    async def _taken(self) -> bool:
        assert self.process.stdin is not None
        left = fcntl.ioctl(self.process.stdin, termios.FIONREAD, bytes(4))
        return not int.from_bytes(left, sys.byteorder)

    def give(self, data: bytes) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(data)
        self.process.stdin.flush()

    def ended(self, number: signal.Signals) -> str:
        """What it says when it is ended, with its standard input still open."""
        self.process.send_signal(number)
        assert self.over() == 130
        assert self.process.stderr is not None
        said = self.process.stderr.read().decode()
        assert "Traceback" not in said and "interrupted" in said
        return said

    def over(self) -> int:
        code = self.process.wait(timeout=60)
        self._reader.join()
        return code


@pytest.mark.parametrize(
    "words", [("check", "-", "--json"), ("convert", "-", "--to", "mrk")], ids=lambda words: words[0]
)
def test_a_script_ends_what_waits_for_standard_input(tmp_path: Path, words: tuple[str, ...]) -> None:
    command = Waiting(Cli(tmp_path), *words, how=in_a_script)
    assert "the same command can be given again" in command.ended(signal.SIGTERM)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_load_from_a_silent_pipe_ends_and_goes_on_with_the_same_input(cli: Cli, number: signal.Signals) -> None:
    words = ("load", "-", "--source", "a", "--library", "LIB")
    command = Waiting(cli, *words)
    at_work(cli)
    assert "give the same command again" in command.ended(number)
    told = cli.load(*words[1:], given=raw(1) * COUNT + raw(2))
    assert (told["added"], told["load"]) == (2, 1)


def test_what_a_script_starts_goes_on_when_the_terminal_interrupts_the_script(tmp_path: Path) -> None:
    command = Waiting(Cli(tmp_path), "check", "-", "--json", how=in_a_script)
    command.process.send_signal(signal.SIGINT)
    command.give(raw(2))
    assert command.process.stdin is not None
    command.process.stdin.close()
    assert command.over() == 0 and b'"n2"' in command.answer
