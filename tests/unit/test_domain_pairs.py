"""The gate of matching: the shared labelled pairs (dedup/domain-pairs). Needs TIANLU_TEST_DATA or its usual place."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Callable
from typing import Any

import pytest

from catalog.model import Decision, Format, Verdict
from dms import formats
from dms.match import decide, features, keys
from protocols import marc
from tests import data

Case = tuple[str, features.Features, features.Features, Verdict]


def taken(parsed: dict[str, Any]) -> features.Features:
    """Features of a MARC-in-JSON record: MARC 21 where leader/09 is `a`, else CNMARC."""
    fields: list[tuple[str, str]] = []
    for entry in parsed["fields"]:
        for tag, value in entry.items():
            if isinstance(value, str):
                fields.append((tag, value))
            else:
                pairs = [pair for subfield in value["subfields"] for pair in subfield.items()]
                fields.append((tag, marc.field(value["ind1"] + value["ind2"], pairs)))
    record = marc.Record(parsed["leader"], tuple(fields))
    return features.features(formats.facts(record, Format.MARC21 if record.leader[9] == "a" else Format.CNMARC))


@pytest.fixture(scope="module")
def cases() -> list[Case]:
    lines = data.path("dedup/domain-pairs/pairs.ndjson").read_text("utf-8").splitlines()
    parsed = [json.loads(line) for line in lines]
    return [(one["id"], taken(one["a"]), taken(one["b"]), Verdict(one["verdict"])) for one in parsed]


def never(_: int) -> bool:
    return False


def as_loaded(a: features.Features, b: features.Features) -> Callable[[int], bool]:
    """What the engine knows of identifiers when just these two are loaded."""
    tokens: dict[int, set[int]] = defaultdict(set)
    for one in (a, b):
        for identifier, token in features.uses(one):
            tokens[identifier].add(token)
    return lambda identifier: len(tokens[identifier]) > 1


@pytest.fixture(scope="module", params=["no identifier ambiguous", "as after loading the pair"])
def judged(request: pytest.FixtureRequest, cases: list[Case]) -> list[tuple[str, Decision, Verdict]]:
    loaded = request.param != "no identifier ambiguous"
    return [(name, decide.judge(a, b, as_loaded(a, b) if loaded else never), verdict) for name, a, b, verdict in cases]


def test_no_pair_is_joined_wrongly(judged: list[tuple[str, Decision, Verdict]]) -> None:
    wrong = [(name, decision) for name, decision, verdict in judged if decision.verdict is Verdict.JOIN is not verdict]
    assert wrong == []


def test_at_most_a_tenth_is_reviewed_wrongly(judged: list[tuple[str, Decision, Verdict]]) -> None:
    wrong = [name for name, decision, verdict in judged if decision.verdict is Verdict.REVIEW is not verdict]
    assert len(wrong) <= len(judged) // 10, wrong


def test_every_other_verdict_is_as_labelled(judged: list[tuple[str, Decision, Verdict]]) -> None:
    found = Counter((verdict, decision.verdict) for _, decision, verdict in judged)
    assert all(label is verdict for label, verdict in found), found


def test_every_pair_to_be_joined_shares_a_key(cases: list[Case]) -> None:
    apart = [
        name for name, a, b, verdict in cases if verdict is Verdict.JOIN and set(keys.keys(a)).isdisjoint(keys.keys(b))
    ]
    assert apart == []
