"""What every command is given: the home folder, the settings, where to speak and in which language."""

from __future__ import annotations

import os
import pwd
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from config.errors import Misconfigured
from config.settings import Settings
from node import messages
from node.deeds import Deed
from node.output import Output
from services.access.policy import ALL, DUTIES, Actor, Grant

HOME = "TIANLU_HOME"
TRACES = "traces.log"  # of unexpected errors, in the home folder


def of_machine() -> Actor:
    """The user of this machine: whoever can read the home folder has all three duties (`node.acting`)."""
    try:
        login = pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        login = str(os.geteuid())
    return Actor(name=f"os:{login}", grants=tuple(Grant(role=each, library=ALL) for each in DUTIES))


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """A command's surroundings. Made by `node.cli`, and by tests."""

    home: Path
    out: Output
    lang: str  # "zh" or "en"
    told: Settings | Misconfigured  # the settings, or what is wrong with them
    actor: Actor = field(default_factory=of_machine)  # who gives it
    deed: Deed = field(default_factory=Deed)  # what that is to the audit log

    @property
    def settings(self) -> Settings:
        """The settings; raises Misconfigured when they have a fault."""
        if isinstance(self.told, Misconfigured):
            raise self.told
        return self.told

    def text(self, key: str, **values: object) -> str:
        """A sentence of `messages.toml` in the language of this command."""
        return messages.text(self.lang, key, **values)


def default_home(environ: Mapping[str, str]) -> Path:
    """Where a node's state is kept unless told: /var/lib/tianlu for root, else in the user's state folder (XDG)."""
    if told := environ.get(HOME):
        return Path(told).expanduser()
    if os.geteuid() == 0:
        return Path("/var/lib/tianlu")
    state = environ.get("XDG_STATE_HOME") or Path(environ.get("HOME", "~")).expanduser() / ".local" / "state"
    return Path(state) / "tianlu"
