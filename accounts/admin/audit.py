"""The audit trail in the admin: to be searched, never to be written."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.db.models import QuerySet
from django.http import HttpRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from accounts import audit_export
from accounts.admin.tables import History, as_table, chip, code, moment, shortened
from accounts.models import AuditEvent, User


class NamedEvents(ChangeList):
    """A page of events, with the names of those who acted looked up in one query."""

    def get_results(self, request: HttpRequest) -> None:
        """Read the page, then hand every event the same table of names."""
        super().get_results(request)
        self.result_list = events = list(self.result_list)
        names = _names(events)
        for event in events:
            event.names = names


def _names(events: Sequence[AuditEvent]) -> dict[str, str]:
    """User names by pseudonym."""
    pseudonyms = {event.actor for event in events if _is_uuid(event.actor)}
    people = User.objects.filter(pseudonym__in=pseudonyms).values_list("pseudonym", "username")
    return {str(pseudonym): username for pseudonym, username in people}


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True


def _file(form: str, events: QuerySet[AuditEvent]) -> StreamingHttpResponse:
    """The events as a download that is written while it is read."""
    answer = StreamingHttpResponse(audit_export.lines(events, form), content_type=audit_export.MEDIA_TYPES[form])
    answer.headers["Content-Disposition"] = f'attachment; filename="audit.{form}"'
    answer.headers["Cache-Control"] = "no-store"
    return answer


@admin.register(AuditEvent)
class AuditEventTable(History):
    """Who did what, on what, when, from where. Names are looked up from pseudonyms, so erased people stay erased."""

    list_display = ("seq", moment("at", _("when")), "action_name", "object", "who", "outcome_chip", "address")
    list_display_links = ("seq",)
    list_filter = ("outcome", ("at", admin.DateFieldListFilter))
    search_fields = ("action", "object", "actor", "project")
    search_help_text = _("An action, an object, a project, or somebody's pseudonym or user name.")
    date_hierarchy = "at"
    actions = ("export_csv", "export_jsonl")
    readonly_fields = ("who", "outcome_chip", "details_table", "chain")
    fieldsets = (
        (
            None,
            {"fields": ("seq", "at", "action", "object", "who", "outcome_chip", "project", "address", "credential")},
        ),
        (_("Details"), {"fields": ("details_table",)}),
        (_("Chain"), {"fields": ("chain",)}),
    )

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[AuditEvent], search_term: str
    ) -> tuple[QuerySet[AuditEvent], bool]:
        """Also finds the events of a person by user name."""
        person = User.objects.filter(username=search_term.strip()).values_list("pseudonym", flat=True).first()
        if person:
            return queryset.filter(actor=str(person)), False
        return super().get_search_results(request, queryset, search_term)

    @admin.action(description=_("Export as CSV"))
    def export_csv(self, request: HttpRequest, events: QuerySet[AuditEvent]) -> HttpResponseBase:
        """What is chosen, for spreadsheets; “select all” chooses everything that the filters leave."""
        return _file("csv", events)

    @admin.action(description=_("Export as JSON lines"))
    def export_jsonl(self, request: HttpRequest, events: QuerySet[AuditEvent]) -> HttpResponseBase:
        """What is chosen, for machines, with the hashes."""
        return _file("jsonl", events)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        """The list that looks up names."""
        return NamedEvents

    @admin.display(description=_("who"), ordering="actor")
    def who(self, event: AuditEvent) -> SafeString | str:
        """The user name while there is one, else the pseudonym."""
        names = event.__dict__.get("names")
        return (names if names is not None else _names([event])).get(event.actor, event.actor)

    @admin.display(description=_("action"), ordering="action")
    def action_name(self, event: AuditEvent) -> SafeString | str:
        """The action in the code font."""
        return code(event.action)

    @admin.display(description=_("outcome"), ordering="outcome")
    def outcome_chip(self, event: AuditEvent) -> SafeString:
        """Done or refused."""
        return chip("done" if event.outcome == "done" else "deny", event.outcome)

    @admin.display(description=_("details"))
    def details_table(self, event: AuditEvent) -> SafeString | str:
        """What the event carries."""
        return as_table(event.details)

    @admin.display(description=_("hash"))
    def chain(self, event: AuditEvent) -> SafeString:
        """This link and the one before."""
        return format_html("{} → {}", shortened(event.previous_hash), shortened(event.hash))
