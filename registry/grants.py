"""What a caller may do with a product: four permissions for each token, and how far they go.

A product's bytes and its versions follow these permissions at every door, not only at `/product/…`: a token gets
bytes only with `download` (the gate `is_visible` asks here), and only `upload` puts a version in (the gate
`name_is_free_or_ours` does). The rules, in the order in which they are asked:

- An admin (a session, or a token of scope `admin`) may do everything with what they see.
- A token may do what its row says, if its scopes allow it: `download` needs `read`, everything else `publish`.
- A row goes no further than the person it rests on: where the token's person belonged to the product's project when
  it was given, they must still; else it is shared, and rests on whoever gave it. Readers of a project may download,
  owners and members may do everything, others nothing. So who leaves a project leaves nothing behind that works.
- A person at the portal acts by their role in the project; no row is needed, so that a product whose tokens have
  all expired is not lost.
- A licence key opens what it was sold for, and nothing else.

What everybody in the project may know of (its name, its versions) stays as it is for every private package.
"""

from collections.abc import Iterable
from typing import NamedTuple
from uuid import UUID

from django.utils import timezone

from accounts.actors import Actor
from accounts.models import Membership, User
from registry.models import Package, Product, ProductGrant

NEEDED_SCOPE = {"maintainer": "publish", "download": "read", "upload": "publish", "delete": "publish"}


class Permissions(NamedTuple):
    """The four words of a grant."""

    maintainer: bool = False
    download: bool = False
    upload: bool = False
    delete: bool = False

    @classmethod
    def of_row(cls, grant: ProductGrant) -> "Permissions":
        """What the row says."""
        return cls(grant.maintainer, grant.download, grant.upload, grant.delete_versions)

    def within(self, other: "Permissions") -> "Permissions":
        """What stands in both."""
        return Permissions(*(mine and theirs for mine, theirs in zip(self, other, strict=True)))


NOTHING, EVERYTHING, READING = Permissions(), Permissions(True, True, True, True), Permissions(download=True)
Roles = dict[tuple[int, int], str]


def find_product(package: Package | None) -> Product | None:
    """The row that makes the package a product, deleted ones included; no query for other ecosystems."""
    if package is None or package.ecosystem != "generic":
        return None
    return Product.objects.filter(pk=package.pk).first()


def of(package: Package, actor: Actor) -> Permissions:
    """What the actor may do with the package, which is a product."""
    if actor.kind == "token" and not _rules(package, actor):
        grant = grant_of(package, actor)
        return effective([grant], actor)[0] if grant is not None else NOTHING
    return _without_row(package, actor)


def may_download(package: Package, actor: Actor) -> bool:
    """Whether the bytes of the package may leave for the actor, as far as grants can tell: only tokens need one."""
    if actor.kind != "token" or not package.is_private or find_product(package) is None:
        return True
    return of(package, actor).download


def grant_of(package: Package, actor: Actor) -> ProductGrant | None:
    """The row of the actor's token, whatever it is worth."""
    if actor.kind != "token":
        return None
    rows = ProductGrant.objects.select_related("product__package", "granted_by")
    return rows.filter(product_id=package.pk, token__id=UUID(actor.credential_id)).first()


def effective(given: Iterable[ProductGrant], actor: Actor) -> list[Permissions]:
    """What rows of the actor's own token are worth now, in one query however many they are."""
    rows = list(given)
    people = {row.granted_by_id for row in rows} | {actor.user.pk if actor.user else None}
    projects = {row.product.package.project_id for row in rows}
    roles: Roles = {
        (project, user): role
        for project, user, role in Membership.objects.filter(project__in=projects, user__in=people - {None})
        .order_by()
        .values_list("project_id", "user_id", "role")
    }
    return [_worth(row, actor, roles) for row in rows]


def authority_of(package: Package, actor: Actor) -> User | None:
    """On whose word the actor grants: their own, or that of the person whose share they hold."""
    grant = grant_of(package, actor)
    if grant is not None and grant.is_shared and not _rules(package, actor):
        return grant.granted_by
    return actor.user


def is_outside(package: Package, user: User) -> bool:
    """Whether a row for the user's token is a share: they do not belong to the product's project."""
    return not Membership.objects.filter(project=package.project_id, user=user).exists()


def _rules(package: Package, actor: Actor) -> bool:
    return actor.is_system or (actor.is_admin and actor.sees_project(package.project_id))


def _without_row(package: Package, actor: Actor) -> Permissions:
    """The permissions of those who need no row."""
    if _rules(package, actor):
        return EVERYTHING
    if not package.is_visible_to(actor) or actor.is_anonymous:
        return NOTHING
    if actor.kind == "session" and actor.user is not None:
        role = Membership.objects.filter(project=package.project_id, user=actor.user).values_list("role", flat=True)
        return _of_role(role.first(), READING).within(_of_scopes(actor))
    return READING


def _worth(row: ProductGrant, actor: Actor, roles: Roles) -> Permissions:
    project = row.product.package.project_id
    if row.product.deleted_at is not None or (actor.is_confined and project not in actor.project_ids):
        return NOTHING
    if not row.is_shared and project not in actor.project_ids:
        return NOTHING
    person = row.granted_by if row.is_shared else actor.user
    if person is None or not person.is_active:
        return NOTHING
    allowed = EVERYTHING if person.is_admin else _of_role(roles.get((project, person.pk)), NOTHING)
    return Permissions.of_row(row).within(allowed).within(_of_scopes(actor))


def _of_role(role: str | None, otherwise: Permissions) -> Permissions:
    """What somebody's place in the project allows them."""
    if role in (Membership.Role.OWNER, Membership.Role.MEMBER):
        return EVERYTHING
    return READING if role == Membership.Role.READER else otherwise


def _of_scopes(actor: Actor) -> Permissions:
    return Permissions(*(actor.can(NEEDED_SCOPE[word]) for word in Permissions._fields))


def live(rows: Iterable[ProductGrant]) -> list[ProductGrant]:
    """Those whose token works now; revoked and expired ones have nothing."""
    now = timezone.now()
    return [row for row in rows if row.token.revoked_at is None and row.token.expires_at > now]
