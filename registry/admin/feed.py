"""What is derived: documents, the change feed, download figures. Read-only."""

from django.contrib import admin
from django.db.models import QuerySet
from django.db.models.functions import Length
from django.http import HttpRequest
from django.template.defaultfilters import filesizeformat
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from accounts.admin.tables import History, chip, code, link, moment
from registry.models import Change, Document, DownloadCount, DownloadRecord


@admin.register(Document)
class DocumentTable(History):
    """Documents as they are served, built when something changes."""

    list_display = (
        "lookup_code",
        "kind",
        "project",
        "is_private",
        "size_text",
        "etag",
        moment("built_at", _("built")),
    )
    list_filter = ("kind", "private", ("built_at", admin.DateFieldListFilter))
    search_fields = ("lookup", "project__slug")
    search_help_text = _("An ecosystem and a name (npm:left-pad), or a project.")
    date_hierarchy = "built_at"
    list_select_related = ("project",)
    fields = (
        "lookup_code",
        "kind",
        "package",
        "project",
        "is_private",
        "content_type",
        "etag",
        "size_text",
        "built_at",
        "text",
    )
    readonly_fields = ("lookup_code", "is_private", "size_text", "text")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Document]:
        """Rows without their bytes, but with how many there are."""
        return (
            super()
            .get_queryset(request)
            .defer("body")
            .annotate(body_size=Length("body"))
            .select_related("package", "project")
        )

    @admin.display(description=_("looked up as"), ordering="lookup")
    def lookup_code(self, document: Document) -> SafeString | str:
        """The key that it is read by."""
        return code(document.lookup)

    @admin.display(description=_("private"), ordering="private", boolean=True)
    def is_private(self, document: Document) -> bool:
        """Whether only members may read it."""
        return document.private

    @admin.display(description=_("size"))
    def size_text(self, document: Document) -> str:
        """How many bytes are served."""
        return filesizeformat(document.__dict__.get("body_size") or 0)

    @admin.display(description=_("text"))
    def text(self, document: Document) -> SafeString | str:
        """The beginning of the document."""
        return code(bytes(document.body[:4000]).decode("utf-8", "replace"))


@admin.register(Change)
class ChangeTable(History):
    """The feed that mirrors and caches follow."""

    list_display = ("seq", "kind_chip", "package_link", "version", moment("at", _("when")))
    list_filter = ("kind", ("at", admin.DateFieldListFilter))
    search_fields = ("package__name", "release__version")
    search_help_text = _("A package’s name or a version.")
    date_hierarchy = "at"
    list_select_related = ("package", "release")
    ordering = ("-seq",)
    fields = ("seq", "kind_chip", "package_link", "version", "at")
    readonly_fields = ("seq", "kind_chip", "package_link", "version")

    @admin.display(description=_("kind"), ordering="kind")
    def kind_chip(self, change: Change) -> SafeString:
        """What happened."""
        return chip(
            change.kind if change.kind in ("approved", "rejected", "quarantined", "unlisted") else "plain", change.kind
        )

    @admin.display(description=_("package"), ordering="package__name")
    def package_link(self, change: Change) -> SafeString:
        """The package."""
        return link(reverse("admin:registry_package_change", args=[change.package_id]), change.package)

    @admin.display(description=_("version"))
    def version(self, change: Change) -> SafeString | str:
        """The version, where it is about one."""
        if change.release is None:
            return "–"
        return link(reverse("admin:review", args=[change.release_id]), change.release.version)


@admin.register(DownloadCount)
class DownloadCountTable(History):
    """Downloads by day."""

    list_display = ("day", "package", "version", "count")
    list_filter = (("day", admin.DateFieldListFilter), "package__ecosystem")
    search_fields = ("package__name", "release__version")
    search_help_text = _("A package’s name or a version.")
    date_hierarchy = "day"
    list_select_related = ("package", "release")
    ordering = ("-day", "-count")
    fields = ("day", "package", "version", "count")
    readonly_fields = ("version",)

    @admin.display(description=_("version"), ordering="release__version")
    def version(self, row: DownloadCount) -> str:
        """The version that was downloaded."""
        return row.release.version


@admin.register(DownloadRecord)
class DownloadRecordTable(History):
    """Who took what, by day."""

    list_display = ("day", "package", "version", "credential", "user", "project", "count")
    list_filter = (("day", admin.DateFieldListFilter), "release__package__ecosystem")
    search_fields = ("release__package__name", "release__version", "user__username", "project__slug")
    search_help_text = _("A package’s name, a version, a person or a project.")
    date_hierarchy = "day"
    list_select_related = ("release__package", "user", "project")
    ordering = ("-day", "-id")
    fields = ("day", "first_at", "package", "version", "credential", "user", "project", "count")
    readonly_fields = ("package", "version")

    @admin.display(description=_("package"), ordering="release__package__name")
    def package(self, row: DownloadRecord) -> str:
        """The package that was downloaded."""
        return str(row.release.package)

    @admin.display(description=_("version"), ordering="release__version")
    def version(self, row: DownloadRecord) -> str:
        """The version that was downloaded."""
        return row.release.version
