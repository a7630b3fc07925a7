"""Where the embedded server keeps its files, and as whom it runs.

Everything is in `<home>/pg`. PostgreSQL refuses to run as root, so root starts it as `postgres` or `nobody`; where that
user can't reach the home (a folder inside a private one), the files go below `/var/lib/tianlu/embedded` and
`<home>/pg/elsewhere` says where: nobody's folders are opened to the world.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import pwd
import secrets
import stat
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from config.errors import Misconfigured

SOCKET = ".s.PGSQL.5432"
SOCKET_LIMIT = 107  # bytes of a socket's path: sun_path is 108 with its NUL (unix(7))
ELSEWHERE = Path("/var/lib/tianlu/embedded")
SHORT = Path("/tmp")
SERVER_USERS = ("postgres", "nobody")
KEEPER = "keeper"  # the superuser: creates the role and the database, makes backups
ROLE = "tianlu"  # owns the database and nothing else
DATABASE = "tianlu"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Folders of one home's server."""

    locks: Path  # <home>/pg
    root: Path  # the same, or a folder elsewhere
    run: Path  # holds the socket
    uid: int  # the server's user
    gid: int

    @property
    def data(self) -> Path:
        return self.root / "data"

    @property
    def password(self) -> Path:
        return self.root / "password"

    @property
    def log(self) -> Path:
        return self.root / "server.log"

    @property
    def mark(self) -> str:
        """Stands in the title of every process of this server: `cluster_name`."""
        return "tianlu-" + hashlib.sha256(os.fsencode(self.data)).hexdigest()[:16]

    def written_by(self) -> int | None:
        """Major version that wrote the data, None if there are none."""
        try:
            return int((self.data / "PG_VERSION").read_text())
        except FileNotFoundError:
            return None

    def secret(self) -> str:
        """The generated password; Misconfigured if it has been removed."""
        try:
            return self.password.read_text().strip()
        except FileNotFoundError:
            raise Misconfigured(
                f"{self.password} is missing, but {self.data} needs it: put it back from a backup of the home"
            ) from None

    def dsn(self, role: str = ROLE, database: str = DATABASE) -> str:
        """How a process of this home connects."""
        return f"postgresql://{role}:{quote(self.secret(), safe='')}@/{database}?host={quote(str(self.run), safe='/')}"


def prepare(home: Path) -> Place:
    """The place of this home's server, its folders made. Misconfigured where they can't be."""
    home = home.resolve()
    locks = home / "pg"
    try:
        if not locks.exists():
            _folder(locks, 0o711 if _root() else 0o700)
        owner = locks.stat().st_uid
        if owner != os.geteuid():
            raise Misconfigured(
                f"{locks} belongs to user {_name(owner)}, but this program runs as {_name(os.geteuid())}: "
                "run it as that user or choose another home"
            )
        uid, gid = _server_user(locks)
        root = _root_folder(home, locks, uid, gid)
        run = root / "run"
        if len(os.fsencode(run / SOCKET)) > SOCKET_LIMIT:
            run = _short(home, uid, gid)
        else:
            give(run, uid, gid)
    except PermissionError as error:
        raise Misconfigured(
            f"{error.filename}: {error.strerror}; {_name(os.geteuid())} must own the home {home}"
        ) from error
    except OSError as error:
        raise Misconfigured(f"{error.filename}: {error.strerror}; mend that or choose another home") from error
    return Place(locks=locks, root=root, run=run, uid=uid, gid=gid)


def new_secret(place: Place) -> None:
    """Write a new password, readable by the server's user alone."""
    unfinished = place.root / "password.unfinished"
    with contextlib.suppress(FileNotFoundError):
        unfinished.unlink()
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(descriptor, "w") as file:
        file.write(secrets.token_urlsafe(24) + "\n")
        file.flush()
        os.fsync(descriptor)
        if _root():
            os.chown(descriptor, place.uid, place.gid)
    unfinished.rename(place.password)


def give(folder: Path, uid: int, gid: int) -> None:
    """Make a folder that is the server's user's alone, if it isn't there."""
    if not folder.exists():
        folder.mkdir(mode=0o700)
        if _root():
            os.chown(folder, uid, gid)


def reachable(path: Path, uid: int, gid: int) -> bool:
    """Can this user enter every folder on the way to, and including, `path`?"""
    for folder in (path, *path.parents):
        state = folder.stat()
        if state.st_uid == uid:
            bit = stat.S_IXUSR
        elif state.st_gid == gid:
            bit = stat.S_IXGRP
        else:
            bit = stat.S_IXOTH
        if not state.st_mode & bit:
            return False
    return True


def _root() -> bool:
    return os.geteuid() == 0


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _server_user(locks: Path) -> tuple[int, int]:
    if not _root():
        return os.geteuid(), os.getegid()
    with contextlib.suppress(FileNotFoundError):
        # Once there are data, their owner stays the server's user, whichever users are created later.
        data = ((_elsewhere(locks) or locks) / "data").stat()
        if data.st_uid:
            return data.st_uid, data.st_gid
    for name in SERVER_USERS:
        with contextlib.suppress(KeyError):
            user = pwd.getpwnam(name)
            return user.pw_uid, user.pw_gid
    raise Misconfigured(
        f"PostgreSQL does not run as root and there is no user {' or '.join(SERVER_USERS)}: "
        "create one, run as another user, or give a database.dsn"
    )


def _elsewhere(locks: Path) -> Path | None:
    try:
        return Path((locks / "elsewhere").read_text().strip())
    except FileNotFoundError:
        return None


def _folder(path: Path, mode: int) -> None:
    path.mkdir(parents=True, exist_ok=True)
    path.chmod(mode)  # whatever the umask says


def _root_folder(home: Path, locks: Path, uid: int, gid: int) -> Path:
    chosen = _elsewhere(locks)
    if chosen is None and reachable(locks, uid, gid):
        return locks
    if chosen is None:
        # A new name each time: a home that was removed and made again must not meet the old data.
        chosen = ELSEWHERE / secrets.token_hex(8)
        if not ELSEWHERE.exists():
            _folder(ELSEWHERE, 0o711)
        _folder(chosen, 0o711)
        (chosen / "home").write_text(f"{home}\n")
        (locks / "elsewhere").write_text(f"{chosen}\n")
    if not chosen.is_dir():
        raise Misconfigured(f"the database files of {home} are gone: {chosen} is missing; put it back or restore")
    owner = Path((chosen / "home").read_text().strip())
    if owner != home:
        if (owner / "pg" / "elsewhere").exists():
            raise Misconfigured(
                f"{home} is a copy of {owner}, whose database files in {chosen} it would share: "
                "make the copy with `tianlu backup` and `tianlu restore`"
            )
        (chosen / "home").write_text(f"{home}\n")  # the home has moved
    return chosen


def _short(home: Path, uid: int, gid: int) -> Path:
    """A folder for the socket whose path is short enough, ours alone."""
    name = hashlib.sha256(os.fsencode(home)).hexdigest()[:12]
    folder = SHORT / f"tianlu-{uid}-{name}"
    give(folder, uid, gid)
    state = folder.lstat()
    if not stat.S_ISDIR(state.st_mode) or state.st_uid != uid or state.st_mode & 0o077:
        raise Misconfigured(
            f"{folder} must be a folder of mode 0700 that belongs to {_name(uid)}: the path of {home} is too long for "
            "a socket. Remove what is there, or choose a home with a shorter path"
        )
    return folder
