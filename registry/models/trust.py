"""Trust: which pipelines of other houses may publish a package without a password of ours."""

import uuid

from django.conf import settings
from django.db import models
from django.utils import timezone


class TrustedPublisher(models.Model):
    """A pipeline that may publish versions of a package, on the word of the person who said so.

    What it publishes is published as that person: when they may not any more, it may not either.
    """

    class Provider(models.TextChoices):
        GITHUB = "github", "GitHub Actions"
        GITLAB = "gitlab", "GitLab CI/CD"
        CIRCLECI = "circleci", "CircleCI"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    package = models.ForeignKey("registry.Package", on_delete=models.CASCADE, related_name="trusted_publishers")
    provider = models.CharField(max_length=16, choices=Provider.choices)
    issuer = models.CharField(max_length=255, help_text="Who signs the ID tokens of its runs")
    subject = models.CharField(max_length=255, help_text="The repository or project, in lower case")
    claims = models.JSONField(default=dict, help_text="What else its ID tokens must say, as npm writes it")
    pinned = models.JSONField(
        default=dict,
        blank=True,
        help_text="Numbers of repository and owner, from its first use on: names change hands",
    )
    may_publish = models.BooleanField(default=True)
    may_stage = models.BooleanField(default=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    last_used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["created_at", "id"]
        indexes = [models.Index(fields=["issuer", "subject"], name="trust_by_subject")]

    def __str__(self) -> str:
        return f"{self.get_provider_display()}: {self.subject}"
