"""News for people: what became of something of theirs, to be sent once."""

from django.conf import settings
from django.db import models
from django.utils import timezone


class Notice(models.Model):
    """One piece of news for one person. Those that come together leave in one letter."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    event = models.CharField(max_length=80, help_text="What it is about: told once to each person")
    title = models.CharField(max_length=400)
    text = models.TextField(blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    claimed_at = models.DateTimeField(null=True, blank=True, help_text="When a worker began to send it")
    sent_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["event", "user"], name="notice_once")]
        indexes = [models.Index(fields=["user"], condition=models.Q(sent_at=None), name="notice_to_send")]

    def __str__(self) -> str:
        return self.title
