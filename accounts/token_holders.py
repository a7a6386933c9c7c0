"""A live token, whose it is and where they belong, in one query whose SQL is not composed anew for every request."""

from collections.abc import Callable, Sequence
from functools import cache
from itertools import chain
from typing import Any, NamedTuple

from django.db import connections, models
from django.utils import timezone

from accounts import tokens
from accounts.models import ApiToken, Project, User

# One row for each project that the token works for; one row without a project where it works for none.
FROM = """
    FROM accounts_apitoken AS token JOIN accounts_user AS person ON person.id = token.user_id
    LEFT JOIN accounts_project AS bound ON bound.id = token.project_id
    LEFT JOIN accounts_membership AS member
           ON member.user_id = person.id AND (token.project_id IS NULL OR member.project_id = token.project_id)
    LEFT JOIN accounts_project AS mine ON mine.id = member.project_id
    WHERE token.digest = %s AND token.revoked_at IS NULL AND token.expires_at > %s AND person.is_active
    ORDER BY member.created_at, member.id"""
READ: tuple[tuple[str, type[models.Model]], ...] = (
    ("token", ApiToken), ("person", User), ("bound", Project), ("mine", Project),
)  # fmt: skip
Part = Callable[[Sequence[Any]], Any]


class Held(NamedTuple):
    """A token, its user joined, and their projects by id, oldest membership first; of a bound token at most one."""

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
    parts, columns = list[Part](), list[str]()
    for alias, model in READ:
        begin = len(columns)
        columns += [f"{alias}.{field.column}" for field in _fields_of(model)]
        parts.append(_maker(model, slice(begin, len(columns))))
    return f"SELECT {', '.join(columns)} {FROM}", tuple(parts)  # names of columns alone


def _fields_of(model: type[models.Model]) -> Sequence[Any]:
    return model._meta.concrete_fields  # noqa: SLF001  # Django's documented way to the fields of a model


def _maker(model: type[models.Model], part: slice) -> Part:
    """Makes an object of its part of a row, as the object mapper would; None where a join found nothing."""
    connection, fields = connections["default"], _fields_of(model)
    names = [field.attname for field in fields]
    expressions = [field.get_col(model.__name__) for field in fields]
    converters = [
        (at, one, expression)
        for at, expression in enumerate(expressions)
        for one in chain(connection.ops.get_db_converters(expression), expression.get_db_converters(connection))
    ]
    key = names.index("id")

    def make(row: Sequence[Any]) -> Any:
        values = list(row[part])
        if values[key] is None:
            return None
        for at, convert, expression in converters:
            values[at] = convert(values[at], expression, connections["default"])
        return model.from_db("default", names, values)

    return make
