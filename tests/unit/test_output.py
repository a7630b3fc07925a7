"""Tables, NDJSON and progress."""

from __future__ import annotations

import io
import json

import pytest

from node import messages
from node.output import Output


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def out(*, json: bool = False, stderr: io.StringIO | None = None) -> Output:
    return Output(json=json, color=False, stdout=io.StringIO(), stderr=stderr or io.StringIO())


def written(each: Output) -> str:
    assert isinstance(each.stdout, io.StringIO)
    return each.stdout.getvalue()


def test_table_lines_up_wide_characters() -> None:
    each = out()
    each.table([{"a": "红楼梦", "b": 1234}, {"a": "hlm", "b": None}], ("a", "b"))
    assert written(each) == "a       b\n红楼梦  1,234\nhlm\n"


def test_with_json_a_table_is_one_object_a_line_and_sentences_are_left_out() -> None:
    each = out(json=True)
    each.say("for people")
    each.table([{"a": "红楼梦", "hidden": 1}], ("a",))
    assert [json.loads(line) for line in written(each).splitlines()] == [{"a": "红楼梦", "hidden": 1}]


def test_progress_paints_a_bar_on_a_terminal_and_removes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([0.0, 1.0])
    monkeypatch.setattr("time.monotonic", lambda: next(clock))
    terminal = Terminal()
    with out(stderr=terminal).progress("load", 4) as progress:
        progress.at(1, "9/s")
    assert "█" * 6 + "░" * 18 in terminal.getvalue()
    assert "25%" in terminal.getvalue()
    assert "9/s" in terminal.getvalue()
    assert terminal.getvalue().endswith("\r\x1b[K")


def test_progress_elsewhere_is_a_line_every_ten_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([0.0, 5.0, 10.0, 15.0, 20.0])
    monkeypatch.setattr("time.monotonic", lambda: next(clock))
    pipe = io.StringIO()
    with out(stderr=pipe).progress("load") as progress:
        for done in range(4):
            progress.at(done)
    assert pipe.getvalue() == "load  1  10 s\nload  3  20 s\n"


@pytest.mark.parametrize("key", sorted(messages.catalogue()))
def test_every_sentence_is_there_in_both_languages_with_the_same_names(key: str) -> None:
    names = {
        lang: sorted(part.split("}")[0] for part in text.split("{")[1:])
        for lang, text in messages.catalogue()[key].items()
    }
    assert set(names) == {"zh", "en"}
    assert names["zh"] == names["en"]
