"""Where advisories come from, in the admin: admins name the places, and everybody sees how the last visit went."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.forms import ChoiceField, ModelForm
from django.http import HttpRequest
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from accounts import auditing
from accounts.admin.tables import Table, actor_of, as_table, chip, code, may_write, moment
from registry import outgoing
from registry.errors import InvalidInput
from registry.outgoing import Allowance
from scanning import osv_documents, sources
from scanning.models import AdvisorySource

SPOKEN = [("", _("named by each entry")), *((one.slug, one.label) for one in osv_documents.SLUGS.values())]


class SourceForm(ModelForm):
    """A source that can be visited: its address is looked at before anything goes there."""

    ecosystem = ChoiceField(
        label=_("Ecosystem"), choices=SPOKEN, required=False, help_text=_("Of entries that do not name theirs")
    )

    def clean(self) -> dict[str, Any]:
        """Refuse an address that could never be visited, with the reason."""
        cleaned: dict[str, Any] = super().clean() or {}
        allowance = Allowance(http=bool(cleaned.get("allows_http")), private=bool(cleaned.get("allows_private")))
        try:
            outgoing.check(cleaned.get("url", ""), allowance)
        except InvalidInput as refusal:
            if cleaned.get("url"):
                raise ValidationError({"url": refusal.message}) from refusal
        return cleaned


@admin.register(AdvisorySource)
class SourceTable(Table):
    """Feeds of advisories. A visit that fails keeps what is held, and is told here."""

    form = SourceForm
    removable = True
    list_display = (
        "name", "url", "state_chip", moment("last_success_at", _("last success")),
        moment("next_run_at", _("next visit")), "error",
    )  # fmt: skip
    list_filter = ("is_enabled", "ecosystem")
    search_fields = ("name", "url", "last_error")
    search_help_text = _("A name, an address, or words of the last error.")
    actions = ("refresh_now",)
    fieldsets = (
        (None, {"fields": ("name", "url", "ecosystem", ("is_enabled", "interval_hours"))}),
        (_("Allowed"), {"fields": (("allows_http", "allows_private"),)}),
        (_("Visits"), {"fields": ("state_chip", ("last_run_at", "last_success_at", "next_run_at"), "last_error")}),
        (_("Last brought"), {"fields": ("counts_table", "etag_code")}),
    )
    readonly_fields = (
        "state_chip", "last_run_at", "last_success_at", "next_run_at", "last_error", "counts_table", "etag_code",
    )  # fmt: skip

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Refreshing, for admins."""
        return super().get_actions(request) if may_write(request) else {}

    def save_model(self, request: HttpRequest, obj: AdvisorySource, form: ModelForm, change: bool) -> None:
        """A new address is visited at once, and without the tags of the old one."""
        if "url" in form.changed_data:
            obj.etag = obj.last_modified = obj.last_error = ""
            obj.failures, obj.next_run_at = 0, timezone.now()
        super().save_model(request, obj, form, change)

    @admin.action(description=_("Refresh now"))
    def refresh_now(self, request: HttpRequest, queryset: QuerySet[AdvisorySource]) -> None:
        """Queue a visit to each of the selected sources, due or not."""
        chosen = list(queryset)
        with transaction.atomic():
            for source in chosen:
                sources.ask_for(source)
                auditing.record("advisorysource.refreshed", f"advisorysource:{source.pk} {source}", actor_of(request))
        text = ngettext("%d source is visited now.", "%d sources are visited now.", len(chosen)) % len(chosen)
        self.message_user(request, text, messages.SUCCESS)

    @admin.display(description=_("state"), ordering="failures")
    def state_chip(self, source: AdvisorySource) -> SafeString:
        """Off, failing, well, or never visited."""
        if not source.is_enabled:
            return chip("skipped", _("off"))
        if source.failures:
            return chip("failed", _("failing"))
        return chip("passed", _("well")) if source.last_success_at else chip("pending", _("not visited yet"))

    @admin.display(description=_("last error"))
    def error(self, source: AdvisorySource) -> str:
        """The first words of the last error."""
        return source.last_error if len(source.last_error) <= 90 else f"{source.last_error[:90]}…"

    @admin.display(description=_("counts"))
    def counts_table(self, source: AdvisorySource) -> SafeString | str:
        """What the last visit that brought something brought."""
        return as_table(source.counts)

    @admin.display(description=_("ETag"))
    def etag_code(self, source: AdvisorySource) -> SafeString | str:
        """By which the next visit asks for news alone."""
        return code(source.etag)
