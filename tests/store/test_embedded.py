"""The embedded server: first and warm start, kills, sharing between processes, and what it refuses."""

from __future__ import annotations

import asyncio
import os
import pwd
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import asyncpg
import pytest

from catalog.database import complaints, embedded, place, programs, supervisor
from config.errors import Fatal, Misconfigured
from tests import postgres

ROOT = Path(__file__).resolve().parents[2]
AS_ROOT = os.geteuid() == 0

USER = """
    import asyncio, sys
    from pathlib import Path
    from catalog.database import embedded

    async def main():
        async with embedded.server(Path(sys.argv[1])) as server:
            print("using", server.dsn, flush=True)
            await asyncio.to_thread(sys.stdin.read)

    asyncio.run(main())
"""


def a_user(home: Path, *before: str, python: str = sys.executable, **more: str) -> subprocess.Popen[str]:
    """Another process that uses the home's server until its input ends; returned once it does."""
    process = subprocess.Popen(
        [*before, python, "-c", textwrap.dedent(USER), str(home)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**os.environ, **more},
    )
    assert process.stdout
    assert process.stdout.readline().startswith("using"), "the user has not come up"
    return process


def goes(process: subprocess.Popen[str]) -> None:
    """The user ends in order."""
    process.communicate()
    assert process.returncode == 0


def killed(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.communicate()


def pid_of(home: Path) -> int:
    pid = embedded.status(home).pid
    assert pid is not None
    return pid


def runs_as(pid: int) -> int:
    return Path(f"/proc/{pid}").stat().st_uid


def program_of(pid: int) -> Path:
    return Path(f"/proc/{pid}/exe").resolve()


def a_sleeper(uid: int) -> subprocess.Popen[bytes]:
    """Some other program of the server's user."""
    return subprocess.Popen(["sleep", "60"], user=uid if AS_ROOT else None)


async def keep(dsn: str, text: str) -> None:
    conn = await asyncpg.connect(dsn)
    try:
        await conn.execute("create table if not exists kept (text text)")
        await conn.execute("insert into kept values ($1)", text)
    finally:
        await conn.close()


async def kept(dsn: str) -> list[str]:
    conn = await asyncpg.connect(dsn)
    try:
        return [row["text"] for row in await conn.fetch("select text from kept order by text")]
    finally:
        await conn.close()


def need(choice: str) -> None:
    try:
        programs.find(choice, None)
    except Misconfigured as error:
        pytest.skip(f"no such PostgreSQL programs here: {error}")


@pytest.mark.parametrize("choice", ["machine", "wheel"])
async def test_a_first_and_a_warm_start_with_either_programs(home: Path, choice: str) -> None:
    need(choice)
    async with embedded.server(home, choice) as server:
        assert server.kind == choice
        assert server.version.startswith(str(server.place.written_by()))
        await keep(server.dsn, "天")
    where = place.prepare(home)
    assert supervisor.processes(where) == []
    assert not embedded.status(home).running
    began = time.monotonic()
    async with embedded.server(home, choice) as server:
        assert time.monotonic() - began < 5
        assert await kept(server.dsn) == ["天"]
    assert supervisor.processes(where) == []


async def test_the_node_is_no_superuser_and_needs_its_password(used: Path) -> None:
    async with embedded.server(used) as server:
        conn = await asyncpg.connect(server.dsn)
        told = await conn.fetchrow(
            "select current_setting('is_superuser') as super, current_setting('data_checksums') as checksums,"
            " current_setting('listen_addresses') as addresses, current_setting('server_encoding') as encoding,"
            " current_setting('synchronous_commit') as commit, 'ä' < 'z' as by_locale, upper('ä') as upper"
        )
        assert dict(told) == {
            "super": "off",
            "checksums": "on",
            "addresses": "",
            "encoding": "UTF8",
            "commit": "on",
            "by_locale": False,
            "upper": "Ä",
        }
        await conn.close()
        for role in (place.ROLE, place.KEEPER):
            with pytest.raises(asyncpg.InvalidPasswordError):
                await asyncpg.connect(host=str(server.place.run), user=role, password="guess", database="postgres")
        assert server.place.password.stat().st_mode & 0o777 == 0o600
        assert server.place.run.stat().st_mode & 0o777 == 0o700
        if AS_ROOT:
            assert pwd.getpwuid(runs_as(pid_of(used))).pw_name in place.SERVER_USERS


async def test_a_committed_row_survives_the_kill_of_every_process(used: Path) -> None:
    async with embedded.server(used) as server:
        await keep(server.dsn, "before")
        for pid in supervisor.processes(server.place):
            os.kill(pid, signal.SIGKILL)
        watching = asyncio.create_task(server.watch())
        async with asyncio.timeout(30):
            while True:
                try:
                    assert await kept(server.dsn) == ["before"]
                    break
                except (OSError, asyncpg.PostgresError):
                    await asyncio.sleep(0.02)
        watching.cancel()
        await asyncio.wait({watching})
    assert supervisor.processes(place.prepare(used)) == []


@pytest.mark.parametrize(
    "statement",
    [
        "select pg_sleep(60)",
        pytest.param("select count(*) from generate_series(1, 1000000000) n", marks=pytest.mark.full),
    ],
)
async def test_a_killed_first_process_is_followed_by_a_new_server(used: Path, statement: str) -> None:
    """Only the postmaster is killed. An idle child notices at once, a busy one goes on and holds the shared memory."""
    async with embedded.server(used) as server:
        await keep(server.dsn, "before")
        busy = await asyncpg.connect(server.dsn)
        running = asyncio.create_task(busy.execute(statement))
        watcher = await asyncpg.connect(server.keeper)
        active = "select true from pg_stat_activity where pid = $1 and state = 'active'"
        await postgres.eventually(lambda: watcher.fetchval(active, busy.get_server_pid()))
        first = pid_of(used)
        os.kill(first, signal.SIGKILL)
        await asyncio.to_thread(postgres.until, lambda: supervisor.postmaster(server.place) is None)
        began = time.monotonic()
        async with embedded.server(used) as other:
            assert time.monotonic() - began < 10
            assert pid_of(used) != first
            assert await kept(other.dsn) == ["before"]
        await asyncio.wait({running})
        assert running.exception() is not None
        watcher.terminate()


async def test_a_lock_file_with_another_programs_number_does_not_hinder_the_start(used: Path) -> None:
    async with embedded.server(used) as server:
        await keep(server.dsn, "before")
        where = server.place
        lock = (where.data / "postmaster.pid").read_text()
    other = a_sleeper(where.uid)
    try:
        (where.data / "postmaster.pid").write_text(f"{other.pid}\n" + lock.split("\n", 1)[1])
        async with embedded.server(used) as server:
            assert await kept(server.dsn) == ["before"]
    finally:
        other.kill()
        other.wait()


def test_the_second_adopts_and_the_last_one_out_stops(used: Path) -> None:
    first = a_user(used)
    pid = pid_of(used)
    second = a_user(used)
    assert pid_of(used) == pid
    goes(first)
    assert pid_of(used) == pid
    goes(second)
    assert not embedded.status(used).running
    assert supervisor.processes(place.prepare(used)) == []


def test_a_killed_user_leaves_the_server_to_the_next(used: Path) -> None:
    first = a_user(used)
    pid = pid_of(used)
    killed(first)
    assert pid_of(used) == pid
    second = a_user(used)
    assert pid_of(used) == pid
    goes(second)
    assert not embedded.status(used).running


def test_many_that_come_at_once_make_one_server(home: Path) -> None:
    code = textwrap.dedent(USER)
    users = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(home)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
        )
        for _ in range(4)
    ]
    for user in users:
        assert user.stdout
        assert user.stdout.readline().startswith("using")
    where = place.prepare(home)
    postmasters = [
        p for p in supervisor.processes(where) if f"-D\0{where.data}" in Path(f"/proc/{p}/cmdline").read_text()
    ]
    assert postmasters == [pid_of(home)]
    for user in users:
        goes(user)
    assert supervisor.processes(where) == []


async def test_two_users_in_one_process_share_it_too(used: Path) -> None:
    async with embedded.server(used) as first:
        async with embedded.server(used) as second:
            assert second.dsn == first.dsn
        assert embedded.status(used).running
    assert not embedded.status(used).running


async def test_data_of_another_version_are_not_opened(home: Path) -> None:
    need("machine")
    need("wheel")
    machine, wheel = programs.find("machine", None), programs.find("wheel", None)
    if machine.major == wheel.major:
        pytest.skip("the machine and the wheel have the same major version of PostgreSQL")
    async with embedded.server(home, "wheel"):
        pass
    with pytest.raises(Misconfigured, match=rf"by PostgreSQL {wheel.major}\b.*{machine.version}"):
        async with embedded.server(home, "machine"):
            pass
    async with embedded.server(home) as server:  # left to choose, it takes those that fit
        assert server.kind == "wheel"


async def test_a_home_with_a_long_path_has_its_socket_elsewhere(made: Path, home: Path) -> None:
    deep = home / "馆" / ("d" * 100)
    deep.mkdir(parents=True)
    postgres.copy(made, deep)
    async with embedded.server(deep) as server:
        assert len(os.fsencode(server.place.run / place.SOCKET)) <= place.SOCKET_LIMIT
        assert server.place.run.stat().st_mode & 0o777 == 0o700
        await keep(server.dsn, "deep")
    assert not server.place.run.exists()


async def test_a_foreign_folder_in_the_sockets_place_is_refused(home: Path) -> None:
    deep = home / ("d" * 110)
    run = place.prepare(deep).run
    run.chmod(0o755)
    with pytest.raises(Misconfigured, match="0700"):
        async with embedded.server(deep):
            pass
    run.rmdir()


@pytest.mark.skipif(not AS_ROOT, reason="only root starts PostgreSQL as another user")
async def test_root_keeps_a_private_home_private(home: Path) -> None:
    private = home / "private"
    private.mkdir(mode=0o700)
    node = private / "node"
    async with embedded.server(node) as server:
        await keep(server.dsn, "elsewhere")
        assert server.place.root.is_relative_to(place.ELSEWHERE)
    assert private.stat().st_mode & 0o777 == 0o700
    async with embedded.server(node) as server:
        assert await kept(server.dsn) == ["elsewhere"]
    moved = node.rename(private / "moved")
    async with embedded.server(moved) as server:
        assert await kept(server.dsn) == ["elsewhere"]
    shutil.copytree(moved, node)
    with pytest.raises(Misconfigured, match="is a copy"):
        async with embedded.server(node):
            pass
    shutil.rmtree(node)
    node = moved
    postgres.end(node)
    with pytest.raises(Misconfigured, match="missing"):
        async with embedded.server(node):
            pass


@pytest.mark.skipif(not AS_ROOT, reason="only root starts PostgreSQL as another user")
async def test_root_copies_the_wheels_programs_from_a_private_environment(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    need("wheel")
    prefix = programs.wheel_prefix()
    assert prefix is not None
    private = home / "private"
    private.mkdir(mode=0o700)
    (private / prefix.parent.name).symlink_to(prefix.parent)
    copied = programs.copy(programs.find("wheel", None), private)
    monkeypatch.setattr(programs, "wheel_prefix", lambda: copied.bin.parent)
    node = home / "node"
    async with embedded.server(node, "wheel") as server:
        assert server.version
        assert program_of(pid_of(node)).is_relative_to(node)


@pytest.mark.skipif(not AS_ROOT, reason="only root can become another user")
def test_an_ordinary_user_runs_it_as_himself(home: Path) -> None:
    nobody = pwd.getpwnam("nobody")
    node = home / "node"
    node.mkdir()
    os.chown(node, nobody.pw_uid, nobody.pw_gid)
    python = Path("/usr/bin/python3")
    as_nobody = ["setpriv", f"--reuid={nobody.pw_uid}", f"--regid={nobody.pw_gid}", "--clear-groups"]
    path = os.pathsep.join(p for p in sys.path if p.endswith("site-packages"))
    probe = subprocess.run(
        [*as_nobody, python, "-c", "import asyncpg"], capture_output=True, env={"PYTHONPATH": path}, cwd="/"
    )
    if probe.returncode:
        pytest.skip("no Python that an unprivileged user can run with this environment's packages")
    user = a_user(node, *as_nobody, python=str(python), PYTHONPATH=path, PYTHONDONTWRITEBYTECODE="1")
    assert runs_as(int((node / "pg/data/postmaster.pid").read_text().split("\n", 1)[0])) == nobody.pw_uid
    with pytest.raises(Misconfigured, match="belongs to user nobody"):
        place.prepare(node)
    goes(user)
    assert not (node / "pg/data/postmaster.pid").exists()


async def test_an_interrupted_first_start_is_done_again(home: Path) -> None:
    where = place.prepare(home)
    unfinished = where.root / "data.unfinished"
    unfinished.mkdir()
    (unfinished / "PG_VERSION").write_text("15\n")
    async with embedded.server(home) as server:
        await keep(server.dsn, "done")
    assert not unfinished.exists()


async def test_damaged_data_are_named_as_such(used: Path) -> None:
    async with embedded.server(used) as server:
        where = server.place
    control = where.data / "global" / "pg_control"
    control.write_bytes(b"\x00" * control.stat().st_size)
    with pytest.raises((Fatal, Misconfigured), match=str(where.root)):
        async with embedded.server(used):
            pass
    assert not embedded.status(used).running


async def test_a_lost_password_is_named(used: Path) -> None:
    async with embedded.server(used) as server:
        where = server.place
    where.password.unlink()
    with pytest.raises(Misconfigured, match="password is missing"):
        async with embedded.server(used):
            pass


def test_a_folder_without_programs_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="postgres"):
        programs.find(str(tmp_path), None)


@pytest.mark.parametrize(
    ("said", "kind", "advice"),
    [
        ('FATAL:  could not write lock file "postmaster.pid": No space left on device', Misconfigured, "free space"),
        ('FATAL:  data directory "/x" has invalid permissions', Misconfigured, "give the files back"),
        ("PANIC:  could not locate a valid checkpoint record", Fatal, "restore the last backup"),
        ("FATAL:  could not map anonymous shared memory: Cannot allocate memory", Misconfigured, "memory"),
        ('FATAL:  unrecognized configuration parameter "x"', Fatal, "unrecognized"),
    ],
)
def test_what_postgresql_says_becomes_what_to_do(said: str, kind: type[Exception], advice: str) -> None:
    error = complaints.error(f"2026-01-01 LOG:  starting\n{said}\n", "/srv/tianlu/pg")
    assert type(error) is kind
    assert advice in str(error)
    assert "/srv/tianlu/pg" in str(error)
    assert not complaints.passing(said)


def test_old_shared_memory_is_waited_out() -> None:
    assert complaints.passing("FATAL:  pre-existing shared memory block (key 1, ID 2) is still in use")
