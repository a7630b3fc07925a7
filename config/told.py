"""Reads settings from a TOML file and the environment, and checks each one against its key.

Every complaint is one `Misconfigured` sentence: where (file and line, variable or flag), what is wrong, what is right.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from config.errors import Misconfigured
from config.secret import Secret

PREFIX = "TIANLU_"
# Read by other parts of the program before there are settings, or by its tests; not settings themselves.
NOT_SETTINGS = (
    "TIANLU_HOME", "TIANLU_PASSWORD_FILE", "TIANLU_NEW_PASSWORD_FILE", "TIANLU_CODE_FILE", "TIANLU_TEST_",
)  # fmt: skip
FROM_FILE = "_file"
KINDS = {str: "a text in quotes", int: "a whole number", float: "a number", Secret: "a text in quotes"}
HEADER = re.compile(r"\s*\[\s*([^\[\]]+?)\s*\]\s*(?:#.*)?$")
ASSIGNMENT = re.compile(r"\s*([A-Za-z0-9_.\"'-]+)\s*=")


class Key(Protocol):
    """What a setting tells about itself (`config.settings.Key`)."""

    @property
    def name(self) -> str: ...
    @property
    def kind(self) -> type: ...
    @property
    def limits(self) -> Mapping[str, Any]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A value and who said it."""

    value: object
    origin: str  # "default", "<path>:<line>", "$TIANLU_…" or "--flag"


def from_toml(path: Path, keys: Mapping[str, Key]) -> dict[str, Told]:
    """The settings in a TOML file, by dotted key. Raises Misconfigured with file and line."""
    try:
        text = path.read_text(encoding="utf-8")
        tree = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise Misconfigured(f"{path}: not valid TOML: {error}") from error
    except (OSError, UnicodeDecodeError) as error:
        raise Misconfigured(f"{path}: cannot be read: {error}") from error
    lines = {name: number for number, name in reversed(list(_positions(text)))}
    found = {}
    for name, value in _flatten(tree, keys):
        where = f"{path}:{_line(lines, name)}"
        key, value = _resolve(name, value, keys, path.parent, where)
        found[key.name] = check(key, value, where)
    return found


def from_environment(environ: Mapping[str, str], keys: Mapping[str, Key], home: Path) -> dict[str, Told]:
    """The settings in `TIANLU_SECTION__KEY` variables, by dotted key. Raises Misconfigured naming the variable."""
    found = {}
    for variable in sorted(environ):
        if not variable.startswith(PREFIX) or variable.startswith(NOT_SETTINGS):
            continue
        where = f"${variable}"
        name = variable[len(PREFIX) :].lower().replace("__", ".")
        key, text = _resolve(name, environ[variable], keys, home, where)
        found[key.name] = check(key, _parsed(key.kind, text, where), where)
    return found


def flag(name: str) -> str:
    """The command-line flag of a setting, as an origin: `web.port` → `--port`."""
    return "--" + name.rpartition(".")[2].replace("_", "-")


def check(key: Key, value: object, where: str) -> Told:
    """The value in its type and within its limits, or Misconfigured."""
    kind = key.kind
    if kind is float and type(value) is int:
        value = float(value)
    if kind is Secret and isinstance(value, str):
        value = Secret(value)
    if type(value) is not kind:
        raise Misconfigured(f"{where}: {key.name} must be {KINDS[kind]}")
    _within(key, value, where)
    return Told(value=value, origin=where)


def _within(key: Key, value: Any, where: str) -> None:
    choices = key.limits.get("choices")
    if choices and value not in choices:
        raise Misconfigured(f"{where}: {key.name} must be one of {', '.join(c for c in choices if c)}, not {value!r}")
    low, high = key.limits.get("low"), key.limits.get("high")
    if (low is not None and value < low) or (high is not None and value > high):
        span = f"at least {low}" if high is None else f"from {low} to {high}"
        raise Misconfigured(f"{where}: {key.name} must be {span}, not {value}")
    pattern = key.limits.get("pattern")
    if pattern and value and not pattern.fullmatch(value.reveal() if isinstance(value, Secret) else value):
        raise Misconfigured(f"{where}: {key.name} must be {key.limits['shape']}, not {value!r}")
    if read := key.limits.get("read"):
        try:
            read(value)
        except ValueError as error:
            raise Misconfigured(f"{where}: {key.name}: {error}") from error


def _parsed(kind: type, text: object, where: str) -> object:
    """An environment variable's text as the setting's type."""
    if kind not in (int, float) or not isinstance(text, str):
        return text
    try:
        return kind(text)
    except ValueError as error:
        raise Misconfigured(f"{where}: must be {KINDS[kind]}, not {text!r}") from error


def _resolve(name: str, value: object, keys: Mapping[str, Key], home: Path, where: str) -> tuple[Key, object]:
    """The key, and the value or what the file of a `…_file` key holds."""
    if name in keys:
        return keys[name], value
    direct = name.removesuffix(FROM_FILE)
    if direct != name and direct in keys and keys[direct].kind is Secret:
        return keys[direct], _secret(home, value, where)
    valid = [*keys, *(f"{k}{FROM_FILE}" for k, key in keys.items() if key.kind is Secret)]
    raise Misconfigured(f"{where}: there is no setting {name!r}; {nearest(name, valid)}")


def nearest(name: str, valid: list[str]) -> str:
    """Which valid name was probably meant, as the end of a sentence."""
    close = difflib.get_close_matches(name, valid, n=1, cutoff=0.5)
    if not close:
        leaf = name.rpartition(".")[2]
        close = [v for v in valid if v.rpartition(".")[2] == leaf]
    return f"did you mean {close[0]!r}?" if close else f"known are: {', '.join(sorted(valid))}"


def _secret(home: Path, value: object, where: str) -> str:
    if not isinstance(value, str):
        raise Misconfigured(f"{where}: must be the path of a file in quotes")
    path = home / value
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise Misconfigured(f"{where}: the secret file {path} cannot be read: {error}") from error


def _flatten(tree: Mapping[str, object], keys: Mapping[str, Key], prefix: str = "") -> Iterator[tuple[str, object]]:
    for name, value in tree.items():
        if isinstance(value, dict) and prefix + name not in keys:
            if not value and not any(key.startswith(f"{prefix}{name}.") for key in keys):
                yield prefix + name, value
            yield from _flatten(value, keys, f"{prefix}{name}.")
        else:
            yield prefix + name, value


def _positions(text: str) -> Iterator[tuple[int, str]]:
    """(line, dotted name) of table headers and assignments: tomllib tells no positions, and an error needs one."""
    section = ""
    for number, line in enumerate(text.splitlines(), 1):
        if header := HEADER.match(line):
            section = header[1].replace('"', "").replace("'", "") + "."
            yield number, section.rstrip(".")
        elif assignment := ASSIGNMENT.match(line):
            yield number, section + assignment[1].replace('"', "").replace("'", "")


def _line(lines: Mapping[str, int], name: str) -> int:
    """The line of a key; of the table that holds it when it stands in an inline table."""
    while name not in lines and "." in name:
        name = name.rpartition(".")[0]
    return lines.get(name, 1)
