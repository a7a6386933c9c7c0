"""`npm login`, through the browser or by name and password, and `npm logout`."""

from django.urls import reverse
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import signing_in, tokens, web_login
from accounts.addresses import client_address, origin_of
from accounts.api import errors
from accounts.api.tokens import user_of
from accounts.models import ApiToken
from registry.errors import InvalidInput, NotFound
from registry.protocols.indexes import NOTICE
from registry.protocols.npm.packuments import NpmDoor

ASK_AGAIN = "2"  # seconds
NEVER_KEPT = {"Cache-Control": "no-store"}


class _EntranceDoor(NpmDoor):
    """A door for those who have no credential yet, or an old one: what they show is not even looked at."""

    authentication_classes = ()


class WebLoginDoor(_EntranceDoor):
    """`/-/v1/login`."""

    public_methods = ("POST",)

    def post(self, request: Request) -> Response:
        """Where the person confirms, where the client asks for the token, and in `npm-notice` the code to compare."""
        program = request.headers.get("User-Agent", "")
        row, secret = web_login.begin(client_address(request._request), program, self.project_slug)  # noqa: SLF001  # DRF's own name for the request it wraps
        answer = {
            "loginUrl": origin_of(request._request) + reverse("terminal", kwargs={"login_id": row.pk}),  # noqa: SLF001  # likewise
            "doneUrl": f"{self.base_address}/-/v1/done/{secret}",
        }
        return Response(answer, headers={NOTICE: f"The page must show the code {row.code}", **NEVER_KEPT})


class WebLoginDoneDoor(_EntranceDoor):
    """`/-/v1/done/{secret}`."""

    http_method_names = ["get", "options"]  # HEAD would take the token and lose it

    def get(self, request: Request, secret: str) -> Response:
        """The token, once; 202 while nobody has confirmed; 404 when it is over."""
        taken = web_login.take(secret)
        if taken is None:
            return Response({}, status=202, headers={"Retry-After": ASK_AGAIN, **NEVER_KEPT})
        return Response({"token": taken[1]}, headers=NEVER_KEPT)


class PasswordLoginDoor(_EntranceDoor):
    """`/-/user/org.couchdb.user:{name}`."""

    public_methods = ("PUT",)

    def put(self, request: Request, username: str) -> Response:
        """A token for name and password, and `npm-otp` where the account has a second factor."""
        said = request.data if isinstance(request.data, dict) else {}
        password = said.get("password")
        if not isinstance(password, str) or said.get("name") != username:
            raise InvalidInput("Send {name, password}, the name being that of the address.")
        plain = request._request  # noqa: SLF001  # DRF's own name for the request it wraps
        try:
            user = signing_in.identify(plain, username, password, request.headers.get("npm-otp", ""))
        except signing_in.CodeNeeded as needed:
            return asking_for_code(needed)
        _token, raw = web_login.issue(user, self.project_slug, client_address(plain))
        answer = {"ok": f"you are signed in as {user.username}", "id": f"org.couchdb.user:{username}", "token": raw}
        return Response(answer, status=201, headers=NEVER_KEPT)


class LogoutDoor(NpmDoor):
    """`/-/user/token/{token}`."""

    is_public = False

    @property
    def noted_path(self) -> str:
        """The address without the token in it."""
        return self.request.path.rpartition("/")[0]

    def delete(self, request: Request, token: str) -> Response:
        """Revoke a token of one's own."""
        tokens.revoke(find_own(token, self), self.actor, "logged out by an npm client")
        return Response({"ok": True})


def asking_for_code(needed: signing_in.CodeNeeded) -> Response:
    """401 as npm knows it: it asks its user for the code, and comes again with `npm-otp`."""
    headers = {"WWW-Authenticate": "OTP", **NEVER_KEPT}
    return Response(errors.body(401, needed.message, needed.details), status=401, headers=headers)


def find_own(token: str, door: NpmDoor) -> ApiToken:
    """The caller's live token of that id or value; another's looks as if it did not exist."""
    mine = ApiToken.objects.live().filter(user=user_of(door.actor)).select_related("user", "project")
    if tokens.looks_like_token(token):
        found = mine.filter(digest=tokens.digest_of(token)).first()
    else:
        found = next((one for one in mine if str(one.pk) == token), None)
    if found is None:
        raise NotFound("You have no such token. `npm token list` shows yours.")
    return found
