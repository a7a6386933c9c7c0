"""Releases and their files in the admin: history, with links to the review; unlisting and restoring by admins."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.defaultfilters import filesizeformat
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.admin.tables import History, Lines, actor_of, chip, code, link, may_write, moment, shortened
from accounts.errors import RegistryError
from registry import retaining, retiring
from registry.models import Artifact, Check, Dependency, Package, Release


def ecosystem_word(package: Package) -> SafeString:
    """The ecosystem, small before a name."""
    return format_html('<span class="soft small">{}</span>', package.get_ecosystem_display())


class Facts(Lines):
    """Rows that belong to a release, to be read."""

    can_delete = False
    show_change_link = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Releases are immutable."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Releases are immutable."""
        return False

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whoever sees the release sees its lines."""
        return True


class CheckLines(Facts):
    """The checks of a release."""

    model = Check
    fields = ("name", "status", "summary", "duration_ms", "finished_at")


class ArtifactLines(Facts):
    """The files of a release."""

    model = Artifact
    fields = ("filename", "kind", "size", "sha256", "signer", "signature_fingerprint")


class DependencyLines(Facts):
    """What a release asks for."""

    model = Dependency
    fields = ("name", "range", "kind", "marker")


class ListedFilter(admin.SimpleListFilter):
    """Whether a release is listed, unlisted or removed."""

    title = _("retirement")
    parameter_name = "retirement"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """Listed, unlisted, removed."""
        return [("listed", _("Listed")), ("unlisted", _("Unlisted")), ("removed", _("Removed for good"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Release]) -> QuerySet[Release]:
        """The releases in the chosen state."""
        match self.value():
            case "listed":
                return queryset.filter(unlisted_at__isnull=True)
            case "unlisted":
                return queryset.filter(unlisted_at__isnull=False, purged_at__isnull=True)
            case "removed":
                return queryset.filter(purged_at__isnull=False)
        return queryset


@admin.register(Release)
class ReleaseTable(History):
    """Every version there ever was; removed ones are their own tombstones."""

    ordering = ("-id",)
    list_display = (
        "review_link", "version_code", "status_chip", "origin", "license", "submitted_by",
        moment("submitted_at", _("submitted")), "size_text",
    )  # fmt: skip
    list_display_links = ("version_code",)
    list_filter = (
        "status", "origin", "package__ecosystem", ListedFilter, ("submitted_at", admin.DateFieldListFilter),
    )  # fmt: skip
    search_fields = ("package__name", "package__normalized", "version", "sha256", "submitted_by__username")
    search_help_text = _("A package’s name, a version, a digest or who submitted it.")
    date_hierarchy = "submitted_at"
    list_select_related = ("package", "project", "submitted_by")
    inlines = (CheckLines, ArtifactLines, DependencyLines)
    actions = ("unlist", "restore", "pin", "unpin")
    fieldsets = (
        (None, {"fields": ("review_link", ("ecosystem", "version_code"), "status_chip", "held_because")}),
        (
            _("Asked for"),
            {"fields": (("origin", "project"), ("submitted_by", "submitted_for"), "submitted_at", "request_note")},
        ),
        (_("File"), {"fields": ("digest", "size_text", "license")}),
        (_("Retirement"), {"fields": (("unlisted_at", "purge_at", "purged_at"), "deprecated")}),
    )
    readonly_fields = ("review_link", "ecosystem", "version_code", "status_chip", "digest", "size_text")

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Also the versions of one package, which its page links to."""
        return lookup == "package__id__exact" or super().lookup_allowed(lookup, value, request)

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Unlisting and restoring, for admins."""
        return super().get_actions(request) if may_write(request) else {}

    @admin.action(description=_("Unlist: gone from lists now, removed after the grace"))
    def unlist(self, request: HttpRequest, queryset: QuerySet[Release]) -> None:
        """Unlist the selected releases."""
        self._each(
            request, queryset, lambda release: retiring.unlist(release, actor_of(request)), gettext("%d unlisted.")
        )

    @admin.action(description=_("Restore: listed again, where the grace has not ended"))
    def restore(self, request: HttpRequest, queryset: QuerySet[Release]) -> None:
        """Restore the selected releases."""
        self._each(
            request, queryset, lambda release: retiring.restore(release, actor_of(request)), gettext("%d restored.")
        )

    @admin.action(description=_("Pin: stays, whatever the product’s retention says"))
    def pin(self, request: HttpRequest, queryset: QuerySet[Release]) -> None:
        """Pin the selected releases."""
        self._each(request, queryset, lambda release: retaining.pin(release, actor_of(request)), gettext("%d pinned."))

    @admin.action(description=_("Unpin: left to the product’s retention"))
    def unpin(self, request: HttpRequest, queryset: QuerySet[Release]) -> None:
        """Take the pins of the selected releases away."""
        self._each(
            request, queryset, lambda release: retaining.unpin(release, actor_of(request)), gettext("%d unpinned.")
        )

    def _each(
        self, request: HttpRequest, rows: QuerySet[Release], act: Callable[[Release], object], said: str
    ) -> None:
        done = 0
        for release in rows.select_related("package", "project"):
            try:
                act(release)
                done += 1
            except RegistryError as error:
                name = f"{release.package.name} {release.version}"
                self.message_user(request, f"{name}: {error.message}", messages.ERROR)
        if done:
            self.message_user(request, said % done, messages.SUCCESS)

    @admin.display(description=_("package"), ordering="package__name")
    def review_link(self, release: Release) -> SafeString:
        """The name, linked to the review."""
        url = reverse("admin:review", args=[release.pk])
        return format_html(
            '{} <a href="{}"><code>{}</code></a>', ecosystem_word(release.package), url, release.package.name
        )

    def name_of(self, obj: Release) -> str:
        """The package and the version."""
        return f"{obj.package.name} {obj.version}"

    @admin.display(description=_("ecosystem"), ordering="package__ecosystem")
    def ecosystem(self, release: Release) -> str:
        """The package's ecosystem."""
        return release.package.get_ecosystem_display()

    @admin.display(description=_("version"), ordering="version")
    def version_code(self, release: Release) -> SafeString | str:
        """The version in the code font."""
        return code(release.version)

    @admin.display(description=_("status"), ordering="status")
    def status_chip(self, release: Release) -> SafeString:
        """The status, and that it is unlisted or removed."""
        if release.is_purged:
            return chip("unlisted", gettext("removed"))
        shown = chip(release.status, gettext(release.status))
        return format_html("{} {}", shown, chip("unlisted", gettext("unlisted"))) if release.is_unlisted else shown

    @admin.display(description=_("size"), ordering="size")
    def size_text(self, release: Release) -> str:
        """The size in units."""
        return filesizeformat(release.size) if release.size else "–"

    @admin.display(description=_("SHA-256"))
    def digest(self, release: Release) -> SafeString | str:
        """The digest that decisions bind to."""
        return code(release.reviewed_sha256)


@admin.register(Artifact)
class ArtifactTable(History):
    """Files of releases."""

    ordering = ("-id",)
    list_display = (
        "filename",
        "release_link",
        "kind",
        "size_text",
        "digest",
        "signer",
        moment("uploaded_at", _("uploaded")),
    )
    list_filter = ("kind", "release__package__ecosystem", ("uploaded_at", admin.DateFieldListFilter))
    search_fields = ("filename", "sha256", "sha1", "signer", "signature_fingerprint", "release__package__name")
    search_help_text = _("A file name, a digest, a signer or a package’s name.")
    date_hierarchy = "uploaded_at"
    list_select_related = ("release__package",)
    fieldsets = (
        (None, {"fields": ("filename", "release_link", ("kind", "media_type"), "blob_link", "uploaded_at")}),
        (_("Bytes"), {"fields": ("size_text", "unpacked_text", "entry_count", "sha256", "sha512", "sha1")}),
        (_("Signature"), {"fields": ("signer", "signature_fingerprint", "signature_public_key", "signature")}),
    )
    readonly_fields = ("release_link", "blob_link", "size_text", "unpacked_text")

    @admin.display(description=_("release"), ordering="release__package__name")
    def release_link(self, artifact: Artifact) -> SafeString:
        """The release, linked to its review."""
        name = f"{artifact.release.package.name} {artifact.release.version}"
        return link(reverse("admin:review", args=[artifact.release_id]), name)

    @admin.display(description=_("blob"))
    def blob_link(self, artifact: Artifact) -> SafeString | str:
        """The stored bytes."""
        return (
            link(reverse("admin:registry_blob_change", args=[artifact.blob_id]), artifact.blob)
            if artifact.blob
            else "–"
        )

    @admin.display(description=_("size"), ordering="size")
    def size_text(self, artifact: Artifact) -> str:
        """The size in units."""
        return filesizeformat(artifact.size)

    @admin.display(description=_("unpacked"), ordering="unpacked_size")
    def unpacked_text(self, artifact: Artifact) -> str:
        """The size of what is inside."""
        return filesizeformat(artifact.unpacked_size)

    @admin.display(description=_("SHA-256"), ordering="sha256")
    def digest(self, artifact: Artifact) -> SafeString | str:
        """The digest, shortened."""
        return shortened(artifact.sha256)
