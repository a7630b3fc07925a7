"""Logs name the work they belong to."""

from __future__ import annotations

import asyncio
import io
import json
import logging
from collections.abc import Iterator

import pytest

from config import logs


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    for name in logs.OURS:
        logging.getLogger(name).setLevel(logging.NOTSET)


def test_json_lines_carry_the_names_of_the_work_and_the_trace() -> None:
    stream = io.StringIO()
    logs.set_up("info", "json", stream)
    with logs.about(load=7), logs.about(unit=3):
        try:
            raise ValueError("broken")
        except ValueError:
            logging.getLogger("dms.worker").exception("a %s failed", "batch")
    line = json.loads(stream.getvalue())
    assert (line["load"], line["unit"], line["message"], line["level"]) == ("7", "3", "a batch failed", "error")
    assert "ValueError: broken" in line["trace"]


def test_names_end_with_their_block() -> None:
    stream = io.StringIO()
    logs.set_up("info", "text", stream)
    with logs.about(load=7):
        pass
    logging.getLogger("node").info("later")
    assert "load" not in stream.getvalue()


async def test_two_tasks_do_not_share_names() -> None:
    stream = io.StringIO()
    logs.set_up("info", "json", stream)
    both_inside = asyncio.Barrier(2)

    async def work(load: int) -> None:
        with logs.about(load=load):
            await both_inside.wait()
            logging.getLogger("node").info("%d", load)

    await asyncio.gather(work(1), work(2))
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert sorted((line["load"], line["message"]) for line in lines) == [("1", "1"), ("2", "2")]


def test_level_holds_for_ours_and_others_speak_from_warning_up() -> None:
    stream = io.StringIO()
    logs.set_up("info", "text", stream)
    logging.getLogger("node").debug("quiet")
    logging.getLogger("aiohttp.access").info("quiet")
    logging.getLogger("aiohttp").warning("loud")
    assert "quiet" not in stream.getvalue()
    assert "loud" in stream.getvalue()


# A line's end, what a terminal takes for one or for an order, and what turns the reading around (CWE-117, CWE-150).
SIGNS = "\r\n\v\f\0\x1b[2J\x7f\x85\x9b31m\u2028\u2029\u202e"


@pytest.mark.parametrize("form", ["text", "json"])
def test_nothing_from_outside_makes_a_line_of_its_own(form: str) -> None:
    stream = io.StringIO()
    logs.set_up("info", form, stream)
    with logs.about(record=f"a{SIGNS}2026-11-21T00:00:00.000+00:00 info    node: forged"):
        logging.getLogger("node").info("asked for %s", f"b{SIGNS}2026-11-21T00:00:00.000+00:00 info    node: forged")
    (line,) = stream.getvalue()[:-1].split("\n")
    assert len(stream.getvalue().splitlines()) == 1
    assert not set(line) & set(SIGNS.replace("[2J", "").replace("31m", ""))
    assert "\\n" in line, "what was there can still be read"


def test_lines_of_a_trace_are_no_lines_of_the_log() -> None:
    stream = io.StringIO()
    logs.set_up("info", "text", stream)
    try:
        raise ValueError(f"no {SIGNS}2026-11-21T00:00:00.000+00:00 info    node: forged")
    except ValueError:
        logging.getLogger("node").exception("failed")
    first, *trace = stream.getvalue()[:-1].split("\n")
    assert first.endswith("failed")
    assert len(trace) >= 4
    assert all(line.startswith("    ") for line in trace)
    assert len(stream.getvalue().splitlines()) == 1 + len(trace)
