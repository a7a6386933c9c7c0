"""Upstreams in the admin: admins set them up and start runs; everybody there sees what came of them."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, OuterRef, Q, QuerySet, Subquery, Sum
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from accounts.admin.tables import History, Table, actor_of, chip, code, link, may_write, moment
from accounts.errors import RegistryError
from registry.upstreams import reporting, syncing
from registry.upstreams.forms import UpstreamForm
from registry.upstreams.models import Offer, Pull, SyncRun, Upstream
from registry.upstreams.through import admin as through  # noqa: F401  # its tables register themselves

RUN_CHIPS = {
    "queued": "pending", "running": "running", "succeeded": "passed", "partial": "warned", "failed": "failed",
    "cancelled": "skipped",
}  # fmt: skip
OFFER_CHIPS = {"wanted": "pending", "held": "passed", "failed": "warned", "refused": "failed"}


def run_chip(state: str) -> SafeString:
    """The state of a run on its colour."""
    return chip(RUN_CHIPS[state], SyncRun.State(state).label)


def need_writer(request: HttpRequest) -> HttpResponse | None:
    """Refuse who may only look, and what is no POST."""
    if not may_write(request):
        raise PermissionDenied
    return None if request.method == "POST" else HttpResponseNotAllowed(["POST"])


@admin.register(Upstream)
class UpstreamTable(Table):
    """Where packages are pulled from. One that is not wanted any more is switched off, not removed."""

    form = UpstreamForm
    change_form_template = "admin/upstream.html"
    list_display = (
        "name", "kind", "place", "project", "enabled", "every_hours", moment("due_at", _("next")), "last_run", "held",
        "refused",
    )  # fmt: skip
    list_filter = ("kind", "enabled", "project")
    list_select_related = ("project",)
    search_fields = ("name", "base_url", "repository")
    search_help_text = _("A name, or a part of the address or the repository.")
    actions = ("sync_now",)
    fieldsets = (
        (None, {"fields": (("name", "enabled"), ("kind", "ecosystem"), ("base_url", "repository"), "allows_private")}),
        (_("Sign-in"), {"fields": (("login", "user_name"), "new_secret")}),
        (_("Packages"), {"fields": (("include", "exclude"), ("project", "visibility"), "needs_review")}),
        (_("Pull through"), {"fields": (("pulls_through", "pull_through_for"),)}),
        (_("Schedule and limits"), {"fields": ("every_hours", ("max_file_mb", "requests_per_second"))}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Upstream]:
        """With the last run, and how many files stand here or were refused."""
        last = Pull.objects.filter(upstream=OuterRef("pk")).order_by("-pk")
        held = Count("offers", filter=Q(offers__state=Offer.State.HELD))
        refused = Count("offers", filter=Q(offers__state__in=(Offer.State.REFUSED, Offer.State.FAILED)))
        found: QuerySet[Upstream] = super().get_queryset(request)
        return found.annotate(
            last_state=Subquery(last.values("state")[:1]), last_run_id=Subquery(last.values("run_id")[:1]),
            held_files=held, refused_files=refused,
        )  # fmt: skip

    def get_urls(self) -> list[URLPattern]:
        """The button, beside Django's own."""
        sync = self.admin_site.admin_view(self.sync)
        return [path("<path:object_id>/sync/", sync, name="upstreams_upstream_sync"), *super().get_urls()]

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Starting runs, for admins."""
        return super().get_actions(request) if may_write(request) else {}

    def sync(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Start a run at this upstream, and show it."""
        if (refusal := need_writer(request)) is not None:
            return refusal
        upstream = get_object_or_404(Upstream, pk=object_id)
        try:
            run = syncing.start(actor_of(request), upstream.name, is_full="full" in request.POST)
        except RegistryError as refused:
            self.message_user(request, refused.message, messages.ERROR)
            return HttpResponseRedirect(reverse("admin:upstreams_upstream_change", args=[object_id]))
        return HttpResponseRedirect(reverse("admin:upstreams_syncrun_change", args=[run.pk]))

    @admin.action(description=_("Sync now"))
    def sync_now(self, request: HttpRequest, queryset: QuerySet[Upstream]) -> None:
        """Start a run at each of them."""
        started = 0
        for upstream in queryset:
            try:
                syncing.start(actor_of(request), upstream.name)
                started += 1
            except RegistryError as refused:
                self.message_user(request, f"{upstream}: {refused.message}", messages.ERROR)
        if started:
            text = ngettext("%d run is queued.", "%d runs are queued.", started) % started
            self.message_user(request, text, messages.SUCCESS)

    @admin.display(description=_("address"), ordering="base_url")
    def place(self, upstream: Upstream) -> SafeString | str:
        """Where it is, and which repository there."""
        return code(" ".join(filter(None, (upstream.base_url, upstream.repository))))

    @admin.display(description=_("last run"))
    def last_run(self, upstream: Any) -> SafeString | str:
        """How it ended, linked."""
        if not upstream.last_run_id:
            return "–"
        return link(
            reverse("admin:upstreams_syncrun_change", args=[upstream.last_run_id]), run_chip(upstream.last_state)
        )

    @admin.display(description=_("files here"), ordering="held_files")
    def held(self, upstream: Any) -> int:
        """How many of its files stand here."""
        return upstream.held_files

    @admin.display(description=_("not taken"), ordering="refused_files")
    def refused(self, upstream: Any) -> SafeString | str:
        """How many failed or were refused, linked."""
        if not upstream.refused_files:
            return "–"
        address = reverse("admin:upstreams_offer_changelist")
        return link(f"{address}?upstream__id__exact={upstream.pk}&state__in=refused,failed", upstream.refused_files)


@admin.register(SyncRun)
class SyncRunTable(History):
    """What was asked for, how far it is, and what went wrong, package by package."""

    change_form_template = "admin/sync_run.html"
    list_display = (
        "short_id", "state_chip", "upstreams", "progress", "added", "failed", "asked_by",
        moment("created_at", _("asked")), moment("finished_at", _("ended")),
    )  # fmt: skip
    list_filter = ("state", "pulls__upstream")
    list_select_related = ("asked_by",)
    search_fields = ("id", "pulls__upstream__name")
    search_help_text = _("The id of a run, or the name of an upstream.")
    fieldsets = ((None, {"fields": (("asked_by", "is_full"), ("created_at", "started_at", "finished_at"))}),)

    def get_queryset(self, request: HttpRequest) -> QuerySet[SyncRun]:
        """With the sums of their parts."""
        found: QuerySet[SyncRun] = super().get_queryset(request)
        sums = {name: Sum(f"pulls__{name}") for name in ("total", "done", "added", "failed")}
        return found.annotate(**{f"all_{name}": one for name, one in sums.items()}).prefetch_related("pulls__upstream")

    def get_urls(self) -> list[URLPattern]:
        """The button, beside Django's own."""
        cancel = self.admin_site.admin_view(self.cancel)
        return [path("<path:object_id>/cancel/", cancel, name="upstreams_syncrun_cancel"), *super().get_urls()]

    def change_view(self, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any) -> HttpResponse:
        """The page of a run: its parts, and what was not taken."""
        run = self.get_object(request, object_id)
        extra: dict[str, Any] = {"may_write": may_write(request)}
        if run is not None:
            (told,) = reporting.tell(SyncRun.objects.filter(pk=run.pk), actor_of(request))
            extra |= {"told": told, "figures": told.as_dict(), "chip": run_chip(run.state), "run_is_over": run.is_over}
        kwargs["extra_context"] = {**(kwargs.get("extra_context") or {}), **extra}
        return super().change_view(request, object_id, *args, **kwargs)

    def cancel(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Stop the run."""
        if (refusal := need_writer(request)) is not None:
            return refusal
        run = get_object_or_404(SyncRun, pk=object_id)
        try:
            syncing.cancel(run, actor_of(request))
            self.message_user(request, gettext("The run is cancelled. What it has taken stays."), messages.SUCCESS)
        except RegistryError as refused:
            self.message_user(request, refused.message, messages.ERROR)
        return HttpResponseRedirect(reverse("admin:upstreams_syncrun_change", args=[object_id]))

    @admin.display(description=_("run"), ordering="id")
    def short_id(self, run: SyncRun) -> SafeString | str:
        """The beginning of its id."""
        return code(str(run.pk)[:8])

    @admin.display(description=_("state"), ordering="state")
    def state_chip(self, run: SyncRun) -> SafeString:
        """On its colour."""
        return run_chip(run.state)

    @admin.display(description=_("upstreams"))
    def upstreams(self, run: SyncRun) -> str:
        """Their names."""
        return ", ".join(pull.upstream.name for pull in run.pulls.all())

    @admin.display(description=_("done"))
    def progress(self, run: Any) -> str:
        """How many of how many files."""
        return f"{run.all_done or 0} / {run.all_total or 0}"

    @admin.display(description=_("added"), ordering="all_added")
    def added(self, run: Any) -> int:
        """How many files are new."""
        return run.all_added or 0

    @admin.display(description=_("failed"), ordering="all_failed")
    def failed(self, run: Any) -> int:
        """How many files were not taken."""
        return run.all_failed or 0


@admin.register(Offer)
class OfferTable(History):
    """Every file that an upstream was seen to have, and what became of it."""

    list_display = ("name", "version", "filename", "upstream", "state_chip", "error", moment("seen_at", _("seen")))
    list_filter = ("state", "upstream", "ecosystem")
    list_select_related = ("upstream",)
    search_fields = ("name", "version", "filename", "error")
    search_help_text = _("A name, a version, a file, or words of the error.")
    actions = ("take_again",)
    fieldsets = (
        (None, {"fields": ("upstream", ("ecosystem", "name", "version"), "filename", ("state_chip", "error"))}),
        (_("As the upstream says"), {"fields": ("locator", "size", "digests", "released_at", "deprecated", "yanked")}),
        (_("Here"), {"fields": ("sha256", "release", "seen_at")}),
    )
    readonly_fields = ("state_chip",)

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Trying again, for admins."""
        return super().get_actions(request) if may_write(request) else {}

    @admin.action(description=_("Let the next run try again what was refused"))
    def take_again(self, request: HttpRequest, queryset: QuerySet[Offer]) -> None:
        """Only what does not stand here; bytes that have changed stay refused."""
        count = syncing.forgive(queryset, actor_of(request))
        text = ngettext("The next run tries %d file again.", "The next run tries %d files again.", count) % count
        self.message_user(request, text, messages.SUCCESS if count else messages.WARNING)

    @admin.display(description=_("state"), ordering="state")
    def state_chip(self, offer: Offer) -> SafeString:
        """On its colour."""
        return chip(OFFER_CHIPS[offer.state], offer.get_state_display())
