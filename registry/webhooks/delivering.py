"""Delivering: each attempt signed anew over the same bytes, failures tried again over three days, at least once.

A worker that dies between sending and marking leaves the delivery to the next one, which sends it under the same id.
Nothing here runs inside a transaction while the network is asked.
"""

import random
import time
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from accounts import auditing, sealing
from accounts.actors import SYSTEM
from accounts.wording import storable
from registry import outgoing, tasks
from registry.errors import RegistryError
from registry.models import Job
from registry.webhooks import letters, signing
from registry.webhooks.announcing import JOB
from registry.webhooks.models import Delivery, Message, Webhook

PURPOSE = "registry.webhooks"
AGENT = "codesync-registry-webhooks"
# Seconds from one attempt to the next: the schedule that the specification proposes, ten attempts in three days.
DELAYS = (5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)
SPREAD = 0.2
SHORTEST_REST, LONGEST_REST = 60, 3_600
PATIENCE = timedelta(days=5)
LIMITS = outgoing.Limits(connect=3, read=10, total=15, size=64 * 1024)
KEPT_OF_ANSWER = 1_000
GONE = 410


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one attempt went; without a status nobody answered."""

    status: int | None
    answer: str
    error: str
    duration_ms: int

    @property
    def is_good(self) -> bool:
        """Whether the receiver took it."""
        return self.status is not None and 200 <= self.status < 300


@tasks.handles(JOB)
def deliver(job: Job) -> None:
    """Send what the job names, unless that is done, its webhook rests, or its time has not come."""
    found = Delivery.objects.select_related("message", "webhook").filter(pk=job.ref, state=Delivery.State.PENDING)
    delivery = found.first()
    if delivery is None:
        return
    hook = delivery.webhook
    if not hook.is_enabled:
        found.update(state=Delivery.State.FAILED, next_at=None, error="The webhook is switched off.")
        return
    if (wait := _too_early(delivery)) > 0:
        raise tasks.Later(wait)
    outcome = send(hook, delivery.message)
    if (again := _note(delivery, outcome)) is not None:
        raise tasks.Later(max((again - timezone.now()).total_seconds(), 0))


def _too_early(delivery: Delivery) -> float:
    """Seconds to wait. While nobody answers, one message tries for all, so that the others keep no worker waiting."""
    now, rests = timezone.now(), delivery.webhook.rests_until
    wait = ((delivery.next_at or now) - now).total_seconds()
    if rests is None or rests <= now:
        return wait
    return max(wait, (rests - now).total_seconds() * _jitter())


def send(hook: Webhook, message: Message) -> Outcome:
    """One attempt: a signed POST that follows no redirect, fifteen seconds at most."""
    began, status, text = time.monotonic(), None, ""
    try:
        with outgoing.opened(_request(hook, message)) as answer:
            status = answer.status
            text = _beginning(answer)
        error = "" if 200 <= status < 300 else f"The receiver answered {status}."
    except RegistryError as refusal:
        error = refusal.message
    return Outcome(status, text, error[:300], round((time.monotonic() - began) * 1000))


def _request(hook: Webhook, message: Message) -> outgoing.Request:
    body = message.body.encode()
    signed = signing.headers(message.pk, body, int(timezone.now().timestamp()), secrets_of(hook))
    headers = {"Content-Type": "application/json", "User-Agent": AGENT}
    return outgoing.Request(hook.url, "POST", body, headers, signed, allowance=allowance(hook), limits=LIMITS)


def allowance(hook: Webhook) -> outgoing.Allowance:
    """Plain http and addresses inside only where an admin has said so."""
    return outgoing.Allowance(http=hook.allows_private, private=hook.allows_private)


def secrets_of(hook: Webhook) -> list[str]:
    """The secret, and the one before it while both count."""
    secret = sealing.unseal(hook.secret, PURPOSE)
    if not secret:
        raise RegistryError("Another SECRET_KEY has closed this webhook's secret. Make a new one on its page.")
    is_both = hook.old_secret_until is not None and hook.old_secret_until > timezone.now()
    old = sealing.unseal(hook.old_secret, PURPOSE) if is_both else ""
    return [secret, old] if old else [secret]


def _beginning(answer: outgoing.Answer) -> str:
    """The first bytes of the answer as text; what is wrong with a body changes nothing about its status."""
    try:
        return storable(next(answer.pieces(), b"")[:KEPT_OF_ANSWER].decode("utf-8", "replace"), KEPT_OF_ANSWER)
    except RegistryError:
        return ""


# --- writing it down -----------------------------------------------------------------------------------------------
def _note(delivery: Delivery, outcome: Outcome) -> datetime | None:
    """Write how it went; returns when to try again, or None if that was that."""
    now, attempts = timezone.now(), delivery.attempts + 1
    again = None if outcome.is_good or outcome.status == GONE else _next(now, attempts)
    state = Delivery.State.PENDING if again else Delivery.State.FAILED
    fields = {"status": outcome.status, "answer": outcome.answer, "error": outcome.error}
    with transaction.atomic():
        open_row = Delivery.objects.filter(pk=delivery.pk, state=Delivery.State.PENDING)
        open_row.update(
            state=Delivery.State.DELIVERED if outcome.is_good else state,
            attempts=attempts,
            next_at=again,
            attempted_at=now,
            delivered_at=now if outcome.is_good else None,
            duration_ms=outcome.duration_ms,
            **fields,
        )
        _note_health(delivery.webhook_id, outcome, now)
    return again


def _next(now: datetime, attempts: int) -> datetime | None:
    return now + timedelta(seconds=DELAYS[attempts - 1] * _jitter()) if attempts <= len(DELAYS) else None


def _jitter() -> float:
    """So that what failed together does not come back together."""
    return 1 + random.uniform(0, SPREAD)  # noqa: S311  # no secret depends on it


def _note_health(webhook_id: int, outcome: Outcome, now: datetime) -> None:
    """What the attempt says about the webhook itself: well, failing, resting, or not to be asked any more."""
    hook = Webhook.objects.select_for_update(no_key=True).get(pk=webhook_id)
    if outcome.is_good:
        if hook.failing_since or hook.rests_until:
            Webhook.objects.filter(pk=hook.pk).update(failing_since=None, rests_until=None, strikes=0)
        return
    since = hook.failing_since or now
    strikes = hook.strikes + 1 if outcome.status is None else 0
    rest = min(SHORTEST_REST * 2 ** min(strikes - 1, 10), LONGEST_REST) if strikes else 0
    rests_until = now + timedelta(seconds=rest) if rest else None
    Webhook.objects.filter(pk=hook.pk).update(failing_since=since, strikes=strikes, rests_until=rests_until)
    if outcome.status == GONE:
        _switch_off(hook, "The receiver answered that it is gone for good (410).")
    elif now - since > PATIENCE:
        _switch_off(hook, f"Nothing was delivered for {PATIENCE.days} days. The last error: {outcome.error}")


def _switch_off(hook: Webhook, why: str) -> None:
    """Ask it no more, and tell those whose it is."""
    if not Webhook.objects.filter(pk=hook.pk, is_enabled=True).update(is_enabled=False, note=why[:300]):
        return
    letters.queue(hook)
    project = hook.project.slug if hook.project else ""
    auditing.record("webhook.switched_off", f"webhook:{hook.pk} {hook}", SYSTEM, details={"why": why}, project=project)
