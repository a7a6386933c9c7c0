"""Projects, the tenants of the portal, and who belongs to them."""

from django.conf import settings
from django.core.validators import RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

SLUG = RegexValidator(
    r"^[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?\Z", "Lower-case letters, digits and inner hyphens, at most 64."
)


class Project(models.Model):
    """A tenant: owns packages, has members, a rate tier and its own policies of review and signatures."""

    class Tier(models.TextChoices):
        FREE = "free", _("Free")
        ENTERPRISE = "enterprise", _("Enterprise")

    class ReviewPolicy(models.TextChoices):
        AUTOMATIC = "automatic", _("Automatic when every check passes")
        MANUAL = "manual", _("A maintainer decides")

    class SignaturePolicy(models.TextChoices):
        REQUIRED = "required", _("Every archive is signed")
        OPTIONAL = "optional", _("Unsigned archives are accepted")

    class Visibility(models.TextChoices):
        PUBLIC = "public", _("Public")
        PRIVATE = "private", _("Private")

    slug = models.CharField(max_length=64, unique=True, validators=[SLUG])
    name = models.CharField(max_length=120, blank=True)
    tier = models.CharField(max_length=16, choices=Tier.choices, default=Tier.FREE)
    review_policy = models.CharField(max_length=16, choices=ReviewPolicy.choices, default=ReviewPolicy.AUTOMATIC)
    signature_policy = models.CharField(
        max_length=16, choices=SignaturePolicy.choices, default=SignaturePolicy.REQUIRED
    )
    visibility = models.CharField(max_length=16, choices=Visibility.choices, default=Visibility.PUBLIC)
    rate_limit = models.CharField(max_length=32, blank=True, help_text="Overrides the tier: 5000/h")
    members: models.ManyToManyField = models.ManyToManyField(
        settings.AUTH_USER_MODEL, through="Membership", related_name="projects"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["slug"]

    def __str__(self) -> str:
        return self.slug


class Membership(models.Model):
    """That a person belongs to a project, and as what."""

    class Role(models.TextChoices):
        OWNER = "owner", _("Owner")
        MEMBER = "member", _("Member")
        READER = "reader", _("Reader")

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=16, choices=Role.choices, default=Role.MEMBER)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "user"], name="membership_once")]

    def __str__(self) -> str:
        return f"{self.user_id} in {self.project_id} as {self.role}"
