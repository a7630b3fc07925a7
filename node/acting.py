"""Who gives a command: the user of this machine, or with --as an account that proves itself (shell).

Whoever can read the home folder has the node anyway, so he acts with all three duties; where they are separate
(`access.duties`) a command asks for an account besides, so that the audit log tells who did what.
"""

from __future__ import annotations

import getpass
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import NoReturn

from config.errors import Misconfigured, Refused
from node import app
from node.context import Context
from services.access import sealed, sessions, signing
from services.access.policy import Actor
from services.access.signing import Claim

PASSWORD = "TIANLU_PASSWORD_FILE"
NEW_PASSWORD = "TIANLU_NEW_PASSWORD_FILE"
CODE = "TIANLU_CODE_FILE"
TODO = {"password": "change the password that somebody else has set", "totp": "set up one-time codes"}


async def prove(context: Context, name: str) -> Actor:
    """The account with this name, by its password and one-time code. Raises as `signing.prove` does, and Refused as
    long as it must put something in order first: a command opens no more than a page does."""
    claim = Claim(
        name=name,
        password=secret(context, PASSWORD, context.text("ask_password", name=name)),
        code=secret(context, CODE, context.text("ask_code"), needed=False),
    )
    async with app.open(context) as node:
        found = await signing.prove(node.database, sealed.of(node.home), claim, datetime.now(UTC))
        if lacking := TODO.get(sessions.todo(found, context.settings.access)):
            raise Refused(f"{name} has to {lacking} first: sign in on the node's web page, and do it at /account")
    return found.actor


async def refuse(context: Context, why: str) -> NoReturn:
    """Refused; the audit log is told, if there was anything to be done."""
    if context.deed.entry.act:
        async with app.open(context):
            raise Refused(why)
    raise Refused(why)


def secret(context: Context, variable: str, question: str, *, needed: bool = True) -> str:
    """What a file that the environment names holds, or else what is typed and not shown. Misconfigured if it is
    needed and there is neither."""
    if path := os.environ.get(variable):
        try:
            return Path(path).expanduser().read_text(encoding="utf-8").strip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            raise Misconfigured(f"${variable}: {path} can't be read: {error}") from error
    if sys.stdin.isatty():
        return getpass.getpass(question)
    if needed:
        raise Misconfigured(f"there is no terminal to type a password at: name a file that holds it in ${variable}")
    return ""
