"""Sold keys in the admin: found by their end or their whole value, suspended in bulk, with what they were used for."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from accounts.admin.tables import History, actor_of, as_table, chip, code, may_write, moment
from licensing import keys, minting
from licensing.models import LicenseKey
from registry.models import DownloadRecord

USES_SHOWN = 50


class StateFilter(admin.SimpleListFilter):
    """Whether the key opens something now."""

    title = _("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """Live, over, suspended."""
        return [("live", _("Live")), ("over", _("Expired")), ("suspended", _("Suspended"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[LicenseKey]) -> QuerySet[LicenseKey]:
        """The keys in the chosen state."""
        over = Q(valid_until__lte=timezone.now())
        match self.value():
            case "live":
                return queryset.filter(suspended=False).exclude(over)
            case "over":
                return queryset.filter(over, suspended=False)
            case "suspended":
                return queryset.filter(suspended=True)
        return queryset


@admin.register(LicenseKey)
class LicenseKeyTable(History):
    """Keys are made and changed over the API by their sellers; here they are looked after, and stopped."""

    list_display = (
        "name",
        "ending_code",
        "project_keys",
        "state",
        "limit",
        moment("created_at", _("since")),
        "used_on",
    )
    list_filter = (StateFilter, "constraint_type", ("used_on", admin.DateFieldListFilter))
    search_fields = ("name", "ending", "project__slug", "covered__package__name")
    search_help_text = _("The end of a key or all of it, its name, its project, a package.")
    date_hierarchy = "created_at"
    list_select_related = ("project",)
    actions = ("suspend", "resume")
    readonly_fields = ("ending_code", "key_code", "state", "limit", "packages", "meta_table", "uses")
    fieldsets = (
        (None, {"fields": ("name", "key_code", "project", "state", "limit", "packages")}),
        (_("Kept with it"), {"fields": ("meta_table",)}),
        (_("Use"), {"fields": ("created_at", "updated_at", "first_used_at", "used_on", "uses")}),
    )

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[LicenseKey], search_term: str
    ) -> tuple[QuerySet[LicenseKey], bool]:
        """Whoever has the whole key in hand finds it by its digest."""
        whole = search_term.strip()
        if minting.looks_like_key(whole):
            found = queryset.filter(digest__in=minting.digests(whole))
            if found.exists():
                return found, False
        return super().get_search_results(request, queryset, search_term)

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """For those who may use them."""
        return super().get_actions(request) if may_write(request) else {}

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """The key itself is for those who may manage it; others see its end."""
        first, *rest = self.fieldsets
        shown = [name for name in first[1]["fields"] if name != "key_code" or may_write(request)]
        if not may_write(request):
            shown.insert(1, "ending_code")
        return ((first[0], {"fields": tuple(shown)}), *rest)

    @admin.action(description=_("Suspend: open nothing, at once"))
    def suspend(self, request: HttpRequest, queryset: QuerySet[LicenseKey]) -> None:
        """Suspend the selected keys."""
        done = self._turn(request, queryset, suspended=True)
        text = ngettext("%d key opens nothing now.", "%d keys open nothing now.", done) % done
        self.message_user(request, text, messages.SUCCESS)

    @admin.action(description=_("Resume: open again what it was sold for"))
    def resume(self, request: HttpRequest, queryset: QuerySet[LicenseKey]) -> None:
        """Take the suspension of the selected keys back."""
        done = self._turn(request, queryset, suspended=False)
        text = ngettext("%d key works again.", "%d keys work again.", done) % done
        self.message_user(request, text, messages.SUCCESS)

    def _turn(self, request: HttpRequest, queryset: QuerySet[LicenseKey], *, suspended: bool) -> int:
        actor = actor_of(request)
        chosen = queryset.select_related("project")
        return sum(keys.suspend(key, actor, suspended=suspended) for key in chosen)

    @admin.display(description=_("ends with"), ordering="ending")
    def ending_code(self, key: LicenseKey) -> SafeString | str:
        """Its last characters."""
        return code(str(key))

    def get_list_display(self, request: HttpRequest) -> Any:
        """Admins come from here to the page of the project's keys, where they make one or many from a CSV."""
        shown = self.list_display
        return shown if may_write(request) else ["project" if name == "project_keys" else name for name in shown]

    @admin.display(description=_("project"), ordering="project")
    def project_keys(self, key: LicenseKey) -> SafeString:
        """Leads to the page of its keys."""
        page = reverse("license-keys", args=[key.project.slug])
        return format_html('<a href="{}">{}</a>', page, key.project)

    @admin.display(description=_("key"))
    def key_code(self, key: LicenseKey) -> SafeString | str:
        """Its value, unless another SECRET_KEY sealed it."""
        return code(minting.unseal(key.sealed) or str(key))

    @admin.display(description=_("state"))
    def state(self, key: LicenseKey) -> SafeString:
        """Live, expired or suspended."""
        if key.suspended:
            return chip("rejected", _("suspended"))
        is_over = key.valid_until is not None and key.valid_until <= timezone.now()
        return chip("unlisted", _("expired")) if is_over else chip("approved", _("live"))

    @admin.display(description=_("limit"))
    def limit(self, key: LicenseKey) -> Any:
        """Until when, or which versions."""
        if key.valid_until is not None:
            kept = _("%s, older versions for ever") if key.perpetual_fallback else _("until %s")
            return kept % f"{key.valid_until:%Y-%m-%d %H:%M} UTC"
        return code(key.version_range) or _("none")

    @admin.display(description=_("packages"))
    def packages(self, key: LicenseKey) -> SafeString:
        """What it was sold for."""
        return format_html_join(" ", "<code>{}</code>", ((name,) for name in key.package_names))

    @admin.display(description=_("meta"))
    def meta_table(self, key: LicenseKey) -> SafeString | str:
        """What its seller keeps with it."""
        return as_table(key.meta)

    @admin.display(description=_("downloads by version"))
    def uses(self, key: LicenseKey) -> SafeString | str:
        """The newest days on which it took something."""
        sold = [line.package_id for line in key.covered.all()]  # by which releases, and so records, are indexed
        records = DownloadRecord.objects.filter(release__package__in=sold, credential=f"license:{key.pk}")
        taken = records.order_by("-day", "-pk")
        rows = taken.values_list("day", "release__package__name", "release__version", "count")[:USES_SHOWN]
        lines = format_html_join("", "<tr><td>{}</td><td>{} {}</td><td>{}</td></tr>", rows)
        return (
            format_html('<table class="facts-table"><tbody>{}</tbody></table>', lines)
            if lines
            else gettext("none yet")
        )
