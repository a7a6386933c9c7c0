"""SPDX license expressions: a bounded parser and the tree it yields (SPDX 3, annex “License expressions”)."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from registry.errors import InvalidInput

LIMIT = 4000
DEPTH = 64
TOKEN = re.compile(r"\s*([()]|[A-Za-z0-9.:+-]+)")
OPERATORS = {"AND", "OR", "WITH"}


@dataclass(frozen=True, slots=True)
class License:
    """A leaf: a license, perhaps in this version or a later one, perhaps with an exception."""

    id: str
    or_later: bool = False
    exception: str = ""

    def __str__(self) -> str:
        text = self.id + ("+" if self.or_later else "")
        return f"{text} WITH {self.exception}" if self.exception else text


@dataclass(frozen=True, slots=True)
class And:
    """All of these bind at once."""

    parts: tuple["Expression", ...]

    def __str__(self) -> str:
        return " AND ".join(_bracketed(part) for part in self.parts)


@dataclass(frozen=True, slots=True)
class Or:
    """The one who uses it chooses one of these."""

    parts: tuple["Expression", ...]

    def __str__(self) -> str:
        return " OR ".join(_bracketed(part) for part in self.parts)


Expression = License | And | Or


def _bracketed(part: Expression) -> str:
    return str(part) if isinstance(part, License) else f"({part})"


def leaves(expression: Expression) -> Iterator[License]:
    """Every license in the tree, in reading order."""
    if isinstance(expression, License):
        yield expression
        return
    for part in expression.parts:
        yield from leaves(part)


def combine(kind: type[And] | type[Or], parts: list[Expression]) -> Expression:
    """One node over the parts: nested nodes of the same kind are opened, equal parts stand once."""
    flat: list[Expression] = []
    for part in parts:
        for one in part.parts if isinstance(part, kind) else (part,):
            if one not in flat:
                flat.append(one)
    return flat[0] if len(flat) == 1 else kind(tuple(flat))


def parse(text: str) -> Expression:
    """The tree of an expression, ids as they were written; raises InvalidInput that says where it breaks."""
    if len(text) > LIMIT:
        raise InvalidInput(f"A license expression has at most {LIMIT} characters; this one has {len(text)}.")
    return _Parser(_tokens(text)).whole()


def _tokens(text: str) -> list[str]:
    tokens, at, end = [], 0, len(text.rstrip())
    while at < end:
        match = TOKEN.match(text, at)
        if match is None:
            raise InvalidInput(f"“{text[at : at + 20].strip()}” cannot stand in a license expression.")
        tokens.append(match[1])
        at = match.end()
    return tokens


class _Parser:
    """Recursive descent: OR over AND over WITH."""

    def __init__(self, tokens: list[str]) -> None:
        self.tokens = tokens
        self.at = 0
        self.depth = 0

    def whole(self) -> Expression:
        tree = self.either()
        if self.at < len(self.tokens):
            raise InvalidInput(f"AND, OR or WITH is missing before “{self.tokens[self.at]}”.")
        return tree

    def either(self) -> Expression:
        parts = [self.every()]
        while self._operator("OR"):
            parts.append(self.every())
        return combine(Or, parts)

    def every(self) -> Expression:
        parts = [self.one()]
        while self._operator("AND"):
            parts.append(self.one())
        return combine(And, parts)

    def one(self) -> Expression:
        word = self._next("a license")
        if word == "(":
            return self._inside()
        or_later = word.endswith("+") and len(word) > 1
        license_id = _named(word[:-1] if or_later else word)
        exception = _named(self._next("an exception")) if self._operator("WITH") else ""
        return License(license_id, or_later, exception)

    def _inside(self) -> Expression:
        self.depth += 1
        if self.depth > DEPTH:
            raise InvalidInput(f"Brackets in a license expression nest at most {DEPTH} deep.")
        tree = self.either()
        if self._next("a closing bracket") != ")":
            raise InvalidInput("A bracket is not closed in this license expression.")
        self.depth -= 1
        return tree

    def _next(self, what: str) -> str:
        if self.at >= len(self.tokens):
            raise InvalidInput(f"The license expression ends where {what} is expected.")
        self.at += 1
        return self.tokens[self.at - 1]

    def _operator(self, word: str) -> bool:
        if self.at < len(self.tokens) and self.tokens[self.at].upper() == word:
            self.at += 1
            return True
        return False


def _named(token: str) -> str:
    if token in ("(", ")") or token.upper() in OPERATORS or "+" in token:
        raise InvalidInput(f"“{token}” stands where a license or an exception is expected.")
    return token
