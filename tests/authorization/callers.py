"""Who asks in the matrix: nobody, and each role by its session and by one token for every scope it may carry.

`developer:read@own` is a token bound to the project `acme`, `developer:read>own` names that project in X-Project-ID.
"""

from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.test import Client

from accounts.models import User
from tests import builders

DEVELOPER = ("read", "publish", "licenses", "sync")
# What the contract lets each role carry (section 1); written out here, so that the code's own table is tested too.
ROLES = {"developer": DEVELOPER, "maintainer": (*DEVELOPER, "review"), "admin": (*DEVELOPER, "review", "admin")}
PLAIN = (
    "anonymous",
    *(f"{role}:{credential}" for role, scopes in ROLES.items() for credential in ("session", *scopes)),
)
# Developers who are mere readers of `acme`; tokens bound to it; requests that name a project.
READERS = ("reader:session", "reader:read", "reader:publish")
BOUND = ("developer:read@own", "developer:publish@own", "maintainer:review@own", "admin:admin@own")
NAMING = ("developer:session>own", "developer:read>own", "maintainer:review>own", "admin:session>foreign")
NAMES = (*PLAIN, *READERS, *BOUND, *NAMING)
PROJECTS = {"own": "acme", "foreign": "elsewhere"}
ROLES["reader"] = DEVELOPER


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
        return self.name.partition(":")[2].partition("@")[0].partition(">")[0]

    @property
    def bound(self) -> str:
        """The place that the token is bound to, or ""."""
        return self.name.partition("@")[2]

    @property
    def named(self) -> str:
        """The place that X-Project-ID names, or ""."""
        return self.name.partition(">")[2]

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
        if target.endswith("public"):
            return True
        if place := self.bound or self.named:
            return target.startswith(place) and (self.carries("read") or self.carries("review"))
        return self.carries("review") or (target.startswith("own") and self.carries("read"))

    def ask(self, method: str, path: str, **request: Any) -> Any:
        """Send it, as a browser or a script that knows nothing of what was asked before."""
        self.client.cookies.clear()
        if self.is_session:
            self.client.cookies[settings.SESSION_COOKIE_NAME] = self.raw
        headers = builders.bearer(self.raw) if self.is_token else {}
        headers |= {"X-Project-ID": PROJECTS[self.named]} if self.named else {}
        headers |= request.pop("headers", {})
        return self.client.generic(method, path, headers=headers, **request)


def assemble(people: dict[str, User]) -> dict[str, Caller]:
    """Every caller by name; `people` gives the person of each role."""
    callers = {"anonymous": Caller("anonymous")}
    for name in NAMES[1:]:
        role = name.partition(":")[0]
        make = _signed_in if Caller(name).is_session else _with_token
        callers[name] = make(name, people[role])
    return callers


def _signed_in(name: str, person: User) -> Caller:
    client = Client()
    client.force_login(person)
    return Caller(name, person, client.cookies[settings.SESSION_COOKIE_NAME].value, client=client)


def _with_token(name: str, person: User) -> Caller:
    from accounts import projects, tokens

    project = projects.default_for(person) if Caller(name).bound else None
    raw = builders.token(person, Caller(name).credential, name=name, project=project)
    found = tokens.resolve(raw)
    assert found is not None
    return Caller(name, person, raw, str(found.pk))
