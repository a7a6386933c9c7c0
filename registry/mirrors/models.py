"""EU mirrors: regions that receive what is approved, what stands on each, and what could not be brought there."""

from datetime import time

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

# The European Union, then the rest of the European Economic Area.
RESIDENCE = (
    *("AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU"),
    *("IE", "IT", "LT", "LU", "LV", "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK"),
    *("IS", "LI", "NO"),
)


def resides_in_europe(country: str) -> None:
    """Refuse a country outside the EEA (ISO 3166), unless the instance has switched residency off."""
    if settings.MIRROR_RESIDENCY and country not in RESIDENCE:
        raise ValidationError(
            _("A mirror stands in the European Economic Area: %(country)s is no country of it."),
            code="not_in_europe",
            params={"country": country},
        )


class Mirror(models.Model):
    """An EU region that receives every approved artifact."""

    region = models.SlugField(max_length=64, unique=True)
    name = models.CharField(max_length=64, blank=True, help_text=_("What people call it; the city where empty"))
    city = models.CharField(max_length=64)
    country = models.CharField(
        max_length=2, validators=[resides_in_europe], help_text=_("ISO 3166 code of an EU or EEA country")
    )
    latitude = models.FloatField(null=True, blank=True, help_text=_("Where the map draws it"))
    longitude = models.FloatField(null=True, blank=True)
    storage_url = models.CharField(
        max_length=500,
        blank=True,
        help_text=_(
            "file:directory (below DATA_DIR, or absolute) or s3://bucket/prefix?endpoint_url=…&region_name=…; "
            "empty: as MIRROR_STORAGE_URL says"
        ),
    )
    access_key = models.CharField(max_length=200, blank=True, help_text=_("For S3; empty: AWS_* of the environment"))
    secret = models.TextField(blank=True, help_text="Encrypted under a key made from SECRET_KEY")
    public_url = models.URLField(
        max_length=500, blank=True, help_text=_("Where a web server in front of it answers, if one does")
    )
    window_opens = models.TimeField(null=True, blank=True, help_text=_("UTC; new files travel between these only"))
    window_closes = models.TimeField(null=True, blank=True)
    enabled = models.BooleanField(default=True)
    paused_at = models.DateTimeField(null=True, blank=True)

    applied_seq = models.BigIntegerField(default=0, help_text="The last change of the feed that stands here")
    withdrawn_seq = models.BigIntegerField(
        default=0, help_text="The last change whose removals are done: they travel ahead of what is added"
    )
    last_success_at = models.DateTimeField(null=True, blank=True)
    last_error = models.TextField(blank=True)
    strikes = models.PositiveIntegerField(default=0, help_text="How often in a row the region failed as a whole")
    retry_at = models.DateTimeField(
        null=True, blank=True, help_text="Nothing is tried before, unless a probe succeeds"
    )
    held_by = models.CharField(max_length=64, blank=True, help_text="Who writes to the region now: one at a time")
    held_until = models.DateTimeField(null=True, blank=True)

    probed_at = models.DateTimeField(null=True, blank=True, help_text="When a probe ended last, either way")
    answered_at = models.DateTimeField(null=True, blank=True, help_text="When a probe was answered last")
    returned_at = models.DateTimeField(
        null=True, blank=True, help_text="When it answered again, after a probe that failed"
    )
    probe_error = models.TextField(blank=True)
    latencies = models.JSONField(default=list, blank=True, help_text="Milliseconds of the last 60 answered probes")

    comparing = models.JSONField(default=dict, blank=True, help_text="How far a full comparison is; empty: none runs")
    compared_at = models.DateTimeField(null=True, blank=True)
    drift = models.JSONField(
        default=dict, blank=True, help_text="missing, corrupt, extra, mended, checked of the last full comparison"
    )
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["city"]

    def __str__(self) -> str:
        return self.name or self.city

    @property
    def is_followed(self) -> bool:
        """Whether it receives anything now."""
        return self.enabled and self.paused_at is None

    @property
    def stored_at(self) -> str:
        """The address of its storage: its own, or the one that the settings give to every region."""
        return self.storage_url or settings.MIRROR_STORAGE_URL.format(region=self.region)

    def is_open(self, at: time) -> bool:
        """Whether its sync window is open at that time of day (UTC); one that ends before it begins spans midnight."""
        opens, closes = self.window_opens, self.window_closes
        if opens is None or closes is None or opens == closes:
            return True
        return opens <= at < closes if opens < closes else at >= opens or at < closes


class Replica(models.Model):
    """One artifact on one mirror."""

    class State(models.TextChoices):
        PENDING = "pending", "Pending"
        PRESENT = "present", "Present"
        REMOVED = "removed", "Removed"
        FAILED = "failed", "Failed"

    mirror = models.ForeignKey(Mirror, on_delete=models.CASCADE, related_name="replicas")
    artifact = models.ForeignKey("registry.Artifact", on_delete=models.CASCADE, related_name="+")
    state = models.CharField(max_length=16, choices=State.choices, default=State.PENDING)
    attempts = models.PositiveIntegerField(default=0)
    last_error = models.TextField(blank=True)
    written_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["mirror", "artifact"], name="replica_once")]
        indexes = [models.Index(fields=["mirror", "state"], name="replica_by_state")]

    def __str__(self) -> str:
        return f"{self.artifact_id} on {self.mirror_id}: {self.state}"


class Debt(models.Model):
    """A package that could not be brought in line on one mirror: retried for ever, apart from those behind it."""

    mirror = models.ForeignKey(Mirror, on_delete=models.CASCADE, related_name="debts")
    package = models.ForeignKey("registry.Package", on_delete=models.CASCADE, related_name="+")
    since = models.DateTimeField(default=timezone.now)
    due_at = models.DateTimeField(default=timezone.now)
    attempts = models.PositiveIntegerField(default=0)
    last_error = models.TextField(blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["mirror", "package"], name="debt_once")]
        indexes = [models.Index(fields=["mirror", "due_at"], name="debt_due")]

    def __str__(self) -> str:
        return f"{self.package_id} on {self.mirror_id}: {self.last_error}"
