"""What of a target works, step by step, for whoever describes it (shell)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from catalog.targets import Target
from config.errors import Refused, Unreachable
from config.secret import Secret
from dms.rules.model import Profile as Rules
from protocols import reading
from protocols.http.guard import Rules as Ways
from protocols.z3950 import client
from protocols.z3950.apdu.init import Option
from services.copying import candidates, queries, z3950
from services.copying.asking import Answer
from services.copying.candidates import Judge
from services.copying.z3950 import Z3950Line

# Of which every catalogue has one and most have both: the second tells whether the charset of terms is right.
WORDS = ("computer", "中国")
OPTIONS = {
    Option.SEARCH: "search", Option.PRESENT: "present", Option.SCAN: "scan", Option.SORT: "sort",
    Option.DELETE_SET: "delete", Option.NAMED_RESULT_SETS: "named sets", Option.EXTENDED_SERVICES: "update",
    Option.NEGOTIATION: "negotiation", Option.LEVEL_1_SEGMENTATION: "segments",
}  # fmt: skip
MOST = 3  # records that are asked for


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One thing that was tried."""

    name: str  # init, charset or told (the charset that was not to be negotiated), search, absent, present
    works: bool
    told: dict[str, Any] = field(default_factory=dict)


async def probe(target: Target, ways: Ways, password: Secret, typed: Sequence[str] = ()) -> AsyncIterator[Step]:
    """Each step as it is done; those that a failed one makes impossible are left out. `typed`: queries to try."""
    try:
        connection = await client.opened(z3950.how(target, ways, password))
    except (Unreachable, Refused) as error:
        yield Step(name="init", works=False, told={"why": str(error)})
        return
    line = Z3950Line(target, connection)
    try:
        accepted = connection.accepted
        can = [name for option, name in OPTIONS.items() if accepted and option in accepted.options]
        server = client.printable((accepted and accepted.implementation_name) or "?")
        yield Step(name="init", works=True, told={"server": server, "can": ", ".join(can)})
        agreed = bool(z3950.negotiated(connection)) if target.profile.negotiates else True
        named = "charset" if target.profile.negotiates else "told"
        yield Step(name=named, works=agreed, told={"charset": line.terms})
        best: Answer | None = None
        empty: list[str] = []
        for word in typed or WORDS:
            try:
                answer = await line.ask(queries.read(word).query, MOST)
            except (Unreachable, Refused) as error:
                yield Step(name="search", works=False, told={"query": word, "why": str(error)})
                if not line.open:
                    return
                continue
            if answer.hits:
                yield Step(name="search", works=True, told={"query": word, "hits": answer.hits})
                best = answer if answer.found or best is None else best
            else:
                empty.append(word)
        for word in empty:  # that we chose one which this catalogue has not is no fault of it
            name, works = ("absent", True) if best is not None and not typed else ("search", False)
            yield Step(name=name, works=works, told={"query": word, "why": "0"})
        if best is not None:
            yield _present(target, best)
    finally:
        await line.close()


def _present(target: Target, answer: Answer) -> Step:
    """Whether records came, and in what."""
    if not answer.found:
        return Step(name="present", works=False, told={"why": "; ".join(answer.notes) or "0"})
    read, said = candidates.read(target, answer.found, Judge(Rules()))
    if not read:
        return Step(name="present", works=False, told={"why": "; ".join(said)})
    encodings = dict.fromkeys(
        each.encoding
        for one in read
        for each in reading.read(one.found.raw, one.found.carrier, encoding=target.profile.records).reads
    )
    told = {
        "count": len(read),
        "format": ", ".join(dict.fromkeys(each.format.name for each in read)),
        "carrier": ", ".join(dict.fromkeys(each.found.carrier for each in read)),
        "encoding": ", ".join(encodings),
    }
    return Step(name="present", works=True, told=told)
