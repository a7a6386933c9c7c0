"""Who asks in the matrix: nobody, and each role by its session and by one token for every scope it may carry."""

from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.test import Client

from accounts.models import User
from tests import builders

DEVELOPER = ("read", "publish", "licenses", "sync")
# What the contract lets each role carry (section 1); written out here, so that the code's own table is tested too.
ROLES = {"developer": DEVELOPER, "maintainer": (*DEVELOPER, "review"), "admin": (*DEVELOPER, "review", "admin")}
NAMES = (
    "anonymous",
    *(f"{role}:{credential}" for role, scopes in ROLES.items() for credential in ("session", *scopes)),
)


@dataclass(frozen=True)
class Caller:
    """One role with one credential."""

    name: str
    person: User | None = None
    raw: str = ""
    token_id: str = ""
    client: Client = field(default_factory=Client)

    @property
    def role(self) -> str:
        return self.name.partition(":")[0]

    @property
    def credential(self) -> str:
        return self.name.partition(":")[2]

    @property
    def is_anonymous(self) -> bool:
        return self.name == "anonymous"

    @property
    def is_session(self) -> bool:
        return self.credential == "session"

    @property
    def is_token(self) -> bool:
        return not self.is_session and not self.is_anonymous

    def carries(self, scope: str) -> bool:
        """Whether role and credential allow the scope; `admin` allows all."""
        return scope in ROLES.get(self.role, ()) and (self.is_session or self.credential in (scope, "admin"))

    def sees(self, target: str) -> bool:
        """Whether the package of the matrix stands for this caller: public, of their project, or theirs to review."""
        if target.endswith("public") or self.carries("review"):
            return True
        return target.startswith("own") and self.carries("read")

    def ask(self, method: str, path: str, **request: Any) -> Any:
        """Send it, as a browser or a script that knows nothing of what was asked before."""
        self.client.cookies.clear()
        if self.is_session:
            self.client.cookies[settings.SESSION_COOKIE_NAME] = self.raw
        headers = (
            {**builders.bearer(self.raw), **request.pop("headers", {})}
            if self.is_token
            else request.pop("headers", {})
        )
        return self.client.generic(method, path, headers=headers, **request)


def assemble(people: dict[str, User]) -> dict[str, Caller]:
    """Every caller by name; `people` gives the person of each role."""
    callers = {"anonymous": Caller("anonymous")}
    for name in NAMES[1:]:
        role, _, credential = name.partition(":")
        callers[name] = _signed_in(name, people[role]) if credential == "session" else _with_token(name, people[role])
    return callers


def _signed_in(name: str, person: User) -> Caller:
    client = Client()
    client.force_login(person)
    return Caller(name, person, client.cookies[settings.SESSION_COOKIE_NAME].value, client=client)


def _with_token(name: str, person: User) -> Caller:
    from accounts import tokens

    raw = builders.token(person, name.partition(":")[2], name=name)
    found = tokens.resolve(raw)
    assert found is not None
    return Caller(name, person, raw, str(found.pk))
