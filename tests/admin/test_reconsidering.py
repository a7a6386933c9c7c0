"""What a changed line of the policy, or a waiver, makes of releases that were decided before."""

from datetime import timedelta

import pytest
from django.utils import timezone

from licensing.models import LicensePolicy
from registry import tasks
from registry.models import Release
from scanning.models import Finding, Scan, Waiver
from tests import builders
from tests.admin import queue_rows

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def every_gate(settings, own_gates) -> None:
    """Licence and scan are what is judged again here."""
    paths = [*settings.REGISTRY_GATES["approving"], "licensing.gates.license_is_allowed", "scanning.gates.is_safe"]
    settings.REGISTRY_GATES = {**settings.REGISTRY_GATES, "approving": paths}


def released(cast, status: str, *severities: str) -> Release:
    package = builders.package(cast.acme, "thing")
    release = queue_rows.checked(queue_rows.waiting(package, "1.0.0", status=status, submitted_by=cast.alice))
    scan = Scan.objects.create(release=release, status="passed", is_current=True, tools_used=["osv"])
    for number, severity in enumerate(severities):
        Finding.objects.create(
            scan=scan, identifier=f"CVE-{number}", ecosystem="npm", package="thing", version="1.0.0", severity=severity
        )
    return release


def deny(client, key: str) -> None:
    line, _new = LicensePolicy.objects.get_or_create(kind="license", key=key, defaults={"status": "approved"})
    form = {"kind": "license", "key": key, "status": "denied", "note": ""}
    assert client.post(f"/admin/licensing/licensepolicy/{line.pk}/change/", form).status_code == 302
    tasks.drain()


def test_a_license_denied_today_withdraws_what_was_approved_under_it(as_root, cast):
    release = released(cast, "approved")
    deny(as_root, "MIT")
    release.refresh_from_db()
    assert release.status == "quarantined"
    assert "The policy denies MIT" in release.held_because


def test_another_license_is_left_alone(as_root, cast):
    release = released(cast, "approved")
    deny(as_root, "WTFPL")
    release.refresh_from_db()
    assert release.status == "approved"


def test_a_waiver_lets_through_what_waited_for_it_alone(as_bob, bob, cast):
    release = released(cast, "pending", "high")
    end = timezone.now() + timedelta(days=2)
    form = {
        "identifier": "CVE-0",
        "ecosystem": "npm",
        "package": "thing",
        "version_range": "*",
        "reason": "Not reachable.",
        "project": str(cast.acme.pk),
        "expires_at_0": f"{end:%Y-%m-%d}",
        "expires_at_1": f"{end:%H:%M:%S}",
    }
    assert as_bob.post("/admin/scanning/waiver/add/", form).status_code == 302
    tasks.drain()
    release.refresh_from_db()
    assert release.status == "approved"


def test_a_waiver_that_runs_out_withdraws_what_stood_on_it(cast, bob):
    from scanning import waiving

    release = released(cast, "approved", "critical")
    waiver = Waiver.objects.create(
        owner=bob,
        reason="x",
        identifier="CVE-0",
        ecosystem="npm",
        package="thing",
        version_range="*",
        project=cast.acme,
        expires_at=timezone.now() + timedelta(seconds=-1),
    )
    tasks.enqueue(waiving.KIND, waiver.pk)
    tasks.drain()
    release.refresh_from_db()
    assert release.status == "quarantined"
