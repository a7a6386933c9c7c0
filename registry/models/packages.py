"""Packages: a name in an ecosystem, owned by a project, with the columns that lists and facets read."""

from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from accounts.actors import Actor


class Ecosystem(models.TextChoices):
    """The package ecosystems that this portal speaks."""

    NPM = "npm", "npm"
    PYPI = "pypi", "Python"
    MAVEN = "maven", "Maven"
    DOCKER = "docker", "Docker"
    GENERIC = "generic", "Generic"


CATEGORIES = (
    ("AI_ML", _("AI and machine learning")),
    ("CLI", _("Command line")),
    ("DATA", _("Data and databases")),
    ("DEVTOOLS", _("Developer tools")),
    ("NETWORK", _("Networking")),
    ("SECURITY", _("Security")),
    ("TESTING", _("Testing")),
    ("TEXT", _("Text and parsing")),
    ("UI", _("User interface")),
    ("WEB", _("Web")),
    ("OTHER", _("Everything else")),
)

LISTED_BY = ("latest_status", "ecosystem", "category", "license")


class PackageQuerySet(models.QuerySet["Package"]):
    """Words for lists of packages."""

    def visible_to(self, actor: "Actor") -> "PackageQuerySet":
        """Public packages, and the private ones of projects that the actor may read, or that their key opens."""
        if actor.sees_everything:
            return self
        seen = Q(visibility="public")
        if actor.sees_private_of:
            seen |= Q(project_id__in=actor.sees_private_of)
        if actor.entitlements:
            seen |= Q(pk__in=actor.opened_packages)
        return self.filter(seen)

    def listed(self) -> "PackageQuerySet":
        """Packages that hold at least one version that is neither unlisted nor removed."""
        return self.exclude(latest_version="")


class Package(models.Model):
    """A name in an ecosystem. The `latest_*` columns are kept by `documents.rebuild`, for lists and facets."""

    class Visibility(models.TextChoices):
        PUBLIC = "public", _("Public")
        PRIVATE = "private", _("Private")

    ecosystem = models.CharField(max_length=16, choices=Ecosystem.choices)
    name = models.CharField(max_length=214, help_text="As published, scope included")
    normalized = models.CharField(max_length=214, help_text="The form it is looked up by")
    skeleton = models.CharField(max_length=214, db_index=True, help_text="What confusable names share")
    scope = models.CharField(max_length=128, blank=True)
    project = models.ForeignKey("accounts.Project", on_delete=models.PROTECT, related_name="+")
    visibility = models.CharField(max_length=16, choices=Visibility.choices, default=Visibility.PUBLIC)

    description = models.TextField(blank=True)
    homepage = models.TextField(blank=True)
    repository = models.TextField(blank=True)
    category = models.CharField(max_length=32, blank=True)
    keywords = models.JSONField(default=list)
    license = models.CharField(max_length=255, blank=True, help_text="Of the latest version, an SPDX expression")
    latest_version = models.CharField(max_length=128, blank=True)
    latest_status = models.CharField(max_length=16, blank=True)
    downloads = models.PositiveBigIntegerField(default=0)
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(default=timezone.now)

    objects = PackageQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["ecosystem", "normalized"], name="package_name_once")]
        indexes = [
            models.Index(fields=["name", "id"], name="package_by_name"),
            models.Index(fields=["-updated_at", "id"], name="package_by_update"),
            models.Index(fields=["-downloads", "id"], name="package_by_downloads"),
            # By code points, so that PostgreSQL finds by it what begins with a name, too.
            models.Index(fields=["normalized"], name="package_by_normalized", opclasses=["varchar_pattern_ops"]),
            models.Index(fields=["category", "visibility", "latest_status"], name="package_by_category"),
            models.Index(fields=["ecosystem", "visibility", "latest_status"], name="package_by_ecosystem"),
            models.Index(fields=["license", "visibility"], name="package_by_license"),
            # A page of the list, however deep and however rare what it filters by, is found in one of these alone.
            models.Index(fields=["visibility", "name", "id", *LISTED_BY], name="package_listed_name"),
            models.Index(fields=["visibility", "-updated_at", "id", *LISTED_BY], name="package_listed_update"),
            models.Index(fields=["visibility", "-downloads", "id", *LISTED_BY], name="package_listed_downloads"),
            models.Index(fields=["visibility", *LISTED_BY], name="package_facets"),
            models.Index(fields=["project", "name"], name="package_by_project"),
            models.Index(fields=["ecosystem", "scope"], name="package_by_scope"),
        ]

    def __str__(self) -> str:
        return f"{self.ecosystem}:{self.name}"

    def is_visible_to(self, actor: "Actor") -> bool:
        """Whether `visible_to` would leave it in, for a row that is at hand."""
        return not self.is_private or actor.sees_package(self.pk, self.project_id)

    @property
    def is_private(self) -> bool:
        """Whether only members of its project may know of it."""
        return self.visibility == self.Visibility.PRIVATE


class PackageMaintainer(models.Model):
    """A person to ask about a package. What they may do follows from their role in its project alone."""

    package = models.ForeignKey(Package, on_delete=models.CASCADE, related_name="maintainers")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["package", "user"], name="package_maintainer_once")]

    def __str__(self) -> str:
        return f"{self.user_id} maintains {self.package_id}"


class DistTag(models.Model):
    """A movable name for a version: latest, next, beta."""

    package = models.ForeignKey(Package, on_delete=models.CASCADE, related_name="dist_tags")
    tag = models.CharField(max_length=64)
    release = models.ForeignKey("registry.Release", on_delete=models.CASCADE, related_name="dist_tags")
    updated_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["package", "tag"], name="dist_tag_once")]

    def __str__(self) -> str:
        return f"{self.tag} -> {self.release_id}"
