"""What webhooks are told of sold keys: each turn of their life, to their own project, and nothing that opens doors."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import AuditEvent
from licensing import entitling, expiring, keys
from registry.webhooks.events import EVENTS
from registry.webhooks.models import Message, Webhook
from tests import builders
from tests.builders import actor

pytestmark = pytest.mark.django_db
RAW = "12345-12345-ABCDE"


def test_each_turn_of_a_key_is_told_without_key_name_or_customer(cast):
    for project in (cast.acme, cast.elsewhere, None):
        Webhook.objects.create(project=project, url="https://receiver.example/", events=list(EVENTS))
    builders.package(cast.acme, "@acme/secret", visibility="private")
    said = {
        "packages": ("@acme/secret",),
        "name": "For Carol of Example Ltd",
        "key": RAW,
        "meta": {"customer": "carol"},
    }
    made = keys.create(keys.Wanted(**said), actor(cast.alice))
    entitling.validate(RAW, "@acme/secret", "1.0.0")
    keys.suspend(made, actor(cast.root))
    keys.replace(made.pk, keys.Wanted(**said), actor(cast.alice))
    keys.remove(made.pk, actor(cast.alice))
    told = list(Message.objects.order_by("created_at"))
    turns = [one.event.partition(".")[2] for one in told]
    assert turns == ["created", "first_used", "suspended", "resumed", "deleted"]
    assert '"suspended":true' in told[2].body
    assert all(str(made.pk) in one.body for one in told)
    assert '"packages":["@acme/secret"],"constraint":{"type":"none"' in told[0].body
    assert not any(word in one.body for one in told for word in (RAW, "Carol", "carol", "alice"))
    assert [one.deliveries.get().webhook.project for one in told] == [cast.acme] * 5


def test_the_end_of_a_key_is_told_once_and_again_when_a_later_one_passes(cast):
    Webhook.objects.create(project=cast.acme, url="https://receiver.example/", events=["license_key.expired"])
    builders.package(cast.acme, "@acme/secret", visibility="private")
    past, said = timezone.now() - timedelta(days=1), {"packages": ("@acme/secret",), "constraint": "date", "key": RAW}
    made = keys.create(keys.Wanted(**said, until=past), actor(cast.alice))
    keys.create(keys.Wanted(("@acme/secret",), "date", timezone.now() + timedelta(days=1)), actor(cast.alice))
    assert [expiring.tell_ended(), expiring.tell_ended()] == [1, 0]
    keys.replace(made.pk, keys.Wanted(**said, until=past, name="Renamed"), actor(cast.alice))
    assert expiring.tell_ended() == 0
    keys.replace(made.pk, keys.Wanted(**said, until=past + timedelta(hours=1)), actor(cast.alice))
    assert expiring.tell_ended() == 1
    assert [one.event for one in Message.objects.all()] == ["license_key.expired"] * 2
    expired = AuditEvent.objects.filter(action="license_key.expired", actor="system", project="acme")
    assert expired.filter(object=f"license_key:{made.pk}").count() == 2
