"""Regions in the admin: everybody there sees how they stand, admins set them up, pause, resume, verify and rebuild."""

from collections.abc import Callable
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.actors import Actor
from accounts.admin.tables import History, Table, actor_of, as_table, chip, code, link, may_write, moment
from accounts.errors import RegistryError
from registry.mirrors import regions, standing
from registry.mirrors.forms import MirrorForm
from registry.mirrors.models import Debt, Mirror, Replica
from registry.mirrors.standing import Fault, Region, Status

CHIPS = {Status.HEALTHY: "passed", Status.DEGRADED: "warned", Status.DOWN: "failed"}
WORDS = {
    Fault.NONE: _("healthy"),
    Fault.UNREACHABLE: _("does not answer"),
    Fault.LOST: _("nobody looks: no worker"),
    Fault.SILENT: _("not looked at lately"),
    Fault.PAUSED: _("paused"),
    Fault.FAILING: _("some packages fail"),
    Fault.RETURNED: _("back, and catching up"),
    Fault.LATE: _("late"),
}
STATES = {"present": "passed", "pending": "pending", "removed": "skipped", "failed": "failed"}
DRIFT = {
    "checked": _("looked at"), "missing": _("missing"), "corrupt": _("corrupt"), "extra": _("too much"),
    "mended": _("mended"),
}  # fmt: skip
Verb = Callable[[Mirror, Actor], None]
VERBS: dict[str, tuple[Verb, Any]] = {
    "pause": (regions.pause, _("%s is paused: it keeps what it holds and receives nothing.")),
    "resume": (regions.resume, _("%s goes on: it catches up now.")),
    "verify": (regions.verify, _("%s is compared in full: every file is read back and hashed, and drift is mended.")),
    "rebuild": (regions.rebuild, _("%s is rebuilt: everything that should stand there is copied again.")),
}


PROBED, ANSWERED = moment("probed_at", _("probed")), moment("answered_at", _("answered"))
SUCCEEDED, COMPARED = moment("last_success_at", _("last success")), moment("compared_at", _("compared"))


@admin.register(Mirror)
class MirrorTable(Table):
    """The regions that receive what is approved. One that is not wanted any more is switched off, not removed."""

    form = MirrorForm
    change_form_template = "admin/region.html"
    list_display = (
        "region_code", "city", "country", "state_chip", "lag", "pending", "failing",
        SUCCEEDED, "drift_short",
    )  # fmt: skip
    list_filter = ("enabled", "country")
    search_fields = ("region", "name", "city", "country", "storage_url", "last_error", "probe_error")
    search_help_text = _("A region, a city, a country, a part of its storage, or words of an error.")
    actions = ("pause", "resume", "verify", "rebuild")
    fieldsets: ClassVar[Any] = (
        (None, {"fields": (("region", "name"), ("city", "country"), ("latitude", "longitude"), "public_url")}),
        (_("Storage"), {"fields": ("storage_url", ("access_key", "new_secret"))}),
        (_("Sync"), {"fields": ("enabled", ("window_opens", "window_closes"))}),
        (_("State"), {"fields": (
            "state_chip", ("lag", "pending", "failing"), "latency", (PROBED, ANSWERED), "probe_problem",
            SUCCEEDED, "problem", ("debts_link", "replicas_link"),
        )}),
        (_("Last full comparison"), {"fields": (COMPARED, "drift_table")}),
    )  # fmt: skip
    readonly_fields: ClassVar[Any] = (
        "state_chip", "lag", "pending", "failing", "latency", PROBED, ANSWERED, "probe_problem", SUCCEEDED, "problem",
        "debts_link", "replicas_link", COMPARED, "drift_table",
    )  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> QuerySet[Mirror]:
        """With what tells how each of them stands."""
        return standing.measured(super().get_queryset(request))

    def get_fieldsets(self, request: HttpRequest, obj: Mirror | None = None) -> Any:
        """A new region has no state yet."""
        return self.fieldsets if obj else self.fieldsets[:3]

    def get_urls(self) -> list[URLPattern]:
        """The verbs, beside Django's own."""
        act = self.admin_site.admin_view(self.act)
        return [path("<path:object_id>/do/<slug:verb>/", act, name="mirrors_mirror_do"), *super().get_urls()]

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """The verbs are for admins."""
        return super().get_actions(request) if may_write(request) else {}

    def save_model(self, request: HttpRequest, obj: Mirror, form: Any, change: bool) -> None:
        """A region that has moved is rebuilt in its new storage; what stood in the old one stays there."""
        with transaction.atomic():
            super().save_model(request, obj, form, change)
            if change and "storage_url" in form.changed_data:
                regions.rebuild(obj, actor_of(request))

    # --- verbs -----------------------------------------------------------------------------------------------------
    def act(self, request: HttpRequest, object_id: str, verb: str) -> HttpResponse:
        """One verb on one region, by a button of its page."""
        if not may_write(request):
            raise PermissionDenied
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if verb not in VERBS or not object_id.isdecimal():
            raise Http404
        self._do(request, verb, [get_object_or_404(Mirror, pk=object_id)])
        return HttpResponseRedirect(reverse("admin:mirrors_mirror_change", args=[object_id]))

    def _do(self, request: HttpRequest, verb: str, mirrors: list[Mirror]) -> None:
        act, done = VERBS[verb]
        for mirror in mirrors:
            try:
                act(mirror, actor_of(request))
            except RegistryError as refusal:
                self.message_user(request, f"{mirror}: {refusal.message}", messages.ERROR)
            else:
                self.message_user(request, done % mirror, messages.SUCCESS)

    @admin.action(description=_("Pause"))
    def pause(self, request: HttpRequest, queryset: QuerySet[Mirror]) -> None:
        """Let them receive nothing."""
        self._do(request, "pause", list(queryset))

    @admin.action(description=_("Resume"))
    def resume(self, request: HttpRequest, queryset: QuerySet[Mirror]) -> None:
        """Let them catch up."""
        self._do(request, "resume", list(queryset))

    @admin.action(description=_("Verify: read back and hash every file"))
    def verify(self, request: HttpRequest, queryset: QuerySet[Mirror]) -> None:
        """Compare them in full."""
        self._do(request, "verify", list(queryset))

    @admin.action(description=_("Rebuild: copy everything again"))
    def rebuild(self, request: HttpRequest, queryset: QuerySet[Mirror]) -> None:
        """Begin from nothing."""
        self._do(request, "rebuild", list(queryset))

    # --- columns ---------------------------------------------------------------------------------------------------
    @admin.display(description=_("region"), ordering="region")
    def region_code(self, mirror: Mirror) -> SafeString | str:
        """Its short name."""
        return code(mirror.region)

    @admin.display(description=_("state"))
    def state_chip(self, mirror: Mirror) -> SafeString:
        """Off, or as the status page has it, with the reason."""
        if not mirror.enabled:
            return chip("skipped", _("switched off"))
        region = _stands(mirror)
        return chip(CHIPS[region.status], WORDS[region.fault])

    @admin.display(description=_("behind by"))
    def lag(self, mirror: Mirror) -> str:
        """The age of the oldest change that is not there."""
        return gettext("%d s") % _stands(mirror).lag_seconds

    @admin.display(description=_("waiting"))
    def pending(self, mirror: Mirror) -> int:
        """Packages that are yet to be brought there."""
        return _stands(mirror).pending

    @admin.display(description=_("failing"))
    def failing(self, mirror: Mirror) -> int:
        """Packages that could not be brought there, and are tried again."""
        return _stands(mirror).failed_packages

    @admin.display(description=_("answers in"))
    def latency(self, mirror: Mirror) -> str:
        """The last probes."""
        found = _stands(mirror).latency
        if found.last is None:
            return gettext("never yet")
        return f"{found.last} ms (p50 {found.p50}, p95 {found.p95})"

    @admin.display(description=_("drift"))
    def drift_short(self, mirror: Mirror) -> str:
        """What the last full comparison found, in a word."""
        if mirror.compared_at is None:
            return "–"
        return str(sum(mirror.drift.get(kind, 0) for kind in ("missing", "corrupt", "extra")))

    @admin.display(description=_("drift"))
    def drift_table(self, mirror: Mirror) -> SafeString | str:
        """What the last full comparison found."""
        return as_table({str(said): mirror.drift[kind] for kind, said in DRIFT.items() if kind in mirror.drift})

    @admin.display(description=_("last probe met"))
    def probe_problem(self, mirror: Mirror) -> str:
        """Why the region did not answer."""
        return mirror.probe_error or "–"

    @admin.display(description=_("last error"))
    def problem(self, mirror: Mirror) -> str:
        """Why it failed as a whole."""
        return mirror.last_error or "–"

    @admin.display(description=_("packages that fail"))
    def debts_link(self, mirror: Mirror) -> SafeString:
        """Each with its error and the next try."""
        return link(reverse("admin:mirrors_debt_changelist") + f"?mirror__id__exact={mirror.pk}", _("Show them"))

    @admin.display(description=_("files that stand there"))
    def replicas_link(self, mirror: Mirror) -> SafeString:
        """As this portal believes."""
        return link(reverse("admin:mirrors_replica_changelist") + f"?mirror__id__exact={mirror.pk}", _("Show them"))


def _stands(mirror: Mirror) -> Region:
    return standing.judge(mirror, timezone.now())


@admin.register(Debt)
class DebtTable(History):
    """Packages that could not be brought to a region: what went wrong, and when it is tried again."""

    list_display = (
        "named",
        "mirror",
        moment("since", _("since")),
        "attempts",
        "last_error",
        moment("due_at", _("next try")),
    )
    list_filter = ("mirror",)
    list_select_related = ("mirror", "package")
    search_fields = ("package__name", "last_error")
    search_help_text = _("A package, or words of the error.")
    ordering = ("due_at",)
    fields = ("named", "mirror", "since", "attempts", "due_at", "last_error")
    readonly_fields = ("named",)

    @admin.display(description=_("package"), ordering="package__name")
    def named(self, debt: Debt) -> SafeString:
        """Ecosystem and name."""
        return format_html("{} <code>{}</code>", debt.package.ecosystem, debt.package.name)


@admin.register(Replica)
class ReplicaTable(History):
    """Files on regions, as this portal believes them to stand; a full comparison looks."""

    list_display = ("filename", "mirror", "state_chip", moment("written_at", _("written")), "last_error")
    list_filter = ("mirror", "state")
    list_select_related = ("mirror", "artifact")
    search_fields = ("artifact__filename", "=artifact__sha256")
    search_help_text = _("A part of the file's name, or its whole SHA-256.")
    fields = ("filename", "sha256", "mirror", "state_chip", "attempts", "written_at", "last_error")
    readonly_fields = ("filename", "sha256", "state_chip")

    @admin.display(description=_("file"), ordering="artifact__filename")
    def filename(self, replica: Replica) -> SafeString | str:
        """Its name."""
        return code(replica.artifact.filename)

    @admin.display(description="SHA-256")
    def sha256(self, replica: Replica) -> SafeString | str:
        """Its digest, which is its place there."""
        return code(replica.artifact.sha256)

    @admin.display(description=_("state"), ordering="state")
    def state_chip(self, replica: Replica) -> SafeString:
        """Present, pending, removed or failed."""
        return chip(STATES[replica.state], replica.get_state_display())
