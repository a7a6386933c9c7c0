"""Who was told of which recall."""

from django.conf import settings
from django.db import models
from django.utils import timezone


class RecallLetter(models.Model):
    """That one person was told that a version which they or their project took is touched by an advisory.

    Kept as long as the records of downloads are: what is forgotten there is forgotten here.
    """

    advisory = models.ForeignKey("scanning.Advisory", on_delete=models.CASCADE, related_name="+", db_index=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    release = models.ForeignKey("registry.Release", on_delete=models.CASCADE, related_name="+")
    through = models.DateTimeField(db_index=True, help_text="The last download that they were told of")
    told_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["advisory", "user", "release"], name="recall_letter_once")]

    def __str__(self) -> str:
        return f"{self.user_id} knows that {self.advisory_id} touches {self.release_id}"
