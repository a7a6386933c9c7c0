"""Waivers: somebody answers for a flaw, for a reason and for a time."""

from datetime import datetime

from django.conf import settings
from django.db import models
from django.utils import timezone


class WaiverQuerySet(models.QuerySet["Waiver"]):
    """Words for lists of waivers."""

    def live(self, at: datetime | None = None) -> "WaiverQuerySet":
        """Those that still hold at that moment; the database compares, at the moment of the decision."""
        moment = at or timezone.now()
        return self.filter(expires_at__gt=moment).exclude(ended_at__lte=moment)

    def in_state(self, state: str) -> "WaiverQuerySet":
        """Those that are live, were ended, or have expired."""
        if state == "live":
            return self.live()
        if state == "ended":
            return self.filter(ended_at__isnull=False)
        return self.filter(expires_at__lte=timezone.now(), ended_at__isnull=True)


class Waiver(models.Model):
    """That one flaw in some versions of one package does not block one project, until a date."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    reason = models.TextField()
    identifier = models.CharField(max_length=128, help_text="The advisory's id or one of its aliases")
    ecosystem = models.CharField(max_length=16)
    package = models.CharField(max_length=255, help_text="The package's name as it is looked up")
    version_range = models.CharField(max_length=256, help_text="In the ecosystem's own grammar; * for every version")
    project = models.ForeignKey("accounts.Project", on_delete=models.CASCADE, related_name="+")
    expires_at = models.DateTimeField()
    created_at = models.DateTimeField(default=timezone.now)
    ended_at = models.DateTimeField(null=True, blank=True, help_text="When somebody ended it before its time")
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )

    objects = WaiverQuerySet.as_manager()

    class Meta:
        ordering = ["expires_at"]
        indexes = [models.Index(fields=["ecosystem", "package", "expires_at"], name="waiver_by_package")]
        constraints = [
            models.CheckConstraint(
                condition=~models.Q(reason="") & ~models.Q(identifier="") & ~models.Q(package=""),
                name="waiver_says_what_and_why",
            ),
            models.CheckConstraint(condition=~models.Q(version_range=""), name="waiver_names_versions"),
        ]

    @property
    def state(self) -> str:
        """Live, ended or expired."""
        if self.ended_at is not None:
            return "ended"
        return "live" if self.is_live else "expired"

    @property
    def is_live(self) -> bool:
        """Whether it holds now."""
        now = timezone.now()
        return self.expires_at > now and (self.ended_at is None or self.ended_at > now)

    def __str__(self) -> str:
        return f"{self.identifier} in {self.package} until {self.expires_at:%Y-%m-%d}"
