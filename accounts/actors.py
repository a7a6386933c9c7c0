"""The actor: a person, a token, a licence key, the system or nobody, with scopes. Every app pays in this coin."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple, Protocol

from accounts.errors import Forbidden, Unauthenticated

if TYPE_CHECKING:
    from accounts.models import Project, User

ALL_SCOPES = frozenset({"read", "publish", "review", "licenses", "sync", "admin"})


class Objection(NamedTuple):
    """Why a sold key does not open something: a code for programs and a sentence for people."""

    code: str
    reason: str


class Entitlement(Protocol):
    """What a sold key opens. Apps above define it; here it is only asked."""

    @property
    def packages(self) -> frozenset[int]:
        """The private packages that it was sold for."""

    def objection_to_all(self) -> Objection | None:
        """Why it opens nothing at all now."""

    def objection(self, ecosystem: str, version: str, published_at: datetime) -> Objection | None:
        """Why it does not open this version of one of its packages."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who asks, what they may do, for which project, and from where.

    `kind` is session, token, license, system or anonymous. `project` is the tenant of this request;
    `project_ids` are those whose private packages the actor may see. `bound_to` is the one project that a token works
    for. Where `is_confined`, by such a token or by X-Project-ID, even maintainers see private packages of these alone.
    """

    kind: str = "anonymous"
    user: "User | None" = None
    project: "Project | None" = None
    project_ids: frozenset[int] = frozenset()
    scopes: frozenset[str] = frozenset()
    credential_id: str = ""
    address: str = ""
    entitlements: tuple[Entitlement, ...] = ()
    expires_at: datetime | None = None
    bound_to: int | None = None
    is_confined: bool = False
    lent: frozenset[int] = frozenset()  # packages that this one request may see though their project is another's
    only_for: frozenset[str] = frozenset()  # the packages that a token from a pipeline publishes, and nothing else
    lacks_factor: bool = False  # a session without the second factor that the person's role asks for

    @property
    def is_anonymous(self) -> bool:
        """Whether nobody is signed in."""
        return self.kind == "anonymous"

    @property
    def is_system(self) -> bool:
        """Whether the portal itself acts: a job, a policy."""
        return self.kind == "system"

    @property
    def is_maintainer(self) -> bool:
        """Whether the actor may decide over releases: a maintainer's session, or their token with scope review."""
        return self.is_system or (self.user is not None and self.user.is_maintainer and self.can("review"))

    @property
    def is_admin(self) -> bool:
        """Whether the actor may do everything: an admin's session, or their token with scope admin."""
        return self.is_system or (self.user is not None and self.user.is_admin and "admin" in self.scopes)

    @property
    def pseudonym(self) -> str:
        """The name that audit events carry."""
        return str(self.user.pseudonym) if self.user else self.kind

    def can(self, scope: str) -> bool:
        """Whether the actor's credential carries the scope; admin carries all."""
        return scope in self.scopes or "admin" in self.scopes

    def need(self, scope: str, project_id: int | None = None, *, narrow: bool = False) -> None:
        """Raise Unauthenticated or Forbidden unless the actor may use the scope, role included, on that project's.

        Only who passes `narrow`, and asks then what the token is for, lets in those that are `only_for` one thing.
        """
        if self.is_system:
            return
        if self.only_for and not narrow:
            raise Forbidden("This token publishes one version of one package, and does nothing else.", code="bound")
        if self.is_anonymous:
            raise Unauthenticated("Sign in or send an API token to do this.")
        if self.lacks_factor and not self.can(scope):
            raise Forbidden(
                "Your role may do this only with a second factor. Set one up on your profile page, under “Sign-in”.",
                code="second_factor_missing",
            )
        if not self.can(scope):
            raise Forbidden(
                f"This credential lacks the scope “{scope}”. Create a token that carries it on your profile page.",
                code="scope_missing",
                details={"scope": [scope]},
            )
        if scope == "review" and not self.is_maintainer:
            raise Forbidden("Only maintainers may do this. Ask an admin for the role.", code="role_missing")
        if scope == "admin" and not self.is_admin:
            raise Forbidden("Only admins may do this.", code="role_missing")
        if project_id is not None and not self.reaches(project_id):
            raise Forbidden("This token is bound to another project. Use one of your other tokens.", code="bound")

    def reaches(self, project_id: int) -> bool:
        """Whether the credential works for the project at all: a bound token changes nothing of another one."""
        return self.bound_to in (None, project_id)

    @property
    def sees_everything(self) -> bool:
        """Whether private packages of every project are visible: to maintainers who have named no project."""
        return self.is_system or (not self.is_confined and (self.is_maintainer or self.is_admin))

    @property
    def sees_private_of(self) -> frozenset[int]:
        """The projects whose private packages are visible, unless everything is."""
        return self.project_ids if self.can("read") or self.is_maintainer else frozenset()

    def sees_project(self, project_id: int | None) -> bool:
        """Whether private things of the project are visible to the actor."""
        return self.sees_everything or project_id in self.sees_private_of

    def lend(self, package_id: int) -> "Actor":
        """The same actor, who sees this package besides; the caller has asked why they may."""
        return replace(self, lent=self.lent | {package_id})

    @property
    def opened_packages(self) -> frozenset[int]:
        """The private packages that a licence key lets its holder know of; it is asked for each version besides."""
        opening = (one.packages for one in self.entitlements if one.objection_to_all() is None)
        return frozenset().union(*opening)

    def sees_package(self, package_id: int, project_id: int) -> bool:
        """Whether a private package is visible to the actor, as its project's or by a key that was sold for it."""
        if self.sees_project(project_id) or package_id in self.lent:
            return True
        return bool(self.entitlements) and package_id in self.opened_packages


ANONYMOUS = Actor()
SYSTEM = Actor(kind="system", scopes=ALL_SCOPES)
