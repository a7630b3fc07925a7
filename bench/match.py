"""Match quality, by loading records and looking at the clusters that come out.

On a generated corpus against its truth; and, where the shared test data is there (`TIANLU_TEST_DATA`), on the labelled
pairs of HathiTrust records (cdlib/marc-ai, 10,208 pairs). Nothing is trained on either.
"""

from __future__ import annotations

import csv
import gzip
import json
import os
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from bench import corpora, evaluate, load, node
from bench.evaluate import Grouping, Pairs
from bench.node import Node
from bench.options import Options
from bench.report import RESULTS, Report, Row

SIZE = 20_000
MOST_ERRORS = 1_000  # of each kind that are kept with their records
DATA = Path(os.environ.get("TIANLU_TEST_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))
LABELLED = DATA / "dedup" / "cdlib__marc-ai"
SOURCE = "ht"
ANSWER = "CID"  # the field that holds HathiTrust's own cluster: the node must not see it

Labels = list[tuple[str, str, bool]]


def run(options: Options) -> Report:
    """Both measures in one report."""
    count = options.size or SIZE
    rows, notes = _generated(count, options.libraries)
    if LABELLED.is_dir():
        more, note = _hathitrust()
        rows, notes = [*rows, *more], [*notes, note]
    else:
        notes.append(f"labelled pairs left out: {LABELLED} is not there (set TIANLU_TEST_DATA)")
    return Report(bench="match", size=count, rows=tuple(rows), notes=tuple(notes))


def _generated(count: int, libraries: int) -> tuple[list[Row], list[str]]:
    place, members = corpora.made(count, libraries)
    truth = Grouping(corpora.truth(place))
    with node.fresh() as fresh:
        load.everything(fresh, place, members)
        with fresh.clusters() as (file, _):
            found = Grouping(node.membership(file))
            result = evaluate.agreement(truth, found)
            errors = _keep("match-generated-errors.ndjson", _generated_errors(truth, found, place, file))
    rows = [
        Row(name="generated: pair precision", value=result.precision, unit=""),
        Row(name="generated: pair recall", value=result.recall, unit=""),
        Row(name="generated: B³ precision", value=result.b3_precision, unit=""),
        Row(name="generated: B³ recall", value=result.b3_recall, unit=""),
        Row(name="generated: mixed clusters", value=result.mixed, unit=f"of {result.clusters:,}"),
        Row(name="generated: split manifestations", value=result.split, unit=f"of {result.manifestations:,}"),
        Row(name="generated: largest cluster", value=result.largest, unit="records"),
        Row(name="generated: truth not found", value=len(truth.ids) - result.records, unit="records"),
        Row(name="generated: not in the truth", value=len(found.ids) - result.records, unit="records"),
    ]
    return rows, [f"the first {MOST_ERRORS:,} mixed clusters and split manifestations: {errors}"]


def _generated_errors(truth: Grouping, found: Grouping, place: Path, clusters: Path) -> Iterator[dict[str, Any]]:
    """Clusters with several manifestations, then manifestations in several clusters, with their records."""
    for kind, keys in zip(("mixed", "split"), evaluate.disagreements(truth, found), strict=True):
        shown = set(sorted(keys)[:MOST_ERRORS])
        by_truth, by_cluster = corpora.truth(place), node.membership(clusters)
        inside, outside = (by_cluster, by_truth) if kind == "mixed" else (by_truth, by_cluster)
        named = {one: group for one, group in inside if evaluate.key(group) in shown}
        groups: dict[str, list[list[str]]] = {}
        for one, other in outside:
            if one in named:
                groups.setdefault(named[one], []).append([*one, other])
        for name, records in sorted(groups.items()):
            yield {"kind": kind, "name": name, "records": sorted(records)}


def _hathitrust() -> tuple[list[Row], str]:
    labels = _labels()
    with node.fresh() as fresh, tempfile.TemporaryDirectory(dir=corpora.folder()) as folder:
        file = Path(folder) / "records.jsonl"
        file.write_bytes(b"".join(_without_answers()))
        found = _clusters_of(fresh, file)
    pairs = evaluate.labelled(labels, found)
    errors = _keep("match-hathitrust-errors.ndjson", _errors(labels, found))
    rows = [
        Row(name="HathiTrust: precision", value=pairs.precision, unit="", goal="≥ .985"),
        Row(name="HathiTrust: recall", value=pairs.recall, unit="", goal="≥ .97"),
        *_counts(pairs),
    ]
    return rows, f"wrong and missed pairs: {errors}"


def _counts(pairs: Pairs) -> list[Row]:
    names = ("right", "wrong", "missed", "apart", "unknown")
    return [Row(name=f"HathiTrust: {name}", value=getattr(pairs, name), unit="pairs") for name in names]


def _clusters_of(fresh: Node, file: Path) -> dict[str, str]:
    fresh.load(file, source=SOURCE, library="HT")
    with fresh.clusters() as (clusters, _):
        return {local_id: cluster for (_, local_id), cluster in node.membership(clusters)}


def _labels() -> Labels:
    with (LABELLED / "ht_val_labels.csv").open(encoding="utf-8", newline="") as lines:
        return [(row["id1"], row["id2"], row["label"] == "1") for row in csv.DictReader(lines)]


def _without_answers() -> Iterator[bytes]:
    with gzip.open(LABELLED / "ht_val_records.ndjson.gz", "rt", encoding="utf-8") as lines:
        for line in lines:
            record = json.loads(line)
            record["fields"] = [one for one in record["fields"] if ANSWER not in one]
            yield json.dumps(record, ensure_ascii=False).encode() + b"\n"


def _errors(labels: Labels, found: dict[str, str]) -> Iterator[dict[str, Any]]:
    for one, other, same in labels:
        verdict = evaluate.judge(one, other, same, found)
        if verdict in ("wrong", "missed", "unknown"):
            yield {"verdict": verdict, "a": one, "b": other}


def _keep(name: str, rows: Iterable[dict[str, Any]]) -> Path:
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / name
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path
