"""The words nearest to one that is misspelled, by edits; bounded in length, distance and work."""

from collections.abc import Iterable

LONGEST = 80


def nearest(wanted: str, words: Iterable[str], count: int) -> list[str]:
    """Up to `count` of the lower-case words, fewest edits first; a third of the letters may differ, eight at most."""
    wanted = wanted.strip().lower()[:LONGEST]
    limit = min(8, max(1, len(wanted) // 3))
    near = ((distance(wanted, word, limit), word) for word in words if abs(len(word) - len(wanted)) <= limit)
    return [word for edits, word in sorted((pair for pair in near if pair[0] <= limit), key=_rank)[:count]]


def _rank(pair: tuple[int, str]) -> tuple[int, int, str]:
    return pair[0], len(pair[1]), pair[1]


def distance(one: str, other: str, limit: int) -> int:
    """How many letters must be put in, taken out, replaced or swapped with their neighbour; `limit` + 1 is any more.

    Optimal string alignment, computed only within `limit` of the diagonal.
    """
    before: list[int] = []
    last = list(range(len(other) + 1))
    for row, letter in enumerate(one, 1):
        low, high = max(1, row - limit), min(len(other), row + limit)
        current = [limit + 1] * (len(other) + 1)
        current[0] = row
        for column in range(low, high + 1):
            same = letter == other[column - 1]
            edits = min(last[column] + 1, current[column - 1] + 1, last[column - 1] + (not same))
            if row > 1 and column > 1 and letter == other[column - 2] and one[row - 2] == other[column - 1]:
                edits = min(edits, before[column - 2] + 1)
            current[column] = edits
        if min(current[low - 1 : high + 1]) > limit and min(last) > limit:
            return limit + 1
        before, last = last, current
    return min(last[len(other)], limit + 1)
