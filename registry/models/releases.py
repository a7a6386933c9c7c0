"""Releases: one immutable version of a package, its manifest and its dependencies."""

from datetime import datetime

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class ReleaseQuerySet(models.QuerySet["Release"]):
    """Words for lists of releases."""

    def listed(self) -> "ReleaseQuerySet":
        """Neither unlisted nor removed."""
        return self.filter(unlisted_at__isnull=True)

    def approved(self) -> "ReleaseQuerySet":
        """Approved and listed: what lists, resolution and latest may see."""
        return self.listed().filter(status=Release.Status.APPROVED)

    def awaiting_decision(self) -> "ReleaseQuerySet":
        """What a maintainer's queue holds."""
        return self.listed().filter(status=Release.Status.PENDING)


class Release(models.Model):
    """One version of a package. Rows stay for ever: a removed one is its own tombstone."""

    class Status(models.TextChoices):
        PENDING = "pending", _("Pending")
        APPROVED = "approved", _("Approved")
        REJECTED = "rejected", _("Rejected")
        QUARANTINED = "quarantined", _("Quarantined")

    class Origin(models.TextChoices):
        PUBLISHED = "published", _("Published")
        SUBMITTED = "submitted", _("Submitted")
        SYNCED = "synced", _("Synced")

    package = models.ForeignKey("registry.Package", on_delete=models.PROTECT, related_name="releases")
    version = models.CharField(max_length=128, help_text="As published")
    canonical = models.CharField(max_length=128, help_text="The spelling that equal versions share")
    origin = models.CharField(max_length=16, choices=Origin.choices)
    status = models.CharField(max_length=16, choices=Status.choices, default=Status.PENDING)
    project = models.ForeignKey("accounts.Project", on_delete=models.PROTECT, related_name="+")
    submitted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    submitted_for = models.CharField(max_length=254, blank=True, help_text="The e-mail given with a submission")
    request_note = models.TextField(blank=True, help_text="Why it is asked for")
    submitted_at = models.DateTimeField(default=timezone.now)
    released_at = models.DateTimeField(null=True, blank=True, help_text="When the upstream it came from released it")
    license = models.CharField(max_length=255, blank=True, help_text="SPDX expression, or the declared text")
    sha256 = models.CharField(max_length=64, blank=True, help_text="Of the primary artifact")
    files_sha256 = models.CharField(
        max_length=64, blank=True, help_text="Of the list of its files, once further ones have joined the first"
    )
    size = models.PositiveBigIntegerField(default=0, help_text="Bytes of the primary artifact")
    requested_tag = models.CharField(max_length=64, blank=True, help_text="The dist-tag it takes once approved")
    deprecated = models.TextField(blank=True)
    held_because = models.TextField(blank=True, help_text="One sentence: why it is not (or no longer) served")
    stands_until = models.DateTimeField(
        null=True, blank=True, help_text="When what its status rests on ends by itself: a waiver, a time to wait"
    )
    stage_id = models.UUIDField(
        null=True, blank=True, unique=True, help_text="Given to what was staged: a person decides, whatever the policy"
    )
    unlisted_at = models.DateTimeField(null=True, blank=True)
    purge_at = models.DateTimeField(null=True, blank=True)
    purged_at = models.DateTimeField(null=True, blank=True)

    objects = ReleaseQuerySet.as_manager()

    class Meta:
        ordering = ["-submitted_at"]
        constraints = [models.UniqueConstraint(fields=["package", "canonical"], name="release_once")]
        indexes = [
            models.Index(fields=["status", "submitted_at"], name="release_queue"),
            models.Index(fields=["submitted_by", "-submitted_at"], name="release_by_submitter"),
            models.Index(
                fields=["purge_at"],
                condition=models.Q(purge_at__isnull=False, purged_at__isnull=True),
                name="release_due_purge",
            ),
            models.Index(
                fields=["stands_until"], condition=models.Q(stands_until__isnull=False), name="release_due_again"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.package_id}@{self.version}"

    @property
    def age_counts_from(self) -> datetime:
        """Its upstream's own date where one is known, else its arrival here."""
        return self.released_at or self.submitted_at

    @property
    def reviewed_sha256(self) -> str:
        """What decisions bind to: the digest of its file, or of the list of its files once others have joined it."""
        return self.files_sha256 or self.sha256

    @property
    def is_unlisted(self) -> bool:
        """Whether it is gone from lists, resolution and latest."""
        return self.unlisted_at is not None

    @property
    def is_purged(self) -> bool:
        """Whether its files are removed for good."""
        return self.purged_at is not None

    @property
    def is_gone(self) -> bool:
        """Whether its grace is over: nobody reads it any more, even where the worker has yet to remove its files."""
        return self.is_purged or (self.purge_at is not None and self.purge_at <= timezone.now())

    @property
    def is_served(self) -> bool:
        """Whether its status lets bytes leave (unlisted ones still leave until they are purged)."""
        return self.status == self.Status.APPROVED and self.purged_at is None


class ReleaseManifest(models.Model):
    """The long texts of a release, apart so that lists never load them."""

    release = models.OneToOneField(Release, on_delete=models.CASCADE, primary_key=True, related_name="manifest")
    description = models.TextField(blank=True)
    homepage = models.TextField(blank=True)
    repository = models.TextField(blank=True)
    keywords = models.JSONField(default=list)
    authors = models.JSONField(default=list)
    license_declared = models.TextField(blank=True)
    license_classifiers = models.JSONField(default=list)
    license_texts = models.JSONField(default=dict, help_text="path -> text of licence files, bounded")
    install_scripts = models.JSONField(default=dict)
    requires = models.CharField(max_length=512, blank=True)
    readme = models.TextField(blank=True)
    readme_format = models.CharField(max_length=16, default="text")
    raw = models.JSONField(default=dict)

    def __str__(self) -> str:
        return f"manifest of {self.release_id}"


class Dependency(models.Model):
    """What a release asks for, and in which range."""

    release = models.ForeignKey(Release, on_delete=models.CASCADE, related_name="dependencies")
    ecosystem = models.CharField(max_length=16)
    name = models.CharField(max_length=214)
    normalized = models.CharField(max_length=214)
    range = models.TextField(blank=True)
    kind = models.CharField(max_length=16, default="runtime")
    marker = models.TextField(blank=True)

    class Meta:
        ordering = ["id"]
        indexes = [models.Index(fields=["ecosystem", "normalized"], name="dependency_by_name")]

    def __str__(self) -> str:
        return f"{self.name} {self.range}"
