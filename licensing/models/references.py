"""Reference data that somebody loaded, newer than what ships."""

from django.db import models
from django.utils import timezone


class ReferenceData(models.Model):
    """One document as it was loaded last; `licensing.reference` puts it to use."""

    class Kind(models.TextChoices):
        MATRIX = "matrix", "OSADL license compatibility matrix"
        LICENSES = "licenses", "SPDX licenses"
        EXCEPTIONS = "exceptions", "SPDX exceptions"

    kind = models.CharField(max_length=16, choices=Kind.choices, unique=True)
    body = models.TextField()
    sha256 = models.CharField(max_length=64)
    source = models.CharField(max_length=500)
    edition = models.CharField(max_length=64)
    loaded_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["kind"]
        verbose_name_plural = "reference data"

    def __str__(self) -> str:
        return f"{self.kind} {self.edition}"
