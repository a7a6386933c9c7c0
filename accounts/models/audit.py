"""The audit trail: append-only, hash-chained, pseudonymous."""

from django.db import models


class AuditEvent(models.Model):
    """One thing that somebody did or was refused. Never updated, never deleted but by retention."""

    seq = models.BigIntegerField(primary_key=True)
    at = models.DateTimeField(db_index=True)
    actor = models.CharField(max_length=80, db_index=True, help_text="A pseudonym, or system, or anonymous")
    credential = models.CharField(max_length=64, blank=True)
    action = models.CharField(max_length=64, db_index=True)
    object = models.CharField(max_length=512, db_index=True)
    project = models.CharField(max_length=64, blank=True)
    address = models.CharField(max_length=64, blank=True, help_text="Truncated to /24 or /48")
    outcome = models.CharField(max_length=16, default="done")
    details = models.JSONField(default=dict)
    previous_hash = models.CharField(max_length=64)
    hash = models.CharField(max_length=64)

    class Meta:
        ordering = ["-seq"]

    def __str__(self) -> str:
        return f"#{self.seq} {self.action} {self.object}"


class AuditHead(models.Model):
    """The last link of the chain, whose row lock makes writers queue, and the last link that retention has cut."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    seq = models.BigIntegerField(default=0)
    hash = models.CharField(max_length=64, default="0" * 64)
    cut_seq = models.BigIntegerField(default=0)
    cut_hash = models.CharField(max_length=64, default="0" * 64)

    def __str__(self) -> str:
        return f"head at {self.seq}"
