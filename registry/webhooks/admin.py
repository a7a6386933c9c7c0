"""Webhooks in the admin: those of every project and of the instance, and everything that they were told."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from accounts import sealing
from accounts.admin.tables import History, Table, actor_of, chip, code, may_write, moment
from accounts.errors import InvalidInput, RegistryError
from accounts.models import Project
from registry.webhooks import managing, signing
from registry.webhooks.delivering import PURPOSE
from registry.webhooks.events import EVENTS
from registry.webhooks.models import Delivery, Webhook

CHIPS = {"delivered": "passed", "failed": "failed", "pending": "pending"}


class WebhookForm(forms.ModelForm):
    """A webhook that may be visited: its address is looked at before anything goes there."""

    project = forms.ModelChoiceField(
        Project.objects.all(),
        label=_("Project"),
        required=False,
        empty_label=_("the whole instance"),
        help_text=_("Without one it hears of the public packages of every project, and of nothing private."),
    )
    events = forms.MultipleChoiceField(
        label=_("Events"), choices=list(EVENTS.items()), widget=forms.CheckboxSelectMultiple, initial=list(EVENTS)
    )

    def clean(self) -> dict[str, Any]:
        """Refuse an address that could never be visited, with the reason."""
        cleaned: dict[str, Any] = super().clean() or {}
        asked = Webhook(**{name: cleaned.get(name) for name in ("url", "events", "allows_private") if name in cleaned})
        try:
            managing.check(asked)
        except InvalidInput as refusal:
            field = next(iter(refusal.details), "url")
            if cleaned.get(field):
                raise ValidationError({field: refusal.message}) from refusal
        return cleaned


@admin.register(Webhook)
class WebhookTable(Table):
    """Who outside is told what. Admins make those of the instance, and say which may lead into private networks."""

    form = WebhookForm
    removable = True
    list_display = ("host_code", "description", "whose", "state_chip", "note", moment("created_at", _("added")))
    list_filter = ("is_enabled", "allows_private")
    list_select_related = ("project",)
    search_fields = ("url", "description", "project__slug", "note")
    search_help_text = _("A part of the address, a project, or words of the description.")
    actions = ("make_new_secret",)
    fieldsets = (
        (None, {"fields": ("project", "url", "description", "events")}),
        (_("State"), {"fields": (("is_enabled", "allows_private"), "state_chip", "note", "failing_since")}),
        (_("Added"), {"fields": (("created_by", "created_at", "old_secret_until"),)}),
    )
    readonly_fields = ("state_chip", "note", "failing_since", "created_by", "created_at", "old_secret_until")

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """New secrets, for admins."""
        return super().get_actions(request) if may_write(request) else {}

    def get_deleted_objects(
        self, objs: Any, request: HttpRequest
    ) -> tuple[list[Any], dict[Any, int], set[Any], list[Any]]:
        """What it was told goes with it, though nobody may remove that alone."""
        named, counts, lacking, protected = super().get_deleted_objects(objs, request)
        return named, counts, lacking - {self.admin_site.get_model_admin(Delivery).opts.verbose_name}, protected

    def save_model(self, request: HttpRequest, obj: Webhook, form: Any, change: bool) -> None:
        """A new one gets its secret, which the answer shows; one that is switched on again starts anew."""
        if not change:
            obj.created_by = actor_of(request).user
            raw = signing.new_secret()
            obj.secret = sealing.seal(raw, PURPOSE)
            request.new_webhook_secret = raw  # type: ignore[attr-defined]  # for response_add alone
        if {"is_enabled", "url"} & set(form.changed_data):
            for name, value in managing.WELL.items():
                setattr(obj, name, value)
        super().save_model(request, obj, form, change)

    def response_add(self, request: HttpRequest, obj: Webhook, post_url_continue: str | None = None) -> HttpResponse:
        """The only page that shows the secret."""
        return self._show_secret(request, obj, request.new_webhook_secret)  # type: ignore[attr-defined]  # set above

    @admin.action(description=_("Make a new secret; the old one signs, too, for 24 hours"))
    def make_new_secret(self, request: HttpRequest, queryset: QuerySet[Webhook]) -> HttpResponse | None:
        """Of one webhook, whose secret the answer shows."""
        chosen = list(queryset[:2])
        if len(chosen) != 1:
            self.message_user(request, _("Choose one webhook: its secret is shown once."), messages.ERROR)
            return None
        return self._show_secret(request, chosen[0], managing.rotate(chosen[0], actor_of(request)))

    def _show_secret(self, request: HttpRequest, hook: Webhook, secret: str) -> HttpResponse:
        context = {**self.admin_site.each_context(request), "title": _("The new secret"), "hook": hook}
        return TemplateResponse(request, "webhooks/admin_secret.html", {**context, "secret": secret})

    @admin.display(description=_("host"), ordering="url")
    def host_code(self, hook: Webhook) -> SafeString | str:
        """Where it leads, without the path, which may be a secret."""
        return code(hook.host)

    @admin.display(description=_("project"), ordering="project__slug")
    def whose(self, hook: Webhook) -> object:
        """The project, or the instance."""
        return hook.project.slug if hook.project else _("the whole instance")

    @admin.display(description=_("state"), ordering="failing_since")
    def state_chip(self, hook: Webhook) -> SafeString:
        """Off, failing or on."""
        if not hook.is_enabled:
            return chip("failed", _("switched off"))
        return chip("warned", _("failing")) if hook.failing_since else chip("passed", _("on"))


@admin.register(Delivery)
class DeliveryTable(History):
    """What webhooks were told, and how that went."""

    list_display = (
        "event", "message_code", "whose", "state_chip", "attempts", "status", "error",
        moment("attempted_at", _("last attempt")), moment("next_at", _("next")),
    )  # fmt: skip
    list_filter = ("state", "message__event")
    list_select_related = ("message", "webhook")
    search_fields = ("message__id", "message__event", "webhook__url", "error")
    search_help_text = _("A message’s id, an event, a part of the address, or words of the error.")
    actions = ("send_again",)
    fieldsets = (
        (None, {"fields": ("event", "message_code", "whose", "state_chip", "body")}),
        (_("Last answer"), {"fields": (("status", "duration_ms"), "error", "answer")}),
        (_("When"), {"fields": (("attempts", "attempted_at", "delivered_at", "next_at"),)}),
    )
    readonly_fields = ("event", "message_code", "whose", "state_chip", "body")

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Sending again, for admins."""
        return super().get_actions(request) if may_write(request) else {}

    @admin.action(description=_("Send again, under the same id"))
    def send_again(self, request: HttpRequest, queryset: QuerySet[Delivery]) -> None:
        """Queue each of them; those of webhooks that are switched off stay."""
        done = 0
        for one in queryset.select_related("webhook__project"):
            try:
                managing.send_again(one, actor_of(request))
                done += 1
            except RegistryError as error:
                self.message_user(request, f"{one.message_id}: {error.message}", messages.ERROR)
        if done:
            text = ngettext("%d message is sent again.", "%d messages are sent again.", done) % done
            self.message_user(request, text, messages.SUCCESS)

    @admin.display(description=_("event"), ordering="message__event")
    def event(self, delivery: Delivery) -> str:
        """What it tells."""
        return delivery.message.event

    @admin.display(description=_("message"))
    def message_code(self, delivery: Delivery) -> SafeString | str:
        """What `webhook-id` says."""
        return code(delivery.message_id)

    @admin.display(description=_("webhook"), ordering="webhook")
    def whose(self, delivery: Delivery) -> str:
        """Where it goes."""
        return delivery.webhook.host

    @admin.display(description=_("body"))
    def body(self, delivery: Delivery) -> SafeString | str:
        """What was sent."""
        return code(delivery.message.body)

    @admin.display(description=_("state"), ordering="state")
    def state_chip(self, delivery: Delivery) -> SafeString:
        """Pending, delivered or failed."""
        return chip(CHIPS[delivery.state], delivery.get_state_display())
