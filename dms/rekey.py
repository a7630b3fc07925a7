"""Re-keying: which new record is which old one, after a library moved to another system (pure).

Evidence in the order of trust: what a person says; the old id, in a field of the new record; a barcode that only one
record has on either side; equal content with equal call numbers. A pair is what points at each other and at nothing
else, or what further evidence tells from all its rivals. The others are told and never guessed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

TOLD, OLD_ID, BARCODE, CONTENT = "told", "old-id", "barcode", "content"
EVIDENCE = (OLD_ID, BARCODE, CONTENT)  # of the records themselves
AGREEING = 0.5  # share of a field's hits that must be the same book by something else: numbers meet by chance
TEMPORARY = "\x02"  # begins a name that a record has for a moment; no local id has it


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What pairing compares of a record, old or new."""

    local_id: str
    kind: int = 0  # dms.rules.model.Kind: only records of one kind are paired
    content: bytes = b""  # digest of its signature; empty = it has none
    title: int = 0  # hash
    items: frozenset[str] = frozenset()
    calls: frozenset[str] = frozenset()
    marks: tuple[tuple[str, str], ...] = ()  # of a new one: (field, the old id that stands in it)


@dataclass(frozen=True, slots=True)
class Pair:
    """An old record and the new one that it is."""

    old: str
    new: str
    by: str
    evidence: str  # for people


@dataclass(frozen=True, slots=True)
class Doubt:
    """Records of which it can't be said which is which."""

    old: str
    rivals: tuple[str, ...]  # new ones
    by: str


@dataclass(slots=True)
class Pairing:
    """What was found out."""

    pairs: list[Pair] = field(default_factory=list)
    joined: list[Pair] = field(default_factory=list)  # further old records that a new one names: it was made of several
    doubts: list[Doubt] = field(default_factory=list)
    unpaired: list[str] = field(default_factory=list)  # old, doubtful ones too
    fresh: list[str] = field(default_factory=list)  # new ones that no old record is
    fields: dict[str, tuple[int, int]] = field(default_factory=dict)  # old ids found in it, records that agree


Edges = Iterable[tuple[Known, Known, str]]


def pair(
    olds: Iterable[Known],
    news: Iterable[Known],
    told: Mapping[str, str],
    *,
    only: str = "",
    by: Collection[str] = EVIDENCE,
) -> Pairing:
    """Pair old with new records. `told`: new by old id, as a person says; `only`: the field that has the old ids; `by`:
    the kinds of evidence to look at."""
    return _Work(olds, news).done(told, only, by)


class _Work:
    def __init__(self, olds: Iterable[Known], news: Iterable[Known]) -> None:
        self.olds = {one.local_id: one for one in olds}
        self.news = {one.local_id: one for one in news}
        self.left_old = dict(self.olds)
        self.left_new = dict(self.news)
        self.found = Pairing()

    def done(self, told: Mapping[str, str], only: str, by: Collection[str]) -> Pairing:
        """All stages."""
        known = [(self.olds[a], self.news[b], "by you") for a, b in told.items() if a in self.olds and b in self.news]
        self.stage(known, TOLD, join=lambda old, new: True)
        for name, hits in self.fields(only) if OLD_ID in by else ():
            edges = ((old, new, f"{name} = {old.local_id}") for old, new in hits)
            self.stage(edges, OLD_ID, join=_agree)
        if BARCODE in by:
            self.stage(self.by_items(), BARCODE)
        if CONTENT in by:
            self.by_content()
        paired = {one.old for one in (*self.found.pairs, *self.found.joined)}
        self.found.unpaired = [name for name in self.olds if name not in paired]
        taken = {one.new for one in self.found.pairs}
        self.found.fresh = [name for name in self.news if name not in taken]
        return self.found

    def fields(self, only: str) -> list[tuple[str, list[tuple[Known, Known]]]]:
        """Fields of the new records that have old ids in them, the best first. A number that is somebody's id by chance
        is found in a field whose records don't agree otherwise."""
        hits: dict[str, list[tuple[Known, Known]]] = defaultdict(list)
        for new in self.news.values():
            for name, mark in new.marks:
                old = self.olds.get(mark)
                if old is not None and old.kind == new.kind and (not only or _is_field(name, only)):
                    hits[name].append((old, new))
        good = []
        for name, those in hits.items():
            agreeing = sum(_agree(old, new) for old, new in those)
            self.found.fields[name] = (len(those), agreeing)
            distinct = len({old.local_id for old, _ in those})
            if only or (agreeing >= len(those) * AGREEING and distinct * 2 >= len(those)):
                good.append((-agreeing, name, those))
        return [(name, those) for _, name, those in sorted(good, key=lambda one: one[:2])]

    def by_items(self) -> Edges:
        """Edges by barcodes that one record has on either side."""
        old_by, new_by = _by_item(self.olds.values()), _by_item(self.news.values())
        for item, those in sorted(old_by.items()):
            others = new_by.get(item, ())
            if len(those) == len(others) == 1 and those[0].kind == others[0].kind:
                yield those[0], others[0], f"barcode {item}"

    def stage(self, edges: Edges, by: str, join: Callable[[Known, Known], bool] | None = None) -> None:
        """Pair by edges between records that are left. `join`: whether an old record may go into a new one that another
        old one is already."""
        to_new: dict[str, dict[str, str]] = defaultdict(dict)
        to_old: dict[str, dict[str, str]] = defaultdict(dict)
        for old, new, evidence in edges:
            if old.local_id in self.left_old and new.local_id in self.left_new:
                to_new[old.local_id].setdefault(new.local_id, evidence)
                to_old[new.local_id].setdefault(old.local_id, evidence)
        for old_id, rivals in to_new.items():
            if len(rivals) == 1 and len(to_old[next(iter(rivals))]) == 1:
                self.take(old_id, next(iter(rivals)), by, next(iter(rivals.values())))
        open_new = [new_id for new_id, those in to_old.items() if new_id in self.left_new]
        for new_id in open_new:
            self.told_apart(new_id, to_old, to_new, by, join)
        for old_id, rivals in to_new.items():
            standing = tuple(new_id for new_id in rivals if new_id in self.left_new)
            if old_id in self.left_old and standing:
                self.found.doubts.append(Doubt(old_id, standing, by))
        for doubt in self.found.doubts:
            self.left_old.pop(doubt.old, None)
            for new_id in doubt.rivals:
                self.left_new.pop(new_id, None)

    def told_apart(
        self,
        new_id: str,
        to_old: Mapping[str, Mapping[str, str]],
        to_new: Mapping[str, Mapping[str, str]],
        by: str,
        join: Callable[[Known, Known], bool] | None,
    ) -> None:
        """Pair a new record with the one of its rivals that more speaks for than for any other, on both sides."""
        new = self.news[new_id]
        mine = [self.olds[one] for one in to_old[new_id] if one in self.left_old]
        best = _best(new, mine)
        alone = all(len(to_new[old.local_id]) == 1 for old in mine)
        if best is None and join and alone and mine and all(join(old, new) for old in mine):
            best = min(mine, key=lambda one: one.local_id)
        if best is None:
            return
        others = [self.news[one] for one in to_new[best.local_id] if one in self.left_new]
        if _best(best, others) is not new and len(others) > 1:
            return
        self.take(best.local_id, new_id, by, f"{to_old[new_id][best.local_id]}; {_why(best, new)}")
        if join:
            for old in mine:
                if old is not best and len(to_new[old.local_id]) == 1 and join(old, new):
                    self.left_old.pop(old.local_id)
                    self.found.joined.append(Pair(old.local_id, new_id, by, to_old[new_id][old.local_id]))

    def by_content(self) -> None:
        """Equal signatures; where several records have one, equal call numbers and then an equal id tell them apart."""
        olds, news = _by_content(self.left_old.values()), _by_content(self.left_new.values())
        for key, mine in sorted(olds.items()):
            theirs = news.get(key, [])
            if len(mine) == 1 == len(theirs):
                self.take(mine[0].local_id, theirs[0].local_id, CONTENT, _why(mine[0], theirs[0]))
            elif theirs:
                self.among_equals(mine, theirs)

    def among_equals(self, mine: Sequence[Known], theirs: Sequence[Known]) -> None:
        for attribute, why in (("calls", "equal content, and the call number"), ("local_id", "equal content and id")):
            old_by, new_by = _by(mine, attribute), _by(theirs, attribute)
            for value, some in old_by.items():
                others = new_by.get(value, [])
                if value and len(some) == 1 == len(others):
                    self.take(some[0].local_id, others[0].local_id, CONTENT, why)
            mine = [one for one in mine if one.local_id in self.left_old]
            theirs = [one for one in theirs if one.local_id in self.left_new]
        if theirs:
            rivals = tuple(one.local_id for one in theirs)
            self.found.doubts += [Doubt(one.local_id, rivals, CONTENT) for one in mine]

    def take(self, old: str, new: str, by: str, evidence: str) -> None:
        self.left_old.pop(old)
        self.left_new.pop(new)
        self.found.pairs.append(Pair(old, new, by, evidence))


def _support(one: Known, other: Known) -> tuple[bool, bool, bool, bool, bool]:
    """What speaks for two records' being one, the strongest first."""
    return (
        bool(one.items & other.items),
        bool(one.content) and one.content == other.content,
        bool(one.title) and one.title == other.title,
        bool(one.calls) and one.calls == other.calls,
        one.local_id == other.local_id,
    )


def _best(one: Known, rivals: Sequence[Known]) -> Known | None:
    """The rival that more speaks for than for each other one; None where there is none."""
    ranked = sorted(rivals, key=lambda other: _support(one, other), reverse=True)
    if not ranked:
        return None
    if not any(_support(one, ranked[0])[:3]):
        return None
    if len(ranked) > 1 and _support(one, ranked[0]) == _support(one, ranked[1]):
        return None
    return ranked[0]


def _agree(old: Known, new: Known) -> bool:
    """The same book by something else than an id."""
    return any(_support(old, new)[:3])


def _why(old: Known, new: Known) -> str:
    items, content, title, calls, same = _support(old, new)
    said = [
        word
        for word, holds in (
            ("a barcode", items),
            ("equal content", content),
            ("the title", title and not content),
            ("the call number", calls),
            ("the same id", same),
        )
        if holds
    ]
    return "; ".join(said) or "nothing else"


def _is_field(name: str, only: str) -> bool:
    """`035$a(OLD)` is the field 035$a, 035a or 035."""
    wanted, plain = only.replace("$", ""), name.partition("(")[0].replace("$", "")
    return plain == wanted or plain[:3] == wanted or name == only


def _by_item(records: Iterable[Known]) -> dict[str, list[Known]]:
    found: dict[str, list[Known]] = defaultdict(list)
    for one in records:
        for item in one.items:
            found[item].append(one)
    return found


def _by_content(records: Iterable[Known]) -> dict[tuple[int, bytes], list[Known]]:
    found: dict[tuple[int, bytes], list[Known]] = defaultdict(list)
    for one in records:
        if one.content:
            found[one.kind, one.content].append(one)
    return found


def _by(records: Sequence[Known], attribute: str) -> dict[object, list[Known]]:
    found: dict[object, list[Known]] = defaultdict(list)
    for one in records:
        found[getattr(one, attribute)].append(one)
    return found


def order(renames: Mapping[str, str]) -> list[tuple[str, str]]:
    """The renames as steps, each of which finds its new id free: the end of a chain goes first, and of a ring one
    record steps aside.

    `renames`: new by old id, no new id twice, none that stays what it is. An id that is no key must be free.
    """
    came = {new: old for old, new in renames.items()}
    steps = []
    seen: set[str] = set()
    for new in [new for new in renames.values() if new not in renames]:
        at: str | None = new
        while at is not None and (old := came.get(at)) is not None:
            steps.append((old, at))
            seen.add(old)
            at = old
    for start in renames:
        if start in seen:
            continue
        aside = TEMPORARY + start
        steps.append((start, aside))
        seen.add(start)
        free = start
        while (old := came[free]) != start:
            steps.append((old, free))
            seen.add(old)
            free = old
        steps.append((aside, free))
    return steps


def composed(steps: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Several steps as one, which all take at once: the last name by the first."""
    now: dict[str, str] = {}  # first name by present one
    for old, new in steps:
        now[new] = now.pop(old, old)
    return {first: last for last, first in now.items() if first != last}


def way(found: Pairing, suffix: str, standing: Collection[str]) -> tuple[dict[str, str], dict[str, str]]:
    """(new names by old id, those of them that only make way). A record that none of the new ones is leaves its id to
    the new record that has it now.
    """
    wanted = {one.new for one in found.pairs} | set(found.fresh)
    renames = {one.old: one.new for one in found.pairs if one.old != one.new}
    still = {one.old for one in found.pairs}
    making = {name: f"{name}{suffix}" for name in standing if name in wanted and name not in still}
    return renames | making, making
