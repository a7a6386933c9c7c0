"""Which versions of products stay by rule and pin, and that the rest goes once, in the open, with a grace."""

import io
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from accounts.models import AuditEvent
from registry import products, retaining, retiring, tasks
from registry.models import Product, Release, ReleasePin
from tests import builders
from tests.protocols.products.conftest import Pipelines

RULE = "/product/modify/setRetention"


@pytest.fixture
def aged(cast) -> Product:
    """A product with versions v0 (today) to v5, each ten days older than the one before."""
    package = products.create("tool", builders.actor(cast.alice))
    for number in range(6):
        at = timezone.now() - timedelta(days=10 * number, hours=1)
        builders.release(package, f"v{number}", submitted_at=at)
    return Product.objects.get()


def kept() -> list[str]:
    return list(Release.objects.listed().order_by("version").values_list("version", flat=True))


@pytest.mark.parametrize(
    ("versions", "days", "pinned", "going"),
    [
        (None, None, [], []),
        (2, None, [], ["v5", "v4", "v3", "v2"]),
        (2, None, ["v4"], ["v5", "v3", "v2"]),
        (None, 25, [], ["v5", "v4", "v3"]),
        (1, 25, [], ["v5", "v4", "v3"]),
        (4, 5, ["v5"], ["v4"]),
        (9, None, [], []),
    ],
)  # fmt: skip
def test_what_is_among_the_last_or_young_or_pinned_stays(aged: Product, cast, versions, days, pinned, going):
    alice = builders.actor(cast.alice)
    aged = retaining.set_rule(aged.package, versions, days, alice)
    for version in pinned:
        retaining.pin(products.find_version(aged.package, version), alice)

    assert [one.version for one in retaining.going(aged)] == going
    assert kept() == ["v0", "v1", "v2", "v3", "v4", "v5"]
    assert retaining.retire_due() == len(going)
    assert kept() == sorted({"v0", "v1", "v2", "v3", "v4", "v5"} - set(going))
    assert retaining.retire_due() == 0
    events = AuditEvent.objects.filter(action="release.unlisted", actor="system")
    assert sorted(event.object for event in events) == sorted(f"generic:tool@{one}" for one in going)


def test_it_runs_with_the_daily_round_and_can_be_undone_in_the_grace(aged: Product, cast):
    retaining.set_rule(aged.package, 5, None, builders.actor(cast.alice))

    tasks.run_periodic("daily")

    gone = Release.objects.get(version="v5")
    assert (gone.is_unlisted, gone.is_purged) == (True, False)
    assert gone.decisions.get().reason == "Retention: the last 5 versions are kept."
    retiring.restore(gone, builders.actor(cast.root))
    assert "v5" in kept()


def test_the_command_shows_what_would_go_and_changes_nothing_until_it_is_told_to(aged: Product, cast):
    retaining.set_rule(aged.package, 4, None, builders.actor(cast.alice))
    out, err = io.StringIO(), io.StringIO()

    call_command("retention", "show", stdout=out, stderr=err)

    assert out.getvalue().split("\n")[:2] == ["tool v5", "tool v4"]
    assert "2 versions of 1 products would go." in err.getvalue()
    assert len(kept()) == 6
    with pytest.raises(CommandError):
        call_command("retention", "apply", "tolo", stdout=out, stderr=err)
    call_command("retention", "apply", "tool", stdout=out, stderr=err)
    assert kept() == ["v0", "v1", "v2", "v3"]


def test_the_rule_is_set_at_creation_or_later_and_answers_with_what_would_go(pipelines: Pipelines, tool):
    alice = pipelines.alice
    alice.upload(tool, "v2")

    answer = alice.send("PUT", RULE, {"product": tool, "keepVersions": 1, "keepDays": None})
    assert answer.json() == {"keepVersions": 1, "keepDays": None, "wouldGo": ["v1.0.0"]}
    assert alice.send("PUT", "/product/modify/pinVersion", {"product": tool, "version": "v1.0.0"}).status_code == 200
    answer = alice.send("PUT", RULE, {"product": tool, "keepVersions": 1, "keepDays": 7})
    assert answer.json()["wouldGo"] == []
    alice.send("PUT", "/product/create", {"name": "ruled", "keepVersions": 3, "keepDays": 30})
    assert Product.objects.filter(package__name="ruled", keep_versions=3, keep_days=30).exists()
    for body in ({"keepVersions": 0, "keepDays": None}, {"keepVersions": "3", "keepDays": None}, {"keepVersions": 1}):
        assert alice.send("PUT", RULE, {"product": tool} | body).status_code == 400


def test_what_is_on_its_way_out_is_not_pinned_as_if_that_held_it(pipelines: Pipelines, tool, cast):
    retiring.unlist(Release.objects.get(), builders.actor(cast.root))
    answer = pipelines.alice.send("PUT", "/product/modify/pinVersion", {"product": tool, "version": "v1.0.0"})
    assert answer.status_code == 409
    assert not ReleasePin.objects.exists()


def test_the_admin_sets_the_rule_shows_what_would_go_and_pins(aged: Product, cast, client):
    client.force_login(cast.root)
    page = f"/admin/registry/product/{aged.pk}/change/"
    rows = {"grants-TOTAL_FORMS": "0", "grants-INITIAL_FORMS": "0"}

    assert client.post(page, {"keep_versions": "4", "keep_days": "", **rows}).status_code == 302
    shown = client.get(page).content.decode()
    assert "<code>v5</code>, <code>v4</code>" in shown
    chosen = {"action": "pin", "_selected_action": [Release.objects.get(version="v5").pk]}
    assert client.post("/admin/registry/release/", chosen).status_code == 302
    shown = client.get(page).content.decode()
    assert "<code>v5</code>" not in shown
    assert "<code>v4</code>" in shown
    assert AuditEvent.objects.filter(action__in=("product.retention", "release.pinned")).count() == 2
    assert len(kept()) == 6
