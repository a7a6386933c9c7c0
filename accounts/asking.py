"""Who is asking: one credential of a request made into an Actor, with the project it acts for.

Apps above may know further credentials: they say so with `recognizes`.
"""

import base64
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest
from django.urls import Resolver404, resolve

from accounts import projects, token_holders, tokens, users
from accounts.actors import Actor
from accounts.addresses import address_in, client_address
from accounts.errors import Forbidden, InvalidInput, Unauthenticated
from accounts.models import Project, User
from accounts.token_holders import Held
from accounts.wording import storable

# Below these bases of package managers, which send no header of ours, a first segment may be a project's slug.
NAMING_PROJECTS = re.compile(r"/(?:npm|pypi)/[a-z0-9][^/]*/.")
KEY_HEADERS = ("HTTP_X_API_KEY", "HTTP_X_API_TOKEN")
# Where a token that is for one package alone works at all: not where people look after themselves and their tokens.
PUBLISHING = re.compile(r"/(?:npm|pypi)/(?!(?:[^/]+/)?-/(?:npm|user)/)")
Recognizer = Callable[[str, str], Actor | None]
_recognizers: list[Recognizer] = []


def recognizes(recognizer: Recognizer) -> None:
    """Have credentials that are no token shown to an app, with the address; call it from the app's ready()."""
    if recognizer not in _recognizers:
        _recognizers.append(recognizer)


def actor_of(request: HttpRequest) -> Actor:
    """The actor behind a token header, else behind the session, else nobody.

    Raises InvalidInput for two different tokens, Unauthenticated for a bad bearer token, Forbidden for a bad
    X-API-Key or X-Api-Token and for a project that is unknown or not the caller's (the same answer for both).
    """
    slug = _slug_of(request)
    if (actor := holder_of(request.META, request.path_info, slug)) is not None:
        return actor
    address = client_address(request)
    if settings.SESSION_COOKIE_NAME in request.COOKIES and not isinstance(request.user, AnonymousUser):
        return session_actor(request.user, address, slug)
    if slug is not None:
        raise _no_such_project()
    return Actor(address=address)


def holder_of(meta: Mapping[str, Any], path: str, slug: str | None) -> Actor | None:
    """The actor behind the token or key among the headers (as WSGI names them), for the project of that slug, if any.

    None where the headers hold none; raises what `actor_of` raises for one that is not good. One query for a token.
    """
    authorization = _authorization(meta)
    given = {meta[name].strip() for name in KEY_HEADERS if name in meta}
    if authorization is not None:
        given.add(authorization)
    if len(given) > 1:
        raise InvalidInput("The request carries two different tokens. Send one.", code="two_credentials")
    if not given:
        return None
    actor = _credential_actor(given.pop(), address_in(meta), slug, is_bearer=authorization is not None)
    if actor.only_for and not PUBLISHING.match(path):
        raise Forbidden("This token publishes one version of one package, and does nothing else.", code="bound")
    return actor


def slug_among(given: str | None, named: str | None) -> str | None:
    """The project that the header X-Project-ID and the address name; two that differ are none."""
    return given if named is None else named if given in (None, named) else ""


def named_by(path: str) -> str | None:
    """The project that an address below a client's base names (`/npm/acme/…`), by the URL table."""
    with suppress(Resolver404):
        found: str | None = resolve(path).kwargs.get("project")
        return found
    return None


def _slug_of(request: HttpRequest) -> str | None:
    """The project that the header or the address of a client's base names."""
    given, path = request.META.get("HTTP_X_PROJECT_ID"), request.path_info
    return slug_among(given, named_by(path) if NAMING_PROJECTS.match(path) else None)


def session_actor(user: User, address: str = "", slug: str | None = None) -> Actor:
    """The actor of a signed-in person: everything that their role allows, once they have the factor it asks for."""
    mine, scopes = projects.of(user), users.session_scopes_of(user)
    project = _project(user, mine, slug, enters_all="admin" in scopes)
    return Actor(
        kind="session",
        user=user,
        project=project,
        project_ids=_seen(mine, project, slug),
        is_confined=slug is not None,
        scopes=scopes,
        address=address,
        lacks_factor=user.lacks_second_factor,
    )


def _credential_actor(raw: str, address: str, slug: str | None, *, is_bearer: bool) -> Actor:
    """The actor of a token, or of a credential that an app above recognizes."""
    if (held := token_holders.find(raw)) is not None:
        return _token_actor(held, address, slug)
    found = next((actor for recognizer in _recognizers if (actor := recognizer(raw, address)) is not None), None)
    if found is None:
        message = "The token is not valid: it may be mistyped, expired or revoked. Create a new one."
        raise Unauthenticated(message, code="bad_token") if is_bearer else Forbidden(message, code="bad_token")
    if slug is not None and (found.project is None or found.project.slug != slug):
        raise _no_such_project()
    return found


def _token_actor(held: Held, address: str, slug: str | None) -> Actor:
    """The actor of a token: what it carries, as far as its user's role still allows that."""
    token, mine = held
    scopes = users.scopes_of(token.user) & frozenset(token.scopes)
    project = _project(token.user, mine, slug, enters_all="admin" in scopes and token.project_id is None)
    actor = Actor(
        kind="token",
        user=token.user,
        project=project,
        project_ids=_seen(mine, project, slug),
        scopes=scopes,
        credential_id=str(token.pk),
        address=address,
        expires_at=token.expires_at,
        bound_to=token.project_id,
        only_for=frozenset(token.only_for),
        is_confined=slug is not None or token.project_id is not None,
    )
    tokens.note_use(token, address)
    return actor


def _project(user: User, mine: dict[int, Project], slug: str | None, *, enters_all: bool) -> Project | None:
    """The project that the request names, else the only one of a bound token, else the user's default or oldest."""
    if slug is None:
        return projects.default_among(mine, user)
    if found := next((project for project in mine.values() if project.slug == slug), None):
        return found
    found = Project.objects.filter(slug=storable(slug, 64)).first() if enters_all else None
    if found is None:
        raise _no_such_project()
    return found


def _seen(mine: dict[int, Project], project: Project | None, slug: str | None) -> frozenset[int]:
    """Whose private packages are seen: those of all the caller's projects, or of the one that X-Project-ID names."""
    return frozenset(mine) if slug is None or project is None else frozenset({project.pk})


def _no_such_project() -> Forbidden:
    """The same words for a project that does not exist and for one that is not the caller's."""
    return Forbidden(
        "There is no project of that name that you belong to. Check X-Project-ID.",
        code="project_not_accessible",
        details={"X-Project-ID": ["unknown or not accessible"]},
    )


def _authorization(meta: Mapping[str, Any]) -> str | None:
    """The token of an Authorization header: a bearer, or a basic-auth password, as npm and pip send it.

    Other schemes are not ours. What is no base64 of `user:password` is a bad token (RFC 7617).
    """
    scheme, _, value = meta.get("HTTP_AUTHORIZATION", "").partition(" ")
    match scheme.lower():
        case "bearer":
            return value.strip()
        case "basic":
            return _password(value.strip())
    return None


def _password(encoded: str) -> str:
    try:
        return base64.b64decode(encoded, validate=True).decode().partition(":")[2].strip()
    except ValueError:  # no base64, no UTF-8, not even ASCII
        return ""
