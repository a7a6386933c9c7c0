"""Who is asking: one credential of a request made into an Actor, with the project it acts for."""

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest

from accounts import projects, tokens, users
from accounts.actors import Actor
from accounts.addresses import client_address
from accounts.errors import Forbidden, InvalidInput, Unauthenticated
from accounts.models import ApiToken, Project, User
from accounts.wording import storable

KEY_HEADERS = ("HTTP_X_API_KEY", "HTTP_X_API_TOKEN")


def actor_of(request: HttpRequest) -> Actor:
    """The actor behind a token header, else behind the session, else nobody.

    Raises InvalidInput for two different tokens, Unauthenticated for a bad bearer token, Forbidden for a bad
    X-API-Key or X-Api-Token and for a project that is unknown or not the caller's (the same answer for both).
    """
    address, slug = client_address(request), request.META.get("HTTP_X_PROJECT_ID")
    bearer = _bearer(request)
    given = {request.META[name].strip() for name in KEY_HEADERS if name in request.META}
    if bearer is not None:
        given.add(bearer)
    if len(given) > 1:
        raise InvalidInput("The request carries two different tokens. Send one.", code="two_credentials")
    if given:
        return _token_actor(given.pop(), address, slug, is_bearer=bearer is not None)
    if settings.SESSION_COOKIE_NAME in request.COOKIES and not isinstance(request.user, AnonymousUser):
        return session_actor(request.user, address, slug)
    if slug is not None:
        raise _no_such_project()
    return Actor(address=address)


def session_actor(user: User, address: str = "", slug: str | None = None) -> Actor:
    """The actor of a signed-in person: everything that their role allows."""
    mine = projects.of(user)
    return Actor(
        kind="session",
        user=user,
        project=_project(user, mine, slug, None),
        project_ids=frozenset(mine),
        scopes=users.scopes_of(user),
        address=address,
    )


def _token_actor(raw: str, address: str, slug: str | None, *, is_bearer: bool) -> Actor:
    """The actor of a token: what it carries, as far as its user's role still allows that."""
    token = tokens.resolve(raw)
    if token is None:
        message = "The token is not valid: it may be mistyped, expired or revoked. Create a new one."
        raise Unauthenticated(message, code="bad_token") if is_bearer else Forbidden(message, code="bad_token")
    mine = projects.of(token.user, only=token.project_id)
    actor = Actor(
        kind="token",
        user=token.user,
        project=_project(token.user, mine, slug, token),
        project_ids=frozenset(mine),
        scopes=users.scopes_of(token.user) & frozenset(token.scopes),
        credential_id=str(token.pk),
        address=address,
    )
    tokens.note_use(token, address)
    return actor


def _project(user: User, mine: dict[int, Project], slug: str | None, token: ApiToken | None) -> Project | None:
    """The project that the request names, else the token's, else the user's default, else their oldest."""
    bound = token.project if token is not None else None
    if slug is not None:
        return _named(user, mine, slug, bound)
    if bound is not None:
        return bound if user.is_admin else mine.get(bound.pk)
    return projects.default_among(mine, user)


def _named(user: User, mine: dict[int, Project], slug: str, bound: Project | None) -> Project:
    """The accessible project with the slug, or the one refusal for all others."""
    for project in mine.values():
        if project.slug == slug:
            return project
    may_enter_all = user.is_admin and (bound is None or bound.slug == slug)
    found = Project.objects.filter(slug=storable(slug, 64)).first() if may_enter_all else None
    if found is None:
        raise _no_such_project()
    return found


def _no_such_project() -> Forbidden:
    """The same words for a project that does not exist and for one that is not the caller's."""
    return Forbidden(
        "There is no project of that name that you belong to. Check X-Project-ID.",
        code="project_not_accessible",
        details={"X-Project-ID": ["unknown or not accessible"]},
    )


def _bearer(request: HttpRequest) -> str | None:
    """The token of an Authorization header of scheme Bearer; other schemes are not ours."""
    scheme, _, value = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
    return value.strip() if scheme.lower() == "bearer" else None
