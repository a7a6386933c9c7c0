"""How often files left, by day."""

from django.db import models


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
