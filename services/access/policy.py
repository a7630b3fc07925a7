"""Who may do what, as values: permissions, roles with their reach, and the one question `Actor.may` (pure).

Whatever can be asked of a node (a route, a command, an operation of a protocol) declares its `Need` beside it; what
declares none is refused. Another library's things are not forbidden but absent: 404, so that nobody learns of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum


class Permission(StrEnum):
    """What can be allowed. The names are stored in keys' scopes and stand in docs/policy.md."""

    READ = "read"  # what the catalogue shows everybody
    OWN = "own"  # one's own account, sessions and keys
    COPY = "copy"  # records for one's own catalogue
    SUBMIT = "submit"  # records and changes that somebody reviews
    CHANGE = "change"  # merged records
    LOOK = "look"  # what isn't public of a library: its loads, returns, corrections
    LOAD = "load"  # bring a library's records, and take them back
    LIBRARY = "library"  # its entry, its sources and what it shares
    READERS = "readers"  # accounts of its readers
    ACCOUNTS = "accounts"  # accounts of staff, and their keys
    OPERATE = "operate"  # the node: work, settings, peers
    AUDIT = "audit"  # read and verify the audit log
    EXCHANGE = "exchange"  # what one node asks of another; the signature says which


class Role(StrEnum):
    """What an account is. `library` of a grant says where; three of them are duties of the node as a whole."""

    READER = "reader"
    COPYIST = "cataloguer-copy"  # levels of a cataloguer, each with what those before it may
    SUBMITTER = "cataloguer-submit"
    CATALOGUER = "cataloguer-change"
    ADMIN = "library-admin"
    OPERATOR = "operator"  # 系统管理员
    SECURITY = "security"  # 安全管理员
    AUDITOR = "auditor"  # 审计管理员


DUTIES = (Role.OPERATOR, Role.SECURITY, Role.AUDITOR)  # that one person should not have together
EVERYBODY = frozenset({Permission.READ})
_READER = frozenset({Permission.OWN})
_COPYIST = _READER | {Permission.COPY}
_SUBMITTER = _COPYIST | {Permission.SUBMIT, Permission.LOOK}
_CATALOGUER = _SUBMITTER | {Permission.CHANGE}
PERMITS: Mapping[Role, frozenset[Permission]] = {
    Role.READER: _READER,
    Role.COPYIST: _COPYIST,
    Role.SUBMITTER: _SUBMITTER,
    Role.CATALOGUER: _CATALOGUER,
    Role.ADMIN: _SUBMITTER | {Permission.LOAD, Permission.LIBRARY, Permission.READERS, Permission.ACCOUNTS},
    Role.OPERATOR: _SUBMITTER | {Permission.CHANGE, Permission.LOAD, Permission.LIBRARY, Permission.OPERATE},
    Role.SECURITY: _READER | {Permission.ACCOUNTS},
    Role.AUDITOR: _READER | {Permission.AUDIT},
}
ALL = ""  # a grant's library: every library whose things this node keeps


class Subject(StrEnum):
    """Whose thing a request is about."""

    NOBODY = "nobody"  # the node as a whole, or what is public
    SELF = "self"  # of the account that asks
    LIBRARY = "library"  # of a library


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """What asking for something takes. `fresh`: to change something, a session in which the password was typed a short
    time ago.
    `unsettled`: also by an account that has yet to change its password or to set up one-time codes."""

    permission: Permission
    subject: Subject = Subject.NOBODY
    fresh: bool = False
    unsettled: bool = False


PUBLIC = Need(permission=Permission.READ)
OF_NODES = Need(permission=Permission.EXCHANGE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """A role, and the library within which it counts (`ALL` = all of this node)."""

    role: Role
    library: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What a key is for: a permission in a library, `ALL` = wherever its account may."""

    permission: Permission
    library: str = ALL


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """The libraries whose things may be seen or touched. `everywhere` leaves `libraries` empty."""

    everywhere: bool = False
    libraries: frozenset[str] = frozenset()

    def holds(self, library: str) -> bool:
        """Whether this library is within it."""
        return self.everywhere or library in self.libraries

    @property
    def within(self) -> frozenset[str] | None:
        """The libraries as queries take them: None = all."""
        return None if self.everywhere else self.libraries


NOWHERE = Reach()


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who asks. `scopes` None = an account by itself; otherwise a key of it, which may less."""

    name: str  # as in the audit log: account:wang, key:wang/ab12cd, os:root, nobody
    account: int | None = None
    library: str = ""  # where the account is at home
    grants: tuple[Grant, ...] = ()
    scopes: tuple[Scope, ...] | None = None

    def may(self, permission: Permission, library: str | None = None) -> bool:
        """Whether it may at all (None), or in this library (`ALL` = in the node as a whole)."""
        reach = self.reach(permission)
        if library is None:
            return reach.everywhere or bool(reach.libraries)
        return reach.holds(library)

    def reach(self, permission: Permission) -> Reach:
        """Where it may."""
        granted = _union(_granted(each, self.library) for each in self.grants if permission in PERMITS[each.role])
        if permission in EVERYBODY:
            granted = Reach(everywhere=True)
        if self.scopes is None:
            return granted
        scoped = _union(_scoped(each) for each in self.scopes if each.permission == permission)
        return _both(granted, scoped)


NOBODY = Actor(name="nobody")


def _granted(grant: Grant, home: str) -> Reach:
    if grant.role in DUTIES and grant.library == ALL:
        return Reach(everywhere=True)
    return Reach(libraries=frozenset({grant.library or home}))


def _scoped(scope: Scope) -> Reach:
    return Reach(everywhere=True) if scope.library == ALL else Reach(libraries=frozenset({scope.library}))


def _union(parts: Iterable[Reach]) -> Reach:
    found: frozenset[str] = frozenset()
    for part in parts:
        if part.everywhere:
            return part
        found |= part.libraries
    return Reach(libraries=found)


def _both(one: Reach, other: Reach) -> Reach:
    if one.everywhere:
        return other
    if other.everywhere:
        return one
    return Reach(libraries=one.libraries & other.libraries)
