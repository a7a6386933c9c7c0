"""The pages of webhooks, as their owners see them, and the admin's."""

import html
import re

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import AuditEvent
from registry import tasks
from registry.webhooks import announcing, delivering
from registry.webhooks.events import EVENTS
from registry.webhooks.models import Delivery, Webhook
from tests.registry.receiver import receiver

pytestmark = pytest.mark.django_db
LIST = "/profile/projects/acme/webhooks"
URL = "https://receiver.example/hook"
FORM = {"url": URL, "description": "Deploys the shop", "events": ["release.approved"]}
SECRET = re.compile(r'<code class="once">(whsec_[A-Za-z0-9+/=]+)</code>')


def signed_in(person) -> Client:
    client = Client()
    client.force_login(person)
    return client


def text(answer) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", answer.content.decode())).split())


def secret_in(answer) -> str:
    found = SECRET.search(html.unescape(answer.content.decode()))
    return found[1] if found else ""


def test_an_owner_adds_a_webhook_sees_its_secret_once_and_tries_it_out(acme, alice):
    client = signed_in(alice)
    assert "Nobody is told yet" in text(client.get(LIST))
    made = client.post(LIST, FORM)
    secret, hook = secret_in(made), Webhook.objects.get()
    page = reverse("webhook", args=[hook.pk])
    assert (made.status_code, len(secret), hook.created_by) == (200, 50, alice)
    with receiver(200, body=b"<script>alert(1)</script>") as server:
        Webhook.objects.update(url=server.url, allows_private=True)
        client.post(f"{page}/test")
        tasks.drain()
    assert server.heard[0].is_signed_with(secret)
    shown = client.get(page)
    assert ("Delivered" in text(shown), b"<script>alert" in shown.content) == (True, False)
    assert not any(secret_in(one) for one in (client.get(LIST), shown))
    told = Delivery.objects.get()
    assert client.post(f"{page}/deliveries/{told.pk}").status_code == 302
    assert Delivery.objects.get().state == "pending"
    renewed = client.post(f"{page}/secret", {"overlap": "24"})
    assert secret_in(renewed) not in ("", secret)
    assert "The secret before this one signs, too, until" in text(renewed)


def test_what_is_wrong_is_said_beside_its_field(acme, alice):
    client = signed_in(alice)
    refused = client.post(LIST, {**FORM, "url": "https://10.0.0.8/hook"})
    assert (refused.status_code, "may not be visited" in text(refused)) == (400, True)
    assert client.post(LIST, {"url": URL}).status_code == 400
    assert client.post(LIST, {**FORM, "events": ["webhook.test"]}).status_code == 400
    assert not Webhook.objects.exists()


def test_a_webhook_that_was_switched_off_says_why_and_is_switched_on_again(acme, alice):
    hook = Webhook.objects.create(project=acme, url=URL, is_enabled=False, note="It is gone for good (410).")
    client, page = signed_in(alice), reverse("webhook", args=[hook.pk])
    assert "It is gone for good (410)." in text(client.get(page))
    client.post(f"{page}/test")
    assert "This webhook is switched off" in text(client.get(page))
    client.post(page, {**FORM, "is_enabled": "on"})
    assert (Webhook.objects.get().is_enabled, Webhook.objects.get().note) == (True, "")
    assert "is removed" in text(client.post(f"{page}/remove", follow=True))
    assert not Webhook.objects.exists()


def test_a_page_of_many_messages_costs_no_query_for_each(acme, alice, django_assert_max_num_queries):
    hook = Webhook.objects.create(project=acme, url=URL)
    for _ in range(30):
        announcing.announce_test(hook)
    client = signed_in(alice)
    with django_assert_max_num_queries(14):
        shown = client.get(reverse("webhook", args=[hook.pk]))
    assert shown.content.count(b"webhook-id:") == 25


def test_an_admin_makes_one_for_the_instance_that_may_lead_inside(root):
    client, table = signed_in(root), "/admin/webhooks/webhook/"
    form = {"project": "", "url": "http://10.0.0.8/hook", "events": list(EVENTS), "is_enabled": "on"}
    assert "Only https addresses" in text(client.post(f"{table}add/", form))
    made = client.post(f"{table}add/", {**form, "allows_private": "on"})
    hook = Webhook.objects.get()
    assert (hook.project, delivering.secrets_of(hook)) == (None, [secret_in(made)])
    renewed = client.post(table, {"action": "make_new_secret", "_selected_action": [hook.pk]})
    assert delivering.secrets_of(Webhook.objects.get()) == [secret_in(renewed), secret_in(made)]
    assert list(AuditEvent.objects.filter(object__startswith="webhook:").values_list("action", "object")) == [
        ("webhook.secret_rotated", f"webhook:{hook.pk} 10.0.0.8"),
        ("webhook.added", f"webhook:{hook.pk} 10.0.0.8"),
    ]
    announcing.announce_test(hook)
    Delivery.objects.update(state="failed")
    client.post("/admin/webhooks/delivery/", {"action": "send_again", "_selected_action": [Delivery.objects.get().pk]})
    assert Delivery.objects.get().state == "pending"
    for page in (table, f"{table}{hook.pk}/change/", "/admin/webhooks/delivery/"):
        assert client.get(page).status_code == 200
