"""The links of a node with its parents, side by side."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

from catalog.peers import PeerNo
from exchange import lanes
from exchange.running import Exchange


def a_role(**troubles: str) -> tuple[Exchange, dict[PeerNo, list[object]]]:
    """The role with a link for each trouble, and what the links are told."""
    told: dict[PeerNo, list[object]] = {}
    links: dict[PeerNo, Any] = {}
    for n, trouble in enumerate(troubles.values(), 1):
        heard: list[object] = []
        told[PeerNo(n)] = heard
        links[PeerNo(n)] = SimpleNamespace(
            linking=SimpleNamespace(link=SimpleNamespace(trouble=trouble), tell=heard.append)
        )
    nothing = cast(Any, None)
    role = Exchange(
        database=nothing,
        queue=nothing,
        symbol="CN-TJU",
        keyring=nothing,
        connect=nothing,
        keeper=nothing,
        links=links,
    )
    return role, told


def test_a_parent_that_answers_again_wakes_the_links_with_the_others() -> None:
    role, told = a_role(uplink="no answer", membership="no answer", other="")
    role.wake()
    assert told == {1: [], 2: [], 3: []}, "nobody answers yet"
    role.links[PeerNo(1)].linking.link.trouble = ""
    role.wake()
    assert told == {1: [], 2: [lanes.Back()], 3: []}
    role.wake()
    assert told == {1: [], 2: [lanes.Back()], 3: []}, "once"


def test_a_link_that_was_ended_wakes_nobody() -> None:
    role, told = a_role(uplink="no answer", membership="no answer")
    role.wake()
    del role.links[PeerNo(1)]
    role.wake()
    assert told[PeerNo(2)] == []
