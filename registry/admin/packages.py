"""Packages in the admin: found by name, moved between projects by admins, never deleted."""

from typing import Any

from django.contrib import admin
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.forms import ModelForm
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.admin.tables import Lines, Table, actor_of, chip, code, link, moment
from registry import documents, transferring
from registry.models import DistTag, Package, PackageMaintainer, Release


class MaintainerInline(Lines):
    """Whom to ask about it; who may publish follows from the project."""

    model = PackageMaintainer
    autocomplete_fields = ("user",)
    readonly_fields = ("created_at",)


class DistTagInline(Lines):
    """Where the movable names point."""

    model = DistTag
    can_delete = False
    fields = readonly_fields = ("tag", "points_at", "updated_at")

    def get_queryset(self, request: HttpRequest) -> QuerySet[DistTag]:
        """Tags with the version they point at."""
        return super().get_queryset(request).select_related("release")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Tags are moved by publishing."""
        return False

    @admin.display(description=_("version"))
    def points_at(self, tag: DistTag) -> SafeString:
        """The version, linked to its review."""
        return link(reverse("admin:review", args=[tag.release_id]), tag.release.version)


@admin.register(Package)
class PackageTable(Table):
    """Names. What a package says of itself comes from its manifests; owner, visibility and category are set here."""

    list_display = (
        "name_code", "ecosystem", "latest_version", "status_chip", "license", "project", "release_count", "downloads",
        moment("updated_at", _("changed")),
    )  # fmt: skip
    list_filter = ("ecosystem", "latest_status", "visibility", "category", ("updated_at", admin.DateFieldListFilter))
    search_fields = ("name", "normalized", "description", "project__slug")
    search_help_text = _("A package’s name, its description or its project.")
    date_hierarchy = "created_at"
    list_select_related = ("project",)
    autocomplete_fields = ("project",)
    inlines = (MaintainerInline, DistTagInline)
    writable = ("project", "visibility", "category")
    noted_by_activities = ("Project",)
    fieldsets = (
        (None, {"fields": (("ecosystem", "name_code"), "releases_link", "description")}),
        (_("Set here"), {"fields": ("project", ("visibility", "category"))}),
        (
            _("From the latest version"),
            {"fields": (("latest_version", "status_chip"), "license", "homepage", "repository", "keyword_list")},
        ),
        (_("Figures"), {"fields": (("downloads", "created_at", "updated_at"),)}),
        (_("How it is looked up"), {"fields": (("normalized", "skeleton", "scope"),), "classes": ("collapse",)}),
    )

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """All but the three that are set here."""
        names = [name for _title, options in self.fieldsets for row in options["fields"] for name in _each(row)]
        return [name for name in names if name not in self.writable]

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Packages come into being by publishing and submitting."""
        return False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Package]:
        """Packages with how many versions they hold."""
        held = Release.objects.filter(package=OuterRef("pk")).order_by().values("package").annotate(n=Count("pk"))
        return super().get_queryset(request).annotate(releases_held=Subquery(held.values("n")))

    def save_model(self, request: HttpRequest, obj: Package, form: ModelForm, change: bool) -> None:
        """What is set here; another project takes the package over by the activity."""
        wanted = obj.project
        if "project" in form.changed_data:
            obj.project_id = form.initial["project"]
        super().save_model(request, obj, form, change)
        if obj.project_id != wanted.pk:
            transferring.transfer(obj, wanted, actor_of(request))

    def save_related(self, request: HttpRequest, form: ModelForm, formsets: Any, change: bool) -> None:
        """After the rows, the documents that are served from them."""
        super().save_related(request, form, formsets, change)
        documents.rebuild(form.instance, "changed")

    @admin.display(description=_("name"), ordering="name")
    def name_code(self, package: Package) -> SafeString | str:
        """The name in the code font."""
        return code(package.name)

    @admin.display(description=_("status"), ordering="latest_status")
    def status_chip(self, package: Package) -> SafeString | str:
        """The status of the latest version."""
        return chip(package.latest_status) if package.latest_status else ""

    @admin.display(description=_("versions"), ordering="releases_held")
    def release_count(self, package: Any) -> int:
        """How many versions it holds."""
        return package.releases_held or 0

    @admin.display(description=_("versions"))
    def releases_link(self, package: Package) -> SafeString:
        """The table of its versions."""
        url = reverse("admin:registry_release_changelist") + f"?package__id__exact={package.pk}"
        return format_html('<a href="{}">{}</a>', url, gettext("All its versions"))

    @admin.display(description=_("keywords"))
    def keyword_list(self, package: Package) -> str:
        """The keywords in one line."""
        return ", ".join(map(str, package.keywords))


def _each(row: Any) -> tuple[str, ...]:
    return row if isinstance(row, tuple) else (row,)
