"""Quality of the decision on labelled pairs: HathiTrust (dedup/cdlib__marc-ai) and the project's domain pairs.

Pure evaluation: records are read, features taken, every labelled pair judged; nothing is trained. Field CID of the
HathiTrust records is the answer and is taken out before anything is read. Printed: precision and recall of *join*, the
curve over the accept threshold, how many labelled duplicates share a key, and with `--errors` each wrong pair.

    python -m bench.match_quality ../shared/data/dedup/cdlib__marc-ai [--errors 50]
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from catalog.model import Decision, Format, Verdict
from dms import formats
from dms.match import decide, features, keys
from protocols import marc

TOLD = ("008", "100", "110", "245", "250", "260", "264", "300", "490", "700")  # fields by which a person would judge


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """One labelled pair after judgement."""

    a: str
    b: str
    duplicate: bool
    decision: Decision
    met: bool  # whether the two share a key at all


def record(parsed: dict[str, Any]) -> marc.Record:
    """A record of MARC-in-JSON, without the field that holds the answer."""
    found: list[tuple[str, str]] = []
    for entry in parsed["fields"]:
        for tag, value in entry.items():
            if tag == "CID":
                continue
            if isinstance(value, str):
                found.append((tag, value))
            else:
                pairs = [(code, text) for subfield in value["subfields"] for code, text in subfield.items()]
                found.append((tag, marc.field(value["ind1"] + value["ind2"], pairs)))
    return marc.Record(parsed["leader"], tuple(found))


def load(folder: Path) -> tuple[dict[str, marc.Record], list[tuple[str, str, bool]]]:
    """Records by id, and labelled pairs."""
    records: dict[str, marc.Record] = {}
    with gzip.open(folder / "ht_val_records.ndjson.gz", "rt", encoding="utf-8") as lines:
        for line in lines:
            one = record(json.loads(line))
            records[one.first("001") or ""] = one
    with (folder / "ht_val_labels.csv").open(encoding="utf-8", newline="") as file:
        labels = [(row["id1"], row["id2"], row["label"] == "1") for row in csv.DictReader(file)]
    return records, labels


def judge(records: dict[str, marc.Record], labels: list[tuple[str, str, bool]]) -> Iterator[Judged]:
    """Judge every labelled pair."""
    taken = {name: features.features(formats.facts(one, Format.MARC21)) for name, one in records.items()}
    keyed = {name: frozenset(keys.keys(one)) for name, one in taken.items()}
    for a, b, duplicate in labels:
        decision = decide.judge(taken[a], taken[b], lambda _: False)
        met = not keyed[a].isdisjoint(keyed[b])
        yield Judged(a=a, b=b, duplicate=duplicate, decision=decision, met=met)


def ratio(part: int, whole: int) -> float:
    """part / whole, 1 for an empty whole."""
    return part / whole if whole else 1.0


def report(judged: list[Judged]) -> str:
    """Precision and recall of joins whose records meet by a key, the curve, and coverage, as text."""
    duplicates = sum(one.duplicate for one in judged)
    met = sum(one.met for one in judged if one.duplicate)
    lines = [f"{len(judged)} pairs, {duplicates} duplicates, {met} of these share a key ({ratio(met, duplicates):.4f})"]
    joins = [one for one in judged if one.decision.verdict is Verdict.JOIN and one.met]
    right = sum(one.duplicate for one in joins)
    lines.append(f"join: precision {ratio(right, len(joins)):.4f} recall {ratio(right, duplicates):.4f}")
    for verdict in Verdict:
        of = [one for one in judged if one.decision.verdict is verdict]
        lines.append(f"  {verdict}: {len(of)}, of these duplicates {sum(one.duplicate for one in of)}")
    lines.append("accept threshold over scores (vetoes stand, limits not counted)")
    scored = [one for one in judged if one.met and one.decision.verdict in (Verdict.JOIN, Verdict.REVIEW)]
    for threshold in range(decide.REVIEW, 1000, 40):
        over = [one for one in scored if one.decision.score >= threshold]
        right = sum(one.duplicate for one in over)
        lines.append(f"  {threshold}: precision {ratio(right, len(over)):.4f} recall {ratio(right, duplicates):.4f}")
    return "\n".join(lines)


def show(one: marc.Record) -> str:
    """The fields by which a person would judge, on one line."""
    parts = [f"{tag} {text.replace(marc.DELIMITER, '$')}" for tag in TOLD for text in one.all(tag)]
    return " | ".join(parts)


def main(arguments: list[str]) -> None:
    """Evaluate and print."""
    parser = argparse.ArgumentParser(prog="bench.match_quality", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--errors", type=int, default=0, help="print up to this many wrong pairs of each kind")
    options = parser.parse_args(arguments)
    records, labels = load(options.folder)
    start = time.perf_counter()
    judged = list(judge(records, labels))
    print(report(judged))
    print(f"{len(records)} records and {len(labels)} pairs in {time.perf_counter() - start:.1f} s")
    wrong = [one for one in judged if (one.decision.verdict is Verdict.JOIN and one.met) != one.duplicate]
    for duplicate, name in ((False, "wrongly joined"), (True, "not joined")):
        for one in [one for one in wrong if one.duplicate is duplicate][: options.errors]:
            decision = one.decision
            print(f"\n{name}: {decision.verdict} {decision.score} key={one.met} {decision.reasons}")
            print(f"  {one.a} {show(records[one.a])}\n  {one.b} {show(records[one.b])}")


if __name__ == "__main__":
    main(sys.argv[1:])
