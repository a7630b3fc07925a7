"""The folders of indexes below a home: a file names the current one; others are being built, or were left behind."""

from __future__ import annotations

import errno
import logging
import shutil
from pathlib import Path

log = logging.getLogger(__name__)

TRIES = 10


def current(home: Path, schema: int) -> str:
    """The folder in use, "" if there is none of this schema."""
    try:
        name = (home / "current").read_text("ascii").strip()
    except FileNotFoundError:
        return ""
    return name if name.startswith(f"v{schema}-") and (home / name / "meta.json").exists() else ""


def publish(home: Path, folder: str, schema: int) -> None:
    """Readers open this one from now on; what none will open again is removed."""
    if current(home, schema) != folder:
        draft = home / "current.new"
        draft.write_text(folder, "ascii")
        draft.replace(home / "current")
    for path in home.iterdir():
        if path.is_dir() and path.name != folder:
            _remove(path)


def _remove(path: Path) -> None:
    """A reader may still be looking at it, and meanwhile a lock file comes and goes. What can't be removed now is
    removed when the next index is published."""
    for _ in range(TRIES):
        try:
            shutil.rmtree(path)
        except FileNotFoundError:
            return
        except OSError as error:
            if error.errno != errno.ENOTEMPTY:
                raise
        else:
            return
    log.info("the search index in %s is being read; it is removed later", path)
