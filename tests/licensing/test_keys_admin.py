"""Sold keys in the admin: found by fragment or whole, shown to those who may manage them, suspended in bulk."""

from typing import Any

import pytest
from django.test import Client

from accounts.models import AuditEvent
from licensing import keys, minting
from licensing.models import LicenseKey
from tests import builders
from tests.builders import Cast

TABLE = "/admin/licensing/licensekey/"


@pytest.fixture
def sold(cast: Cast) -> list[LicenseKey]:
    """Three keys of acme's, one of them chosen by alice."""
    builders.package(cast.acme, "@acme/secret", visibility="private")
    actor = builders.actor(cast.alice)
    chosen = keys.Wanted(packages=("@acme/secret",), name="Gold", key="CHOSEN-BY-ALICE-12345", meta={"customer": "C7"})
    others = [keys.create(keys.Wanted(packages=("@acme/secret",), name=name), actor) for name in ("Tin", "Lead")]
    return [keys.create(chosen, actor), *others]


def signed_in(person: Any) -> Client:
    client = Client()
    client.force_login(person)
    return client


def test_a_key_is_found_by_its_end_and_by_all_of_it(cast: Cast, sold: list[LicenseKey]):
    root = signed_in(cast.root)
    for asked in ("12345", "CHOSEN-BY-ALICE-12345", "Gold"):
        page = root.get(TABLE, {"q": asked}).content.decode()
        assert "Gold" in page, asked
        assert "Tin" not in page, asked
    tin = minting.unseal(sold[1].sealed)
    assert "Tin" in root.get(TABLE, {"q": tin}).content.decode()
    assert "Tin" not in root.get(TABLE, {"q": tin[:12]}).content.decode()


def test_only_those_who_may_manage_a_key_read_all_of_it(cast: Cast, sold: list[LicenseKey]):
    page = f"{TABLE}{sold[0].pk}/change/"
    assert "CHOSEN-BY-ALICE-12345" in signed_in(cast.root).get(page).content.decode()
    seen = signed_in(cast.bob).get(page)
    assert seen.status_code == 200
    assert "CHOSEN-BY-ALICE" not in seen.content.decode()
    assert "C7" in seen.content.decode()
    assert "CHOSEN-BY-ALICE" not in signed_in(cast.root).get(TABLE).content.decode()


def test_keys_are_suspended_and_resumed_in_bulk_and_that_holds_at_once(cast: Cast, sold: list[LicenseKey]):
    root, raw = signed_in(cast.root), minting.unseal(sold[1].sealed)
    question = {"key": raw, "package": "@acme/secret", "version": "1.0.0"}

    def code() -> str:
        return Client().post("/v1/licenses/validate", question, "application/json").json()["code"]

    assert code() == "VALID"
    some = [str(key.pk) for key in sold[1:]]
    for action, state in (("suspend", "SUSPENDED"), ("resume", "VALID")):
        assert root.post(TABLE, {"action": action, "_selected_action": some}).status_code == 302
        assert code() == state
    told = AuditEvent.objects.filter(action__in=["license_key.suspended", "license_key.resumed"])
    assert told.count() == 4
    signed_in(cast.bob).post(TABLE, {"action": "suspend", "_selected_action": some})
    assert not LicenseKey.objects.filter(suspended=True).exists()
