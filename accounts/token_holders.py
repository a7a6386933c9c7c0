"""A live token, whose it is and where they belong, in one query whose SQL is not composed anew for every request."""

from collections.abc import Callable, Sequence
from functools import cache
from itertools import chain
from typing import Any, NamedTuple

from django.db import connections, models
from django.utils import timezone

from accounts import tokens
from accounts.models import ApiToken, Membership, Project, User

# One row for each project that the token works for; one row without a project where it works for none.
FROM = """
    FROM {tokens} AS token JOIN {users} AS person ON person.id = token.user_id
    LEFT JOIN {projects} AS bound ON bound.id = token.project_id
    LEFT JOIN {memberships} AS member
           ON member.user_id = person.id AND (token.project_id IS NULL OR member.project_id = token.project_id)
    LEFT JOIN {projects} AS mine ON mine.id = member.project_id
    WHERE token.digest = %s AND token.revoked_at IS NULL AND token.expires_at > %s AND person.is_active
    ORDER BY member.created_at, member.id"""
READ: tuple[tuple[str, type[models.Model]], ...] = (
    ("token", ApiToken), ("person", User), ("bound", Project), ("mine", Project),
)  # fmt: skip
Part = Callable[[Sequence[Any]], Any]


class Held(NamedTuple):
    """A token, its user joined, and the user's projects by id, oldest membership first; of a bound token at most one."""

    token: ApiToken
    projects: dict[int, Project]


def find(raw: str) -> Held | None:
    """The token of that value as it stands now; unknown, expired, revoked, of somebody barred: all alike None.

    What merely looks like a token costs no query (`tokens.looks_like_token`).
    """
    if not tokens.looks_like_token(raw):
        return None
    connection = connections["default"]
    sql, (token_of, person_of, bound_of, mine_of) = _reading(connection.vendor)
    with connection.cursor() as cursor:
        cursor.execute(sql, [tokens.digest_of(raw), connection.ops.adapt_datetimefield_value(timezone.now())])
        rows = cursor.fetchall()
    if not rows:
        return None
    token, user, bound = token_of(rows[0]), person_of(rows[0]), bound_of(rows[0])
    token.user, token.project = user, bound
    mine = {project.pk: project for project in map(mine_of, rows) if project is not None}
    if bound is not None and user.is_admin:
        mine = {bound.pk: bound}
    if user.default_project_id in mine:
        user.default_project = mine[user.default_project_id]
    return Held(token, mine)


@cache
def _reading(vendor: str) -> tuple[str, tuple[Part, ...]]:
    """The query, and for each model what makes an object of a row."""
    parts, columns, begin = list[Part](), list[str](), 0
    for alias, model in READ:
        fields = model._meta.concrete_fields
        columns += [f"{alias}.{field.column}" for field in fields]
        parts.append(_maker(model, slice(begin, begin + len(fields))))
        begin += len(fields)
    named = {"tokens": ApiToken, "users": User, "projects": Project, "memberships": Membership}
    tables = {name: model._meta.db_table for name, model in named.items()}
    return f"SELECT {', '.join(columns)} {FROM.format(**tables)}", tuple(parts)


def _maker(model: type[models.Model], part: slice) -> Part:
    """Makes an object of its part of a row, as the object mapper would; None where a join found nothing."""
    connection, fields = connections["default"], model._meta.concrete_fields
    names = [field.attname for field in fields]
    expressions = [field.get_col(model._meta.db_table) for field in fields]
    converters = [
        (at, one, expression)
        for at, expression in enumerate(expressions)
        for one in chain(connection.ops.get_db_converters(expression), expression.get_db_converters(connection))
    ]
    key = names.index(model._meta.pk.attname)

    def make(row: Sequence[Any]) -> Any:
        values = list(row[part])
        if values[key] is None:
            return None
        for at, convert, expression in converters:
            values[at] = convert(values[at], expression, connections["default"])
        return model.from_db("default", names, values)

    return make
