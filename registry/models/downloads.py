"""How often files left, by day, and who took them."""

from django.conf import settings
from django.db import models
from django.utils import timezone


class DownloadCount(models.Model):
    """Downloads of one release on one day (UTC)."""

    release = models.ForeignKey("registry.Release", on_delete=models.CASCADE, related_name="download_counts")
    package = models.ForeignKey("registry.Package", on_delete=models.CASCADE, related_name="download_counts")
    day = models.DateField()
    count = models.PositiveBigIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["release", "day"], name="download_day_once")]
        indexes = [models.Index(fields=["package", "day"], name="download_by_package")]

    def __str__(self) -> str:
        return f"{self.release_id} on {self.day}: {self.count}"


class DownloadRecord(models.Model):
    """That one credential took one release on one day (UTC); kept for DOWNLOAD_RECORD_DAYS, of strangers never."""

    release = models.ForeignKey("registry.Release", on_delete=models.CASCADE, related_name="download_records")
    day = models.DateField(db_index=True)
    credential = models.CharField(max_length=80, help_text="session, token or license, and its id")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    project = models.ForeignKey("accounts.Project", null=True, on_delete=models.SET_NULL, related_name="+")
    count = models.PositiveBigIntegerField(default=0)
    first_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["release", "day", "credential"], name="download_record_once")]
        ordering = ["-day", "-id"]

    def __str__(self) -> str:
        return f"{self.release_id} on {self.day} by {self.credential}"


class DownloadFold(models.Model):
    """A batch of counts that was written; whoever comes upon the same batch again leaves it."""

    batch = models.CharField(max_length=64, unique=True)
    at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return self.batch
