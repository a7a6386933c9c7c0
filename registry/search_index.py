"""The full-text index of packages: FTS5 on SQLite, a GIN over tsvector on PostgreSQL; the same words on both.

Written by `documents.rebuild`, read by `searching`. No database triggers: what stands in it is what `write` put there.
"""

import re
import unicodedata
from typing import Any, cast

from django.db import connection

from registry.models import Package
from registry.models.packages import PackageQuerySet

LONGEST_QUERY = 200
MOST_WORDS = 8
LONGEST_WORD = 40
MOST_INDEXED = 400
WORD = re.compile(r"[^\W_]+")
CREATE = {
    # bm25 weighs columns, so the three texts stand apart; `detail=column` leaves out positions, which nobody needs.
    "sqlite": (
        (
            "CREATE VIRTUAL TABLE registry_search USING fts5(name, keywords, description,"
            " tokenize='unicode61 remove_diacritics 0', prefix='1 2 3', detail='column')"
        ),
    ),
    "postgresql": (
        "CREATE TABLE registry_search (package_id bigint PRIMARY KEY, document tsvector NOT NULL)",
        "CREATE INDEX registry_search_document ON registry_search USING gin (document)",
    ),
}
DROP = "DROP TABLE registry_search"
WRITE = {
    "sqlite": "INSERT OR REPLACE INTO registry_search(rowid, name, keywords, description) VALUES (%s, %s, %s, %s)",
    "postgresql": (
        "INSERT INTO registry_search(package_id, document) VALUES (%s, setweight(to_tsvector('simple', %s), 'A')"
        " || setweight(to_tsvector('simple', %s), 'B') || setweight(to_tsvector('simple', %s), 'C'))"
        " ON CONFLICT (package_id) DO UPDATE SET document = excluded.document"
    ),
}
# The unary plus keeps SQLite from running the text match once for each package instead of once.
MATCHES = {
    "sqlite": ["registry_search MATCH %s", "registry_package.id = +registry_search.rowid"],
    "postgresql": [
        "registry_search.document @@ to_tsquery('simple', %s)",
        "registry_package.id = registry_search.package_id",
    ],
}
RANK = {
    "sqlite": "bm25(registry_search, 12.0, 4.0, 1.0)",
    "postgresql": "-ts_rank('{0.1, 0.1, 0.4, 1.0}', registry_search.document, to_tsquery('simple', %s))",
}
COUNT = {
    "sqlite": "SELECT count(*) FROM registry_search WHERE registry_search MATCH %s",
    "postgresql": "SELECT count(*) FROM registry_search WHERE document @@ to_tsquery('simple', %s)",
}


def fold(text: str) -> str:
    """Lower case without diacritics or compatibility forms, so that “Ｃafé” is found as “cafe”."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(character for character in decomposed if not unicodedata.combining(character))


def words(text: str) -> list[str]:
    """The folded words of a text. Punctuation only parts them, so no query syntax survives."""
    return [word[:LONGEST_WORD] for word in WORD.findall(fold(text))]


def write(package: Package) -> None:
    """Put the package's words into the index, replacing what stood there; in the caller's transaction."""
    with connection.cursor() as cursor:
        cursor.execute(WRITE[connection.vendor], row(package))


def row(package: Package) -> tuple[int, str, str, str]:
    """What is indexed: the name also as one word, so that “leftpad” finds left-pad."""
    name = words(package.name)
    bare = words(package.name.rpartition("/")[2])
    keywords = words(" ".join(str(keyword) for keyword in package.keywords[:100]))
    description = words(package.description[:8_000])
    squeezed = ["".join(name)[:LONGEST_WORD], "".join(bare)[:LONGEST_WORD]]
    return package.pk, " ".join(name + squeezed), _joined(keywords), _joined(description)


def _joined(found: list[str]) -> str:
    return " ".join(found[:MOST_INDEXED])


def expression(text: str) -> str:
    """The query in the vendor's own syntax: every word must begin some word of the package. "" when there is none."""
    asked = words(text[:LONGEST_QUERY])[:MOST_WORDS]
    if connection.vendor == "postgresql":
        return " & ".join(f"'{word}':*" for word in asked)
    return " AND ".join(f'"{word}"*' for word in asked)


def count(match: str) -> int:
    """How many packages match, of whatever visibility: cheap, and only for choosing how to rank."""
    with connection.cursor() as cursor:
        cursor.execute(COUNT[connection.vendor], [match])
        return int(cursor.fetchone()[0])


def matching(packages: PackageQuerySet, match: str) -> PackageQuerySet:
    """The packages whose words match the expression."""
    where = MATCHES[connection.vendor]
    found: Any = packages.extra(tables=["registry_search"], where=where, params=[match])  # noqa: S610  # constants
    return cast(PackageQuerySet, found)


def with_rank(packages: PackageQuerySet, match: str) -> PackageQuerySet:
    """What `matching` found, with a column `text_rank`: the smaller, the better."""
    rank = RANK[connection.vendor]
    params = [match] * rank.count("%s")
    found: Any = packages.extra(select={"text_rank": rank}, select_params=params)  # noqa: S610  # constants
    return cast(PackageQuerySet, found)
