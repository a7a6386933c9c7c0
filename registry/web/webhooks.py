"""The pages of webhooks: those of a project, and one with its settings and what it was told."""

from collections.abc import Callable

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST

from accounts import auditing
from accounts.actors import Actor
from accounts.models import Project
from accounts.web.doors import attempt, carry_out, person
from registry.errors import Forbidden
from registry.web.paging import Pager
from registry.web.webhook_forms import NewSecretForm, WebhookForm, WebhookSettingsForm
from registry.webhooks import managing
from registry.webhooks.models import Delivery, Webhook

PER_PAGE = 25


@sensitive_variables()
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def webhooks_page(request: HttpRequest, slug: str) -> HttpResponse:
    """A project's webhooks and the form for another one; the answer to the form is the only page with its secret."""
    user, _actor = person(request)
    project = get_object_or_404(Project, slug=slug, memberships__user=user)
    actor = _need_owner(request, project)
    form = WebhookForm(request.POST or None)
    made = (
        attempt(request, form, lambda: managing.add(project, actor, **form.cleaned_data)) if form.is_valid() else None
    )
    context = {
        "tab": "projects",
        "project": project,
        "hooks": list(Webhook.objects.filter(project=project)),
        "form": WebhookForm() if made else form,
        "made": made[0] if made else None,
        "secret": made[1] if made else "",
    }
    return render(request, "webhooks/list.html", context, status=400 if form.is_bound and made is None else 200)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def webhook_page(request: HttpRequest, webhook_id: int) -> HttpResponse:
    """What a webhook was told and how that went, and its settings."""
    hook, actor = _own(request, webhook_id)
    form = WebhookSettingsForm(request.POST or None, initial=_settings_of(hook))
    saved = (
        attempt(request, form, lambda: managing.change(hook, actor, **form.cleaned_data)) if form.is_valid() else None
    )
    if saved is not None:
        messages.success(request, _("The webhook is saved."))
        return redirect("webhook", webhook_id)
    return _show(request, hook, form)


@sensitive_variables()
@never_cache
@require_POST
def rotate(request: HttpRequest, webhook_id: int) -> HttpResponse:
    """Make a new secret; the answer is the only page that shows it."""
    hook, actor = _own(request, webhook_id)
    form = NewSecretForm(request.POST)
    secret = ""
    if form.is_valid():
        secret = attempt(request, form, lambda: managing.rotate(hook, actor, form.cleaned_data["overlap"])) or ""
    return _show(request, hook, WebhookSettingsForm(initial=_settings_of(hook)), secret, status=200 if secret else 400)


@require_POST
def remove(request: HttpRequest, webhook_id: int) -> HttpResponse:
    """Tell the receiver nothing any more."""
    hook, actor = _own(request, webhook_id)
    done = _("The webhook to %(host)s is removed.") % {"host": hook.host}
    carry_out(request, lambda: managing.remove(hook, actor), done)
    return redirect("webhooks", hook.project.slug if hook.project else "")


@require_POST
def send_test(request: HttpRequest, webhook_id: int) -> HttpResponse:
    """Send the receiver a test."""
    return _press(
        request, webhook_id, managing.send_test, _("A test is on its way. Reload the page to see how it went.")
    )


@require_POST
def send_again(request: HttpRequest, webhook_id: int, delivery_id: int) -> HttpResponse:
    """Send a message once more, under its own id."""
    found = Delivery.objects.select_related("webhook__project")

    def activity(hook: Webhook, actor: Actor) -> None:
        managing.send_again(get_object_or_404(found, pk=delivery_id, webhook=hook), actor)

    return _press(request, webhook_id, activity, _("It is sent again. Reload the page to see how it went."))


def _press(
    request: HttpRequest, webhook_id: int, activity: Callable[[Webhook, Actor], object], done: str
) -> HttpResponse:
    hook, actor = _own(request, webhook_id)
    carry_out(request, lambda: activity(hook, actor), done)
    return redirect("webhook", webhook_id)


def _own(request: HttpRequest, webhook_id: int) -> tuple[Webhook, Actor]:
    """A webhook of a project that the person owns; of projects of others it looks as if there were none."""
    user, _actor = person(request)
    hooks = Webhook.objects.select_related("project", "created_by")
    hook = get_object_or_404(hooks, pk=webhook_id, project__memberships__user=user)
    return hook, _need_owner(request, hook.project)


def _need_owner(request: HttpRequest, project: Project | None) -> Actor:
    """The actor, or Forbidden, which is noted where they came to write."""
    _user, actor = person(request)
    try:
        managing.need_owner(project, actor)
    except Forbidden as refusal:
        if request.method == "POST":
            auditing.refused("web.post", request.path, actor, refusal)
        raise
    return actor


def _settings_of(hook: Webhook) -> dict[str, object]:
    return {name: getattr(hook, name) for name in WebhookSettingsForm.base_fields}


def _show(
    request: HttpRequest, hook: Webhook, form: WebhookSettingsForm, secret: str = "", status: int = 0
) -> HttpResponse:
    hook.refresh_from_db()
    told = Delivery.objects.filter(webhook=hook).select_related("message")
    pager = Pager.of(request.GET, told.count(), PER_PAGE)
    context = {
        "tab": "projects",
        "hook": hook,
        "form": form,
        "secret": secret,
        "secret_form": NewSecretForm(),
        "deliveries": list(told[pager.offset : pager.offset + PER_PAGE]),
        "pager": pager,
    }
    return render(request, "webhooks/webhook.html", context, status=status or (400 if form.is_bound else 200))
