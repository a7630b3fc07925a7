"""`tianlu config show|check`: the settings, each with its origin; a secret is shown as ***."""

from __future__ import annotations

import argparse
import importlib

from config import settings
from config.secret import Secret
from node.context import Context

NAME = "config"
HELP = {
    "en": "show: every setting, its value and where that comes from. check: only say whether they are right.",
    "zh": "show：每项设置的值及其来源。check：只检查设置是否正确。",
}
ACTS = {"show": None, "check": None}


def arguments(parser: argparse.ArgumentParser) -> None:
    """`show` (default) or `check`."""
    parser.add_argument("action", choices=("show", "check"), nargs="?", default="show")


async def run(context: Context, args: argparse.Namespace) -> int:
    """Exit code 2 with the fault if the settings are wrong."""
    told = context.settings
    if args.action == "check":
        # Imported only here: it knows the dialects of records, which showing settings can spare.
        importlib.import_module("node.z3950.settled").check(told.z3950, context.home)
        context.out.say(context.text("settings_right", path=context.home / settings.FILE))
        if context.out.json:
            context.out.item({"ok": True})
        return 0
    rows = []
    for name in settings.KEYS:
        value = settings.value(told, name)
        shown = str(value) if isinstance(value, Secret) or not context.out.json else value
        rows.append({"key": name, "value": shown, "origin": told.origins[name]})
    context.out.table(rows, ("key", "value", "origin"))
    return 0
