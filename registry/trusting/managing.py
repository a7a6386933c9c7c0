"""Who is trusted to publish a package: said, listed and taken back by the owners of its project."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db import transaction

from accounts import auditing
from accounts.actors import Actor
from accounts.models import Membership, Project, User
from registry.errors import Conflict, Forbidden, InvalidInput, NotFound
from registry.models import Package, TrustedPublisher
from registry.trusting import issuing_keys
from registry.trusting.providers import PROVIDERS

MOST = 20
PUBLISH, STAGE = "createPackage", "createStagedPackage"


def listed(package: Package, actor: Actor) -> list[TrustedPublisher]:
    """The pipelines that may publish it, for the people of its project."""
    actor.need("publish", package.project_id)
    if not (actor.is_admin or package.project_id in actor.project_ids):
        raise Forbidden("Only members of the package's project may see who publishes it.", code="not_a_member")
    return list(package.trusted_publishers.select_related("created_by"))


def of_project(project: Project, actor: Actor) -> list[TrustedPublisher]:
    """The pipelines that may publish any package of the project, for those who may change that. Raises Forbidden."""
    owner(project.pk, actor)
    found = TrustedPublisher.objects.filter(package__project=project).select_related("package", "created_by")
    return list(found.order_by("package__ecosystem", "package__normalized", "created_at"))


def trust(package: Package, wanted: Mapping[str, Any], actor: Actor) -> TrustedPublisher:
    """Trust a pipeline, described as npm describes it: `type`, `claims`, `permissions`, and `issuer` where not usual.

    What it publishes is published as the actor. Raises InvalidInput, Forbidden, Conflict (20 are the most).
    """
    person = owner(package.project_id, actor)
    provider = PROVIDERS.get(str(wanted.get("type")))
    if provider is None:
        raise InvalidInput(f"The type is one of {', '.join(PROVIDERS)}.", details={"type": ["unknown"]})
    if unknown := wanted.keys() - {"type", "claims", "permissions", "issuer"}:
        raise InvalidInput(f"Nothing is known of {min(unknown)[:60]}.")
    issuer = wanted.get("issuer") or issuing_keys.default_issuer(provider)
    if not isinstance(issuer, str) or issuing_keys.issuers().get(issuer) is not provider:
        raise InvalidInput("This portal does not listen to that issuer.", details={"issuer": ["unknown"]})
    permissions = wanted.get("permissions", [PUBLISH, STAGE])
    if not isinstance(permissions, list) or not permissions or not {PUBLISH, STAGE}.issuperset(map(str, permissions)):
        raise InvalidInput(f"The permissions are {PUBLISH}, {STAGE} or both.", details={"permissions": ["unknown"]})
    subject, claims = provider.read(wanted.get("claims"))
    with transaction.atomic():
        Package.objects.select_for_update().only("pk").get(pk=package.pk)
        if package.trusted_publishers.count() >= MOST:
            raise Conflict(f"A package trusts {MOST} pipelines at most. Take one back first.", code="too_many")
        made = TrustedPublisher.objects.create(
            package=package,
            provider=provider.slug,
            issuer=provider.kept_issuer(issuer, claims),
            subject=subject,
            claims=claims,
            may_publish=PUBLISH in permissions,
            may_stage=STAGE in permissions,
            created_by=person,
        )
        _note("trust.given", made, actor)
    return made


def take_back(package: Package, key: UUID, actor: Actor) -> None:
    """Trust the pipeline no more; tokens that it holds end within their 15 minutes. Raises NotFound, Forbidden."""
    owner(package.project_id, actor)
    with transaction.atomic():
        found = package.trusted_publishers.select_for_update().filter(pk=key).first()
        if found is None:
            raise NotFound("The package trusts no such pipeline.")
        _note("trust.taken_back", found, actor)
        found.delete()


def permissions_of(one: TrustedPublisher) -> list[str]:
    """In npm's words."""
    return [word for word, given in ((PUBLISH, one.may_publish), (STAGE, one.may_stage)) if given]


def owner(project_id: int, actor: Actor) -> User:
    """The actor's person, who must own the project: as an owner, or as an admin with the scope to be one.

    Raises Forbidden.
    """
    actor.need("publish", project_id)
    if actor.user is None:
        raise Forbidden("Only a person can trust a pipeline.", code="not_an_owner")
    owners = Membership.objects.filter(project=project_id, role=Membership.Role.OWNER, user=actor.user)
    is_seen = project_id in actor.project_ids
    if not actor.is_admin and not (is_seen and owners.exists()):
        raise Forbidden("Only owners of the package's project may change who publishes it.", code="not_an_owner")
    return actor.user


def _note(action: str, one: TrustedPublisher, actor: Actor) -> None:
    package = one.package
    details = {"trust": str(one.pk), "issuer": one.issuer, "claims": one.claims, "may": permissions_of(one)}
    auditing.record(
        action, f"{package.ecosystem}:{package.name}", actor, details=details, project=package.project.slug
    )
