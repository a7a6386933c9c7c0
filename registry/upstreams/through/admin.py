"""Pulling through in the admin: what clients wait for, why it does not come, and a way to have it brought again."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from accounts.admin.tables import History, actor_of, chip, code, link, may_write, moment
from registry.upstreams.models import Errand, Shelf
from registry.upstreams.through import again

ERRAND_CHIPS = {"open": "running", "done": "passed", "failed": "failed"}
SHELF_CHIPS = {"new": "pending", "found": "passed", "absent": "skipped"}


class _Told(History):
    """Rows with what went wrong, and one action for admins."""

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """For admins."""
        return super().get_actions(request) if may_write(request) else {}

    @admin.display(description=_("last error"))
    def short_error(self, row: Errand | Shelf) -> str:
        """Its first words."""
        return row.error if len(row.error) <= 90 else f"{row.error[:90]}…"


@admin.register(Errand)
class ErrandTable(_Told):
    """Versions that clients asked for before they were here: under way, here, or failed and until when."""

    list_display = (
        "name_code", "version", "ecosystem", "upstream", "state_chip", "short_error", moment("opened_at", _("begun")),
        moment("again_at", _("again from")),
    )  # fmt: skip
    list_filter = ("state", "upstream", "ecosystem", ("opened_at", admin.DateFieldListFilter))
    list_select_related = ("upstream",)
    search_fields = ("name", "version", "code", "error")
    search_help_text = _("A name, a version, or words of the error.")
    ordering = ("-id",)
    actions = ("bring_again",)
    fields = ("upstream", ("ecosystem", "name", "version"), ("state_chip", "code"), "error", "release_link",
              ("opened_at", "again_at"))  # fmt: skip
    readonly_fields = ("state_chip", "release_link")

    @admin.action(description=_("Bring again what failed or lost its job"))
    def bring_again(self, request: HttpRequest, queryset: QuerySet[Errand]) -> None:
        """As if a client asked for it now."""
        count = again.bring(queryset, actor_of(request))
        text = ngettext("%d version is brought again.", "%d versions are brought again.", count) % count
        self.message_user(request, text, messages.SUCCESS if count else messages.WARNING)

    @admin.display(description=_("name"), ordering="name")
    def name_code(self, errand: Errand) -> SafeString | str:
        """In the code font."""
        return code(errand.name)

    @admin.display(description=_("state"), ordering="state")
    def state_chip(self, errand: Errand) -> SafeString:
        """On its colour."""
        return chip(ERRAND_CHIPS[errand.state], errand.get_state_display())

    @admin.display(description=_("release"))
    def release_link(self, errand: Errand) -> SafeString | str:
        """What came of it, linked to its review."""
        if errand.release_id is None:
            return "–"
        return link(reverse("admin:review", args=[errand.release_id]), f"{errand.name} {errand.version}")


@admin.register(Shelf)
class ShelfTable(_Told):
    """Names that clients asked upstreams about: what was said, when, and why one could not be asked."""

    list_display = (
        "name_code", "ecosystem", "upstream", "state_chip", "short_error", moment("fetched_at", _("answered")),
        moment("due_at", _("asked anew from")),
    )  # fmt: skip
    list_filter = ("state", "upstream", "ecosystem", ("error", admin.EmptyFieldListFilter))
    list_select_related = ("upstream",)
    search_fields = ("normalized", "error")
    search_help_text = _("A name, or words of the error.")
    ordering = ("-id",)
    actions = ("ask_again",)
    fields = ("upstream", ("ecosystem", "normalized"), "state_chip", "error", ("fetched_at", "due_at"),
              ("lease_until", "lease_owner"))  # fmt: skip
    readonly_fields = ("state_chip",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Shelf]:
        """Without what was said, which may be long."""
        return super().get_queryset(request).defer("body")

    @admin.action(description=_("Ask anew as soon as a client wants to know"))
    def ask_again(self, request: HttpRequest, queryset: QuerySet[Shelf]) -> None:
        """Without waiting for the answer to grow old, or for a fault to be over."""
        count = again.ask(queryset, actor_of(request))
        text = ngettext("%d name is asked for anew.", "%d names are asked for anew.", count) % count
        self.message_user(request, text, messages.SUCCESS if count else messages.WARNING)

    @admin.display(description=_("name"), ordering="normalized")
    def name_code(self, shelf: Shelf) -> SafeString | str:
        """In the code font."""
        return code(shelf.normalized)

    @admin.display(description=_("state"), ordering="state")
    def state_chip(self, shelf: Shelf) -> SafeString:
        """On its colour."""
        return chip(SHELF_CHIPS[shelf.state], shelf.get_state_display())
