"""Paging: which page of how many, and which page numbers a reader is offered."""

from __future__ import annotations

from dataclasses import dataclass

from catalog.search.port import DEEPEST


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One page of a list of `total` results."""

    number: int  # 1 = first
    size: int  # results a page
    total: int
    deepest: int = DEEPEST  # results that paging reaches

    @property
    def offset(self) -> int:
        """Results before this page."""
        return (self.number - 1) * self.size

    @property
    def pages(self) -> int:
        """Pages that can be reached; at least 1."""
        return max(1, min(-(-self.total // self.size), self.deepest // self.size))

    @property
    def limited(self) -> bool:
        """There are results that paging doesn't reach."""
        return self.total > self.pages * self.size

    @property
    def first(self) -> int:
        """Ordinal of the first result on this page, 1 = first of all."""
        return self.offset + 1

    @property
    def last(self) -> int:
        """Ordinal of the last result on this page."""
        return min(self.offset + self.size, self.total)

    def offered(self, around: int = 2) -> list[int]:
        """Page numbers to offer: the first, the last, `around` on both sides of this one; 0 stands for a gap."""
        near = {1, self.pages, *range(max(1, self.number - around), min(self.pages, self.number + around) + 1)}
        offered: list[int] = []
        for number in sorted(near):
            if offered and number - offered[-1] == 2:
                offered.append(number - 1)  # a gap of one page is that page
            elif offered and number - offered[-1] > 2:
                offered.append(0)
            offered.append(number)
        return offered
