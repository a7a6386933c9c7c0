"""Scans and findings in the admin, read-only."""

from django.contrib import admin
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.admin.tables import History, as_table, chip, link, moment
from scanning.admin.links import review, web_link
from scanning.models import Finding, Scan


@admin.register(Scan)
class ScanTable(History):
    """Scans of releases; the current one of each holds what counts."""

    list_display = (
        "id", "release_link", "status_chip", "found", "tools", "trigger", "is_current",
        moment("finished_at", _("finished")),
    )  # fmt: skip
    list_filter = (
        "status", "is_current", "trigger", "release__package__ecosystem", ("created_at", admin.DateFieldListFilter),
    )  # fmt: skip
    search_fields = ("release__package__name", "release__version")
    search_help_text = _("A package’s name or a version.")
    date_hierarchy = "created_at"
    list_select_related = ("release__package",)
    fieldsets = (
        (
            None,
            {"fields": ("release_link", "status_chip", "is_current", "found", "tools", "unavailable", "attempts")},
        ),
        (_("When"), {"fields": ("trigger", ("created_at", "started_at", "deadline_at", "finished_at"))}),
        (_("What each tool said in this scan"), {"fields": ("answers_table",)}),
        (_("What counted after it"), {"fields": ("findings_table",)}),
    )
    readonly_fields = (
        "release_link", "status_chip", "found", "tools", "unavailable", "answers_table", "findings_table",
    )  # fmt: skip

    @admin.display(description=_("release"), ordering="release__package__name")
    def release_link(self, scan: Scan) -> SafeString:
        """The release, linked to its review."""
        return link(review(scan.release), f"{scan.release.package.name} {scan.release.version}")

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

    @admin.display(description=_("answers"))
    def answers_table(self, scan: Scan) -> SafeString | str:
        """Who said what, and when."""
        answers = scan.results.order_by("tool")
        rows = [
            {"tool": one.tool, "answer": one.get_status_display(), "reason": one.reason, "findings": len(one.flaws)}
            for one in answers
        ]
        return as_table(rows)

    @admin.display(description=_("findings"))
    def findings_table(self, scan: Scan) -> SafeString | str:
        """What it found."""
        columns = ("severity", "identifier", "package", "version", "fixed_in", "summary")
        return as_table([dict(row) for row in scan.findings.values(*columns)[:200]])


@admin.register(Finding)
class FindingTable(History):
    """Flaws found in releases, over all scans."""

    list_display = ("identifier", "severity_chip", "release_link", "package", "version", "fixed_in", "summary")
    list_filter = ("scan__is_current", "severity", "ecosystem")
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
        return link(review(release), f"{release.package.name} {release.version}")

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
