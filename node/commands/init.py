"""`tianlu init`: makes a node: its home folder, database, settings file, its own library and its first accounts."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from catalog import audit, libraries, ownership
from catalog.acts import Entry
from catalog.connection import Connection
from catalog.database import pool
from catalog.model import Library
from config import settings
from config.errors import Conflict, Misconfigured
from config.secret import Secret
from config.settings import KEYS, Settings
from node.context import TRACES, Context, of_machine
from node.deeds import Act
from services.access import accounts, passwords
from services.access.policy import ALL, DUTIES, Grant, Role

NAME = "init"
HELP = {
    "en": "Make a new node in the home folder, which must be new or empty.",
    "zh": "在主目录中建立新节点；主目录必须不存在或为空。",
}
ACTS = {"": Act(name="node.init")}
UNFINISHED = "tianlu.toml.unfinished"
# The first accounts, with their duties, by `access.duties`.
FIRST: Mapping[str, Mapping[str, tuple[Role, ...]]] = {
    "together": {"operator": DUTIES},
    "separate": {str(each): (each,) for each in DUTIES},
}
# What an interrupted `init` leaves; and the databases of other nodes, which live below root's default home.
OURS = frozenset({UNFINISHED, TRACES, "pg", "embedded"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A new node: its settings, and the passwords of its first accounts by name, which are kept nowhere."""

    settings: Settings
    passwords: Mapping[str, Secret]


def arguments(parser: argparse.ArgumentParser) -> None:
    """Who the node is, and where it listens and keeps its data if not at the defaults."""
    parser.add_argument("--tier", dest="node.tier", required=True, choices=KEYS["node.tier"].limits["choices"])
    parser.add_argument("--symbol", dest="node.symbol", required=True, help=KEYS["node.symbol"].about)
    parser.add_argument("--name", dest="node.name", help=KEYS["node.name"].about)
    parser.add_argument("--host", dest="web.host", help=KEYS["web.host"].about)
    parser.add_argument("--port", dest="web.port", type=int, help=KEYS["web.port"].about)
    parser.add_argument(
        "--duties",
        dest="access.duties",
        choices=KEYS["access.duties"].limits["choices"],
        help=KEYS["access.duties"].about,
    )
    parser.add_argument("--dsn-file", metavar="FILE", help=f"file that holds the {KEYS['database.dsn'].about}")


async def run(context: Context, args: argparse.Namespace) -> int:
    """Exit code 5 if there is a node in the home folder already."""
    _ = context.settings  # names a flag or variable that is wrong before anything is made
    made = await make(context.home, _chosen(args))
    told = made.settings.node
    context.out.say(context.text("ready", symbol=told.symbol, home=context.home))
    for name, password in made.passwords.items():
        context.out.say(context.text("user_password", name=name, password=password.reveal()))
    context.out.say(context.text("ready_next", symbol=told.symbol))
    if context.out.json:
        context.out.item({"symbol": told.symbol, "tier": told.tier, "home": str(context.home)})
        for name, password in made.passwords.items():
            context.out.item({"account": name, "password": password.reveal()})
    return 0


def _chosen(args: argparse.Namespace) -> dict[str, object]:
    """What the flags say for the settings file; `--lang` is about this command's messages, not the node's."""
    chosen = {
        name: value for name, value in vars(args).items() if name in KEYS and name != "lang" and value is not None
    }
    if args.dsn_file:
        chosen["database.dsn_file"] = str(Path(args.dsn_file).expanduser().absolute())
    return chosen


async def make(home: Path, chosen: Mapping[str, object]) -> Made:
    """Make a node with these settings (dotted key → value); an interrupted attempt may be repeated."""
    _make_home(home)
    unfinished = home / UNFINISHED
    _write(unfinished, chosen)
    told, by = settings.load(home, os.environ, file=UNFINISHED), of_machine()
    async with pool.open(home, told.database.dsn.reveal() or None, told.database.programs) as database:
        first = {name: passwords.make() for name in FIRST[told.access.duties]}
        kept = {name: await passwords.shrouded(password.reveal()) for name, password in first.items()}
        async with database.transaction() as conn:
            await ownership.claim(conn, told.node.symbol)
            if await libraries.get(conn, told.node.symbol) is None:
                await libraries.add(conn, Library(symbol=told.node.symbol, name=told.node.name or told.node.symbol))
            known = [name for name in first if not await _account(conn, told, name, kept[name])]
            fresh = [name for name in first if name not in known]
            act = Entry(actor=by.name, act=ACTS[""].name, object=told.node.symbol, detail={"accounts": fresh})
            await audit.append(conn, act)
    unfinished.rename(home / settings.FILE)  # from here on there is a node
    return Made(
        settings=settings.load(home, os.environ),
        passwords={name: first[name] for name in fresh},
    )


async def _account(conn: Connection, told: Settings, name: str, password: str) -> bool:
    """The account, with its duties; False if somebody has it already. One whose password was lost with an interrupted
    attempt gets another."""
    found = await accounts.find(conn, name)
    if found is not None and not (found.must_change and found.seen_at is None):
        return False
    by = of_machine().name
    if found is None:
        found = await accounts.add(conn, name, library=told.node.symbol, password=password, by=by)
    else:
        await accounts.set_password(conn, found.account, password, must_change=True)
    for role in FIRST[told.access.duties][name]:
        await accounts.give(conn, found.account, Grant(role=role, library=ALL), by)
    return True


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
