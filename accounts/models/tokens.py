"""API tokens: only their digests are kept."""

import uuid

from django.conf import settings
from django.db import models
from django.utils import timezone

SCOPES = ("read", "publish", "review", "licenses", "sync", "admin")


class TokenQuerySet(models.QuerySet["ApiToken"]):
    """Words for lists of tokens."""

    def live(self) -> "TokenQuerySet":
        """Tokens that work now."""
        return self.filter(revoked_at__isnull=True, expires_at__gt=timezone.now())


class ApiToken(models.Model):
    """A credential for scripts: shown once, stored as SHA-256, scoped, expiring, perhaps bound to one project."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="tokens")
    project = models.ForeignKey(
        "accounts.Project", null=True, blank=True, on_delete=models.CASCADE, related_name="tokens"
    )
    name = models.CharField(max_length=120)
    prefix = models.CharField(max_length=16)
    digest = models.CharField(max_length=64, unique=True)
    scopes = models.JSONField(default=list)
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True, blank=True)
    last_used_from = models.CharField(max_length=64, blank=True)
    notified_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    revoked_reason = models.CharField(max_length=200, blank=True)
    only_for = models.JSONField(
        default=list, blank=True, help_text="The packages that it publishes and nothing else: [npm:@acme/core]"
    )
    used_for = models.CharField(max_length=400, blank=True, help_text="The one version that it has published")
    successor = models.ForeignKey("self", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")

    objects = TokenQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]
        indexes = [models.Index(fields=["user", "-created_at"])]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"
