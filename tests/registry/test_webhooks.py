"""Webhooks: told what they asked for, signed so that anybody can check it, at least once, and never led astray."""

import json
import os
import signal
import subprocess
import time
from datetime import timedelta
from pathlib import Path

import pytest
import time_machine
from django.core import mail
from django.db import connection, transaction
from django.utils import timezone

from accounts import sealing
from accounts.models import AuditEvent
from registry import approving, outgoing, retiring, tasks
from registry.errors import Conflict, Forbidden, InvalidInput
from registry.models import Job
from registry.webhooks import announcing, delivering, history, managing, signing
from registry.webhooks.events import EVENTS
from registry.webhooks.models import Delivery, Message, Webhook
from tests import builders, tools
from tests.builders import actor
from tests.registry.receiver import receiver

pytestmark = pytest.mark.django_db
KEY = {"id": "7f1c", "suspended": True}


def hook_to(url: str, project, *events: str, secret: str = "whsec_" + "A" * 43 + "=", **more) -> Webhook:
    """A webhook to a receiver of the tests, inside by an admin's leave."""
    sealed = sealing.seal(secret, delivering.PURPOSE)
    said = {"project": project, "url": url, "events": list(events or EVENTS), "allows_private": True}
    return Webhook.objects.create(**{**said, "secret": sealed, **more})


def fresh(row):
    row.refresh_from_db()
    return row


def only() -> Delivery:
    return Delivery.objects.select_related("message", "webhook").get()


@pytest.fixture
def clock():
    """A clock that runs, and that the test can put forward."""
    with time_machine.travel(timezone.now(), tick=True) as traveller:
        yield traveller


# --- what is told, to whom ----------------------------------------------------------------------------------------
def test_the_life_of_a_version_is_told_step_by_step(publish, alice, bob, root, acme):
    with receiver() as server:
        hook, secret = managing.add(acme, actor(root), url="https://x.example/", events=list(EVENTS))
        Webhook.objects.filter(pk=hook.pk).update(url=server.url, allows_private=True)
        made = publish()
        approving.quarantine(made, actor(bob), reason="Ask alice@example.com about bob’s find.")
        approving.approve(made, actor(bob), reason="It was nothing.")
        retiring.unlist(made, actor(root))
        retiring.restore(made, actor(root))
        asked = builders.submitted(alice, "right-pad")
        tasks.drain()
        approving.reject(asked, actor(bob), reason="Not needed.")
        tasks.drain()
    told = sorted(server.heard, key=lambda one: one.said["timestamp"])
    assert [one.said["type"].partition(".")[2] for one in told] == [
        "published", "approved", "quarantined", "approved", "unlisted", "restored", "submitted", "rejected",
    ]  # fmt: skip
    assert all(one.is_signed_with(secret) and one.age < 60 for one in told)
    first, quarantined, back = told[0].said["data"], told[2].said["data"], told[3].said["data"]
    assert first["package"] == {"ecosystem": "npm", "name": "left-pad", "visibility": "public", "project": "acme"}
    assert (first["version"], first["status"], first["sha256"]) == ("1.0.0", "pending", made.sha256)
    assert quarantined["reason"] == "Ask a***@example.com about bob’s find."
    assert (back["previous_status"], back["status"], back["decided_by"]) == ("quarantined", "approved", "maintainer")
    assert not any(name in one.body.decode() for one in told for name in ("alice@", "example.com/", "by_name"))


def test_private_things_are_told_to_their_own_project_alone(cast):
    with receiver() as own, receiver() as other, receiver() as instance:
        for server, project in ((own, cast.acme), (other, cast.elsewhere), (instance, None)):
            hook_to(server.url, project)
        mine = builders.package(cast.acme, "@acme/secret", visibility="private")
        everyones = builders.package(cast.acme, "left-pad")
        for package in (mine, everyones):
            announcing.announce_arrival(builders.release(package, status="pending"))
        announcing.announce_arrival(builders.release(everyones, "2.0.0", project=cast.elsewhere, origin="submitted"))
        announcing.announce("license_key.suspended", KEY, cast.acme)
        tasks.drain()
    assert sorted(own.events) == [
        "license_key.suspended", "release.published", "release.published", "release.submitted",
    ]  # fmt: skip
    assert other.events == ["release.submitted"]
    assert sorted(instance.events) == ["release.published", "release.submitted"]
    assert "@acme/secret" not in str([one.body for one in other.heard + instance.heard])


def test_only_what_was_asked_for_is_told_and_nothing_that_did_not_happen(acme):
    hook_to("https://x.example/", acme, "license_key.created")
    hook_to("https://x.example/", acme, is_enabled=False)
    assert announcing.announce("license_key.suspended", KEY, acme) is None
    with transaction.atomic():
        assert announcing.announce("license_key.created", KEY, acme)
        transaction.set_rollback(True)
    assert not Message.objects.exists()
    with pytest.raises(ValueError, match="no event"):
        announcing.announce("license_key.sneezed", KEY, acme)


# --- signatures ----------------------------------------------------------------------------------------------------
def test_both_secrets_sign_while_they_overlap_and_then_the_new_one_alone(acme, alice, clock):
    with receiver() as server:
        old = "whsec_" + "B" * 43 + "="
        hook = hook_to(server.url, acme, secret=old)
        new = managing.rotate(hook, actor(alice), 24)
        announcing.announce_test(hook)
        tasks.drain()
        clock.shift(timedelta(hours=25))
        announcing.announce_test(fresh(hook))
        tasks.drain()
    during, after = server.heard
    assert (during.is_signed_with(old), during.is_signed_with(new)) == (True, True)
    assert (after.is_signed_with(old), after.is_signed_with(new)) == (False, True)
    assert new not in str(list(Webhook.objects.values()))


def test_a_secret_that_another_key_has_closed_sends_nothing_and_says_so(acme, settings):
    with receiver() as server:
        hook = hook_to(server.url, acme)
        settings.SECRET_KEY = "another secret key, which the operator did not mean to set"
        announcing.announce_test(hook)
        tasks.drain()
    assert server.heard == []
    assert "Make a new one" in only().error


def readme(language: str) -> str:
    """What the README gives to receivers in that language."""
    text = (Path(__file__).parents[2] / "README.md").read_text()
    return text[text.index("**Webhooks.**") :].partition(f"```{language}\n")[2].partition("```")[0]


@pytest.mark.once
@pytest.mark.parametrize("language", ["python", "js"])
def test_what_the_readme_gives_to_receivers_tells_genuine_messages_from_others(language):
    secret, body, now = signing.new_secret(), b'{"type": "x"}', int(time.time())
    headers = signing.headers("msg_1", body, now, [signing.new_secret(), secret])
    stale = signing.headers("msg_1", body, now - 301, [secret])
    cases = [(headers, body), (headers, body + b" "), ({**headers, "webhook-id": "msg_2"}, body), (stale, body)]
    if language == "python":
        room: dict = {}
        exec(readme(language), room)
        answers = [room["is_genuine"](secret, *case) for case in cases]
    else:
        asked = [[headers, body.decode()] for headers, body in cases]
        ask = f"console.log(JSON.stringify({json.dumps(asked)}.map((one) => isGenuine({json.dumps(secret)}, ...one))))"
        said = subprocess.run([tools.need("node"), "-e", readme(language) + ask], capture_output=True, check=True)
        answers = json.loads(said.stdout)
    assert answers == [True, False, False, False]


# --- trying again --------------------------------------------------------------------------------------------------
def test_a_failing_receiver_is_asked_ten_times_in_three_days_and_knows_the_message_again(acme, clock):
    with receiver(500, body=b"\x00no " * 9_999) as server:
        hook = hook_to(server.url, acme)
        announcing.announce_test(hook)
        began, waits = timezone.now(), []
        while only().state == "pending":
            assert tasks.drain() == 1
            if (again := only().next_at) is not None:
                waits.append((again - only().attempted_at).total_seconds())
                clock.shift(again - timezone.now() + timedelta(seconds=1))
    assert len(server.heard) == 10
    assert all(delay <= wait <= delay * 1.2 for delay, wait in zip(delivering.DELAYS, waits, strict=True))
    assert timedelta(days=3) < timezone.now() - began < timedelta(days=4)
    assert {(one.id, one.body) for one in server.heard} == {(only().message_id, only().message.body.encode())}
    stamps = [int(one.headers["webhook-timestamp"]) for one in server.heard]
    assert stamps == sorted(set(stamps))
    assert (only().state, only().status, only().error) == ("failed", 500, "The receiver answered 500.")
    assert len(only().answer) <= 1_000
    assert Job.objects.get().state == "done"
    assert fresh(hook).is_enabled


def test_a_receiver_that_is_back_gets_what_failed_and_is_well_again(acme, clock):
    with receiver(503, 200) as server:
        hook = hook_to(server.url, acme)
        announcing.announce_test(hook)
        tasks.drain()
        assert (only().state, fresh(hook).failing_since is not None) == ("pending", True)
        assert tasks.drain() == 0
        clock.shift(7)
        tasks.drain()
    assert (only().state, only().attempts, only().answer) == ("delivered", 2, "thanks")
    assert fresh(hook).failing_since is None


def test_a_receiver_that_hangs_holds_up_neither_the_others_nor_a_second_worker(acme, monkeypatch):
    monkeypatch.setattr(delivering, "LIMITS", outgoing.Limits(connect=1, read=0.2, total=0.3, size=1024))
    with receiver() as hanging, receiver() as well:
        hanging.go_on.clear()
        for server in (hanging, hanging, well):
            announcing.announce_test(Webhook.objects.filter(url=server.url).first() or hook_to(server.url, acme))
        for _ in range(3):
            announcing.announce_test(Webhook.objects.get(url=hanging.url))
        tasks.drain()
    assert (len(hanging.heard), len(well.heard)) == (1, 1)
    stuck = Delivery.objects.filter(webhook__url=hanging.url)
    assert [one.state for one in stuck] == ["pending"] * 5
    assert sorted(one.attempts for one in stuck) == [0, 0, 0, 0, 1]
    assert "did not answer in time" in stuck.get(attempts=1).error
    assert Job.objects.filter(state="open", due_at__gt=timezone.now() + timedelta(seconds=50)).count() == 4


@pytest.mark.crash
@pytest.mark.django_db(transaction=True)
def test_a_worker_killed_between_sending_and_marking_leaves_the_message_to_the_next_one():
    with receiver(200) as server:
        hook = hook_to(server.url, None)
        server.go_on.clear()
        announcing.announce_test(hook)
        connection.close()
        worker = os.fork()
        if worker == 0:
            tasks.drain()
            os._exit(0)
        assert server.arrived.wait(20)
        os.kill(worker, signal.SIGKILL)
        os.waitpid(worker, 0)
        server.go_on.set()
        assert (only().state, tasks.drain()) == ("pending", 0)
        Job.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
        tasks.drain()
    first, second = server.heard
    assert (first.id, first.body) == (second.id, second.body)
    assert (only().state, only().attempts) == ("delivered", 1)


def test_what_failed_is_sent_again_under_the_same_id_when_its_owner_asks(acme, alice):
    with receiver(410, 200) as server:
        hook = hook_to(server.url, acme)
        announcing.announce_test(hook)
        tasks.drain()
        with pytest.raises(Conflict, match="switched off"):
            managing.send_again(only(), actor(alice))
        managing.change(hook, actor(alice), url=hook.url, events=hook.events, description="", is_enabled=True)
        managing.send_again(only(), actor(alice))
        tasks.drain()
    assert [one.id for one in server.heard] == [only().message_id] * 2
    assert (only().state, fresh(hook).note) == ("delivered", "")


# --- giving up -----------------------------------------------------------------------------------------------------
def test_gone_switches_the_webhook_off_and_its_owners_are_told(acme):
    with receiver(410) as server:
        hook = hook_to(server.url + "/of-a-secret-path", acme)
        announcing.announce_test(hook)
        announcing.announce_test(hook)
        tasks.drain()
    assert len(server.heard) == 1
    assert (fresh(hook).is_enabled, "410" in hook.note) == (False, True)
    assert {one.error for one in Delivery.objects.all()} == {
        "The receiver answered 410.", "The webhook is switched off.",
    }  # fmt: skip
    letter = mail.outbox[0]
    assert (letter.bcc, len(mail.outbox)) == (["alice@example.com"], 1)
    assert "of the project acme is told nothing any more" in letter.body
    event = AuditEvent.objects.get(action="webhook.switched_off")
    assert (event.actor, event.project, "secret-path" in event.object) == ("system", "acme", False)


def test_after_five_days_of_nothing_but_failures_the_webhook_is_switched_off(acme):
    long_ago = timezone.now() - timedelta(days=5, minutes=1)
    with receiver(500) as server:
        failing, fine = hook_to(server.url, acme, failing_since=long_ago), hook_to(server.url, acme)
        for hook in (failing, fine):
            announcing.announce_test(hook)
        tasks.drain()
    assert (fresh(failing).is_enabled, fresh(fine).is_enabled) == (False, True)
    assert failing.note == "Nothing was delivered for 5 days. The last error: The receiver answered 500."


# --- not being led astray ------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "url",
    [
        "http://receiver.example/", "https://127.0.0.1/", "https://[::1]/", "https://2130706433/", "https://0x7f.1/",
        "https://169.254.169.254/latest", "https://user:pass@receiver.example/", "https://receiver.example:22/",
        "file:///etc/passwd", "https://[::ffff:10.0.0.1]/", "https://receiver.example/\x00",
    ],
)  # fmt: skip
def test_an_address_that_must_not_be_visited_is_refused_when_it_is_saved(acme, alice, url):
    with pytest.raises(InvalidInput) as refusal:
        managing.add(acme, actor(alice), url=url, events=["release.approved"])
    assert list(refusal.value.details) == ["url"]
    assert not Webhook.objects.exists()


def test_a_name_that_leads_inside_is_refused_when_it_is_visited_and_a_redirect_is_not_followed(acme, alice):
    with receiver() as inside:
        port = inside.url.rsplit(":", 1)[1]
        hook = hook_to(f"http://localhost:{port}", acme)
        owned = managing.change(
            hook, actor(alice), url="https://localhost/", events=hook.events, description="", is_enabled=True
        )
        assert not owned.allows_private
        announcing.announce_test(owned)
        tasks.drain()
        with receiver(307, Location=inside.url) as leading:
            announcing.announce_test(hook_to(leading.url, acme))
            tasks.drain()
    assert (inside.heard, len(leading.heard)) == ([], 1)
    refused, redirected = Delivery.objects.order_by("pk")
    assert ("may not be visited" in refused.error, "127.0.0.1" in refused.error) == (True, False)
    assert (redirected.status, redirected.state) == (307, "pending")


def test_only_owners_at_the_portal_manage_and_only_admins_those_of_the_instance(cast):
    wanted = {"url": "https://receiver.example/", "events": ["release.approved"]}
    for project, by in (
        (cast.acme, actor(cast.mallory)),
        (cast.acme, actor(cast.bob)),
        (cast.acme, actor(cast.alice, kind="token")),
        (None, actor(cast.alice)),
    ):
        with pytest.raises(Forbidden):
            managing.add(project, by, **wanted)
    assert managing.add(None, actor(cast.root), **wanted)[0].project is None
    hook, _secret = managing.add(cast.acme, actor(cast.alice), **wanted)
    with pytest.raises(InvalidInput):
        managing.add(cast.acme, actor(cast.alice), url=wanted["url"], events=["release.sneezed"])
    managing.remove(hook, actor(cast.alice))
    assert list(AuditEvent.objects.filter(project="acme").values_list("action", flat=True)) == [
        "webhook.removed", "webhook.added",
    ]  # fmt: skip


# --- what is kept --------------------------------------------------------------------------------------------------
def test_what_was_told_is_forgotten_in_time_and_what_waits_is_not(acme, settings):
    settings.WEBHOOK_HISTORY_DAYS = 30
    hook = hook_to("https://x.example/", acme)
    old = timezone.now() - timedelta(days=31)
    done, waiting, young = (announcing.announce_test(hook) for _ in range(3))
    Message.objects.filter(pk__in=[done.pk, waiting.pk]).update(created_at=old)
    Delivery.objects.filter(message__in=[done.pk, young.pk]).update(state="delivered")
    assert history.cut() == 1
    assert set(Message.objects.values_list("pk", flat=True)) == {waiting.pk, young.pk}
    assert Job.objects.filter(kind=announcing.JOB).count() == 2


def test_what_no_worker_could_send_is_given_up_and_can_be_sent_again(acme, alice):
    hook = hook_to("https://x.example/", acme)
    announcing.announce_test(hook)
    Job.objects.update(state="dead")
    assert (history.bury(), only().state) == (1, "failed")
    for _ in range(60):
        managing.send_again(only(), actor(alice))
    assert (only().state, Job.objects.get().state) == ("pending", "open")
    with pytest.raises(Conflict, match="Wait a quarter"):
        managing.send_again(only(), actor(alice))


def test_an_event_that_nobody_asked_for_costs_one_query(acme, django_assert_num_queries):
    with django_assert_num_queries(1):
        announcing.announce("license_key.created", KEY, acme)
