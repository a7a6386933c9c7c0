"""Products in the admin: what each token may do, how long versions are kept, and what would go."""

from typing import Any

from django.contrib import admin
from django.db.models import Count, Q, QuerySet
from django.forms import ModelForm
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.admin.tables import Lines, Table, actor_of, code, link, moment
from registry import retaining
from registry.models import Product, ProductGrant, ReleasePin

SHOWN = 50


class GrantLines(Lines):
    """What each token may do; a new token is given its permissions over the API, by the product's maintainers."""

    model = ProductGrant
    verbose_name_plural = _("permissions of tokens")
    fields = ("token_code", "holder", "maintainer", "download", "upload", "delete_versions", "is_shared", "granted_by")
    readonly_fields = ("token_code", "holder", "is_shared", "granted_by")

    def get_queryset(self, request: HttpRequest) -> QuerySet[ProductGrant]:
        """Rows with the people they name."""
        return super().get_queryset(request).select_related("token__user", "granted_by")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Tokens are granted by those who hold them in their hands."""
        return False

    @admin.display(description=_("token"))
    def token_code(self, grant: ProductGrant) -> SafeString | str:
        """Its name and first characters."""
        return code(f"{grant.token.name} {grant.token.prefix}…")

    @admin.display(description=_("user"))
    def holder(self, grant: ProductGrant) -> str:
        """Whose token it is."""
        return grant.token.user.username


class RetentionForm(ModelForm):
    """The two numbers of a product; both may be empty."""

    class Meta:
        model = Product
        fields = ("keep_versions", "keep_days")


@admin.register(Product)
class ProductTable(Table):
    """Products. Their versions stand with all others; here is what is kept of them, and who may do what."""

    form = RetentionForm
    list_display = (
        "name_code", "project", "versions_held", "keep_versions", "keep_days", moment("created_at", _("created")),
        moment("deleted_at", _("deleted")),
    )  # fmt: skip
    list_select_related = ("package__project",)
    list_filter = (("deleted_at", admin.EmptyFieldListFilter),)
    search_fields = ("package__name", "package__project__slug")
    search_help_text = _("A product’s name, or its project.")
    inlines = (GrantLines,)
    noted_by_activities = ("Keep the last versions", "Keep younger than days")
    fieldsets = (
        (None, {"fields": ("package_link", "project", "versions_link")}),
        (_("What is kept"), {"fields": (("keep_versions", "keep_days"), "pinned", "would_go")}),
    )
    readonly_fields = ("package_link", "project", "versions_link", "pinned", "would_go")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Products come into being over the API."""
        return False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Product]:
        """Products with how many versions they list."""
        listed = Count("package__releases", filter=Q(package__releases__unlisted_at=None))
        return super().get_queryset(request).select_related("package__project").annotate(held=listed)

    def save_model(self, request: HttpRequest, obj: Product, form: ModelForm, change: bool) -> None:
        """By the activity, which notes it."""
        if form.changed_data:
            retaining.set_rule(obj.package, obj.keep_versions, obj.keep_days, actor_of(request))

    @admin.display(description=_("name"), ordering="package__name")
    def name_code(self, product: Product) -> SafeString | str:
        """The name in the code font."""
        return code(product.package.name)

    @admin.display(description=_("project"), ordering="package__project__slug")
    def project(self, product: Product) -> str:
        """The tenant it belongs to."""
        return product.package.project.slug

    @admin.display(description=_("versions"), ordering="held")
    def versions_held(self, product: Any) -> int:
        """How many versions it lists."""
        return int(product.held)

    @admin.display(description=_("package"))
    def package_link(self, product: Product) -> SafeString:
        """The page of its package."""
        return link(reverse("admin:registry_package_change", args=[product.pk]), product.package.name)

    @admin.display(description=_("versions"))
    def versions_link(self, product: Product) -> SafeString:
        """The table of its versions, where they are pinned."""
        url = reverse("admin:registry_release_changelist") + f"?package__id__exact={product.pk}"
        return link(url, gettext("All its versions; pin there what must stay"))

    @admin.display(description=_("pinned"))
    def pinned(self, product: Product) -> str:
        """The versions that stay whatever the rule says."""
        pins = ReleasePin.objects.filter(release__package_id=product.pk, release__unlisted_at=None)
        return ", ".join(pins.order_by("pk").values_list("release__version", flat=True)[:SHOWN])

    @admin.display(description=_("would go now"))
    def would_go(self, product: Product) -> SafeString | str:
        """The dry run of tonight's round, by the rule as it is saved."""
        going = retaining.going(product)
        if not going:
            return gettext("Nothing: every version is kept by the rule or a pin.")
        rest = gettext("and %d more") % (len(going) - SHOWN) if len(going) > SHOWN else ""
        shown = format_html_join(", ", "<code>{}</code>", ((one.version,) for one in going[:SHOWN]))
        return format_html_join(" ", "{}", ((part,) for part in (shown, rest) if part))
