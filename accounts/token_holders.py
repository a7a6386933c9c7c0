"""A live token, whose it is and where they belong, in one query."""

from functools import cache
from typing import NamedTuple

from django.db import connections, models
from django.utils import timezone

from accounts import rows, tokens
from accounts.models import ApiToken, Project, User
from accounts.rows import Maker

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
        cursor.execute(sql, [tokens.digest_of(raw), rows.moment(timezone.now())])
        found = cursor.fetchall()
    if not found:
        return None
    token, user, bound = token_of(found[0]), person_of(found[0]), bound_of(found[0])
    token.user, token.project = user, bound
    mine = {project.pk: project for project in map(mine_of, found) if project is not None}
    if bound is not None and user.is_admin:
        mine = {bound.pk: bound}
    if user.default_project_id in mine:
        user.default_project = mine[user.default_project_id]
    return Held(token, mine)


@cache
def _reading(vendor: str) -> tuple[str, tuple[Maker, ...]]:
    """The query, and for each model what makes an object of a row; for one kind of database."""
    columns, makers = list[str](), list[Maker]()
    for alias, model in READ:
        makers.append(rows.maker(model, len(columns)))
        columns += rows.columns(model, alias)
    return f"SELECT {', '.join(columns)} {FROM}", tuple(makers)
