"""The registry's own keys, and what it has signed with them."""

from django.db import models
from django.utils import timezone


class RegistryKeyQuerySet(models.QuerySet["RegistryKey"]):
    """Words for lists of keys."""

    def told(self) -> "RegistryKeyQuerySet":
        """Those that clients are to trust, for what was released before they expired."""
        return self.filter(revoked_at=None)

    def current(self) -> "RegistryKey | None":
        """The one that signs now, if one was made."""
        return self.told().filter(expires_at=None).first()


class RegistryKey(models.Model):
    """A key pair of this installation (ECDSA P-256); its private half lies sealed under SECRET_KEY."""

    keyid = models.CharField(max_length=64, unique=True, help_text="SHA256: and the digest of the public half")
    scheme = models.CharField(max_length=32)
    public_key = models.TextField(help_text="DER (SubjectPublicKeyInfo), base64")
    sealed = models.TextField()
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField(null=True, blank=True, help_text="Since when it signs nothing any more")
    revoked_at = models.DateTimeField(null=True, blank=True, help_text="Since when it is not to be trusted at all")

    objects = RegistryKeyQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["scheme"], condition=models.Q(expires_at__isnull=True), name="registry_key_one_signs"
            )
        ]

    def __str__(self) -> str:
        return self.keyid


class RegistrySignature(models.Model):
    """What a key has signed of a file: kept, so that documents stay the same however often they are built."""

    artifact = models.ForeignKey("registry.Artifact", on_delete=models.CASCADE, related_name="registry_signatures")
    key = models.ForeignKey(RegistryKey, on_delete=models.PROTECT, related_name="signatures")
    signature = models.CharField(max_length=128, help_text="DER, base64")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["artifact", "key"], name="registry_signature_once")]

    def __str__(self) -> str:
        return f"{self.artifact_id} by {self.key_id}"
