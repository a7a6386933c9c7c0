"""The dialogue with GitHub (OAuth 2.0, RFC 6749, with PKCE, RFC 7636): allauth's, with strict ears and our decisions.

Of allauth come the state, kept in the session and good for once, the code challenge and the order of the steps. What
GitHub answers is read here, bounded in time and size, and whoever GitHub vouches for goes through `accounts.github`.
"""

import json
import time
from typing import Any, NoReturn

import requests
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialLogin
from allauth.socialaccount.providers.github.provider import GitHubProvider
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.oauth2.views import OAuth2Adapter, OAuth2CallbackView
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.http import HttpRequest
from django.urls import reverse

from accounts.github import PROVIDER, Profile

LONGEST_ANSWER = 512 * 1024
LONGEST_LOGIN = 100
LONGEST_ADDRESS = 254
LARGEST_NUMBER = 2**63


class Vouched(SocialLogin):
    """What the dialogue ends with. It looks nobody up, by e-mail least of all: `accounts.github` does, by number."""

    def __init__(self, profile: Profile) -> None:
        super().__init__(account=SocialAccount(provider=PROVIDER, uid=profile.uid))
        self.profile = profile

    def lookup(self) -> None:
        """Nothing."""


class Dialogue(OAuth2Adapter):
    """Where GitHub lives, and what is asked there."""

    provider_id = PROVIDER

    @property
    def authorize_url(self) -> str:
        """Where the person says yes."""
        return f"{settings.GITHUB_URL}/login/oauth/authorize"

    @property
    def access_token_url(self) -> str:
        """Where the code becomes a token."""
        return f"{settings.GITHUB_URL}/login/oauth/access_token"

    @property
    def api_url(self) -> str:
        """Where profiles are read; GitHub Enterprise has its API below its own address."""
        at_home = settings.GITHUB_URL == "https://github.com"
        return "https://api.github.com" if at_home else f"{settings.GITHUB_URL}/api/v3"

    def get_provider(self) -> "Provider":
        """The provider with the portal's credentials, from the settings and never from the database."""
        app = SocialApp(provider=PROVIDER, client_id=settings.GITHUB_CLIENT_ID, secret=settings.GITHUB_CLIENT_SECRET)
        return Provider(self.request, app=app)

    def get_callback_url(self, request: HttpRequest, app: SocialApp) -> str:
        """One exact address, the same at both steps."""
        path = reverse("github-callback")
        return f"{settings.PUBLIC_URL}{path}" if settings.PUBLIC_URL else request.build_absolute_uri(path)

    def get_access_token_data(
        self, request: HttpRequest, app: SocialApp, client: Any, pkce_code_verifier: str | None = None
    ) -> dict[str, str]:
        """The token for the code; raises OAuth2Error for every other answer."""
        answer = _answer("POST", self.access_token_url, {"Accept": "application/json"}, {
            "client_id": app.client_id,
            "client_secret": app.secret,
            "code": request.GET.get("code", ""),
            "redirect_uri": client.callback_url,
            "grant_type": "authorization_code",
            "code_verifier": pkce_code_verifier or "",
        })  # fmt: skip
        token = answer.get("access_token") if isinstance(answer, dict) else None
        if not isinstance(token, str) or not token.isascii() or not token.isprintable() or not token:
            raise OAuth2Error("There is no token in the answer.")
        return {"access_token": token}

    def complete_login(self, request: HttpRequest, app: SocialApp, token: Any, **kwargs: Any) -> Vouched:
        """Whom the token speaks for; it is not kept."""
        headers = {"Accept": "application/vnd.github+json", "Authorization": f"Bearer {token.token}"}
        person = _answer("GET", f"{self.api_url}/user", headers)
        number, login = (person.get("id"), person.get("login")) if isinstance(person, dict) else (None, None)
        if isinstance(number, bool) or not isinstance(number, int) or not 0 < number < LARGEST_NUMBER:
            raise OAuth2Error("The profile has no number.")
        if not isinstance(login, str) or not 0 < len(login) <= LONGEST_LOGIN or not login.isprintable():
            raise OAuth2Error("The profile has no login.")
        return Vouched(Profile(number, login, self._email(headers)))

    def _email(self, headers: dict[str, str]) -> str:
        """The verified primary address; "" where GitHub does not give it, since nobody is known by it."""
        try:
            return _verified(_answer("GET", f"{self.api_url}/user/emails", headers))
        except OAuth2Error:
            return ""


class Provider(GitHubProvider):
    """GitHub, with a code challenge and no wish beside the person's address."""

    oauth2_adapter_class = Dialogue
    pkce_enabled_default = True

    def get_scope(self) -> list[str]:
        """The e-mail addresses, to know one that is verified."""
        return ["user:email"]


class Decisions(DefaultSocialAccountAdapter):
    """Where allauth asks what to do next: with somebody GitHub vouches for, and when anything went wrong."""

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> NoReturn:
        """Ours to decide, so that none of allauth's own ways to sign in, sign up or connect is ever walked."""
        from accounts.web import github

        assert isinstance(sociallogin, Vouched)
        raise ImmediateHttpResponse(github.arrive(request, sociallogin.profile, sociallogin.state))

    def on_authentication_error(
        self, request: HttpRequest, provider: Any, error: Any = None, exception: Any = None, extra_context: Any = None
    ) -> NoReturn:
        """One answer for all that can go wrong on the way."""
        from accounts.web import github

        raise ImmediateHttpResponse(github.fail(request, was_cancelled=str(error) == "cancelled"))

    def can_authenticate_by_email(self, login: SocialLogin, email: str) -> bool:
        """Never."""
        return False


callback = OAuth2CallbackView.adapter_view(Dialogue)


def _answer(method: str, url: str, headers: dict[str, str], form: dict[str, str] | None = None) -> Any:
    """The JSON that GitHub answers, redirects not followed; OAuth2Error for all else, too late or too much."""
    ends = time.monotonic() + settings.GITHUB_TIMEOUT_SECONDS
    body = b""
    try:
        with requests.request(
            method, url, headers=headers, data=form, stream=True, allow_redirects=False,
            timeout=settings.GITHUB_TIMEOUT_SECONDS,
        ) as answer:  # fmt: skip
            if answer.status_code != requests.codes.ok:
                raise OAuth2Error(f"GitHub answered {answer.status_code}.")
            for part in answer.iter_content(8192):
                body += part
                if len(body) > LONGEST_ANSWER or time.monotonic() > ends:
                    raise OAuth2Error("GitHub answered too much, or too slowly.")
        return json.loads(body)
    except (requests.RequestException, ValueError, RecursionError) as error:
        raise OAuth2Error("GitHub does not answer as it should.") from error


def _verified(addresses: Any) -> str:
    """The primary address, if GitHub says that it is verified and it is one."""
    for one in addresses if isinstance(addresses, list) else ():
        if isinstance(one, dict) and one.get("primary") is True and one.get("verified") is True:
            return _address(one.get("email"))
    return ""


def _address(text: Any) -> str:
    """The text if it is an e-mail address that a row can hold, else ""."""
    if not isinstance(text, str) or len(text) > LONGEST_ADDRESS:
        return ""
    try:
        validate_email(text)
    except ValidationError:
        return ""
    return text
