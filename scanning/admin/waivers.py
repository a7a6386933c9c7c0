"""Waivers in the admin, which maintainers give with a reason and an end."""

from typing import Any, cast
from urllib.parse import urlencode

from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import Model
from django.forms import ModelForm
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.admin.tables import Table, code, may_look, moment
from accounts.models import User
from registry import ecosystems
from registry.admin.site import finding_links
from registry.errors import InvalidInput
from registry.models import Release
from scanning import reconsidering
from scanning.models import Waiver


class WaiverForm(ModelForm):
    """A waiver that can be read: a package, versions in its own grammar, an end that is still to come."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "expires_at" in self.fields:
            day, time = self.fields["expires_at"].widget.widgets
            day.attrs["aria-label"], time.attrs["aria-label"] = _("Ends on"), _("Ends at")

    def clean(self) -> dict[str, Any]:
        """Refuse what would never cover anything."""
        cleaned: dict[str, Any] = super().clean() or {}
        ecosystem, text = cleaned.get("ecosystem", ""), cleaned.get("version_range", "*")
        if ecosystem not in {one.slug for one in ecosystems.ALL}:
            raise ValidationError({"ecosystem": _("An ecosystem is one of npm, pypi, maven, docker, generic.")})
        if text != "*":
            try:
                ecosystems.get(ecosystem).parse_range(text)
            except InvalidInput as refusal:
                raise ValidationError({"version_range": refusal.message}) from refusal
        if cleaned.get("expires_at") and not self.instance.pk and cleaned["expires_at"] <= timezone.now():
            raise ValidationError({"expires_at": _("The end must be still to come.")})
        return cleaned


@admin.register(Waiver)
class WaiverTable(Table):
    """Somebody answers for a flaw. A waiver is ended by its date and stays as evidence."""

    form = WaiverForm
    list_display = (
        "identifier", "package_code", "version_range", "project", "owner", "reason", moment("expires_at", _("ends")),
        "holds",
    )  # fmt: skip
    list_filter = ("ecosystem", ("expires_at", admin.DateFieldListFilter))
    search_fields = ("identifier", "package", "owner__username", "project__slug", "reason")
    search_help_text = _("An advisory’s id, a package, an owner, a project.")
    date_hierarchy = "expires_at"
    list_select_related = ("owner", "project")
    autocomplete_fields = ("project",)
    readonly_fields = ("owner", "created_at")
    fieldsets = (
        (None, {"fields": ("identifier", ("ecosystem", "package"), "version_range", "project")}),
        (_("Answer"), {"fields": ("reason", "expires_at", ("owner", "created_at"))}),
    )

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Maintainers waive."""
        return may_look(request)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Maintainers may change the reason, the versions and the end."""
        return may_look(request)

    def save_model(self, request: HttpRequest, obj: Waiver, form: ModelForm, change: bool) -> None:
        """Whoever gives it owns it; what it touches is judged again."""
        if not change:
            obj.owner = cast(User, request.user)
        super().save_model(request, obj, form, change)
        reconsidering.after_change(obj)

    @admin.display(description=_("package"), ordering="package")
    def package_code(self, waiver: Waiver) -> SafeString:
        """The package it is about."""
        return format_html('<span class="soft small">{}</span> {}', waiver.ecosystem, code(waiver.package))

    @admin.display(description=_("holds"), boolean=True)
    def holds(self, waiver: Waiver) -> bool:
        """Whether it has not run out."""
        return waiver.expires_at > timezone.now()


def waive(release: Release, finding: dict[str, Any]) -> tuple[str, str] | None:
    """The link that the review page shows beside a finding that nobody waived."""
    if finding.get("waived") or not finding.get("id"):
        return None
    asked = {
        "identifier": finding["id"],
        "ecosystem": release.package.ecosystem,
        "package": finding.get("package") or release.package.name,
        "version_range": finding.get("version") or release.version,
        "project": release.project_id,
    }
    return f"{reverse('admin:scanning_waiver_add')}?{urlencode(asked)}", gettext("Waive")


if waive not in finding_links:
    finding_links.append(waive)
