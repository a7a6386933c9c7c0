"""The licence policy in the admin: what it says is in force at once, and what it touches is judged again."""

from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from accounts.admin.tables import Table, actor_of, chip, code, moment
from licensing import reconsidering, spdx
from licensing.models import Category, LicensePolicy


class LineForm(ModelForm):
    """A line must be about something: a category, or a license of the SPDX list."""

    def clean(self) -> dict[str, object]:
        """Refuse a key that no release can have."""
        cleaned: dict[str, object] = super().clean() or {}
        kind, key = cleaned.get("kind"), str(cleaned.get("key", ""))
        if kind == LicensePolicy.Kind.CATEGORY and key not in Category.values:
            raise ValidationError({"key": _("A category is one of %s.") % ", ".join(Category.values)})
        if kind == LicensePolicy.Kind.LICENSE and not _is_license(key):
            raise ValidationError({"key": _("Not on the SPDX list. Write its id exactly, like GPL-2.0-only.")})
        return cleaned


@admin.register(LicensePolicy)
class LicensePolicyTable(Table):
    """One line per category or license; the line for a license wins."""

    form = LineForm
    removable = True
    list_display = ("key_code", "kind", "status_chip", "note", "changed_by", moment("changed_at", _("changed")))
    list_filter = ("kind", "status")
    search_fields = ("key", "note")
    search_help_text = _("An SPDX id, a category, or words of the note.")
    list_select_related = ("changed_by",)
    date_hierarchy = "changed_at"
    fields = ("kind", "key", "status", "note", "changed_by", "changed_at")
    readonly_fields = ("changed_by", "changed_at")

    def save_model(self, request: HttpRequest, obj: LicensePolicy, form: ModelForm, change: bool) -> None:
        """Sign the line, and have what it touches judged again."""
        obj.changed_by, obj.changed_at = actor_of(request).user, timezone.now()
        super().save_model(request, obj, form, change)
        reconsidering.after_change(obj)

    def delete_model(self, request: HttpRequest, obj: LicensePolicy) -> None:
        """Without the line the category's counts again, or none."""
        reconsidering.after_change(obj)
        super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[LicensePolicy]) -> None:
        """The same for several."""
        with transaction.atomic():
            for line in queryset:
                reconsidering.after_change(line)
            super().delete_queryset(request, queryset)

    @admin.display(description=_("license or category"), ordering="key")
    def key_code(self, line: LicensePolicy) -> SafeString | str:
        """What the line is about."""
        return code(line.key)

    @admin.display(description=_("status"), ordering="status")
    def status_chip(self, line: LicensePolicy) -> SafeString:
        """What the line says."""
        return chip(line.status, line.get_status_display())


def _is_license(key: str) -> bool:
    known = spdx.facts(key)
    return known is not None and known.id == key
