"""The policy over findings: one row for the instance, and one for each project that wants it otherwise."""

from django.conf import settings
from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class Answer(models.TextChoices):
    """What a finding of some severity does."""

    BLOCK = "block", _("Blocks")
    WARN = "warn", _("Warns")
    IGNORE = "ignore", _("Is only listed")


class Breach(models.TextChoices):
    """What becomes of an approved version that breaks the policy."""

    QUARANTINE = "quarantine", _("Goes into quarantine")
    FLAG = "flag", _("Stays, and is flagged")


class Unfixed(models.TextChoices):
    """What a finding does that no version fixes."""

    BLOCK = "block", _("What its severity says")
    WARN = "warn", _("Warns at most")


class ScanPolicy(models.Model):
    """What blocks and what warns. What a project leaves open is as the instance has it."""

    project = models.OneToOneField(
        "accounts.Project", null=True, blank=True, on_delete=models.CASCADE, related_name="+",
        help_text=_("Empty: the policy of the instance"),
    )  # fmt: skip
    critical = models.CharField(max_length=8, choices=Answer.choices, blank=True)
    high = models.CharField(max_length=8, choices=Answer.choices, blank=True)
    medium = models.CharField(max_length=8, choices=Answer.choices, blank=True)
    low = models.CharField(max_length=8, choices=Answer.choices, blank=True)
    unknown = models.CharField(max_length=8, choices=Answer.choices, blank=True, help_text=_("What nobody has rated"))
    unfixed = models.CharField(
        _("without a fix"), max_length=8, choices=Unfixed.choices, blank=True,
        help_text=_("What a finding does that no version fixes yet"),
    )  # fmt: skip
    breach = models.CharField(
        _("approved versions"), max_length=16, choices=Breach.choices, blank=True,
        help_text=_("What becomes of an approved version that breaks the policy"),
    )  # fmt: skip
    cooldown_days = models.PositiveSmallIntegerField(
        _("cooldown in days"), null=True, blank=True, validators=[MaxValueValidator(365)],
        help_text=_("How old a version must be to be approved; 0: any age"),
    )  # fmt: skip
    changed_at = models.DateTimeField(default=timezone.now)
    changed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )

    class Meta:
        ordering = [models.F("project").asc(nulls_first=True)]
        verbose_name = _("scan policy")
        verbose_name_plural = _("scan policies")
        constraints = [
            models.UniqueConstraint(Coalesce("project", models.Value(0)), name="scan_policy_one_for_the_instance")
        ]

    def __str__(self) -> str:
        return str(self.project) if self.project_id else "instance"
