"""Stored bytes in the admin: what is held back and why, and a way to have them read again at once."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.defaultfilters import filesizeformat
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from accounts.admin.tables import History, actor_of, chip, may_write, moment, shortened
from registry import scrubbing
from registry.models import Blob, Job

SHADES = {"ready": "approved", "deleting": "unlisted"}


@admin.register(Blob)
class BlobTable(History):
    """Stored bytes under their digest."""

    ordering = ("-id",)
    list_display = (
        "digest",
        "generation",
        "state_chip",
        "size_text",
        moment("touched_at", _("touched")),
        moment("verified_at", _("verified")),
    )
    list_filter = (
        "state", "damage", ("touched_at", admin.DateFieldListFilter), ("verified_at", admin.EmptyFieldListFilter),
    )  # fmt: skip
    search_fields = ("sha256",)
    search_help_text = _("The beginning of a digest, or any part of it.")
    date_hierarchy = "touched_at"
    actions = ("read_again",)
    fields = ("sha256", "generation", "state_chip", "mending", "size_text", "key", "touched_at", "verified_at")
    readonly_fields = ("state_chip", "mending", "size_text", "key")

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Having bytes read again, for admins."""
        return super().get_actions(request) if may_write(request) else {}

    @admin.action(description=_("Read again: hashed, and mended where damaged, as soon as a worker is free"))
    def read_again(self, request: HttpRequest, queryset: QuerySet[Blob]) -> None:
        """Queue the selected ones."""
        asked = sum(scrubbing.read_again(blob, actor_of(request)) for blob in queryset)
        text = ngettext("%d file is read again.", "%d files are read again.", asked) % asked
        self.message_user(request, text, messages.SUCCESS if asked else messages.WARNING)

    @admin.display(description=_("SHA-256"), ordering="sha256")
    def digest(self, blob: Blob) -> SafeString | str:
        """The digest, shortened."""
        return shortened(blob.sha256)

    @admin.display(description=_("state"), ordering="state")
    def state_chip(self, blob: Blob) -> SafeString:
        """The state on its colour, and what is damaged about it."""
        shown = chip(SHADES.get(blob.state, blob.state), blob.get_state_display())
        return format_html("{} {}", shown, blob.get_damage_display()) if blob.damage else shown

    @admin.display(description=_("mending"))
    def mending(self, blob: Blob) -> str:
        """What the last try to mend it met."""
        return Job.objects.filter(dedupe_key=f"mend:{blob.pk}").values_list("last_error", flat=True).first() or "–"

    @admin.display(description=_("size"), ordering="size")
    def size_text(self, blob: Blob) -> str:
        """The size in units."""
        return filesizeformat(blob.size)
