"""Waivers in the admin, which maintainers give with a reason and an end."""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import Model, QuerySet
from django.forms import ModelForm
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from accounts.admin.tables import Table, actor_of, code, may_look, moment
from registry import ecosystems
from registry.errors import InvalidInput
from scanning import waiving
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
        longest = timezone.now() + timedelta(days=settings.WAIVER_MAX_DAYS)
        if cleaned.get("expires_at") and cleaned["expires_at"] > longest:
            days = {"days": settings.WAIVER_MAX_DAYS}
            raise ValidationError({"expires_at": _("A waiver holds for %(days)s days at most.") % days})
        return cleaned


@admin.register(Waiver)
class WaiverTable(Table):
    """Somebody answers for a finding. A waiver is ended and never changed: it stays as evidence."""

    verbs_of_activities = frozenset({"added"})
    form = WaiverForm
    list_display = (
        "identifier", "package_code", "version_range", "project", "owner", "reason", moment("expires_at", _("ends")),
        "holds",
    )  # fmt: skip
    list_filter = ("ecosystem", ("expires_at", admin.DateFieldListFilter), ("ended_at", admin.EmptyFieldListFilter))
    search_fields = ("identifier", "package", "owner__username", "project__slug", "reason")
    search_help_text = _("An advisory’s id, a package, an owner, a project.")
    date_hierarchy = "expires_at"
    list_select_related = ("owner", "project")
    readonly_fields = ("owner", "created_at", "ended_at", "ended_by")
    fieldsets = (
        (None, {"fields": ("identifier", ("ecosystem", "package"), "version_range", "project")}),
        (_("Answer"), {"fields": ("reason", "expires_at", ("owner", "created_at"), ("ended_at", "ended_by"))}),
    )
    actions = ("end_now",)

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Maintainers waive."""
        return may_look(request)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Nobody changes what somebody answered for: end it, and give another one."""
        return False

    def has_end_permission(self, request: HttpRequest) -> bool:
        """Maintainers end waivers."""
        return may_look(request)

    def save_model(self, request: HttpRequest, obj: Waiver, form: ModelForm, change: bool) -> None:
        """Whoever gives it owns it; what it touches is judged again."""
        waiving.give(obj, actor_of(request))

    @admin.action(description=_("End now"), permissions=["end"])
    def end_now(self, request: HttpRequest, queryset: QuerySet[Waiver]) -> None:
        """End those that still hold; what they let through is judged again at once."""
        ended = [waiving.end(waiver, actor_of(request)) for waiver in Waiver.objects.live().filter(pk__in=queryset)]
        said = ngettext("%(count)d waiver has ended.", "%(count)d waivers have ended.", len(ended))
        self.message_user(request, said % {"count": len(ended)})

    @admin.display(description=_("package"), ordering="package")
    def package_code(self, waiver: Waiver) -> SafeString:
        """The package it is about."""
        return format_html('<span class="soft small">{}</span> {}', waiver.ecosystem, code(waiver.package))

    @admin.display(description=_("holds"), boolean=True)
    def holds(self, waiver: Waiver) -> bool:
        """Whether it has neither run out nor been ended."""
        return waiver.is_live
