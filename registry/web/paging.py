"""Pages of a list, and which of their numbers are shown."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pager:
    """Which page of how many is shown."""

    page: int
    pages: int
    size: int
    total: int

    @classmethod
    def of(cls, given: Mapping[str, str], total: int, size: int) -> "Pager":
        """The page that the address asks for, brought into the range that exists."""
        pages = max(1, -(-total // size))
        text = given.get("page", "1")
        wanted = int(text) if text.isascii() and text.isdigit() and len(text) < 9 else 1
        return cls(min(max(wanted, 1), pages), pages, size, total)

    @property
    def offset(self) -> int:
        """How many rows come before this page."""
        return (self.page - 1) * self.size

    @property
    def first(self) -> int:
        """The number of the first row shown, counted from one."""
        return self.offset + 1

    @property
    def last(self) -> int:
        """The number of the last row shown."""
        return min(self.offset + self.size, self.total)

    @property
    def previous(self) -> int:
        """The page before, or 0."""
        return self.page - 1

    @property
    def next(self) -> int:
        """The page after, or 0."""
        return self.page + 1 if self.page < self.pages else 0

    @property
    def numbers(self) -> list[int]:
        """First, last and the neighbours of this page; 0 stands for a gap."""
        shown = sorted({1, self.pages, *range(max(1, self.page - 1), min(self.pages, self.page + 1) + 1)})
        numbers: list[int] = []
        for number in shown:
            if numbers and number - numbers[-1] > 1:
                numbers.append(0)
            numbers.append(number)
        return numbers
