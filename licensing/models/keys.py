"""Licence keys: sold access to private packages. The key itself lies encrypted, and is looked up by a keyed digest."""

import uuid

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class LicenseKeyQuerySet(models.QuerySet["LicenseKey"]):
    """Words for lists of keys."""

    def with_packages(self) -> "LicenseKeyQuerySet":
        """Each with what it was sold for, in one query more."""
        return self.select_related("project").prefetch_related("covered__package")


class LicenseKey(models.Model):
    """One sold key. Times are whole milliseconds, as its API gives them."""

    class Constraint(models.TextChoices):
        NONE = "none", _("No limit")
        DATE = "date", _("Until a date")
        VERSION = "version", _("A range of versions")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    project = models.ForeignKey("accounts.Project", on_delete=models.CASCADE, related_name="+")
    name = models.CharField(max_length=200)
    digest = models.CharField(max_length=64, unique=True, help_text="What it is looked up by")
    sealed = models.TextField(help_text="The key, encrypted")
    ending = models.CharField(max_length=5, help_text="Its last characters, to tell it from others")
    constraint_type = models.CharField(max_length=16, choices=Constraint.choices, default=Constraint.NONE)
    valid_until = models.DateTimeField(null=True, blank=True)
    version_range = models.CharField(max_length=256, blank=True)
    perpetual_fallback = models.BooleanField(
        default=False, help_text="Versions published before the date stay available after it"
    )
    suspended = models.BooleanField(default=False)
    meta = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(default=timezone.now)
    first_used_at = models.DateTimeField(null=True, blank=True)
    untold_end = models.DateTimeField(null=True, blank=True, help_text="The date whose passing nobody was told of yet")
    used_on = models.DateField(null=True, blank=True, help_text="The last day it was used")

    objects = LicenseKeyQuerySet.as_manager()

    class Meta:
        ordering = ["created_at", "id"]
        indexes = [
            models.Index(fields=["project", "created_at", "id"], name="license_key_by_age"),
            models.Index(fields=["ending"], name="license_key_by_ending"),
            models.Index(fields=["untold_end"], name="license_key_by_end"),
        ]
        constraints = [
            models.CheckConstraint(
                name="license_key_constraint_whole",
                condition=Q(constraint_type="none", valid_until=None, version_range="", perpetual_fallback=False)
                | Q(constraint_type="date", valid_until__isnull=False, version_range="")
                | (Q(constraint_type="version", valid_until=None, perpetual_fallback=False) & ~Q(version_range="")),
            )
        ]

    def __str__(self) -> str:
        return f"…{self.ending}"

    @property
    def package_names(self) -> list[str]:
        """What it was sold for, each name once, in the order in which they were given."""
        names = (one.package.name for one in sorted(self.covered.all(), key=lambda one: one.pk))
        return list(dict.fromkeys(names))


class LicensedPackage(models.Model):
    """A package that a key was sold for."""

    key = models.ForeignKey(LicenseKey, on_delete=models.CASCADE, related_name="covered")
    package = models.ForeignKey("registry.Package", on_delete=models.CASCADE, related_name="+")

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["key", "package"], name="licensed_package_once")]

    def __str__(self) -> str:
        return f"{self.key_id} opens {self.package_id}"
