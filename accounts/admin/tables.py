"""What every table of the admin has in common: who may look, who may write, and that writing leaves a trace."""

import json
from collections.abc import Callable, Sequence
from datetime import UTC
from typing import Any, TypeGuard, cast

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.forms import BaseInlineFormSet
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from accounts import auditing
from accounts.actors import Actor
from accounts.middleware import AskedRequest
from accounts.models import Membership, User


def actor_of(request: HttpRequest) -> Actor:
    """Who acts, as the activities know them."""
    return cast(AskedRequest, request).actor


def may_look(request: HttpRequest) -> bool:
    """Whether the person may open the admin: maintainers and admins."""
    user = request.user
    return _may_act(user) and (user.is_maintainer or user.is_superuser)


def may_write(request: HttpRequest) -> bool:
    """Whether the person may change rows in the tables: admins."""
    user = request.user
    return _may_act(user) and (user.is_admin or user.is_superuser)


def _may_act(user: object) -> TypeGuard[User]:
    """Whether this is a person whose role counts now: not closed, and with the second factor that it asks for."""
    return isinstance(user, User) and user.is_active and not user.lacks_second_factor


class Table(admin.ModelAdmin):
    """A table that maintainers read and admins write. Rows are only removable where a table says so."""

    removable = False
    verbs_of_activities: frozenset[str] = frozenset()  # added, changed, removed: which of them leave their event
    noted_by_activities: Sequence[str] = ()  # labels of fields whose change leaves an event of its own
    list_per_page = 50
    show_full_result_count = False
    empty_value_display = "–"

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Maintainers see every table."""
        return may_look(request)

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Maintainers read."""
        return may_look(request)

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Admins write."""
        return may_write(request)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Admins write."""
        return may_write(request)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Most rows are evidence or tombstones and stay."""
        return self.removable and may_write(request)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The list, under the plain name of what it lists. An action that is not offered is a refused write."""
        asked = set(filter(None, request.POST.getlist("action")))
        if asked - self.get_actions(request).keys():
            raise PermissionDenied
        title = capfirst(self.opts.verbose_name_plural)
        return super().changelist_view(request, {"title": title, **(extra_context or {})})

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """The form, under the name of the row."""
        obj = kwargs.get("obj")
        if obj is not None:
            context |= {"title": self.name_of(obj), "subtitle": capfirst(self.opts.verbose_name)}
        return super().render_change_form(request, context, *args, **kwargs)

    def name_of(self, obj: Any) -> str:
        """What a row is called on its page."""
        return str(obj)

    def log_addition(self, request: HttpRequest, obj: Model, message: Any) -> Any:
        """Note the new row in the audit trail, too."""
        self._note("added", request, obj)
        return super().log_addition(request, obj, message)

    def log_change(self, request: HttpRequest, obj: Model, message: Any) -> Any:
        """Note the change in the audit trail, too, by the names of the fields and never by their values."""
        fields = [name for part in message if isinstance(part, dict) for name in _changed_fields(part)]
        others = [name for name in fields if name not in self.noted_by_activities]
        if others or not fields or _written_rows(request):
            self._note("changed", request, obj, {"fields": others} if others else None)
        return super().log_change(request, obj, message)

    def construct_change_message(self, request: HttpRequest, form: Any, formsets: Any, add: bool = False) -> Any:
        """Django's; and keeps which rows were added, changed and removed beside the one on the page."""
        vars(request)["written_rows"] = [row for formset in formsets or () for row in _rows_of(formset)]
        return super().construct_change_message(request, form, formsets, add)

    def log_deletions(self, request: HttpRequest, queryset: QuerySet[Model]) -> Any:
        """Note what is removed in the audit trail, too."""
        for obj in queryset:
            self._note("removed", request, obj)
        return super().log_deletions(request, queryset)

    def _note(self, verb: str, request: HttpRequest, obj: Model, details: dict[str, Any] | None = None) -> None:
        if verb in self.verbs_of_activities:
            return
        name = type(obj).__name__.lower()
        facts = _facts_of(obj)
        if rows := _written_rows(request):
            facts["rows"] = [
                {"did": did, "row": f"{type(row).__name__.lower()}:{row.pk}", **_facts_of(row)} for did, row in rows
            ]
        auditing.record(f"{name}.{verb}", _said_of(name, obj), actor_of(request), details={**facts, **(details or {})})


class History(Table):
    """A table of what happened: nobody adds, changes or removes rows by hand."""

    actions: Sequence[Callable[..., Any] | str] | None = None

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Rows come from the portal itself."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """What happened is not rewritten."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """What happened is not forgotten."""
        return False


class LabelledFormSet(BaseInlineFormSet):
    """Rows of a table of fields, where every field carries the label that stands in its column's head."""

    def add_fields(self, form: Any, index: int | None) -> None:
        """Django's fields, labelled for those who cannot see the head."""
        super().add_fields(form, index)
        for name, field in form.fields.items():
            widget = getattr(field.widget, "widget", field.widget)
            widget.attrs.setdefault("aria-label", field.label or capfirst(name))


class Lines(admin.TabularInline):
    """Rows that belong to the row on the page, without empty ones to fill."""

    extra = 0
    formset = LabelledFormSet


def _said_of(name: str, obj: Model) -> str:
    """What audit events call a row: people by their pseudonym, what they named by its number alone."""
    if isinstance(obj, User):
        return f"user:{obj.pseudonym}"
    is_ours = type(obj).__module__.startswith("accounts.")
    return f"{name}:{obj.pk}" if is_ours else f"{name}:{obj.pk} {obj}"


def _written_rows(request: HttpRequest) -> list[tuple[str, Model]]:
    """What the request did to rows beside the one on its page: a verb and the row."""
    rows: list[tuple[str, Model]] = vars(request).get("written_rows", [])
    return rows


def _rows_of(formset: Any) -> list[tuple[str, Model]]:
    changed = [obj for obj, _fields in formset.changed_objects]
    done = {"added": formset.new_objects, "changed": changed, "removed": formset.deleted_objects}
    return [(verb, obj) for verb, objects in done.items() for obj in objects]


def _facts_of(row: Model) -> dict[str, Any]:
    """What events say of a row that is about a person: their pseudonym, and their place and role in a project."""
    user = getattr(row, "user", None)
    facts = {"member": str(user.pseudonym)} if isinstance(user, User) else {}
    return facts | ({"project": row.project.slug, "role": row.role} if isinstance(row, Membership) else {})


def _changed_fields(part: dict[str, Any]) -> list[str]:
    return list(part.get("changed", {}).get("fields", []))


# --- how values look -----------------------------------------------------------------------------------------------
def chip(value: str, label: object = "") -> SafeString:
    """A status word on its colour, as everywhere in the portal."""
    return format_html('<span class="chip chip--{}">{}</span>', value, label or value.replace("_", " "))


def code(text: object) -> SafeString | str:
    """A name, version, key or digest in the code font."""
    return format_html("<code>{}</code>", text) if text else ""


def moment(field: str, label: Any) -> Callable[[Any], SafeString | str]:
    """A column of times: to the minute, in UTC, to the second on hover."""

    @admin.display(description=label, ordering=field)
    def column(row: Any) -> SafeString | str:
        at = getattr(row, field)
        if at is None:
            return "–"
        at = at.astimezone(UTC)
        exact, short = at.strftime("%Y-%m-%d %H:%M:%S"), at.strftime("%Y-%m-%d %H:%M")
        return format_html('<time datetime="{}" title="{} UTC">{}</time>', at.isoformat(), exact, short)

    column.__name__ = field
    return column


def shortened(digest: str, keep: int = 12) -> SafeString | str:
    """A digest cut in the middle, whole on hover."""
    if len(digest) <= 2 * keep:
        return code(digest)
    return format_html('<code title="{}">{}…{}</code>', digest, digest[:keep], digest[-4:])


def link(url: str, text: object) -> SafeString:
    """A link, escaped."""
    return format_html('<a href="{}">{}</a>', url, text)


def as_table(value: Any) -> SafeString | str:
    """JSON as a table, or a list, or its text: never as raw JSON."""
    if value in (None, "", [], {}):
        return _("nothing")
    if isinstance(value, dict):
        rows = format_html_join("", "<tr><th>{}</th><td>{}</td></tr>", ((k, as_table(v)) for k, v in value.items()))
        return format_html('<table class="facts-table"><tbody>{}</tbody></table>', rows)
    if isinstance(value, list):
        if all(isinstance(item, dict) for item in value):
            return _rows(value)
        return format_html("<ul>{}</ul>", format_html_join("", "<li>{}</li>", ((as_table(item),) for item in value)))
    return value if isinstance(value, str) else json.dumps(value)


def _rows(items: list[dict[str, Any]]) -> SafeString:
    """A list of alike mappings as one table with their keys as columns."""
    columns = list(dict.fromkeys(key for item in items for key in item))
    head = format_html_join("", "<th>{}</th>", ((column,) for column in columns))
    body = format_html_join(
        "",
        "<tr>{}</tr>",
        (
            (format_html_join("", "<td>{}</td>", ((as_table(item.get(column, "")),) for column in columns)),)
            for item in items
        ),
    )
    return format_html('<table class="facts-table"><thead><tr>{}</tr></thead><tbody>{}</tbody></table>', head, body)
