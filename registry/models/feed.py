"""What is derived from releases and served as bytes, and the feed that says what changed in which order."""

from django.db import models
from django.utils import timezone


class Document(models.Model):
    """A document of a package, built on write. `lookup` is `ecosystem:normalized`: reading it is one index hit."""

    package = models.ForeignKey("registry.Package", on_delete=models.CASCADE, related_name="documents")
    kind = models.CharField(max_length=32, help_text="detail, packument, simple-json, …")
    lookup = models.CharField(max_length=240)
    private = models.BooleanField(default=False)
    project = models.ForeignKey("accounts.Project", on_delete=models.CASCADE, related_name="+")
    body = models.BinaryField()
    etag = models.CharField(max_length=80)
    content_type = models.CharField(max_length=80, default="application/json")
    notice = models.CharField(max_length=400, blank=True, help_text="What clients tell their users beside it; ASCII")
    built_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["lookup", "kind"], name="document_once"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} of {self.lookup}"


class Change(models.Model):
    """One step of the monotone change feed; mirrors and caches follow it."""

    seq = models.BigAutoField(primary_key=True)
    package = models.ForeignKey("registry.Package", on_delete=models.CASCADE, related_name="+")
    release = models.ForeignKey("registry.Release", null=True, on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=32)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["seq"]

    def __str__(self) -> str:
        return f"#{self.seq} {self.kind}"
