"""Managing webhooks: owners those of their project, admins all; at the portal only, since a token may be stolen."""

from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from accounts import auditing, rate_limiting, sealing
from accounts.actors import Actor
from accounts.models import Membership, Project
from accounts.wording import storable
from registry import outgoing
from registry.errors import Conflict, Forbidden, InvalidInput
from registry.webhooks import announcing, signing
from registry.webhooks.delivering import PURPOSE, allowance
from registry.webhooks.events import EVENTS
from registry.webhooks.models import Delivery, Message, Webhook

MOST = 20
OVERLAPS = (0, 24, 168)
BY_HAND = rate_limiting.Rate(60, 15 * 60)
WELL = {"note": "", "failing_since": None, "rests_until": None, "strikes": 0}


def add(
    project: Project | None, actor: Actor, *, url: str, events: list[str], description: str = ""
) -> tuple[Webhook, str]:
    """A new webhook and its secret, which is shown this once.

    Raises Forbidden, InvalidInput (an address that must not be visited, unknown events), Conflict (over 20).
    """
    need_owner(project, actor)
    hook = Webhook(project=project, url=url.strip(), description=storable(description.strip(), 120), events=events)
    hook.created_by = actor.user
    check(hook)
    secret = signing.new_secret()
    hook.secret = sealing.seal(secret, PURPOSE)
    with transaction.atomic():
        if project is not None:
            Project.objects.select_for_update(no_key=True).get(pk=project.pk)
        if Webhook.objects.filter(project=project).count() >= MOST:
            raise Conflict(f"A project has at most {MOST} webhooks. Remove one first.", code="too_many_webhooks")
        hook.save(force_insert=True)
        _record("added", hook, actor)
    return hook, secret


def change(hook: Webhook, actor: Actor, *, url: str, events: list[str], description: str, is_enabled: bool) -> Webhook:
    """Set what owners choose. To another address an admin's leave to go inside does not go along."""
    need_owner(hook.project, actor)
    with transaction.atomic():
        kept = Webhook.objects.select_for_update(no_key=True).get(pk=hook.pk)
        wanted: dict[str, Any] = {"url": url.strip(), "events": events, "is_enabled": is_enabled}
        wanted |= {"description": storable(description.strip(), 120)}
        if wanted["url"] != kept.url and not actor.is_admin:
            wanted["allows_private"] = False
        changed = sorted(name for name, value in wanted.items() if getattr(kept, name) != value)
        for name, value in wanted.items():
            setattr(kept, name, value)
        check(kept)
        if "url" in changed or (is_enabled and "is_enabled" in changed):
            wanted |= WELL
        Webhook.objects.filter(pk=kept.pk).update(**wanted)
        _record("changed", kept, actor, {"fields": changed})
    hook.refresh_from_db()
    return hook


def rotate(hook: Webhook, actor: Actor, overlap_hours: int = 24) -> str:
    """A new secret, shown this once; until the overlap ends, messages carry a signature by each of the two."""
    need_owner(hook.project, actor)
    if overlap_hours not in OVERLAPS:
        raise InvalidInput("The overlap is 0, 24 or 168 hours.", details={"overlap": ["0, 24 or 168"]})
    secret, until = signing.new_secret(), timezone.now() + timedelta(hours=overlap_hours)
    with transaction.atomic():
        kept = Webhook.objects.select_for_update(no_key=True).get(pk=hook.pk)
        Webhook.objects.filter(pk=kept.pk).update(
            secret=sealing.seal(secret, PURPOSE),
            old_secret=kept.secret if overlap_hours else "",
            old_secret_until=until if overlap_hours else None,
        )
        _record("secret_rotated", kept, actor, {"overlap_hours": overlap_hours})
    hook.refresh_from_db()
    return secret


def remove(hook: Webhook, actor: Actor) -> None:
    """Tell it nothing any more, and forget what it was told."""
    need_owner(hook.project, actor)
    with transaction.atomic():
        key = hook.pk
        hook.delete()
        hook.pk = key
        _record("removed", hook, actor)


def send_test(hook: Webhook, actor: Actor) -> Message:
    """Send it a message by which its receiver can be tried out; raises Conflict where it is switched off."""
    need_owner(hook.project, actor)
    _need_ready(hook)
    with transaction.atomic():
        message = announcing.announce_test(hook)
        _record("tested", hook, actor, {"message": message.pk})
    return message


def send_again(delivery: Delivery, actor: Actor) -> None:
    """Send a message once more, under the same id, so that a receiver which has it can tell."""
    hook = delivery.webhook
    need_owner(hook.project, actor)
    _need_ready(hook)
    with transaction.atomic():
        fresh = {"state": Delivery.State.PENDING, "attempts": 0, "next_at": timezone.now(), "error": ""}
        Delivery.objects.filter(pk=delivery.pk).update(**fresh)
        Webhook.objects.filter(pk=hook.pk).update(rests_until=None)
        announcing.queue(delivery)
        _record("sent_again", hook, actor, {"message": delivery.message_id})


def need_owner(project: Project | None, actor: Actor) -> None:
    """Raise Forbidden unless the actor may manage the webhooks of the project, or without one, of the instance."""
    if actor.is_system or (actor.kind == "session" and actor.is_admin):
        return
    owners = Membership.objects.filter(project=project, role=Membership.Role.OWNER, user=actor.user)
    if project is None or actor.kind != "session" or actor.user is None or not owners.exists():
        raise Forbidden("Only an owner of the project, signed in, may manage its webhooks.", code="not_an_owner")


def check(hook: Webhook) -> None:
    """Raise InvalidInput for an address that could never be visited, and for events that do not exist."""
    try:
        outgoing.check(hook.url, allowance(hook))
    except InvalidInput as refusal:
        raise InvalidInput(refusal.message, code=refusal.code, details={"url": [refusal.message]}) from refusal
    if not hook.events or not set(hook.events) <= set(EVENTS):
        raise InvalidInput("Choose at least one of the events that there are.", details={"events": ["unknown"]})


def _need_ready(hook: Webhook) -> None:
    """Raise Conflict where it is switched off, or where somebody presses the button to flood its receiver."""
    if not hook.is_enabled:
        raise Conflict("This webhook is switched off. Switch it on first.", code="webhook_off")
    if rate_limiting.hit(f"webhook:{hook.pk}", BY_HAND).is_exceeded:
        raise Conflict("That was much by hand. Wait a quarter of an hour.", code="too_often")


def _record(verb: str, hook: Webhook, actor: Actor, details: dict[str, Any] | None = None) -> None:
    """The audit event, which names the receiver's host and never the path: that may be a secret."""
    project = hook.project.slug if hook.project else ""
    auditing.record(f"webhook.{verb}", f"webhook:{hook.pk} {hook}", actor, details=details, project=project)
