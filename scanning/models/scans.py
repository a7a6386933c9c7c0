"""Scans of releases, and what they found."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from scanning.models.advisories import Severity


class Kind(models.TextChoices):
    """What sort of thing is wrong."""

    VULNERABILITY = "vulnerability", _("Vulnerability")
    MALWARE = "malware", _("Malware")
    SECRET = "secret", _("Secret")
    LICENSE = "license", _("License")


class Scan(models.Model):
    """One scan of one release. The current one holds what the newest good answer of every tool says together.

    It is the one that ended last; an old answer that arrives late displaces no newer one of the same tool.
    """

    class Status(models.TextChoices):
        PENDING = "pending", _("Pending")
        PASSED = "passed", _("Passed")
        FAILED = "failed", _("Failed")
        ERRORED = "errored", _("Errored")

    class Trigger(models.TextChoices):
        ARRIVAL = "arrival", _("It arrived")
        REQUEST = "request", _("Somebody asked")
        ADVISORY = "advisory", _("An advisory changed")
        SCHEDULE = "schedule", _("Its turn came")

    release = models.ForeignKey("registry.Release", on_delete=models.CASCADE, related_name="+")
    trigger = models.CharField(max_length=16, choices=Trigger.choices, default=Trigger.ARRIVAL)
    is_current = models.BooleanField(default=False)
    status = models.CharField(max_length=16, choices=Status.choices, default=Status.PENDING)
    tools_used = models.JSONField(default=list)
    tools_unavailable = models.JSONField(default=list, help_text="[{tool, reason}]")
    counts = models.JSONField(default=dict, help_text="Findings by severity, before waivers")
    attempts = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(default=timezone.now)
    started_at = models.DateTimeField(null=True, blank=True)
    deadline_at = models.DateTimeField(null=True, blank=True, help_text="Whoever has not ended by then has failed")
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["release", "-id"], name="scan_by_release"),
            models.Index(fields=["deadline_at"], condition=models.Q(status="pending"), name="scan_by_deadline"),
            models.Index(fields=["finished_at"], condition=models.Q(is_current=True), name="scan_by_age"),
            models.Index(
                fields=["-finished_at"], condition=models.Q(is_current=True, status="errored"), name="scan_errored"
            ),
        ]
        constraints = [
            models.UniqueConstraint(fields=["release"], condition=models.Q(status="pending"), name="scan_one_pending"),
            models.UniqueConstraint(fields=["release"], condition=models.Q(is_current=True), name="scan_one_current"),
        ]

    def __str__(self) -> str:
        return f"scan {self.pk} of {self.release_id}: {self.status}"


class ToolResult(models.Model):
    """What one tool said in one scan: its flaws as it reported them, or why it could not say anything."""

    class Status(models.TextChoices):
        GOOD = "good", _("It looked")
        NOTHING = "nothing", _("It had nothing to consult")
        FAILED = "failed", _("It failed")

    scan = models.ForeignKey(Scan, on_delete=models.CASCADE, related_name="results")
    release = models.ForeignKey("registry.Release", on_delete=models.CASCADE, related_name="+", db_index=False)
    tool = models.CharField(max_length=32)
    status = models.CharField(max_length=8, choices=Status.choices)
    reason = models.TextField(blank=True)
    flaws = models.JSONField(default=list)
    began_at = models.DateTimeField(help_text="Which of two answers is the newer one")
    finished_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-began_at", "-id"]
        indexes = [models.Index(fields=["release", "tool", "-began_at"], name="result_by_tool")]

    def __str__(self) -> str:
        return f"{self.tool}: {self.status}"


class Finding(models.Model):
    """One flaw in one release, whatever number of tools saw it. Whether it is waived is asked, never stored."""

    scan = models.ForeignKey(Scan, on_delete=models.CASCADE, related_name="findings")
    kind = models.CharField(max_length=16, choices=Kind.choices, default=Kind.VULNERABILITY)
    identifier = models.CharField(max_length=128, help_text="The advisory's id, or the rule that struck and where")
    aliases = models.JSONField(default=list)
    severity = models.CharField(max_length=16, choices=Severity.choices, default=Severity.UNKNOWN)
    cvss = models.FloatField(null=True, blank=True)
    summary = models.TextField(blank=True)
    ecosystem = models.CharField(max_length=16)
    package = models.CharField(max_length=255)
    version = models.CharField(max_length=128)
    fixed_in = models.CharField(max_length=128, blank=True)
    url = models.TextField(blank=True)
    tools = models.JSONField(default=list)
    first_seen_at = models.DateTimeField(default=timezone.now, help_text="Handed on from scan to scan")

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["scan", "identifier", "package", "version"], name="finding_once")
        ]
        indexes = [
            models.Index(fields=["identifier"], name="finding_by_identifier"),
            models.Index(fields=["first_seen_at", "severity"], name="finding_by_age"),
        ]

    def __str__(self) -> str:
        return f"{self.identifier} in {self.package} {self.version}"
