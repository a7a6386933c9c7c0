"""How many findings stood open on each day: what the scans of a day said is replaced by those of the next."""

from django.db import models
from django.utils import timezone


class DailyFigures(models.Model):
    """The open findings of a day by severity, and what was waived or kept away; the day's last count stands."""

    day = models.DateField(unique=True)
    critical = models.PositiveIntegerField(default=0)
    high = models.PositiveIntegerField(default=0)
    medium = models.PositiveIntegerField(default=0)
    low = models.PositiveIntegerField(default=0)
    unknown = models.PositiveIntegerField(default=0)
    waived = models.PositiveIntegerField(default=0, help_text="Findings that a live waiver covered")
    quarantined = models.PositiveIntegerField(default=0, help_text="Versions in quarantine")
    unscanned = models.PositiveIntegerField(default=0, help_text="Versions that no scanner could look at")
    counted_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["day"]
        verbose_name_plural = "daily figures"

    def __str__(self) -> str:
        return f"{self.day}"
