"""Jobs in the admin: what is still to do, what died and why, and a way to try again."""

from typing import Any

from django.contrib import admin, messages
from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from accounts import auditing
from accounts.admin.tables import History, actor_of, as_table, chip, code, may_write, moment
from registry import tasks
from registry.models import Job


@admin.register(Job)
class JobTable(History):
    """Slow things to do. Rows are the truth; the broker only wakes workers for them."""

    list_display = (
        "kind",
        "ref_code",
        "state_chip",
        "attempts",
        moment("due_at", _("due")),
        "error",
        moment("finished_at", _("finished")),
    )
    list_filter = ("state", "kind", ("due_at", admin.DateFieldListFilter))
    search_fields = ("kind", "ref", "dedupe_key", "last_error")
    search_help_text = _("A kind, what it is about, or words of the last error.")
    date_hierarchy = "created_at"
    ordering = ("-id",)
    actions = ("retry",)
    fieldsets = (
        (None, {"fields": ("kind", "ref_code", "state_chip", "attempts", "last_error", "payload_table")}),
        (
            _("When"),
            {"fields": (("created_at", "due_at", "finished_at"), ("lease_until", "lease_owner"), "dedupe_key")},
        ),
    )
    readonly_fields = ("ref_code", "state_chip", "payload_table")

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Trying again, for admins."""
        return super().get_actions(request) if may_write(request) else {}

    @admin.action(description=_("Run now: dead jobs once more, waiting ones before their time"))
    def retry(self, request: HttpRequest, queryset: QuerySet[Job]) -> None:
        """Open the selected ones again under their own keys; what runs or is done stays as it is."""
        is_free = Q(lease_until=None) | Q(lease_until__lt=timezone.now())
        idle = list(queryset.filter(is_free).exclude(state=Job.State.DONE))
        for job in idle:
            with transaction.atomic():
                tasks.enqueue(job.kind, job.ref, dedupe=job.dedupe_key, payload=job.payload)
                auditing.record("job.retried", f"job:{job.pk} {job.kind} {job.ref}", actor_of(request))
        text = ngettext("%d job runs again.", "%d jobs run again.", len(idle)) % len(idle)
        self.message_user(request, text, messages.SUCCESS if idle else messages.WARNING)

    @admin.display(description=_("about"), ordering="ref")
    def ref_code(self, job: Job) -> SafeString | str:
        """What it is about."""
        return code(job.ref)

    @admin.display(description=_("state"), ordering="state")
    def state_chip(self, job: Job) -> SafeString:
        """Done, dead, running, or waiting."""
        if job.state == Job.State.OPEN:
            running = job.lease_until is not None and job.lease_until > timezone.now()
            return chip("running", _("running")) if running else chip("pending", _("waiting"))
        return chip("approved", _("done")) if job.state == Job.State.DONE else chip("rejected", _("dead"))

    @admin.display(description=_("last error"))
    def error(self, job: Job) -> str:
        """The first words of the last error."""
        return job.last_error if len(job.last_error) <= 90 else f"{job.last_error[:90]}…"

    @admin.display(description=_("payload"))
    def payload_table(self, job: Job) -> SafeString | str:
        """What the job carries."""
        return as_table(job.payload)
