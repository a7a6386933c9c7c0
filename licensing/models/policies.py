"""This instance's policy: which licences may be used here, by category and by single licence."""

from django.conf import settings
from django.db import models
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class Category(models.TextChoices):
    """What kinds of licences there are, from the freest to what nobody knows."""

    PUBLIC_DOMAIN = "public-domain", "Public domain"
    PERMISSIVE = "permissive", "Permissive"
    WEAK_COPYLEFT = "weak-copyleft", "Weak copyleft"
    STRONG_COPYLEFT = "strong-copyleft", "Strong copyleft"
    NETWORK_COPYLEFT = "network-copyleft", "Network copyleft"
    NON_COMMERCIAL = "non-commercial", "Non-commercial"
    SOURCE_AVAILABLE = "source-available", "Source available"
    PROPRIETARY = "proprietary", "Proprietary"
    UNKNOWN = "unknown", "Unknown"


class LicensePolicy(models.Model):
    """One line of the policy: of the instance, or of one project that wants it otherwise.

    A line for a license wins over one for its category; within each, the project's over the instance's.
    """

    class Kind(models.TextChoices):
        LICENSE = "license", _("One license")
        CATEGORY = "category", _("A category")

    class Status(models.TextChoices):
        APPROVED = "approved", _("Approved")
        REVIEW = "review", _("Needs a look")
        DENIED = "denied", _("Denied")

    project = models.ForeignKey(
        "accounts.Project", null=True, blank=True, on_delete=models.CASCADE, related_name="+",
        help_text=_("Empty: the policy of the instance"),
    )  # fmt: skip
    kind = models.CharField(max_length=16, choices=Kind.choices)
    key = models.CharField(max_length=128, help_text="An SPDX id (MIT, GPL-2.0-only) or a category (permissive)")
    status = models.CharField(max_length=16, choices=Status.choices)
    note = models.TextField(blank=True, help_text="Why; shown to everyone who is held or refused by it")
    changed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    changed_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["kind", "key", models.F("project").asc(nulls_first=True)]
        verbose_name_plural = "license policies"
        constraints = [
            models.UniqueConstraint("kind", "key", Coalesce("project", models.Value(0)), name="license_line_once")
        ]

    def __str__(self) -> str:
        return f"{self.key}: {self.status}"
