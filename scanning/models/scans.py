"""Scans of releases, and what they found."""

from django.db import models
from django.utils import timezone

from scanning.models.advisories import Severity


class Kind(models.TextChoices):
    """What sort of thing is wrong."""

    VULNERABILITY = "vulnerability", "Vulnerability"
    MALWARE = "malware", "Malware"
    SECRET = "secret", "Secret"
    LICENSE = "license", "License"


class Scan(models.Model):
    """One scan of one release by every tool at hand. The newest finished one counts; older ones are history."""

    class Status(models.TextChoices):
        PENDING = "pending", "Pending"
        PASSED = "passed", "Passed"
        FAILED = "failed", "Failed"
        ERRORED = "errored", "Errored"

    release = models.ForeignKey("registry.Release", on_delete=models.CASCADE, related_name="+")
    status = models.CharField(max_length=16, choices=Status.choices, default=Status.PENDING)
    tools_used = models.JSONField(default=list)
    tools_unavailable = models.JSONField(default=list, help_text="[{tool, reason}]")
    counts = models.JSONField(default=dict, help_text="Findings by severity, before waivers")
    attempts = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(default=timezone.now)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["release", "-id"], name="scan_by_release")]
        constraints = [
            models.UniqueConstraint(fields=["release"], condition=models.Q(status="pending"), name="scan_one_pending")
        ]

    def __str__(self) -> str:
        return f"scan {self.pk} of {self.release_id}: {self.status}"


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

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["scan", "identifier", "package", "version"], name="finding_once")
        ]
        indexes = [models.Index(fields=["identifier"], name="finding_by_identifier")]

    def __str__(self) -> str:
        return f"{self.identifier} in {self.package} {self.version}"
