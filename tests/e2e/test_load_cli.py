"""`tianlu load` and its neighbours as a person runs them: processes, exit codes, kills. Each test has its own node."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import hashlib
import io
import json
import os
import random
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from bench.generator import corpus
from catalog.database import embedded, place, supervisor
from node.cli import main
from tests import builders, postgres

Lines = list[dict[str, Any]]


class Cli:
    """`tianlu --home …` as a subprocess."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.dsn = ""  # of the database, while it stays up

    def start(self, *words: str, **how: Any) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "node.cli", "--home", str(self.home), "--lang", "en", *words]
        free = os.environ | {"TIANLU_Z3950__PORT": "0"}  # other nodes may run beside this one
        piped: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "env": free}
        return subprocess.Popen(command, **(piped | how))

    def run(self, *words: str, code: int = 0, given: bytes | None = None) -> subprocess.CompletedProcess[bytes]:
        """In a process of its own where it reads standard input, else in this one, which spares its start."""
        if given is None:
            done = self._here(words)
        else:
            process = self.start(*words, stdin=subprocess.PIPE)
            out, error = process.communicate(given, timeout=120)
            done = subprocess.CompletedProcess(words, process.returncode, out, error)
        assert done.returncode == code, (words, done.returncode, done.stdout[-2000:], done.stderr[-4000:])
        return done

    def _here(self, words: Sequence[str]) -> subprocess.CompletedProcess[bytes]:
        out, error = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True) for _ in range(2))
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(error):
            try:
                code = main(["--home", str(self.home), "--lang", "en", *words])
            except SystemExit as ended:  # argparse's way to say usage
                code = int(str(ended.code))
        told = (stream.buffer.getvalue() for stream in (out, error))
        return subprocess.CompletedProcess(words, code, *told)

    def lines(self, *words: str, code: int = 0, given: bytes | None = None) -> Lines:
        """What a command says with --json: standard output is NDJSON and nothing else."""
        done = self.run(*words, "--json", code=code, given=given)
        return [json.loads(line) for line in done.stdout.decode().splitlines()]

    def load(self, *words: str, code: int = 0, given: bytes | None = None) -> dict[str, Any]:
        (told,) = self.lines("load", *words, code=code, given=given)
        return told

    def everything(self) -> dict[str, str]:
        """Digests of all exports, with clusters by their members: ids differ between nodes."""
        clusters: dict[str, set[str]] = {}
        for line in self.lines("export", "--clusters"):
            clusters.setdefault(line["cluster"], set()).add(f"{line['source']}/{line['local_id']}")
        named = {cluster: min(names) for cluster, names in clusters.items()}
        merged = {}
        for line in self.lines("export", "--merged"):
            number = line["fields"][0].pop("001")
            merged[named[number]] = line
        held = [line | {"cluster": named[line["cluster"]]} for line in self.lines("export", "--holdings")]
        told = {
            "partition": sorted(map(sorted, clusters.values())),
            "merged": merged,
            "holdings": held,
            "records": self.lines("export", "--records"),
        }
        return {name: hashlib.sha256(json.dumps(v, sort_keys=True).encode()).hexdigest() for name, v in told.items()}


@pytest.fixture
def alone(home: Path) -> Cli:
    """A node whose every command starts and stops the database."""
    made = Cli(home)
    made.run("init", "--tier", "local", "--symbol", "CN-TST")
    return made


@pytest.fixture
def cli(alone: Cli) -> Iterator[Cli]:
    """A node whose database stays up between commands, which spares each a second."""
    with asyncio.Runner() as runner:
        server = embedded.server(alone.home)
        alone.dsn = runner.run(server.__aenter__()).dsn
        yield alone
        runner.run(server.__aexit__(None, None, None))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def running(cli: Cli) -> Iterator[subprocess.Popen[bytes]]:
    """`tianlu run` for the length of the block; it must end in order."""
    process = cli.start("run", "--port", str(free_port()), "--processes", "2", stderr=subprocess.DEVNULL)
    try:
        assert process.stdout is not None
        assert b"is up" in process.stdout.readline()
        yield process
    finally:
        process.terminate()
        assert process.wait(60) == 0


def raw(number: int, **given: str) -> bytes:
    told = {"title": f"园冶注释第{number}种", "isbn": builders.isbn13(500 + number), "local_id": f"n{number}"} | given
    return builders.iso2709(builders.a_cnmarc(**told))


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of some thousands of generated records, with repeats, without ids, with rubbish in it."""
    folder = tmp_path_factory.mktemp("library")
    corpus.generate(folder, count=2500, seed=5, libraries=2)
    parts = [path.read_bytes() for path in sorted(folder.glob("*.iso")) + sorted(folder.glob("*.mrc"))]
    file = folder / "all.mrc"
    file.write_bytes(b"00047xxx this is no record \x1d".join(parts))
    return file


KILLS = 10  # of one load
COUNTS = ("records", "unchanged", "added", "updated", "deleted", "superseded", "returned", "unreadable")


@pytest.fixture(scope="module")
def undisturbed(library: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What one load that nothing disturbs comes to."""
    with postgres.home() as home:
        cli = Cli(home)
        cli.run("init", "--tier", "local", "--symbol", "CN-TST")
        began = time.monotonic()
        told = cli.load(str(library), "--source", "a", "--library", "LIB", "--yes", code=3)
        seconds = time.monotonic() - began
        counts = {name: told[name] for name in COUNTS}
        return {"counts": counts, "everything": cli.everything(), "seconds": seconds}


def first_load(cli: Cli) -> dict[str, int]:
    """The counters of the first load, which must be done: cut short, it went on; what came later found all there."""
    first = cli.lines("loads", "list")[-1]
    assert first["state"] == "done"
    return {name: first[name] for name in COUNTS}


def killed_at(process: subprocess.Popen[bytes], seconds: float) -> bool:
    """Kill it after a while; False if it had ended by itself."""
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        return True
    process.communicate()
    return False


@pytest.mark.chaos
@pytest.mark.parametrize("seed", range(2, 4))
def test_a_load_outlives_many_kills(cli: Cli, library: Path, undisturbed: dict[str, Any], seed: int) -> None:
    rng = random.Random(seed)
    words = ("load", str(library), "--source", "a", "--library", "LIB", "--yes")
    done = 0
    for _ in range(KILLS):
        # A load that ends by itself is known again by the next ones, which then end at once: kill well before that.
        moment = rng.uniform(0.2, 0.7) * undisturbed["seconds"]
        done += killed_at(cli.start(*words, stdin=subprocess.DEVNULL), moment)
    assert done, "some kill must hit a load at work"
    cli.run(*words, code=3)
    assert cli.everything() == undisturbed["everything"]
    assert first_load(cli) == undisturbed["counts"]


def children(pid: int) -> list[int]:
    """Child processes of a process of ours."""
    return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def worker_of(node: subprocess.Popen[bytes]) -> int:
    """The node's worker process."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        for pid in children(node.pid):
            words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
            if b"worker" in words and b"run" in words:
                return pid
        time.sleep(0.05)
    raise AssertionError("the node has no worker")


def at_work(cli: Cli) -> None:
    """Until a load has landed something."""

    async def landed() -> bool:
        connection = await asyncpg.connect(cli.dsn)
        try:
            return bool(await connection.fetchval("select exists (select from load where landed > 0)"))
        finally:
            await connection.close()

    asyncio.run(postgres.eventually(landed))


def test_a_running_node_does_the_work_and_outlives_kills_of_worker_and_database(
    cli: Cli, library: Path, undisturbed: dict[str, Any]
) -> None:
    where = place.prepare(cli.home)
    with running(cli) as node:
        load = cli.start("load", str(library), "--source", "a", "--library", "LIB", "--yes", "--json")
        at_work(cli)
        os.kill(worker_of(node), signal.SIGKILL)
        postmaster = supervisor.postmaster(where)
        assert postmaster is not None
        os.kill(postmaster, signal.SIGKILL)
        out, error = load.communicate(timeout=120)
        assert load.returncode == 3, (out, error)
        (told,) = map(json.loads, out.decode().splitlines())
        assert {name: told[name] for name in COUNTS} == undisturbed["counts"]
        assert cli.everything() == undisturbed["everything"]


def test_a_load_waits_for_nobody_and_the_node_sees_it(cli: Cli, tmp_path: Path) -> None:
    """Without a node, then with one, then its search."""
    file = tmp_path / "a.mrc"
    file.write_bytes(b"".join(raw(n) for n in range(5)))
    assert cli.load(str(file), "--source", "a", "--library", "LIB")["added"] == 5
    with running(cli):
        file.write_bytes(b"".join(raw(n) for n in range(8)))
        told = cli.load(str(file), "--source", "a")
        assert (told["added"], told["unchanged"], told["stages"]) == (3, 5, {}), "the node's worker did it"
        (status,) = cli.lines("status", "--wait")
        assert status["records"] == 8 and status["index"]["seq"] == status["feed"]["last"]
        assert len(cli.lines("search", "园冶注释第7种")) >= 1


def test_progress_moves_while_the_input_is_read_and_placed(
    alone: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("node.output.LINE_EVERY", 0.0)
    path = tmp_path / "long.mrc"
    about = "提要" * 1500
    bibs = [builders.a_cnmarc(title=f"园冶第{n}种", local_id=f"n{n}", f330=f"  \x1fa{about}") for n in range(400)]
    path.write_bytes(builders.iso2709(*bibs))
    told = alone.run("load", str(path), "--source", "a", "--library", "LIB").stderr.decode()
    read = [int(n) for n in re.findall(r"  (\d+)/\d+  parts of the input read", told)]
    assert len(set(read)) > 1 and read == sorted(read), told
    assert "records placed" in told


def test_input_comes_from_a_pipe_or_compressed(alone: Cli, tmp_path: Path) -> None:
    cli = alone
    data = b"".join(raw(n) for n in range(300))
    (tmp_path / "a.mrc.gz").write_bytes(gzip.compress(data))
    told = cli.load("-", "--source", "a", "--library", "LIB", given=data)
    assert (told["state"], told["added"]) == ("done", 300)
    assert cli.load(str(tmp_path / "a.mrc.gz"), "--source", "a")["unchanged"] == 300
    assert cli.load("-", "--source", "a", given=gzip.compress(data))["unchanged"] == 300
    (tmp_path / "cut.mrc.gz").write_bytes(gzip.compress(data)[:-300])
    done = cli.run("load", str(tmp_path / "cut.mrc.gz"), "--source", "b", "--library", "LIB", code=3)
    assert b"quarantine list --source b" in done.stderr
    (case,) = [c for c in cli.lines("quarantine", "list", "--source", "b") if c["rule"] == "input-fault"]
    assert "ends early" in case["reason"] and "cut.mrc.gz" in case["reason"]
    assert len(cli.lines("export", "--records", "--source", "b")) > 100


def test_a_record_without_its_end_comes_back_and_an_older_whole_one_stays(alone: Cli, tmp_path: Path) -> None:
    path = tmp_path / "cut.mrc"
    path.write_bytes(raw(1) + raw(2))
    alone.load(str(path), "--source", "a", "--library", "LIB")
    path.write_bytes(raw(1) + raw(2, title="园冶")[:-60])
    told = alone.load(str(path), "--source", "a", code=3)
    assert (told["unchanged"], told["unreadable"], told["updated"], told["added"]) == (1, 1, 0, 0)
    (case,) = alone.lines("quarantine", "list", "--source", "a")
    assert case["rule"] == "cut-off" and case["position"] == len(raw(1))
    assert ["园冶注释第2种" in json.dumps(each, ensure_ascii=False) for each in alone.lines("export", "--records")] == [
        False,
        True,
    ]


def test_exit_codes_say_what_happened(cli: Cli, tmp_path: Path) -> None:
    good, bad, none = tmp_path / "good.mrc", tmp_path / "bad.mrc", tmp_path / "none.mrc"
    good.write_bytes(b"".join(raw(n) for n in range(60)))
    bad.write_bytes(raw(1) + b"00047xxx this is no record \x1d" + raw(2))
    cli.run("load", str(good), code=2)
    assert b"--library" in cli.run("load", str(good), "--source", "a", code=2).stderr
    assert b"no such file" in cli.run("load", str(none), "--source", "a", "--library", "LIB", code=1).stderr
    cli.run("load", str(good), "--source", "a", "--library", "LIB", "--mode", "full")
    cli.run("load", str(bad), "--source", "b", "--library", "LIB", code=3)
    # A full load of a tenth of the records is held, passes with --yes, and is undone.
    good.write_bytes(b"".join(raw(n) for n in range(6)))
    held = cli.run("load", str(good), "--source", "a", "--mode", "full", code=1)
    assert b"--yes" in held.stderr and b"absent" in held.stderr
    told = cli.load(str(good), "--source", "a", "--mode", "full", "--yes")
    assert (told["state"], told["deleted"]) == ("done", 54)
    numbers = [line["load"] for line in cli.lines("loads", "list") if line["source"] == "a"]
    assert b"later" in cli.run("loads", "undo", str(min(numbers)), code=5).stderr
    (undone,) = cli.lines("loads", "undo", str(told["load"]))
    assert undone["state"] == "undone"
    assert len(cli.lines("export", "--records", "--source", "a")) == 60
    assert b"is itself an undo" in cli.run("loads", "undo", str(undone["undone_by"]), code=5).stderr
    cli.run("loads", "show", "999", code=1)
    cli.run("loads", "show", str(told["load"]))


def test_ctrl_c_leaves_a_load_that_goes_on(cli: Cli, library: Path, undisturbed: dict[str, Any]) -> None:
    words = ("load", str(library), "--source", "a", "--library", "LIB", "--yes")
    process = cli.start(*words, start_new_session=True)
    at_work(cli)
    os.killpg(process.pid, signal.SIGINT)
    _, error = process.communicate(timeout=60)
    assert process.returncode == 130, error
    assert b"same command" in error and b"Traceback" not in error and b"fault of Tianlu" not in error
    cli.run(*words, code=3)
    assert first_load(cli) == undisturbed["counts"]


def test_a_reader_that_goes_away_is_no_fault(cli: Cli, tmp_path: Path) -> None:
    file = tmp_path / "a.mrc"
    file.write_bytes(b"".join(raw(n) for n in range(1500)))
    cli.run("load", str(file), "--source", "a", "--library", "LIB")
    for words in (("--records", "--to", "marcxml"), ("--clusters",), ("--merged", "--to", "iso2709"), ("--holdings",)):
        process = cli.start("export", *words)
        assert process.stdout is not None and process.stderr is not None
        assert process.stdout.read(100)
        process.stdout.close()
        error = process.stderr.read()
        assert process.wait(60) in (0, 1) and error == b"", words


def steps(cli: Cli, ident: str, code: int = 0) -> dict[str, str]:
    return {line["step"]: str(line["told"]) for line in cli.lines("explain", ident, code=code)}


def test_explain_says_why_a_record_is_where_it_is(cli: Cli, tmp_path: Path) -> None:
    mapping, file = tmp_path / "mapping.json", tmp_path / "a.mrc"
    mapping.write_text('{"suppress": "942$n=1"}')
    cli.run("source", "add", "a", "--library", "LIB", "--mapping", str(mapping))
    gone = dict.fromkeys(("f210", "f606", "f690", "f801"))
    nothing = builders.a_cnmarc(local_id="bad", isbn="", author="", pages="", f200="1 $e", **gone)
    file.write_bytes(raw(1) + raw(2) + raw(3, f942="  $n1") + builders.iso2709(nothing))
    cli.load(str(file), "--source", "a", code=3)
    file.write_bytes(raw(1, local_id="twin", pages="413"))
    cli.load(str(file), "--source", "b", "--library", "OTHER")

    bad = steps(cli, "a/bad")
    assert "no-description" in bad["quarantine"] and "record" not in bad
    assert "suppressed" in steps(cli, "a/n3")["hidden"]
    joined = steps(cli, "a/n1")
    assert "b/twin" in joined["join"] and "+" in joined["join"] and "unindexed" in joined
    cli.lines("status", "--wait")
    assert "indexed" in steps(cli, "a/n1")
    zh = cli.run("explain", "a/n1", "--lang", "zh").stdout.decode()
    assert re.search("[\u4e00-\u9fff]", zh)

    clusters = {line["local_id"]: line["cluster"] for line in cli.lines("export", "--clusters")}
    file.write_bytes(raw(2)[:5] + b"d" + raw(2)[6:])
    cli.load(str(file), "--source", "a")
    assert "tombstone" in steps(cli, clusters["n2"])["deleted"]
    assert "deleted" in steps(cli, "a/n2"), "a record that was there is not unknown"
    file.write_bytes(raw(1, local_id="twin"))
    for ident in ("a/never", "never/n1", "CN-TST.zzzzzz"):
        assert cli.run("explain", ident, code=1).stderr


def test_explain_knows_a_load_that_waits_for_a_person(cli: Cli, tmp_path: Path) -> None:
    file = tmp_path / "a.mrc"
    file.write_bytes(b"".join(raw(n) for n in range(60)))
    cli.load(str(file), "--source", "a", "--library", "LIB", "--mode", "full")
    file.write_bytes(raw(70))
    cli.load(str(file), "--source", "a", "--mode", "full", code=1)
    assert "held" in steps(cli, "a/n70")["load"] and "held" in steps(cli, "a/n1")["load"]


def test_what_came_back_is_shown_exported_read_again_and_dropped(cli: Cli, tmp_path: Path) -> None:
    rubbish = b"00047xxx this is no record \x1d"
    file = tmp_path / "a.mrc"
    file.write_bytes(raw(1) + rubbish + raw(2))
    cli.load(str(file), "--source", "a", "--library", "LIB", code=3)
    (case,) = cli.lines("quarantine", "list")
    assert (case["source"], case["position"], case["ordinal"]) == ("a", len(raw(1)), 2)
    (shown,) = cli.lines("quarantine", "show", str(case["id"]))
    assert "no record" in shown["bytes"] and shown["reason"]
    assert cli.run("quarantine", "export", "--source", "a").stdout == rubbish
    cli.run("quarantine", "rerun", "--source", "a", code=3)
    assert len(cli.lines("quarantine", "list")) == 1
    cli.run("quarantine", "drop", "--source", "a")
    assert cli.lines("quarantine", "list") == []
    cli.run("quarantine", "show", str(case["id"]), code=1)


def test_a_wrong_mapping_is_said_before_anything_is_loaded(cli: Cli, tmp_path: Path) -> None:
    mapping, file = tmp_path / "mapping.json", tmp_path / "a.mrc"
    mapping.write_text('{"fields": [{"tag": "9055"}]}')
    file.write_bytes(raw(1))
    assert b"tag" in cli.run("source", "add", "a", "--library", "LIB", "--mapping", str(mapping), code=2).stderr
    mapping.write_text('{"suppress": "whatever"}')
    assert b"whatever" in cli.run("source", "add", "a", "--library", "LIB", "--mapping", str(mapping), code=2).stderr
