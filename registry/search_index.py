"""The full-text index of packages: FTS5 on SQLite, a GIN over tsvector on PostgreSQL; the same words on both.

Written by `documents.rebuild`, read by `searching`. No database triggers: what stands in it is what `write` put there.
Beside its words each package carries marks: what filters and visibility ask for. So counting reads the index alone.
"""

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Any, cast

from django.db import connection
from django.db.models import Func, Q

from registry.models import Package
from registry.models.packages import PackageQuerySet

LONGEST_QUERY = 200
MOST_WORDS = 8
LONGEST_WORD = 40
MOST_INDEXED = 400
WORD = re.compile(r"[^\W_]+")
PRIVATE, UNLISTED = "_private", "_unlisted"
CREATE = {
    # bm25 weighs columns, so the texts stand apart. Words arrive folded and parted by blanks: `ascii` keeps them so,
    # and the underscore, which no word holds, sets marks apart from words.
    "sqlite": (
        (
            "CREATE VIRTUAL TABLE registry_search USING fts5(name, keywords, description, marks,"
            """ tokenize="ascii tokenchars '_'", prefix='1 2 3')"""
        ),
    ),
    "postgresql": (
        "CREATE TABLE registry_search (package_id bigint PRIMARY KEY, document tsvector NOT NULL)",
        "CREATE INDEX registry_search_document ON registry_search USING gin (document)",
    ),
}
DROP = "DROP TABLE registry_search"
WRITE = {
    "sqlite": (
        "INSERT OR REPLACE INTO registry_search(rowid, name, keywords, description, marks) VALUES (%s, %s, %s, %s, %s)"
    ),
    "postgresql": (
        "INSERT INTO registry_search(package_id, document) VALUES (%s, %s::tsvector)"
        " ON CONFLICT (package_id) DO UPDATE SET document = excluded.document"
    ),
}
# The unary plus keeps SQLite from running the text match once for each package instead of once.
MATCHES = {
    "sqlite": ["registry_search MATCH %s", "registry_package.id = +registry_search.rowid"],
    "postgresql": ["registry_search.document @@ %s::tsquery", "registry_package.id = registry_search.package_id"],
}
RANK = {
    "sqlite": "bm25(registry_search, 12.0, 4.0, 1.0, 0.0)",
    "postgresql": "-ts_rank('{0.1, 0.1, 0.4, 1.0}', registry_search.document, %s::tsquery)",
}
SYNTAX = {"sqlite": ("AND", "NOT", "OR", '"{}"'), "postgresql": ("&", "& !", "|", "'{}'")}
COUNT = {
    "sqlite": "SELECT count(*) FROM registry_search WHERE registry_search MATCH %s",
    "postgresql": "SELECT count(*) FROM registry_search WHERE document @@ %s::tsquery",
}
REACHES = {
    "sqlite": "SELECT count(*) FROM (SELECT 1 FROM registry_search WHERE registry_search MATCH %s LIMIT %s)",
    "postgresql": "SELECT count(*) FROM (SELECT 1 FROM registry_search WHERE document @@ %s::tsquery LIMIT %s) AS n",
}
# What FTS5 keeps of a row, read by its number: the cheapest way to ask whether this package holds these words.
KEPT = "EXISTS (SELECT 1 FROM registry_search_content AS kept WHERE kept.id = registry_package.id AND {})"
HOLDS = "instr(' ' || kept.c0 || ' ' || kept.c1 || ' ' || kept.c2, %s) > 0"


def fold(text: str) -> str:
    """Lower case without diacritics or compatibility forms, so that “Ｃafé” is found as “cafe”."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(character for character in decomposed if not unicodedata.combining(character))


def words(text: str) -> list[str]:
    """The folded words of a text. Punctuation only parts them, so no query syntax survives."""
    return [word[:LONGEST_WORD] for word in WORD.findall(fold(text))]


# --- writing -------------------------------------------------------------------------------------------------------
def write(package: Package) -> None:
    """Put the package's words and marks into the index, replacing what stood there; in the caller's transaction."""
    with connection.cursor() as cursor:
        cursor.execute(WRITE[connection.vendor], row(package))


def forget_removed_words() -> None:
    """Merge the index, which until then keeps words of rows that were replaced; PostgreSQL's holds none."""
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("INSERT INTO registry_search(registry_search) VALUES ('optimize')")


def row(package: Package) -> tuple[Any, ...]:
    """The parameters of WRITE: the name also as one word, so that “leftpad” finds left-pad."""
    name = words(package.name)
    bare = words(package.name.rpartition("/")[2])
    squeezed = ["".join(name)[:LONGEST_WORD], "".join(bare)[:LONGEST_WORD]]
    keywords = words(" ".join(str(keyword) for keyword in package.keywords[:100]))[:MOST_INDEXED]
    description = words(package.description[:8_000])[:MOST_INDEXED]
    texts = [name + squeezed, keywords, description]
    if connection.vendor == "postgresql":
        return package.pk, _vector(texts, marks(package))
    return package.pk, *map(" ".join, texts), " ".join(marks(package))


def _vector(texts: Sequence[Sequence[str]], marks: Iterable[str]) -> str:
    """The words as PostgreSQL writes a tsvector: each with its position, and weighed by the text it is from."""
    placed = enumerate(((word, weight) for weight, text in zip("ABC", texts, strict=True) for word in text), 1)
    lexemes = [f"'{word}':{position}{weight}" for position, (word, weight) in placed]
    return " ".join([*lexemes, *(f"'{one}'" for one in marks)])


def marks(package: Package) -> list[str]:
    """What the package is, in words that nobody can search for."""
    made = [mark("ecosystem", package.ecosystem), mark("category", package.category)]
    made += [mark("status", package.latest_status) if package.latest_status else UNLISTED]
    made += [mark("license", one) for one in sorted({package.license.casefold(), *licenses_in(package.license)})]
    if package.visibility == Package.Visibility.PRIVATE:
        made += [PRIVATE, mark("project", package.project_id)]
    return made


def mark(kind: str, value: object) -> str:
    """The mark of one value of one filter; a digest, since a license may hold anything."""
    return f"_{kind}_{hashlib.sha256(str(value).casefold().encode('utf-8', 'replace')).hexdigest()[:12]}"


def licenses_in(expression: str) -> set[str]:
    """The SPDX ids that a licence expression names, in lower case."""
    return set(expression.casefold().replace("(", " ").replace(")", " ").split()) - {"or", "and", "with"}


# --- asking --------------------------------------------------------------------------------------------------------
def expression(text: str) -> str:
    """The query in the vendor's own syntax: every word must begin some word of the package. "" when there is none."""
    asked = asked_words(text)
    if connection.vendor == "postgresql":
        return " & ".join(f"'{word}':*" for word in asked)
    return " AND ".join(f'"{word}"*' for word in asked)


def asked_words(text: str) -> list[str]:
    """The words of a search, as many as are heeded."""
    return words(text[:LONGEST_QUERY])[:MOST_WORDS]


def narrowed(match: str, required: Iterable[str], visible_projects: Iterable[int] | None) -> str:
    """The expression for what is listed, carries the marks, and is public or of these projects (None: of any)."""
    both, but, either, quote = (
        ("&", "& !", "|", "'{}'") if connection.vendor == "postgresql" else ("AND", "NOT", "OR", '"{}"')
    )
    made = f"({match})"
    for one in required:
        made = f"({made} {both} {quote.format(one)})"
    made = f"({made} {but} {quote.format(UNLISTED)})"
    if visible_projects is None:
        return made
    ours = f" {either} ".join(quote.format(mark("project", one)) for one in visible_projects)
    hidden = f"({quote.format(PRIVATE)} {but} ({ours}))" if ours else quote.format(PRIVATE)
    return f"({made} {but} {hidden})"


def count(match: str) -> int:
    """How many packages match."""
    return _number(COUNT, match)


def reaches(match: str, number: int) -> bool:
    """Whether so many packages match, of whatever visibility; it counts no further."""
    return _number(REACHES, match, number) >= number


def _number(statements: dict[str, str], *params: str | int) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statements[connection.vendor], params)
        return int(cursor.fetchone()[0])


def matching(packages: PackageQuerySet, match: str) -> PackageQuerySet:
    """The packages that match the expression: the index first, then a package for each hit."""
    where = MATCHES[connection.vendor]
    found: Any = packages.extra(tables=["registry_search"], where=where, params=[match])  # noqa: S610  # constants
    return cast(PackageQuerySet, found)


class Plain(Func):
    """A column as a value: SQLite then looks for no index that begins with it."""

    template = "%(expressions)s"
    arity = 1

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        """The unary plus changes nothing but the plan."""
        return self.as_sql(compiler, connection, template="+%(expressions)s", **context)


def plainly(packages: PackageQuerySet, *columns: str) -> PackageQuerySet:
    """The packages with `plain_…` for each column, to filter by without choosing an index."""
    return packages.alias(**{f"plain_{column}": Plain(column) for column in columns})


def begins(name: str, column: str = "normalized") -> Q:
    """Whether the column begins with the name, upper and lower case distinct, in the way that an index answers."""
    if connection.vendor == "postgresql" or not name:
        return Q(**{f"{column}__startswith": name})
    return Q(**{f"{column}__gte": name, f"{column}__lt": name[:-1] + chr(ord(name[-1]) + 1)})


def holding(packages: PackageQuerySet, text: str) -> PackageQuerySet:
    """The same, the packages first: for many hits in an order of which only the beginning is read."""
    asked = asked_words(text)
    if not asked:
        return packages
    if connection.vendor == "postgresql":  # which sees by itself where to begin
        return matching(packages, expression(text))
    where = [KEPT.format(" AND ".join([HOLDS] * len(asked)))]
    found: Any = packages.extra(where=where, params=[f" {word}" for word in asked])  # noqa: S610  # constants
    return cast(PackageQuerySet, found)


def with_rank(packages: PackageQuerySet, match: str) -> PackageQuerySet:
    """What `matching` found, with a column `text_rank`: the smaller, the better."""
    rank = RANK[connection.vendor]
    params = [match] * rank.count("%s")
    found: Any = packages.extra(select={"text_rank": rank}, select_params=params)  # noqa: S610  # constants
    return cast(PackageQuerySet, found)
