"""Maven's version order: the ComparableVersion of Maven 3.9, item by item.

A version is a tree: `.` parts the items of a list, `-` (and a change from letters to digits) opens a list inside it.
In two corners, on which Maven's own tests are silent, this is stricter, because Maven's comparison is no order there
(a < b < c < a): a qualifier after a dot always opens a list, as it does at the end; and ga1 is more than the release.
"""

from collections.abc import Iterable
from functools import lru_cache, total_ordering

from registry.ecosystems.sort_texts import is_plain, of_digits, of_number, of_word

MAX_LENGTH = 256

_QUALIFIERS = ("alpha", "beta", "milestone", "rc", "snapshot", "", "sp")
_RELEASE = ("ga", "final", "release")
_ALIASES = {"cr": "rc"}
_BEFORE_DIGIT = {"a": "alpha", "b": "beta", "m": "milestone"}


class Number:
    """A run of digits."""

    rank = 3
    is_null: bool

    def __init__(self, digits: str) -> None:
        self.value = int(digits)
        self.is_null = self.value == 0

    def against(self, other: "Item | None") -> int:
        """Numbers come after qualifiers and lists."""
        if isinstance(other, Number):
            return _sign(self.value, other.value)
        return int(not self.is_null) if other is None else 1

    def __str__(self) -> str:
        return str(self.value)


class Word:
    """A qualifier; the known ones have a rank of their own around the release, the others follow by letter."""

    def __init__(self, text: str, *, before_digit: bool = False) -> None:
        text = _BEFORE_DIGIT.get(text, text) if before_digit else text
        self.text = _ALIASES.get(text, text)
        self.is_null = not self.text
        known = "" if self.text in _RELEASE else self.text
        self.order = (_QUALIFIERS.index(known), "") if known in _QUALIFIERS else (len(_QUALIFIERS), known)

    def against(self, other: "Item | None") -> int:
        """Qualifiers come before numbers and lists."""
        if isinstance(other, Word):
            return _sign(self.order, other.order)
        if isinstance(other, Numbered):
            return self.against(other.word) or -1
        return _sign(self.order, (_QUALIFIERS.index(""), "")) if other is None else -1

    def __str__(self) -> str:
        return "ga" if self.text in _RELEASE else self.text


class Numbered:
    """A qualifier with its number: rc1, alpha-2."""

    is_null = False

    def __init__(self, text: str) -> None:
        text = text.replace("-", "")
        split = next(index for index, character in enumerate(text) if character in _DIGITS)
        self.word = Word(text[:split], before_digit=True)
        self.number = Number(text[split:])

    def against(self, other: "Item | None") -> int:
        """By the qualifier, then by the number."""
        if isinstance(other, Numbered):
            return self.word.against(other.word) or self.number.against(other.number)
        if isinstance(other, Word):
            return self.word.against(other) or 1
        return (self.word.against(None) or self.number.against(None)) if other is None else -1

    def __str__(self) -> str:
        return f"{self.word}{self.number}"


class Items(list["Item"]):
    """A list of items."""

    @property
    def is_null(self) -> bool:
        """Nothing in it."""
        return not self

    def normalize(self) -> None:
        """Drop zeros and empty qualifiers where nothing, a qualifier or a list of one follows."""
        for index in range(len(self) - 1, -1, -1):
            item: Item = self[index]
            if item.is_null and _drops_zero(self[index + 1] if index + 1 < len(self) else None):
                del self[index]

    def against(self, other: "Item | None") -> int:
        """Item by item; a missing one counts as the release."""
        if other is None:
            return next((result for item in self if (result := item.against(None))), 0)
        if not isinstance(other, Items):
            return -1 if isinstance(other, Number) else 1
        for index in range(max(len(self), len(other))):
            left = self[index] if index < len(self) else None
            right = other[index] if index < len(other) else None
            result = left.against(right) if left is not None else -right.against(None) if right is not None else 0
            if result:
                return result
        return 0

    def __str__(self) -> str:
        """The canonical spelling: trailing items that say nothing are left out."""
        items = list(self)
        while items and items[-1].against(None) == 0:
            items.pop()
        text = ""
        for item in items:
            text += ("" if text else "0") + f"-{item}" if isinstance(item, Items) else f"{'.' if text else ''}{item}"
        return text


Item = Number | Word | Numbered | Items

_DIGITS = "0123456789"


def _sign(left: object, right: object) -> int:
    return (left > right) - (left < right)  # type: ignore[operator]  # both are numbers, or both are pairs


def _drops_zero(following: Item | None) -> bool:
    first = following[0] if isinstance(following, Items) and following else following
    return (
        following is None
        or isinstance(following, Word)
        or (isinstance(following, Items) and isinstance(first, Numbered | Word))
    )


class _Unusual(Exception):
    """That a version has no text with its place."""


# What stands at one position, in order: a list that lowers the version, the end, a list that raises it, a number.
_LOWER, _END, _RAISE, _NUMBER = "1", "2", "3", "4"


def text_of_numbers(numbers: Iterable[str]) -> str:
    """The text of a version of numbers alone, without zeros at the end."""
    return "".join([_NUMBER + of_digits(one) for one in numbers]) + _END


def _text_of(items: Items) -> str:
    """The items one after the other; a list inside is always the last of them."""
    text = ""
    for item in items:
        if isinstance(item, Number):
            text += _NUMBER + of_number(item.value)
        elif isinstance(item, Items):
            return text + _text_of_list(item)
        else:
            text += f"0{_text_of_word(item)}"
    return text + _END


def _text_of_list(items: Items) -> str:
    side = items.against(None)
    if not side or isinstance(items[0], Items):
        raise _Unusual
    return (_RAISE if side > 0 else _LOWER) + _text_of(items)


def _text_of_word(item: Word | Numbered) -> str:
    word = item.word if isinstance(item, Numbered) else item
    rank, letters = word.order
    if not word.text or not is_plain(word.text):
        raise _Unusual
    known = f"{rank}{of_word(letters)}" if letters else f"{rank}"
    return f"{known}1{of_number(item.number.value)}" if isinstance(item, Numbered) else f"{known}0"


class _Parser:
    """The state of Maven's one-pass parser."""

    def __init__(self, text: str) -> None:
        self.text = text.lower()
        self.root = self.current = Items()
        self.opened = [self.root]
        self.start = 0
        self.is_digit = False
        self.is_numbered = False

    def parse(self) -> Items:
        """The whole tree, normalised from the inside out."""
        for index, character in enumerate(self.text):
            if character == ".":
                self._close(index)
                self.start = index + 1
            elif character == "-":
                self._hyphen(index)
            elif character in _DIGITS:
                self._digit(index)
            else:
                self._letter(index)
        if len(self.text) > self.start:
            if not self.is_digit and self.current:
                self._open()
            self._add(self.text[self.start :])
        for items in reversed(self.opened):
            items.normalize()
        return self.root

    def _open(self) -> None:
        inner = Items()
        self.current.append(inner)
        self.current = inner
        self.opened.append(inner)

    def _add(self, text: str) -> None:
        if not self.is_digit and not self.is_numbered and self.current:
            self._open()
        if self.is_numbered:
            self.current.append(Numbered(text))
        else:
            self.current.append(Number(text) if self.is_digit else Word(text))

    def _close(self, index: int) -> None:
        if index == self.start:
            self.current.append(Number("0"))
        else:
            self._add(self.text[self.start : index])
        self.is_numbered = False

    def _hyphen(self, index: int) -> None:
        following = self.text[index + 1 : index + 2]
        if index > self.start and not self.is_digit and following and following in _DIGITS:
            self.is_numbered = True  # X-1 reads as X1
            return
        self._close(index)
        self.start = index + 1
        if self.current:
            self._open()

    def _digit(self, index: int) -> None:
        if not self.is_digit and index > self.start:
            self.is_numbered = True
            if self.current:
                self._open()
        self.is_digit = True

    def _letter(self, index: int) -> None:
        if self.is_digit and index > self.start:
            self._add(self.text[self.start : index])
            self.start = index
            self._open()
            self.is_numbered = False
        self.is_digit = False


@total_ordering
class Key:
    """A version's place in the order."""

    __slots__ = ("_items",)

    def __init__(self, version: str) -> None:
        self._items = _Parser(version).parse()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Key) and self._items.against(other._items) == 0

    def __lt__(self, other: "Key") -> bool:
        return self._items.against(other._items) < 0

    def __hash__(self) -> int:
        return hash(str(self))

    @property
    def sort_text(self) -> str | None:
        """The place as text (see `sort_texts`); None where words or empty parts stand in unusual places."""
        if self._items and isinstance(self._items[0], Word | Numbered):
            return None
        try:
            return _text_of(self._items)
        except _Unusual:
            return None

    def __str__(self) -> str:
        return str(self._items) or "0"


@lru_cache(maxsize=16384)
def key(version: str) -> Key:
    """The key of a version of at most 256 characters."""
    return Key(version)
