"""The scan policy in the admin: a row for the instance, one for each project that wants it otherwise."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import Model, QuerySet
from django.forms import ModelForm
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.admin.tables import Table, actor_of, chip, moment
from scanning import policies
from scanning.models import ScanPolicy


class PolicyForm(ModelForm):
    """The instance decides everything; a project what it wants otherwise."""

    def clean(self) -> dict[str, Any]:
        """Refuse a gap in the instance's row, and a project's row that says nothing."""
        cleaned: dict[str, Any] = super().clean() or {}
        gaps = [name for name in policies.NAMES if cleaned.get(name) in ("", None)]
        is_instance = cleaned.get("project") is None and self.instance.project_id is None
        if is_instance and gaps:
            raise ValidationError({name: _("The instance needs an answer here.") for name in gaps})
        if len(gaps) == len(policies.NAMES):
            raise ValidationError(_("Say at least one thing that is to be otherwise than in the instance."))
        return cleaned


@admin.register(ScanPolicy)
class ScanPolicyTable(Table):
    """What blocks, what warns, how old a version must be, and what becomes of approved ones that break the policy."""

    verbs_of_activities = frozenset({"added", "changed", "removed"})
    form = PolicyForm
    removable = True
    list_display = (
        "whose", "critical_chip", "high_chip", "medium_chip", "low_chip", "unknown_chip", "unfixed", "breach",
        "cooldown_days", "changed_by", moment("changed_at", _("changed")),
    )  # fmt: skip
    list_select_related = ("project", "changed_by")
    search_fields = ("project__slug",)
    search_help_text = _("A project.")
    readonly_fields = ("changed_by", "changed_at")
    fieldsets = (
        (None, {"fields": ("project",)}),
        (
            _("Findings"),
            {
                "fields": ("critical", "high", "medium", "low", "unknown", "unfixed"),
                "description": _("In a project’s row, what is left empty is as the instance has it."),
            },
        ),
        (_("Versions"), {"fields": ("breach", "cooldown_days")}),
        (_("Last change"), {"fields": (("changed_by", "changed_at"),)}),
    )

    def get_readonly_fields(self, request: HttpRequest, obj: ScanPolicy | None = None) -> tuple[str, ...]:
        """A row stays with the project that it was made for."""
        return (*self.readonly_fields, "project") if obj else self.readonly_fields

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Projects may go back to the instance's policy; the instance's row stays."""
        is_instance = isinstance(obj, ScanPolicy) and obj.project_id is None
        return not is_instance and super().has_delete_permission(request, obj)

    def save_model(self, request: HttpRequest, obj: ScanPolicy, form: ModelForm, change: bool) -> None:
        """It is in force at once, and what it touches is judged again."""
        policies.write(obj, actor_of(request))

    def delete_model(self, request: HttpRequest, obj: ScanPolicy) -> None:
        """The instance's policy counts again."""
        policies.drop(obj, actor_of(request))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[ScanPolicy]) -> None:
        """The same for several projects."""
        for row in queryset.exclude(project=None).select_related("project"):
            policies.drop(row, actor_of(request))

    @admin.display(description=_("policy of"), ordering="project")
    def whose(self, row: ScanPolicy) -> str:
        """The project, or the instance."""
        return row.project.slug if row.project else gettext("the instance")

    @admin.display(description=_("critical"))
    def critical_chip(self, row: ScanPolicy) -> SafeString | str:
        """What a critical finding does."""
        return _answer(row, "critical")

    @admin.display(description=_("high"))
    def high_chip(self, row: ScanPolicy) -> SafeString | str:
        """What a high one does."""
        return _answer(row, "high")

    @admin.display(description=_("medium"))
    def medium_chip(self, row: ScanPolicy) -> SafeString | str:
        """What a medium one does."""
        return _answer(row, "medium")

    @admin.display(description=_("low"))
    def low_chip(self, row: ScanPolicy) -> SafeString | str:
        """What a low one does."""
        return _answer(row, "low")

    @admin.display(description=_("unknown"))
    def unknown_chip(self, row: ScanPolicy) -> SafeString | str:
        """What one does that nobody has rated."""
        return _answer(row, "unknown")


CHIPS = {"block": "denied", "warn": "warned", "ignore": "skipped"}


def _answer(row: ScanPolicy, severity: str) -> SafeString | str:
    said = getattr(row, severity)
    return chip(CHIPS[said], getattr(row, f"get_{severity}_display")()) if said else ""
