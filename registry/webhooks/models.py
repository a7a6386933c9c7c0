"""Webhooks, what they are told, and how each telling went: an outbox of rows, written with what it tells of."""

import uuid
from urllib.parse import urlsplit

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from registry.webhooks import events


def new_message_id() -> str:
    """What `webhook-id` says: the same for every attempt and every webhook."""
    return f"msg_{uuid.uuid4().hex}"


def everything() -> list[str]:
    """All events, for a webhook that chooses none."""
    return list(events.EVENTS)


class Webhook(models.Model):
    """An address that is told of events; without a project, of what happens to public packages anywhere."""

    project = models.ForeignKey(
        "accounts.Project", null=True, blank=True, on_delete=models.CASCADE, related_name="+",
        help_text=_("Without one it hears of the public packages of every project, and of nothing private"),
    )  # fmt: skip
    url = models.CharField(_("address"), max_length=2048)
    description = models.CharField(max_length=120, blank=True)
    events = models.JSONField(default=everything)
    secret = models.TextField(help_text="Encrypted under a key made from SECRET_KEY")
    old_secret = models.TextField(blank=True)
    old_secret_until = models.DateTimeField(null=True, blank=True)
    is_enabled = models.BooleanField(default=True)
    allows_private = models.BooleanField(
        default=False, help_text=_("It may lead into private networks, and by plain http")
    )
    note = models.CharField(max_length=300, blank=True, help_text=_("Why the portal switched it off"))
    failing_since = models.DateTimeField(null=True, blank=True, help_text="The first failure after the last success")
    strikes = models.PositiveIntegerField(default=0, help_text="How often in a row nobody answered")
    rests_until = models.DateTimeField(null=True, blank=True, help_text="Nothing is tried before")
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["pk"]
        indexes = [models.Index(fields=["project", "is_enabled"], name="webhook_listening")]

    def __str__(self) -> str:
        return self.host

    @property
    def host(self) -> str:
        """Where it leads, without the path, which may be a secret of the receiver's."""
        return urlsplit(self.url).netloc


class Message(models.Model):
    """An event as it is told: the bytes stay the same however often they are sent."""

    id = models.CharField(primary_key=True, max_length=40, default=new_message_id, editable=False)
    event = models.CharField(max_length=48)
    body = models.TextField()
    created_at = models.DateTimeField(default=timezone.now, db_index=True)

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"{self.event} {self.id}"


class Delivery(models.Model):
    """One message to one webhook, and how its last attempt went."""

    class State(models.TextChoices):
        PENDING = "pending", _("Pending")
        DELIVERED = "delivered", _("Delivered")
        FAILED = "failed", _("Failed")

    message = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="deliveries")
    webhook = models.ForeignKey(Webhook, on_delete=models.CASCADE, related_name="deliveries")
    state = models.CharField(max_length=16, choices=State.choices, default=State.PENDING)
    attempts = models.PositiveIntegerField(default=0)
    next_at = models.DateTimeField(null=True, blank=True, default=timezone.now)
    attempted_at = models.DateTimeField(null=True, blank=True)
    delivered_at = models.DateTimeField(null=True, blank=True)
    duration_ms = models.PositiveIntegerField(null=True, blank=True)
    status = models.PositiveIntegerField(null=True, blank=True, help_text="The HTTP status of the last answer")
    answer = models.TextField(blank=True, help_text="The beginning of the last answer")
    error = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["-pk"]
        verbose_name_plural = "deliveries"
        constraints = [models.UniqueConstraint(fields=["message", "webhook"], name="delivery_once")]
        indexes = [models.Index(fields=["webhook", "-id"], name="delivery_history")]

    def __str__(self) -> str:
        return f"{self.message_id} to webhook {self.webhook_id}: {self.state}"
