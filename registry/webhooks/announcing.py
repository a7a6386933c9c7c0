"""Announcing: an event becomes a message and one delivery for each webhook that asked, in the caller's transaction."""

import re
from collections.abc import Iterable
from datetime import UTC
from typing import Any
from urllib.parse import quote

import orjson
from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from accounts.models import Project
from registry import documents, tasks
from registry.models import Decision, Release
from registry.webhooks.events import EVENTS, TEST
from registry.webhooks.models import Delivery, Message, Webhook

JOB = "webhook"
ADDRESS = re.compile(r"[^@\s<>\"'(),;:]{1,64}@[^@\s<>\"'(),;:]{1,189}\.[A-Za-z]{2,}")
ARRIVALS = {Release.Origin.PUBLISHED: "release.published", Release.Origin.SUBMITTED: "release.submitted"}


def announce(
    event: str, data: dict[str, Any], project: Project | None, *, private: bool = True, also: Iterable[Project] = ()
) -> Message | None:
    """Tell the project's webhooks of the event, once the caller's transaction is committed; None if nobody listens.

    `data` is what `orjson` takes, without e-mail addresses or secrets. What is not private is told to the projects in
    `also` and to the instance's own webhooks, too. Call it before the audit event, which is the last lock to take.
    """
    if event not in EVENTS:
        raise ValueError(f"{event} is no event that webhooks know; see registry.webhooks.events")
    projects = {one.pk for one in (project, *(() if private else also)) if one is not None}
    listening = Q(project__in=projects) if private else Q(project__in=projects) | Q(project=None)
    hooks = [hook for hook in Webhook.objects.filter(listening, is_enabled=True) if event in hook.events]
    return send_to(hooks, event, data) if hooks else None


def send_to(hooks: Iterable[Webhook], event: str, data: dict[str, Any]) -> Message:
    """Write the message and queue it for these webhooks."""
    now = timezone.now()
    said = {"type": event, "timestamp": now.astimezone(UTC).isoformat().replace("+00:00", "Z"), "data": data}
    with transaction.atomic(savepoint=False):
        message = Message.objects.create(event=event, body=orjson.dumps(said).decode(), created_at=now)
        for hook in hooks:
            queue(Delivery.objects.create(message=message, webhook=hook))
    return message


def queue(delivery: Delivery) -> None:
    """Have a worker send it now."""
    tasks.enqueue(JOB, delivery.pk)


def announce_test(hook: Webhook) -> Message:
    """Send one webhook a message by which its receiver can be tried out."""
    return send_to([hook], TEST, {"message": "This is a test, sent from the page of the webhook."})


# --- what is said of a release -------------------------------------------------------------------------------------
def announce_arrival(release: Release) -> None:
    """Tell that a version came, by the way that it came."""
    announce_release(ARRIVALS.get(Release.Origin(release.origin), "release.synced"), release)


def announce_release(event: str, release: Release, **more: Any) -> None:
    """Tell the package's project what became of a version.

    Of a public one the project that asked for it and the instance's own webhooks are told, too.
    """
    package = release.package
    data = describe(release) | more
    announce(event, data, package.project, private=package.is_private, also=[release.project])


def announce_decision(decision: Decision, *, previous_status: str) -> None:
    """Tell of a decision over a version: what it was before, who decided (a person or policy, nobody by name), why."""
    announce_release(
        f"release.{decision.answer}",
        decision.release,
        previous_status=previous_status,
        decided_by="policy" if decision.by_id is None else "maintainer",
        override=decision.override,
        reason=without_addresses(decision.reason),
    )


def describe(release: Release) -> dict[str, Any]:
    """The version, without a word about people."""
    package = release.package
    name, version = quote(package.name, safe="@/"), quote(release.version, safe="")
    api = f"{documents.API_BASE}/packages/{quote(package.name, safe='@/')}/versions/{version}"
    page = f"/packages/{package.ecosystem}/{name}/versions/{version}"
    return {
        "package": {
            "ecosystem": package.ecosystem,
            "name": package.name,
            "visibility": package.visibility,
            "project": package.project.slug,
        },
        "version": release.version,
        "project": release.project.slug,
        "origin": release.origin,
        "status": release.status,
        "license": release.license,
        "sha256": release.sha256,
        "api_url": f"{settings.PUBLIC_URL}{api}?ecosystem={package.ecosystem}",
        "page_url": f"{settings.PUBLIC_URL}{page}",
    }


def without_addresses(text: str) -> str:
    """A reason that somebody typed, with e-mail addresses masked."""
    return ADDRESS.sub(lambda found: documents.mask_email(found[0]), text)
