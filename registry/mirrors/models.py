"""EU mirrors, and what stands on each of them."""

from django.db import models
from django.utils import timezone


class Mirror(models.Model):
    """An EU region that receives every approved artifact."""

    region = models.SlugField(max_length=64, unique=True)
    city = models.CharField(max_length=64)
    country = models.CharField(max_length=2, help_text="ISO 3166 code of an EU or EEA country")
    storage_url = models.CharField(max_length=500)
    enabled = models.BooleanField(default=True)
    applied_seq = models.BigIntegerField(default=0, help_text="The last change of the feed that stands here")
    last_success_at = models.DateTimeField(null=True, blank=True)
    last_error = models.TextField(blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["city"]

    def __str__(self) -> str:
        return self.city


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
