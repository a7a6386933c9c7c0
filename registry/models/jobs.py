"""Jobs: rows are the truth, the broker is a hint."""

from django.db import models
from django.utils import timezone


class Job(models.Model):
    """A slow thing to do: claimed with a lease, retried with back-off, done once by its key."""

    class State(models.TextChoices):
        OPEN = "open", "Open"
        DONE = "done", "Done"
        DEAD = "dead", "Dead"

    kind = models.CharField(max_length=48)
    ref = models.CharField(max_length=128, help_text="What it is about: a primary key as text")
    dedupe_key = models.CharField(max_length=200, unique=True)
    payload = models.JSONField(default=dict)
    state = models.CharField(max_length=8, choices=State.choices, default=State.OPEN)
    due_at = models.DateTimeField(default=timezone.now)
    lease_until = models.DateTimeField(null=True, blank=True)
    lease_owner = models.CharField(max_length=80, blank=True)
    attempts = models.PositiveIntegerField(default=0)
    last_error = models.TextField(blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["due_at", "id"]
        indexes = [
            models.Index(fields=["state", "due_at"], name="job_due"),
            models.Index(fields=["kind", "ref"], name="job_by_ref"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.ref} ({self.state})"
