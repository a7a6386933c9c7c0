"""SSH public keys that people sign their packages with."""

from django.conf import settings
from django.db import models
from django.utils import timezone


class SigningKey(models.Model):
    """A registered public key. Removing it stops new signatures; what it signed stays valid."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="signing_keys")
    name = models.CharField(max_length=120)
    algorithm = models.CharField(max_length=64)
    public_key = models.TextField()
    fingerprint = models.CharField(max_length=80)
    created_at = models.DateTimeField(default=timezone.now)
    removed_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["fingerprint"], condition=models.Q(removed_at__isnull=True), name="signing_key_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.fingerprint}"
