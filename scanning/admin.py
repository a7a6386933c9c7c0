"""Advisories, scans and findings in the admin, read-only; waivers, which maintainers give with a reason and an end."""

from typing import Any, cast
from urllib.parse import urlencode

from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import Count, Model, QuerySet
from django.forms import ModelForm
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.admin.tables import History, Table, as_table, chip, code, link, may_look, moment
from accounts.models import User
from registry import ecosystems
from registry.admin.site import finding_links
from registry.errors import InvalidInput
from registry.models import Release
from scanning import reconsidering
from scanning.models import Advisory, Finding, Scan, Waiver


@admin.register(Advisory)
class AdvisoryTable(History):
    """What is known about flaws, as it was imported."""

    list_display = ("osv_id", "severity_chip", "summary", "touches", moment("modified_at", _("modified")), "is_live")
    list_filter = (
        "severity",
        ("withdrawn_at", admin.EmptyFieldListFilter),
        ("modified_at", admin.DateFieldListFilter),
    )
    search_fields = ("osv_id", "summary", "affected__name")
    search_help_text = _("An advisory’s id, words of its summary, a package it touches.")
    date_hierarchy = "modified_at"
    fieldsets = (
        (None, {"fields": ("osv_id", "severity_chip", "cvss", "summary", "alias_list", "reference")}),
        (_("When"), {"fields": (("published_at", "modified_at"), ("withdrawn_at", "imported_at"))}),
        (_("Touches"), {"fields": ("affected_table",)}),
    )
    readonly_fields = ("severity_chip", "alias_list", "reference", "affected_table")

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

    @admin.display(description=_("packages"))
    def affected_table(self, advisory: Advisory) -> SafeString | str:
        """The packages and ranges it is about."""
        rows = advisory.affected.values("ecosystem", "name", "ranges", "versions")[:50]
        return as_table([dict(row) for row in rows])


@admin.register(Scan)
class ScanTable(History):
    """Scans of releases; the newest finished one counts."""

    list_display = ("id", "release_link", "status_chip", "found", "tools", moment("finished_at", _("finished")))
    list_filter = ("status", "release__package__ecosystem", ("created_at", admin.DateFieldListFilter))
    search_fields = ("release__package__name", "release__version")
    search_help_text = _("A package’s name or a version.")
    date_hierarchy = "created_at"
    list_select_related = ("release__package",)
    fieldsets = (
        (None, {"fields": ("release_link", "status_chip", "found", "tools", "unavailable", "attempts")}),
        (_("When"), {"fields": (("created_at", "started_at", "finished_at"),)}),
        (_("Findings"), {"fields": ("findings_table",)}),
    )
    readonly_fields = ("release_link", "status_chip", "found", "tools", "unavailable", "findings_table")

    @admin.display(description=_("release"), ordering="release__package__name")
    def release_link(self, scan: Scan) -> SafeString:
        """The release, linked to its review."""
        return link(_review(scan.release), f"{scan.release.package.name} {scan.release.version}")

    @admin.display(description=_("status"), ordering="status")
    def status_chip(self, scan: Scan) -> SafeString:
        """How it ended."""
        return chip(scan.status, scan.get_status_display())

    @admin.display(description=_("found"))
    def found(self, scan: Scan) -> str:
        """The counts in words."""
        counted = ", ".join(f"{number} {severity}" for severity, number in scan.counts.items() if number)
        return counted or gettext("nothing")

    @admin.display(description=_("tools"))
    def tools(self, scan: Scan) -> str:
        """Who looked."""
        return ", ".join(map(str, scan.tools_used))

    @admin.display(description=_("unavailable"))
    def unavailable(self, scan: Scan) -> SafeString | str:
        """Who could not look, and why."""
        return as_table(scan.tools_unavailable)

    @admin.display(description=_("findings"))
    def findings_table(self, scan: Scan) -> SafeString | str:
        """What it found."""
        columns = ("severity", "identifier", "package", "version", "fixed_in", "summary")
        return as_table([dict(row) for row in scan.findings.values(*columns)[:200]])


@admin.register(Finding)
class FindingTable(History):
    """Flaws found in releases, over all scans."""

    list_display = ("identifier", "severity_chip", "release_link", "package", "version", "fixed_in", "summary")
    list_filter = ("severity", "ecosystem")
    search_fields = ("identifier", "package", "summary", "scan__release__package__name")
    search_help_text = _("An advisory’s id, a package, words of the summary.")
    list_select_related = ("scan__release__package",)
    date_hierarchy = "scan__created_at"
    ordering = ("-id",)
    fields = (
        "identifier", "severity_chip", "cvss", "release_link", "package", "version", "fixed_in", "summary",
        "alias_list", "reference", "tool_list",
    )  # fmt: skip
    readonly_fields = ("severity_chip", "release_link", "alias_list", "reference", "tool_list")

    @admin.display(description=_("severity"), ordering="severity")
    def severity_chip(self, finding: Finding) -> SafeString:
        """How bad it is."""
        return chip(finding.severity)

    @admin.display(description=_("found in"), ordering="scan__release__package__name")
    def release_link(self, finding: Finding) -> SafeString:
        """The release, linked to its review."""
        release = finding.scan.release
        return link(_review(release), f"{release.package.name} {release.version}")

    @admin.display(description=_("aliases"))
    def alias_list(self, finding: Finding) -> str:
        """Its other names."""
        return ", ".join(map(str, finding.aliases))

    @admin.display(description=_("tools"))
    def tool_list(self, finding: Finding) -> str:
        """Who saw it."""
        return ", ".join(map(str, finding.tools))

    @admin.display(description=_("reference"))
    def reference(self, finding: Finding) -> SafeString | str:
        """Where it was published."""
        return web_link(finding.url, finding.url)


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


def web_link(url: str, text: str) -> SafeString | str:
    """A link to the web, or the text alone where the address is none."""
    if not url.startswith(("https://", "http://")):
        return text
    return format_html('<a href="{}" rel="noopener noreferrer">{}</a>', url, text)


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


def _review(release: Release) -> str:
    return reverse("admin:review", args=[release.pk])


if waive not in finding_links:
    finding_links.append(waive)
