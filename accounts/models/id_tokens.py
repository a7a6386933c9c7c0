"""ID tokens that were exchanged: each works once."""

from django.db import models


class UsedIdToken(models.Model):
    """The digest of an ID token's issuer and id, kept until well after it could be believed."""

    digest = models.CharField(max_length=64, unique=True)
    forget_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return self.digest
