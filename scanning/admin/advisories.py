"""Advisories in the admin, read-only: as they were imported."""

from typing import Any

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.urls import URLPattern, path
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.admin.tables import History, as_table, chip, link, moment
from scanning.admin import recalls
from scanning.admin.links import web_link
from scanning.models import Advisory


@admin.register(Advisory)
class AdvisoryTable(History):
    """What is known about flaws, as it was imported."""

    list_display = ("osv_id", "severity_chip", "summary", "touches", moment("modified_at", _("modified")), "is_live")
    list_filter = (
        "severity",
        ("withdrawn_at", admin.EmptyFieldListFilter),
        ("modified_at", admin.DateFieldListFilter),
    )
    search_fields = ("summary", "affected__name", "^names__name")
    search_help_text = _("An advisory’s id or alias, words of its summary, a package it touches.")
    date_hierarchy = "modified_at"
    fieldsets = (
        (None, {"fields": ("osv_id", "severity_chip", "cvss", "summary", "alias_list", "reference", "here")}),
        (_("When"), {"fields": (("published_at", "modified_at"), ("withdrawn_at", "imported_at"))}),
        (_("Touches"), {"fields": ("affected_table",)}),
    )
    readonly_fields = ("severity_chip", "alias_list", "reference", "here", "affected_table")

    def get_urls(self) -> list[URLPattern]:
        """With the recall of each advisory."""
        page = self.admin_site.admin_view(recalls.recall)
        ours = [path("<path:object_id>/recall/", page, name="scanning_advisory_recall")]
        return ours + super().get_urls()

    def get_queryset(self, request: HttpRequest) -> QuerySet[Advisory]:
        """Advisories without their documents, but with how many packages they touch."""
        return super().get_queryset(request).defer("raw").annotate(packages=Count("affected", distinct=True))

    @admin.display(description=_("severity"), ordering="severity")
    def severity_chip(self, advisory: Advisory) -> SafeString:
        """How bad it is."""
        return chip(advisory.severity)

    @admin.display(description=_("packages"), ordering="packages")
    def touches(self, advisory: Any) -> int:
        """How many packages it touches."""
        return int(advisory.packages)

    @admin.display(description=_("stands"), boolean=True, ordering="withdrawn_at")
    def is_live(self, advisory: Advisory) -> bool:
        """Whether it was not withdrawn."""
        return advisory.withdrawn_at is None

    @admin.display(description=_("aliases"))
    def alias_list(self, advisory: Advisory) -> str:
        """Its other names."""
        return ", ".join(map(str, advisory.aliases))

    @admin.display(description=_("reference"))
    def reference(self, advisory: Advisory) -> SafeString | str:
        """Where it was published."""
        return web_link(advisory.url, advisory.url)

    @admin.display(description=_("recall"))
    def here(self, advisory: Advisory) -> SafeString:
        """The way to its recall."""
        return link(recalls.url_of(advisory), gettext("Versions here that it touches, and who took them"))

    @admin.display(description=_("packages"))
    def affected_table(self, advisory: Advisory) -> SafeString | str:
        """The packages and ranges it is about."""
        rows = advisory.affected.values("ecosystem", "name", "ranges", "versions")[:50]
        return as_table([dict(row) for row in rows])
