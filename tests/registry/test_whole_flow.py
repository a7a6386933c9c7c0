"""The whole way of a release under the settings that the portal ships with: every gate, every check."""

from datetime import timedelta

import pytest
import time_machine
from django.conf import settings as shipped
from django.utils import timezone

from accounts.actors import ANONYMOUS
from registry import approving, downloading, explaining, resolving, retiring, storage, tasks
from registry.errors import Forbidden, Gone
from tests import builders
from tests.registry import invariants

pytestmark = pytest.mark.django_db
GATES, CHECKS = shipped.REGISTRY_GATES, shipped.REGISTRY_CHECKS


@pytest.fixture(autouse=True)
def everything_that_ships(rules_of_the_registry_alone, settings) -> None:
    """Licensing and scanning included."""
    settings.REGISTRY_GATES, settings.REGISTRY_CHECKS = GATES, CHECKS


def test_a_release_from_its_publication_to_its_tombstone(publish, root):
    release = publish(builders.npm_tarball("@acme-utils/core", "1.2.0", files={"LICENSE": "MIT License"}))
    assert release.status == "approved", release.held_because
    assert set(release.checks.values_list("name", flat=True)) == set(CHECKS)
    assert not release.checks.filter(status__in=("pending", "running", "errored")).exists()
    invariants.hold()
    with downloading.open_artifact(release, ANONYMOUS).open() as file:
        assert len(file.read()) == release.size
    retiring.unlist(release, builders.actor(root))
    with time_machine.travel(timezone.now(), tick=False) as clock:
        for hours in (25, 26, 2):
            clock.shift(timedelta(hours=hours))
            tasks.drain()
            storage.reconcile()
        found = resolving.find_release(release.package, "1.2.0", ANONYMOUS)
        with pytest.raises(Gone):
            downloading.open_artifact(found, ANONYMOUS)
        invariants.hold()
    assert invariants.objects() == set()


def test_a_third_party_release_that_a_maintainer_lets_in(alice, bob):
    release = builders.submitted(alice, license="MIT")
    tasks.drain()
    release.refresh_from_db()
    assert release.status == "pending"
    assert explaining.explain(release, ANONYMOUS).answer == "hold"
    approving.approve(release, builders.actor(bob), reason="we need it")
    release.refresh_from_db()
    assert explaining.explain(release, ANONYMOUS).answer == "allow"
    tasks.drain()
    invariants.hold()


def test_a_licence_that_policy_denies_is_let_in_by_an_override_only(alice, bob):
    release = builders.submitted(alice, "database-engine", license="SSPL-1.0")
    tasks.drain()
    release.refresh_from_db()
    assert "SSPL" in release.held_because
    with pytest.raises(Forbidden):
        downloading.open_artifact(release, ANONYMOUS)
    with pytest.raises(approving.Conflict):
        approving.approve(release, builders.actor(bob), reason="please")
    approving.approve(release, builders.actor(bob), reason="legal agreed", override=True)
    assert release.decisions.get().override
    tasks.drain()
    invariants.hold()
