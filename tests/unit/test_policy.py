"""Who may do what, as values: rules that hold for all roles, grants and scopes."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.access.policy import (
    ALL,
    DUTIES,
    EVERYBODY,
    NOBODY,
    NOWHERE,
    PERMITS,
    Actor,
    Grant,
    Permission,
    Reach,
    Role,
    Scope,
)

LIBRARIES = ("CN-A", "CN-B", "CN-C")
grants = st.lists(st.builds(Grant, role=st.sampled_from(Role), library=st.sampled_from((*LIBRARIES, ALL))), max_size=4)
scopes = st.lists(
    st.builds(Scope, permission=st.sampled_from(Permission), library=st.sampled_from((*LIBRARIES, ALL))), max_size=4
)
permissions = st.sampled_from(Permission)
homes = st.sampled_from(LIBRARIES)


def an_actor(home: str, *held: Grant) -> Actor:
    return Actor(name="account:x", account=1, library=home, grants=held)


def within(small: Reach, large: Reach) -> bool:
    return large.everywhere or (not small.everywhere and small.libraries <= large.libraries)


@given(homes, grants, scopes, permissions)
def test_a_key_never_may_more_than_its_account_or_its_scopes(
    home: str, held: list[Grant], bounds: list[Scope], permission: Permission
) -> None:
    account = an_actor(home, *held)
    key = replace(account, scopes=tuple(bounds))
    assert within(key.reach(permission), account.reach(permission))
    if not any(each.permission is permission for each in bounds):
        assert key.reach(permission) == NOWHERE and not key.may(permission)
    for library in LIBRARIES:
        named = any(each.permission is permission and each.library in (library, ALL) for each in bounds)
        assert key.may(permission, library) == (named and account.may(permission, library))


@given(homes, grants, st.builds(Grant, role=st.sampled_from(Role), library=st.sampled_from(LIBRARIES)), permissions)
def test_another_role_takes_nothing_away_and_reaches_its_own_library_alone(
    home: str, held: list[Grant], more: Grant, permission: Permission
) -> None:
    before, after = an_actor(home, *held).reach(permission), an_actor(home, *held, more).reach(permission)
    assert within(before, after)
    for library in LIBRARIES:
        if library != more.library:
            assert after.holds(library) == before.holds(library)


@given(homes, grants, permissions)
def test_only_a_duty_for_the_node_reaches_everywhere(home: str, held: list[Grant], permission: Permission) -> None:
    reach = an_actor(home, *held).reach(permission)
    whole = any(
        each.role in DUTIES and each.library == ALL and permission in PERMITS[each.role] for each in held
    )  # fmt: skip
    assert reach.everywhere == (whole or permission in EVERYBODY)


@given(permissions)
def test_nobody_may_what_everybody_may(permission: Permission) -> None:
    assert NOBODY.may(permission) == NOBODY.reach(permission).everywhere == (permission in EVERYBODY)


@given(homes, permissions)
def test_a_role_for_all_libraries_counts_at_home_unless_it_is_a_duty(home: str, permission: Permission) -> None:
    for role in Role:
        if role not in DUTIES and permission in PERMITS[role]:
            assert an_actor(home, Grant(role=role, library=ALL)).reach(permission) == Reach(libraries=frozenset({home}))


def test_levels_of_a_cataloguer_each_may_what_those_before_it_may() -> None:
    levels = [PERMITS[each] for each in (Role.READER, Role.COPYIST, Role.SUBMITTER, Role.CATALOGUER)]
    assert all(low < high for low, high in itertools.pairwise(levels))
    assert Permission.CHANGE in PERMITS[Role.CATALOGUER] and Permission.CHANGE not in PERMITS[Role.SUBMITTER]


@pytest.mark.parametrize(
    ("permission", "roles"),
    [
        (Permission.AUDIT, {Role.AUDITOR}),
        (Permission.OPERATE, {Role.OPERATOR}),
        (Permission.ACCOUNTS, {Role.SECURITY, Role.ADMIN}),
        (Permission.READERS, {Role.ADMIN}),  # a domain's operators never see readers' records
        (Permission.EXCHANGE, set()),  # a signature alone
    ],
)
def test_duties_are_apart(permission: Permission, roles: set[Role]) -> None:
    assert {role for role, held in PERMITS.items() if permission in held} == roles


def test_every_role_has_its_permissions_and_a_reader_no_more_than_what_is_his_own() -> None:
    assert set(PERMITS) == set(Role)
    assert PERMITS[Role.READER] == {Permission.OWN}
