"""Bytes: blobs under their digest, and the artifacts (files of a release) that point at them."""

from django.db import models
from django.utils import timezone


class Blob(models.Model):
    """Stored bytes. A key is never used again after `deleting`: re-publishing gets a new generation."""

    class State(models.TextChoices):
        PENDING = "pending", "Pending"
        READY = "ready", "Ready"
        QUARANTINED = "quarantined", "Quarantined"
        DELETING = "deleting", "Deleting"

    class Damage(models.TextChoices):
        MISSING = "missing", "Missing"
        CORRUPT = "corrupt", "Corrupt"
        UNREADABLE = "unreadable", "Unreadable"

    sha256 = models.CharField(max_length=64)
    generation = models.PositiveIntegerField(default=0)
    size = models.PositiveBigIntegerField()
    state = models.CharField(max_length=16, choices=State.choices, default=State.PENDING)
    touched_at = models.DateTimeField(default=timezone.now)
    verified_at = models.DateTimeField(null=True, blank=True, help_text="When its bytes were last read and hashed")
    damage = models.CharField(max_length=16, blank=True, choices=Damage.choices, help_text="Why it is quarantined")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["sha256"], condition=~models.Q(state="deleting"), name="blob_once_while_alive"
            ),
            models.UniqueConstraint(fields=["sha256", "generation"], name="blob_generation_once"),
        ]
        indexes = [
            models.Index(fields=["state", "touched_at"], name="blob_by_state"),
            models.Index(fields=["state", "verified_at"], name="blob_to_verify"),
        ]

    def __str__(self) -> str:
        return f"{self.sha256[:12]}.{self.generation}"

    @property
    def key(self) -> str:
        """The storage key: two levels of folders, the digest, the generation."""
        return f"sha256/{self.sha256[:2]}/{self.sha256[2:4]}/{self.sha256}.{self.generation}"


class Artifact(models.Model):
    """A file of a release. The first one is primary: its digest is the release's."""

    release = models.ForeignKey("registry.Release", on_delete=models.CASCADE, related_name="artifacts")
    blob = models.ForeignKey(Blob, null=True, blank=True, on_delete=models.PROTECT, related_name="artifacts")
    filename = models.CharField(max_length=255)
    kind = models.CharField(max_length=16)
    media_type = models.CharField(max_length=127, default="application/octet-stream")
    size = models.PositiveBigIntegerField()
    sha256 = models.CharField(max_length=64, db_index=True)
    sha512 = models.CharField(max_length=128)
    sha1 = models.CharField(max_length=40)
    entry_count = models.PositiveIntegerField(default=0)
    unpacked_size = models.PositiveBigIntegerField(default=0)
    metadata_sha256 = models.CharField(max_length=64, blank=True, help_text="Of the metadata file inside (PEP 658)")
    uploaded_at = models.DateTimeField(default=timezone.now)
    is_attested = models.BooleanField(default=False, help_text="Attestations came with it (PEP 740)")

    signature = models.TextField(blank=True, help_text="Armored SSHSIG over the file's bytes")
    signature_fingerprint = models.CharField(max_length=80, blank=True)
    signature_public_key = models.TextField(blank=True)
    signer = models.CharField(max_length=150, blank=True, help_text="User name at the time of signing")

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["release", "filename"], name="artifact_file_once")]

    def __str__(self) -> str:
        return self.filename

    @property
    def integrity(self) -> str:
        """The SRI string that npm writes into lock files."""
        import base64

        return "sha512-" + base64.b64encode(bytes.fromhex(self.sha512)).decode()


class ArtifactContents(models.Model):
    """The file list of an artifact: `[[path, size, sha256, executable], …]`, apart so that lists never load it."""

    artifact = models.OneToOneField(Artifact, on_delete=models.CASCADE, primary_key=True, related_name="contents")
    entries = models.JSONField(default=list)
    metadata = models.BinaryField(default=bytes, help_text="The metadata file inside, byte for byte (PEP 658)")
    attestations = models.JSONField(default=list, help_text="As they came with it, unverified (PEP 740)")

    def __str__(self) -> str:
        return f"contents of {self.artifact_id}"
