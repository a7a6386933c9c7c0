"""Where advisories come from, again and again."""

from datetime import datetime

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class AdvisorySourceQuerySet(models.QuerySet["AdvisorySource"]):
    """Words for lists of sources."""

    def due(self, at: datetime | None = None) -> "AdvisorySourceQuerySet":
        """Those whose time has come."""
        return self.filter(is_enabled=True, next_run_at__lte=at or timezone.now())


class AdvisorySource(models.Model):
    """An address that serves OSV: a document, an array or a zip. A failed visit keeps what is held."""

    name = models.CharField(_("name"), max_length=80, unique=True)
    url = models.URLField(_("address"), max_length=500, help_text=_("A JSON document, an array or a zip of them"))
    ecosystem = models.CharField(
        _("ecosystem"), max_length=16, blank=True, help_text=_("Of entries that do not name theirs")
    )
    is_enabled = models.BooleanField(_("enabled"), default=True)
    interval_hours = models.PositiveIntegerField(
        _("every … hours"), default=24, validators=[MinValueValidator(1), MaxValueValidator(24 * 31)]
    )
    allows_http = models.BooleanField(
        _("allow http"), default=False, help_text=_("Without encryption anybody on the way can change what is read")
    )
    allows_private = models.BooleanField(
        _("allow private networks"), default=False, help_text=_("For a source inside your own network")
    )
    etag = models.CharField(max_length=256, blank=True, editable=False)
    last_modified = models.CharField(max_length=64, blank=True, editable=False)
    next_run_at = models.DateTimeField(_("next visit"), default=timezone.now)
    last_run_at = models.DateTimeField(_("last visit"), null=True, blank=True)
    last_success_at = models.DateTimeField(_("last success"), null=True, blank=True)
    last_error = models.TextField(_("last error"), blank=True)
    failures = models.PositiveIntegerField(_("failures in a row"), default=0)
    counts = models.JSONField(_("counts"), default=dict, help_text="Of the last visit that brought something")

    objects = AdvisorySourceQuerySet.as_manager()

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name
