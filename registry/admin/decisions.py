"""Checks and decisions in the admin: evidence, to be searched and never rewritten."""

from typing import Any

from django.conf import settings
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from accounts.admin.tables import History, as_table, chip, link, moment, shortened
from registry.models import Check, Decision


class NameFilter(admin.SimpleListFilter):
    """Which check it is; the names are those of the settings, so that none need be looked for."""

    title = _("check")
    parameter_name = "check"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """The checks that are set up."""
        return [(name, name) for name in settings.REGISTRY_CHECKS]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Check]) -> QuerySet[Check]:
        """The rows of the chosen check."""
        return queryset.filter(name=self.value()) if self.value() else queryset


@admin.register(Check)
class CheckTable(History):
    """Automated verdicts, over all releases."""

    list_display = ("name", "status_chip", "release_link", "summary", "duration", moment("finished_at", _("finished")))
    list_filter = ("status", NameFilter, "release__package__ecosystem", ("finished_at", admin.DateFieldListFilter))
    search_fields = ("release__package__name", "release__version", "summary")
    search_help_text = _("A package’s name, a version, or words of the summary.")
    date_hierarchy = "finished_at"
    list_select_related = ("release__package",)
    ordering = ("-id",)
    fields = (
        "name",
        "status_chip",
        "release_link",
        "summary",
        "details_table",
        "started_at",
        "finished_at",
        "duration",
    )
    readonly_fields = ("status_chip", "release_link", "details_table", "duration")

    def name_of(self, obj: Check) -> str:
        """The check and what it looked at."""
        return f"{obj.name}: {obj.release.package.name} {obj.release.version}"

    @admin.display(description=_("release"), ordering="release__package__name")
    def release_link(self, check: Check) -> SafeString:
        """The release, linked to its review."""
        return link(_review(check.release_id), f"{check.release.package.name} {check.release.version}")

    @admin.display(description=_("status"), ordering="status")
    def status_chip(self, check: Check) -> SafeString:
        """The verdict on its colour."""
        return chip(check.status, check.get_status_display())

    @admin.display(description=_("duration"), ordering="duration_ms")
    def duration(self, check: Check) -> str:
        """How long it took."""
        return "–" if check.duration_ms is None else f"{check.duration_ms} ms"

    @admin.display(description=_("details"))
    def details_table(self, check: Check) -> SafeString | str:
        """The facts behind the summary."""
        return as_table(check.details)


@admin.register(Decision)
class DecisionTable(History):
    """Who decided what, on which digest, over which verdicts."""

    ordering = ("-id",)
    list_display = (
        "answer_chip",
        "release_link",
        "by_name",
        "overridden",
        "reason",
        "digest",
        moment("at", _("when")),
    )
    list_filter = ("answer", "override", ("at", admin.DateFieldListFilter))
    search_fields = ("release__package__name", "release__version", "by_name", "reason", "sha256")
    search_help_text = _("A package’s name, a version, who decided, words of the reason, a digest.")
    date_hierarchy = "at"
    list_select_related = ("release__package",)
    fieldsets = (
        (None, {"fields": ("answer_chip", "release_link", "by_name", "at", "reason", "overridden", "digest")}),
        (_("What the gates said"), {"fields": ("verdicts_table",)}),
        (_("What the checks said"), {"fields": ("checks_table",)}),
    )
    readonly_fields = ("answer_chip", "release_link", "overridden", "digest", "verdicts_table", "checks_table")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Decision]:
        """Lists need neither verdicts nor checks."""
        rows = super().get_queryset(request)
        is_list = request.resolver_match is not None and str(request.resolver_match.url_name).endswith("changelist")
        return rows.defer("verdicts", "checks") if is_list else rows

    @admin.display(description=_("release"), ordering="release__package__name")
    def release_link(self, decision: Decision) -> SafeString:
        """The release, linked to its review."""
        return link(_review(decision.release_id), f"{decision.release.package.name} {decision.release.version}")

    @admin.display(description=_("answer"), ordering="answer")
    def answer_chip(self, decision: Decision) -> SafeString:
        """The answer on its colour."""
        shade = {"restored": "approved"}.get(decision.answer, decision.answer)
        return chip(shade, decision.get_answer_display())

    @admin.display(description=_("override"), ordering="override", boolean=True)
    def overridden(self, decision: Decision) -> bool:
        """Whether it was made over an objection."""
        return decision.override

    @admin.display(description=_("SHA-256"))
    def digest(self, decision: Decision) -> SafeString | str:
        """The digest it binds to."""
        return shortened(decision.sha256)

    @admin.display(description=_("verdicts"))
    def verdicts_table(self, decision: Decision) -> SafeString | str:
        """The gates' verdicts at that moment."""
        return as_table(decision.verdicts)

    @admin.display(description=_("checks"))
    def checks_table(self, decision: Decision) -> SafeString | str:
        """The checks at that moment."""
        return as_table(decision.checks)


def _review(release_id: int) -> str:
    return reverse("admin:review", args=[release_id])
