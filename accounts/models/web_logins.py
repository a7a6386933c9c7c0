"""Sign-ins that a terminal asks for and a browser confirms."""

import uuid

from django.conf import settings
from django.db import models
from django.utils import timezone


class WebLogin(models.Model):
    """A terminal that waits for its token: confirmed by a person within minutes, taken once, then of no more use."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False, help_text="In the person's address")
    digest = models.CharField(max_length=64, unique=True, help_text="Of the secret that the terminal asks with")
    code = models.CharField(max_length=16, help_text="Shown in the terminal and on the page, to be compared")
    program = models.CharField(max_length=120, blank=True, help_text="What the terminal calls itself")
    address = models.CharField(max_length=64, blank=True, help_text="The network it asks from")
    project = models.CharField(max_length=64, blank=True, help_text="The slug that its base names; it may not exist")
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField(db_index=True)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.CASCADE, related_name="+")
    taken_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return self.code
