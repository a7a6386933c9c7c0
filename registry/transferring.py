"""Transferring: a package goes to another project, and its old team loses it at once."""

from django.db import transaction

from accounts import auditing
from accounts.actors import Actor
from accounts.errors import Forbidden
from accounts.models import Membership, Project
from registry import documents
from registry.models import Package, PackageMaintainer, Release


def transfer(package: Package, project: Project, actor: Actor) -> Package:
    """Hand the package and what was published of it to the project; who maintains it stays only if they belong there.

    Versions keep their status, and their project's policies count from now on. For admins at the portal and the
    system; raises Forbidden for others, and for tokens, which may be stolen.
    """
    if not actor.is_system and not (actor.kind == "session" and actor.is_admin):
        raise Forbidden("Only an admin, signed in, may hand a package to another project.", code="role_missing")
    with transaction.atomic():
        documents.hold(package.pk)
        package.refresh_from_db()
        before = package.project
        if before != project:
            _hand_over(package, before, project)
            documents.rebuild(package, "changed")
            details = {"from": before.slug, "to": project.slug}
            auditing.record("package.transferred", str(package), actor, details=details, project=project.slug)
    return package


def _hand_over(package: Package, before: Project, project: Project) -> None:
    Package.objects.filter(pk=package.pk).update(project=project)
    published = Release.objects.filter(package=package, origin=Release.Origin.PUBLISHED, project=before)
    published.update(project=project)
    belonging = Membership.objects.filter(project=project).values("user")
    PackageMaintainer.objects.filter(package=package).exclude(user__in=belonging).delete()
    package.project = project
