"""A live token, whose it is and where they belong, in one query."""

from functools import cache
from typing import NamedTuple

from django.db import connections
from django.utils import timezone

from accounts import rows, tokens
from accounts.models import ApiToken, Project, User
from accounts.rows import Maker

# One row for each project that the token works for; one row without a project where it works for none.
# Of a bound token that is its project: where the holder is a member of it, or an admin.
FROM = """
    FROM accounts_apitoken AS token JOIN accounts_user AS person ON person.id = token.user_id
    LEFT JOIN accounts_membership AS member
           ON member.user_id = person.id AND (token.project_id IS NULL OR member.project_id = token.project_id)
    LEFT JOIN accounts_project AS mine
           ON mine.id = COALESCE(member.project_id, CASE WHEN person.role = 'admin' THEN token.project_id END)
    WHERE token.digest = %s AND token.revoked_at IS NULL AND token.expires_at > %s AND person.is_active
    ORDER BY member.created_at, member.id"""
# What the object mapper would fetch, were it looked at: it is not for most requests.
UNREAD = {
    ApiToken: (
        *("name", "prefix", "digest", "created_at", "last_used_from", "notified_at", "revoked_at", "revoked_reason"),
        *("used_for", "successor_id"),
    ),
    User: ("password", "last_login", "date_joined", "first_name", "last_name"),
    Project: ("created_at",),
}


class Held(NamedTuple):
    """A token, its user, and the projects that it works for, oldest membership first; of a bound one at most one."""

    token: ApiToken
    projects: dict[int, Project]


def find(raw: str) -> Held | None:
    """The token of that value as it stands now; unknown, expired, revoked, of somebody barred: all alike None.

    What merely looks like a token costs no query (`tokens.looks_like_token`).
    """
    if not tokens.looks_like_token(raw):
        return None
    connection = connections["default"]
    sql, token_of, person_of, project_of = _reading(connection.vendor)
    with connection.cursor() as cursor:
        cursor.execute(sql, [tokens.digest_of(raw), rows.moment(timezone.now())])
        found = cursor.fetchall()
    if not found:
        return None
    token, user = token_of(found[0]), person_of(found[0])
    mine = {project.pk: project for project in map(project_of, found) if project is not None}
    token.user = user
    if user.default_project_id in mine:
        user.default_project = mine[user.default_project_id]
    return Held(token, mine)


@cache
def _reading(vendor: str) -> tuple[str, Maker, Maker, Maker]:
    """The query, and what makes the token, its user and a project of a row; for one kind of database."""
    columns, makers = list[str](), list[Maker]()
    for alias, model in (("token", ApiToken), ("person", User), ("mine", Project)):
        part = rows.columns(model, alias, without=UNREAD[model])
        makers.append(rows.maker(model, len(columns), without=UNREAD[model]))
        columns += part
    token, person, project = makers
    return f"SELECT {', '.join(columns)} {FROM}", token, person, project
