"""How streams are judged and shown: the state of each, the demo's table of them, and when a network is at rest."""

from __future__ import annotations

import dataclasses
import io
from datetime import UTC, datetime
from typing import Any, cast

import pytest

from catalog import peers
from catalog.model import Library
from catalog.peers import Peer, PeerNo
from catalog.streams import Lag
from config.secret import Secret
from config.settings import Settings
from node import flows, telling
from node.context import Context
from node.demo import cast as players
from node.demo import table
from node.demo.network import Member
from node.demo.table import Stream, Table, View
from node.flows import Work
from node.output import Output, width
from node.web import network_view

LAG = Lag(
    no=1, peer="CN-C", role="parent", channel="clusters", told=90, known=80, last=90, waiting=0, held_up="",
    policy="", heard=7, heard_ago=1.0, seen_ago=3.0, trouble="",
)  # fmt: skip
WORK = Work(preparing=0, to_merge=0, epoch=5, last=90)


def states(lag: Lag) -> tuple[str, str]:
    """Of what goes out, and of what comes in."""
    outward, inward = flows.between("CN-GD", lag, told=90, heard=7)
    assert (outward.origin, outward.to, inward.origin, inward.to) == ("CN-GD", "CN-C", "CN-C", "CN-GD")
    return outward.state, inward.state


def test_a_stream_is_in_the_worst_state_that_holds() -> None:
    assert states(LAG) == ("even", "listening")
    behind = dataclasses.replace(LAG, last=95)
    assert states(behind) == ("flowing", "listening")
    due = dataclasses.replace(behind, held_up="an older backup")
    assert states(due) == ("held_up", "listening")
    gone = dataclasses.replace(due, seen_ago=telling.SILENT + 1)
    assert states(gone) == states(dataclasses.replace(due, seen_ago=None)) == ("silent", "silent")
    cut = dataclasses.replace(gone, trouble="no route to host")
    assert states(cut) == ("trouble", "trouble")
    outward, inward = flows.between("CN-GD", cut, told=90, heard=7)
    assert outward.reason == inward.reason == "no route to host"


def test_behind_is_what_is_not_acknowledged() -> None:
    assert LAG.behind == 0, "nobody acknowledges what need not be told"
    assert dataclasses.replace(LAG, waiting=1).behind == 10
    assert dataclasses.replace(LAG, waiting=2, known=90).behind == 2, "what is told anew is told already"
    assert dataclasses.replace(LAG, last=95).behind == 5


def test_upward_comes_first_whoever_looks() -> None:
    as_parent = flows.between("CN-C", dataclasses.replace(LAG, peer="CN-GD", role="child"), told=1, heard=2)
    assert [(each.origin, each.to, each.records) for each in as_parent] == [("CN-GD", "CN-C", 2), ("CN-C", "CN-GD", 1)]


def a_peer(symbol: str, role: peers.Role, path: peers.Path = "uplink") -> Peer:
    return Peer(
        no=PeerNo(1), symbol=symbol, name="", role=role, path=path, state="active", suite="", key=b"", former=None,
        address="", policy={}, proto=1, skew=0.0, source=None, seen_at=None, trouble="",
    )  # fmt: skip


def test_nodes_that_only_the_directory_tells_of_are_known_too() -> None:
    directory = [
        Library(symbol="CN-GD", name="Lingnan"), Library(symbol="CN-SZU", name="Campus"),
        Library(symbol="CN-SZL", name="Shenzhen", node="CN-SZL"), Library(symbol="CN-TJU", name="Tianjin", node="CN-N"),
    ]  # fmt: skip
    every = [a_peer("CN-SZL", "child"), a_peer("CN-ALL", "parent", "membership"), a_peer("CN-C", "parent")]
    found = flows.known("CN-GD", "Lingnan", every, directory, {})
    assert [(each.symbol, each.relation, [one.symbol for one in each.libraries]) for each in found] == [
        ("CN-GD", "self", ["CN-GD", "CN-SZU"]), ("CN-C", "parent", []), ("CN-ALL", "parent", []),
        ("CN-SZL", "child", ["CN-SZL"]), ("CN-N", "further", ["CN-TJU"]),
    ]  # fmt: skip
    shown = network_view.values(found, [], WORK, 3, datetime.now(UTC), "en")
    assert [each["relation"] for each in shown["nodes"]] == [
        "This node",
        "Parent",
        "Membership",
        "Child",
        "Further away",
    ]
    assert shown["nodes"][4]["libraries"] == ["Tianjin"]


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(-3, "0 s ago"), (0.4, "0 s ago"), (59, "59 s ago"), (61, "1 min ago"), (7200, "2 h ago"), (200_000, "2 d ago")],
)
def test_ago_is_said_in_the_largest_unit_that_fits(seconds: float, said: str) -> None:
    assert network_view.ago(seconds, "en") == said


def a_stream(**changes: object) -> Stream:
    whole: dict[str, Any] = {
        "origin": "CN-JIANGNAN", "to": "CN-CENTRE", "channel": "clusters", "told": 852, "heard": 852, "behind": 0,
        "state": "even", "reason": "",
    }  # fmt: skip
    return Stream(**{**whole, **changes})


def a_view(*streams: Stream, work: Work = WORK, indexed: tuple[int, int] = (5, 90)) -> View:
    symbols = [each.symbol for each in players.bundled()]
    return View(
        titles=dict.fromkeys(symbols, 852),
        indexed=dict.fromkeys(symbols, indexed),
        work=dict.fromkeys(symbols, work),
        streams=streams,
    )


def test_a_network_is_at_rest_when_nobody_has_anything_to_do_and_everybody_has_heard_everything() -> None:
    assert a_view(a_stream()).settled
    assert not a_view(a_stream(heard=851)).settled
    assert not a_view(a_stream(state="flowing", behind=3)).settled
    assert not a_view(a_stream(state="trouble")).settled
    assert not a_view(a_stream(), work=dataclasses.replace(WORK, to_merge=1)).settled
    assert not a_view(a_stream(), work=dataclasses.replace(WORK, preparing=1)).settled
    assert not a_view(a_stream(), indexed=(5, 89)).settled


def a_table(lang: str, stream: io.StringIO) -> Table:
    context = Context(home=players.SAMPLE, out=Output(json=False, color=False), lang=lang, told=Settings())
    network = {
        each.symbol: Member(part=each, context=context, node=cast(Any, None), address=address, password=Secret(""))
        for each, address in ((each, f"http://127.0.0.1:81{n}0/") for n, each in enumerate(players.bundled()))
    }
    return Table(context=context, network=network, stream=stream)


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_table_is_drawn_in_columns_over_what_was_drawn_before(lang: str) -> None:
    stream = io.StringIO()
    drawn = a_table(lang, stream)
    view = a_view(a_stream(), a_stream(channel="notices", told=12345), a_stream(channel="handover", told=0, heard=0))
    drawn.draw(view)
    lines = stream.getvalue().removeprefix(table.NO_WRAP).split("\n")[:-1]
    assert len(lines) == drawn.drawn == 9  # two heads, four nodes, a blank, two streams: no empty hand-over
    ends = {width(line[: line.rindex("852") + 3]) for line in lines[1:5]}
    assert len(ends) == 1, "numbers end in one column, however wide the names are"
    assert "12,345" in lines[8]
    drawn.draw(view)
    assert stream.getvalue().count("\x1b[9A\x1b[J") == 1
    drawn.draw(a_view(a_stream(state="trouble", reason="the disk is full\nHINT: free some space")))
    assert "disk is full" in stream.getvalue() and "HINT" not in stream.getvalue(), "a reason takes one line"


def test_elsewhere_than_on_a_terminal_only_news_is_said() -> None:
    stream = io.StringIO()
    told = a_table("en", stream)
    told.say(a_view(a_stream()))
    told.say(a_view(a_stream()))
    told.say(a_view(a_stream(behind=4)))
    assert [line.rpartition(" ")[2] for line in stream.getvalue().splitlines()] == ["0", "4"]
