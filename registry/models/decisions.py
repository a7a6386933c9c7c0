"""Evidence and verdicts: automated checks, and who decided what on which digest."""

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class Check(models.Model):
    """One automated verdict on a release. The row exists from the start, so that progress can be seen."""

    class Status(models.TextChoices):
        PENDING = "pending", _("Waiting")
        RUNNING = "running", _("Running")
        PASSED = "passed", _("Passed")
        WARNED = "warned", _("Warned")
        FAILED = "failed", _("Failed")
        ERRORED = "errored", _("Errored")
        SKIPPED = "skipped", _("Skipped")

    OPEN = ("pending", "running")

    release = models.ForeignKey("registry.Release", on_delete=models.CASCADE, related_name="checks")
    name = models.CharField(max_length=32)
    position = models.PositiveSmallIntegerField(default=0)
    status = models.CharField(max_length=16, choices=Status.choices, default=Status.PENDING)
    summary = models.TextField(blank=True)
    details = models.JSONField(default=dict)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    duration_ms = models.PositiveIntegerField(null=True, blank=True)

    class Meta:
        ordering = ["position", "id"]
        constraints = [models.UniqueConstraint(fields=["release", "name"], name="check_once")]
        indexes = [models.Index(fields=["status", "name"], name="check_by_status")]

    def __str__(self) -> str:
        return f"{self.name}: {self.status}"


class Decision(models.Model):
    """A decision as evidence: who, on which digest, over which verdicts, with what reason. Never changed."""

    class Answer(models.TextChoices):
        APPROVED = "approved", _("Approved")
        REJECTED = "rejected", _("Rejected")
        QUARANTINED = "quarantined", _("Quarantined")
        FLAGGED = "flagged", _("Flagged")
        UNLISTED = "unlisted", _("Unlisted")
        RESTORED = "restored", _("Restored")

    release = models.ForeignKey("registry.Release", on_delete=models.PROTECT, related_name="decisions")
    answer = models.CharField(max_length=16, choices=Answer.choices)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    by_name = models.CharField(max_length=150, help_text="policy when no person decided")
    pseudonym = models.CharField(max_length=80)
    at = models.DateTimeField(default=timezone.now)
    reason = models.TextField(blank=True)
    sha256 = models.CharField(max_length=64, blank=True)
    override = models.BooleanField(default=False)
    verdicts = models.JSONField(default=list)
    checks = models.JSONField(default=list, help_text="name, status and summary of each check at that moment")

    class Meta:
        ordering = ["-at", "-id"]
        indexes = [models.Index(fields=["release", "-at"], name="decision_by_release")]

    def __str__(self) -> str:
        return f"{self.answer} by {self.by_name}"
