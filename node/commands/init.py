"""`tianlu init`: makes a node: its home folder, database, settings file, and its own library in the directory."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Mapping
from pathlib import Path

from catalog import libraries, ownership
from catalog.database import pool
from catalog.model import Library
from config import settings
from config.errors import Conflict, Misconfigured
from config.settings import KEYS, Settings
from node.context import TRACES, Context

NAME = "init"
HELP = {
    "en": "Make a new node in the home folder, which must be new or empty.",
    "zh": "在主目录中建立新节点；主目录必须不存在或为空。",
}
UNFINISHED = "tianlu.toml.unfinished"
# What an interrupted `init` leaves; and the databases of other nodes, which live below root's default home.
OURS = frozenset({UNFINISHED, TRACES, "pg", "embedded"})


def arguments(parser: argparse.ArgumentParser) -> None:
    """Who the node is, and where it listens and keeps its data if not at the defaults."""
    parser.add_argument("--tier", dest="node.tier", required=True, choices=KEYS["node.tier"].limits["choices"])
    parser.add_argument("--symbol", dest="node.symbol", required=True, help=KEYS["node.symbol"].about)
    parser.add_argument("--name", dest="node.name", help=KEYS["node.name"].about)
    parser.add_argument("--host", dest="web.host", help=KEYS["web.host"].about)
    parser.add_argument("--port", dest="web.port", type=int, help=KEYS["web.port"].about)
    parser.add_argument("--dsn-file", metavar="FILE", help=f"file that holds the {KEYS['database.dsn'].about}")


async def run(context: Context, args: argparse.Namespace) -> int:
    """Exit code 5 if there is a node in the home folder already."""
    _ = context.settings  # names a flag or variable that is wrong before anything is made
    made = await make(context.home, _chosen(args))
    context.out.say(context.text("ready", symbol=made.node.symbol, home=context.home))
    context.out.say(context.text("ready_next"))
    if context.out.json:
        context.out.item({"symbol": made.node.symbol, "tier": made.node.tier, "home": str(context.home)})
    return 0


def _chosen(args: argparse.Namespace) -> dict[str, object]:
    """What the flags say for the settings file; `--lang` is about this command's messages, not the node's."""
    chosen = {
        name: value for name, value in vars(args).items() if name in KEYS and name != "lang" and value is not None
    }
    if args.dsn_file:
        chosen["database.dsn_file"] = str(Path(args.dsn_file).expanduser().absolute())
    return chosen


async def make(home: Path, chosen: Mapping[str, object]) -> Settings:
    """Make a node with these settings (dotted key → value); an interrupted attempt may be repeated."""
    _make_home(home)
    unfinished = home / UNFINISHED
    _write(unfinished, chosen)
    told = settings.load(home, os.environ, file=UNFINISHED)
    async with (
        pool.open(home, told.database.dsn.reveal() or None, told.database.programs) as database,
        database.transaction() as conn,
    ):
        await ownership.claim(conn, told.node.symbol)
        if await libraries.get(conn, told.node.symbol) is None:
            await libraries.add(conn, Library(symbol=told.node.symbol, name=told.node.name or told.node.symbol))
    unfinished.rename(home / settings.FILE)  # from here on there is a node
    return settings.load(home, os.environ)


def _make_home(home: Path) -> None:
    """The folder, for its owner alone; root lets others pass through, because PostgreSQL runs as another user."""
    try:
        if (home / settings.FILE).exists():
            raise Conflict(f"there is a node in {home} already: choose another folder with --home")
        if home.exists() and (strange := sorted({path.name for path in home.iterdir()} - OURS)):
            raise Conflict(f"{home} is not empty (it holds {strange[0]}): choose a new folder with --home")
        home.mkdir(parents=True, exist_ok=True)
        home.chmod(0o711 if os.geteuid() == 0 else 0o700)
    except OSError as error:
        raise Misconfigured(f"{home} can't be the home folder: {error.strerror}; choose another with --home") from error


def _write(path: Path, chosen: Mapping[str, object]) -> None:
    sections: dict[str, list[str]] = {}
    for name, value in chosen.items():
        section, _, leaf = name.rpartition(".")
        # A JSON text without control characters is a TOML basic string, and a JSON number a TOML number.
        sections.setdefault(section, []).append(f"{leaf} = {json.dumps(value, ensure_ascii=False)}")
    parts = ["# Settings of this node; `tianlu config show` lists all of them, with what holds where nothing is said."]
    parts += ["\n".join([f"[{section}]", *lines]) for section, lines in sections.items()]
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with open(descriptor, "w", encoding="utf-8") as file:
        file.write("\n\n".join(parts) + "\n")
        file.flush()
        os.fsync(descriptor)
