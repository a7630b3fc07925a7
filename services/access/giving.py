"""Who may look after which account, and give which role (pure).

Nobody gives what reaches further than he himself: whoever could set the password of an account with more than his own
rights would have them. Nobody changes his own roles or state: another one does.
"""

from __future__ import annotations

from services.access.accounts import Account
from services.access.policy import ALL, DUTIES, Actor, Grant, Permission, Role


def may_manage(actor: Actor, account: Account) -> bool:
    """Whether the account may be looked after: seen, disabled, given a code."""
    if not _looks_after(actor, account.kind, account.library):
        return False
    return all(_reaches(actor, account.kind, each, account.library) for each in account.grants)


def may_add(actor: Actor, kind: str, library: str) -> bool:
    """Whether an account of this kind may be made at home in this library."""
    return _looks_after(actor, kind, library)


def objection(actor: Actor, account: Account, grant: Grant, *, separate: bool) -> str:
    """Why this role may not be given to, or taken from, this account: own, beyond, kind or duties; "" if it may.

    `separate`: nobody has more than one of the three duties (`access.duties`).
    """
    if actor.account == account.account:
        return "own"
    if not may_manage(actor, account) or not _reaches(actor, account.kind, grant, account.library):
        return "beyond"
    if (grant.role is Role.READER) != (account.kind == "reader"):
        return "kind"
    held = {each.role for each in account.grants} & set(DUTIES)
    if separate and grant.role in DUTIES and held - {grant.role}:
        return "duties"
    return ""


def _looks_after(actor: Actor, kind: str, library: str) -> bool:
    return actor.may(Permission.ACCOUNTS, library) or (kind == "reader" and actor.may(Permission.READERS, library))


def _reaches(actor: Actor, kind: str, grant: Grant, home: str) -> bool:
    if grant.role in DUTIES and grant.library == ALL:
        return actor.reach(Permission.ACCOUNTS).everywhere
    return _looks_after(actor, kind if grant.role is Role.READER else "staff", grant.library or home)
