"""Advisories in OSV's shape, and the packages that each one touches."""

from django.db import models
from django.utils import timezone


class Severity(models.TextChoices):
    """How bad a flaw is. What no source rates stays unknown: it is never counted as low."""

    CRITICAL = "critical", "Critical"
    HIGH = "high", "High"
    MEDIUM = "medium", "Medium"
    LOW = "low", "Low"
    UNKNOWN = "unknown", "Unknown"


class AdvisoryQuerySet(models.QuerySet["Advisory"]):
    """Words for lists of advisories."""

    def named(self, name: str) -> "AdvisoryQuerySet":
        """Those that go by this id or alias, in any case."""
        return self.filter(pk__in=AdvisoryName.objects.filter(name=name.upper()).values("advisory"))

    def live(self) -> "AdvisoryQuerySet":
        """Those that were not withdrawn."""
        return self.filter(withdrawn_at__isnull=True)


class Advisory(models.Model):
    """One OSV document. `raw` is served as it came; the columns are what lists and matches read."""

    osv_id = models.CharField(max_length=128, unique=True)
    aliases = models.JSONField(default=list)
    summary = models.TextField(blank=True)
    severity = models.CharField(max_length=16, choices=Severity.choices, default=Severity.UNKNOWN)
    cvss = models.FloatField(null=True, blank=True, help_text="The base score, where a vector gives one")
    url = models.TextField(blank=True)
    published_at = models.DateTimeField(null=True, blank=True)
    modified_at = models.DateTimeField()
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    raw = models.JSONField(default=dict)
    digest = models.CharField(max_length=64, help_text="SHA-256 of the document: the same one is not written twice")
    parts = models.JSONField(default=dict, help_text="{digest: ecosystems} of the documents of its moment")
    imported_at = models.DateTimeField(default=timezone.now)

    objects = AdvisoryQuerySet.as_manager()

    class Meta:
        ordering = ["-modified_at", "osv_id"]
        verbose_name_plural = "advisories"
        indexes = [
            models.Index(fields=["-modified_at", "osv_id"], name="advisory_by_change"),
            models.Index(fields=["severity", "-modified_at", "osv_id"], name="advisory_by_severity"),
        ]

    def __str__(self) -> str:
        return self.osv_id


class AdvisoryName(models.Model):
    """A name that an advisory goes by: its own id, or an alias. Two advisories that share one are about one flaw."""

    advisory = models.ForeignKey(Advisory, on_delete=models.CASCADE, related_name="names", db_index=False)
    name = models.CharField(max_length=128, help_text="In capitals: ids are looked up whatever their case")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["advisory", "name"], name="advisory_name_once")]
        indexes = [models.Index(fields=["name"], name="advisory_by_name")]

    def __str__(self) -> str:
        return self.name


class AffectedPackage(models.Model):
    """That an advisory touches a package, and in which versions: the union of `ranges` and `versions`."""

    advisory = models.ForeignKey(Advisory, on_delete=models.CASCADE, related_name="affected")
    ecosystem = models.CharField(max_length=16)
    name = models.CharField(max_length=255, help_text="As the advisory spells it")
    normalized = models.CharField(max_length=255, help_text="As the ecosystem looks it up")
    ranges = models.JSONField(default=list, help_text="[{type, events: [{introduced|fixed|last_affected|limit}]}]")
    versions = models.JSONField(default=list)
    chart = models.TextField(blank=True, help_text="The same as it is asked: see scanning/charting.py")
    chart_scheme = models.PositiveSmallIntegerField(default=0, help_text="What the chart was drawn by; 0: not yet")

    class Meta:
        indexes = [models.Index(fields=["ecosystem", "normalized"], name="affected_by_name")]

    def __str__(self) -> str:
        return f"{self.ecosystem}:{self.name}"
