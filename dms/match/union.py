"""Constrained union: accepted edges become clusters without chaining two volumes, editions or media into one.

The result depends on features, scores and pins only: edges are taken by score, then by the features they join, and
edges that are alike in both (their ends have equal features and differ by pins only) are taken together. Where a pin
stands between ends of theirs, those that are kept from the same ones stay together, and those that nobody spoke about
go with the most.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import groupby

from dms.match import vetoes
from dms.match.features import Features, weight


class _Components:
    """Disjoint sets of nodes, each with the distinct features of its nodes and the nodes that it may never meet."""

    def __init__(self, nodes: Mapping[int, Features], cannot: Iterable[tuple[int, int]]) -> None:
        self.nodes = nodes
        self.weights = {node: weight(features) for node, features in nodes.items()}
        self.parent = {node: node for node in nodes}
        self.members: dict[int, list[int]] = {node: [node] for node in nodes}
        self.kinds: dict[int, dict[bytes, Features]] = {n: {self.weights[n]: f} for n, f in nodes.items()}
        self.forbidden: dict[int, set[int]] = {node: set() for node in nodes}
        for a, b in cannot:
            if a in nodes and b in nodes:
                self.forbidden[a].add(b)
                self.forbidden[b].add(a)

    def root(self, node: int) -> int:
        while self.parent[node] != node:
            self.parent[node] = self.parent[self.parent[node]]
            node = self.parent[node]
        return node

    def forbids(self, a: int, b: int) -> bool:
        """Whether a cannot-link lies between two components (by their roots)."""
        fewer, other = sorted((a, b), key=lambda root: len(self.forbidden[root]))
        return any(self.root(node) == other for node in self.forbidden[fewer])

    def clashes(self, a: int, b: int) -> bool:
        """Whether any features of the one veto any of the other."""
        return any(vetoes.clash(x, y) for x in self.kinds[a].values() for y in self.kinds[b].values())

    def join(self, a: int, b: int) -> None:
        a, b = self.root(a), self.root(b)
        if a == b:
            return
        if len(self.members[a]) < len(self.members[b]):
            a, b = b, a
        self.parent[b] = a
        self.members[a] += self.members.pop(b)
        self.kinds[a] |= self.kinds.pop(b)
        self.forbidden[a] |= self.forbidden.pop(b)

    def join_all(self, roots: Sequence[int]) -> None:
        for other in roots[1:]:
            self.join(roots[0], other)


def cluster(
    nodes: Mapping[int, Features],
    edges: Iterable[tuple[int, int, int]],
    must: Iterable[tuple[int, int]],
    cannot: Iterable[tuple[int, int]],
) -> list[list[int]]:
    """Clusters of nodes, each sorted, in the order of their smallest node.

    `edges` are (a, b, score) of joins. A `must` pin overrides vetoes; a `cannot` pin overrides everything: where pins
    contradict each other, all musts between the same features give way together.
    """
    cannot = list(cannot)
    components = _Components(nodes, cannot)
    pins = [(a, b, 0) for a, b in must if a in nodes and b in nodes]
    _unite(components, pins, guarded=False)
    _unite(components, [edge for edge in edges if edge[0] in nodes and edge[1] in nodes], guarded=True)
    return sorted(sorted(members) for members in components.members.values())


def _unite(components: _Components, edges: list[tuple[int, int, int]], *, guarded: bool) -> None:
    weights = components.weights

    def order(edge: tuple[int, int, int]) -> tuple[int, bytes, bytes]:
        low, high = sorted((weights[edge[0]], weights[edge[1]]))
        return -edge[2], low, high

    for _, alike in groupby(sorted(edges, key=order), key=order):
        links = {
            (min(a, b), max(a, b))
            for a, b in ((components.root(a), components.root(b)) for a, b, _ in alike)
            if a != b and not components.forbids(a, b) and not (guarded and components.clashes(a, b))
        }
        for group in _groups(links):
            # Several alike edges meet: all their ends may join, or, where a pin stands between two of them, sides.
            if len(group) == 2 or not _quarrels(components, group, guarded=guarded):
                components.join_all(group)
            elif guarded:
                for side in _sides(components, group, links):
                    components.join_all(side)


def _groups(links: set[tuple[int, int]]) -> list[list[int]]:
    """Roots that links hold together."""
    near: dict[int, set[int]] = {}
    for a, b in links:
        near.setdefault(a, set()).add(b)
        near.setdefault(b, set()).add(a)
    groups: list[list[int]] = []
    seen: set[int] = set()
    for start in near:
        if start in seen:
            continue
        group, todo = [], [start]
        seen.add(start)
        while todo:
            root = todo.pop()
            group.append(root)
            for other in near[root] - seen:
                seen.add(other)
                todo.append(other)
        groups.append(group)
    return groups


def _sides(components: _Components, group: Sequence[int], links: Collection[tuple[int, int]]) -> list[list[int]]:
    """What may join of a group in which some are kept apart, a function of who is kept from whom.

    A copy that comes later may so neither undo a decision nor part those that it left together.
    """

    def held(roots: Collection[int]) -> list[list[int]]:
        return _groups({(a, b) for a, b in links if a in roots and b in roots})

    foes: dict[int, frozenset[int]] = {}
    for a in group:
        foes[a] = frozenset(b for b in group if b != a and (components.forbids(a, b) or components.clashes(a, b)))
    camps: dict[frozenset[int], set[int]] = {}
    for root, those in foes.items():
        camps.setdefault(those, set()).add(root)
    free = camps.pop(frozenset(), set())
    sides = [side for camp in camps.values() for side in held(camp)]
    lone = [[root] for camp in camps.values() for root in camp if all(root not in side for side in sides)]
    sizes = [sum(len(components.members[root]) for root in side) for side in (*sides, *lone)]
    most = max(sizes)
    if sizes.count(most) == 1:
        largest = (*sides, *lone)[sizes.index(most)]
        return [*sides, *(each for each in held(free.union(largest)) if not free.isdisjoint(each))]
    return [*sides, *held(free)]


def _quarrels(components: _Components, group: list[int], *, guarded: bool) -> bool:
    return any(
        components.forbids(a, b) or (guarded and components.clashes(a, b))
        for place, a in enumerate(group)
        for b in group[place + 1 :]
    )
