"""Regions in the admin: what the form refuses, what the verbs do and for whom, and what the pages tell."""

import re

import pytest
from django.utils import timezone

from accounts import sealing
from accounts.models import AuditEvent
from registry.mirrors import buckets
from registry.mirrors.models import Debt, Mirror
from registry.models import Job
from tests import builders

pytestmark = pytest.mark.django_db
GOOD = {
    "region": "paris", "name": "", "city": "Paris", "country": "fr", "latitude": "48.86", "longitude": "2.35",
    "public_url": "", "storage_url": "file:mirrors/paris", "access_key": "", "new_secret": "", "enabled": "on",
    "window_opens": "", "window_closes": "",
}  # fmt: skip


@pytest.fixture
def root(client, cast):
    client.force_login(cast.root)
    return client


def said(answer) -> list[str]:
    """The complaints on a form."""
    assert answer.status_code == 200
    return [text for errors in answer.context["adminform"].form.errors.values() for text in errors]


def add(client, **changes):
    return client.post("/admin/mirrors/mirror/add/", {**GOOD, **changes})


def events() -> list[str]:
    return list(AuditEvent.objects.order_by("pk").values_list("action", flat=True))


def test_an_admin_adds_a_region_and_its_secret_goes_in_and_never_out(root):
    sent = add(
        root, storage_url="s3://mirror-par/kept?region_name=eu-west-3", access_key="AK", new_secret="s3cr3t/key"
    )
    assert sent.status_code == 302
    paris = Mirror.objects.get(region="paris")
    assert (paris.country, paris.applied_seq) == ("FR", 0)
    assert "s3cr3t" not in paris.secret
    assert sealing.unseal(paris.secret, buckets.PURPOSE) == "s3cr3t/key"
    page = root.get(f"/admin/mirrors/mirror/{paris.pk}/change/").content.decode()
    assert "s3cr3t" not in page
    assert paris.secret not in page
    assert "mirror.added" in events()

    form = {**GOOD, "storage_url": paris.storage_url, "access_key": "AK"}
    root.post(f"/admin/mirrors/mirror/{paris.pk}/change/", form)
    assert Mirror.objects.get(pk=paris.pk).secret == paris.secret, "left empty, it stays"
    root.post(f"/admin/mirrors/mirror/{paris.pk}/change/", form | {"access_key": ""})
    assert Mirror.objects.get(pk=paris.pk).secret == ""


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"country": "US"}, "US is no country of it"),
        ({"country": "ch"}, "CH is no country of it"),
        ({"storage_url": "ftp://paris"}, "Write file:directory, or s3://bucket/prefix"),
        ({"storage_url": "s3://bucket/x?verify=false"}, "nothing else: verify."),
        ({"storage_url": "s3://key:secret@bucket/x"}, "give credentials in their own fields"),
        ({"storage_url": "s3://bucket?endpoint_url=file:///etc"}, "begins with https://"),
        ({"storage_url": "file:blobs"}, "keeps its own files there"),
        ({"storage_url": "file:/"}, "keeps its own files there"),
        ({"storage_url": "file:mirrors/frankfurt"}, "Another region is stored there"),
        ({"storage_url": "file:mirrors/../mirrors/frankfurt/"}, "Another region is stored there"),
        ({"storage_url": "s3://bucket?endpoint_url=https://key:secret@s3.example"}, "credentials in their own fields"),
        ({"storage_url": "s3://bucket/x", "access_key": "AK"}, "needs its secret key"),
        ({"window_opens": "22:00"}, "A window has two ends"),
        ({"new_secret": "alone"}, "belongs to an access key"),
        ({"latitude": "91"}, "less than or equal to 90"),
        ({"region": "Not a slug"}, "valid “slug”"),
    ],
)
def test_what_could_not_work_is_refused_with_the_reason(root, settings, changes, complaint):
    Mirror.objects.update(storage_url="file:mirrors/frankfurt")
    settings.STORAGE_URL = f"file://{settings.DATA_DIR}/blobs"
    assert any(complaint in one for one in said(add(root, **changes)))
    assert not Mirror.objects.filter(region="paris").exists()


def test_an_instance_may_switch_residency_off(root, settings):
    settings.MIRROR_RESIDENCY = False
    assert add(root, country="US").status_code == 302


def test_the_verbs_are_buttons_for_admins_alone_and_leave_their_events(root, cast):
    frankfurt = Mirror.objects.get(region="frankfurt")
    page = f"/admin/mirrors/mirror/{frankfurt.pk}"
    for verb, event in (("pause", "paused"), ("resume", "resumed"), ("verify", "verified"), ("rebuild", "rebuilt")):
        offered = re.findall(r"do/(\w+)/", root.get(f"{page}/change/").content.decode())
        assert verb in offered
        answer = root.post(f"{page}/do/{verb}/", follow=True)
        assert [message.level_tag for message in answer.context["messages"]] == ["success"]
        assert events()[-1] == f"mirror.{event}"
    assert set(Job.objects.values_list("kind", flat=True)) >= {"replicate", "compare", "rebuild"}
    again = root.post(f"{page}/do/resume/", follow=True)
    assert "This region is not paused." in again.content.decode()
    assert root.get(f"{page}/do/pause/").status_code == 405
    assert root.post(f"{page}/do/destroy/").status_code == 404

    root.force_login(cast.bob)
    looked = root.get(f"{page}/change/").content.decode()
    assert "do/pause" not in looked
    assert root.post(f"{page}/do/pause/").status_code == 403
    frankfurt.refresh_from_db()
    assert frankfurt.paused_at is None


def test_a_region_that_moves_is_rebuilt_where_it_goes(root):
    add(root)
    paris = Mirror.objects.get(region="paris")
    Mirror.objects.update(applied_seq=7, withdrawn_seq=7)
    root.post(f"/admin/mirrors/mirror/{paris.pk}/change/", GOOD | {"storage_url": "file:elsewhere/paris"})
    paris.refresh_from_db()
    assert (paris.storage_url, paris.applied_seq) == ("file:elsewhere/paris", 0)
    assert events()[-2:] == ["mirror.rebuilt", "mirror.changed"]


def test_the_pages_tell_the_state_the_drift_and_what_fails(root, acme, django_assert_max_num_queries):
    for number in range(6):
        Mirror.objects.create(region=f"r{number}", city="Somewhere", country="DE", storage_url=f"file:r{number}")
    paused = Mirror.objects.filter(region="r1")
    drift = {"checked": 812, "missing": 2, "corrupt": 1, "extra": 0, "mended": 3}
    paused.update(paused_at=timezone.now(), compared_at=timezone.now(), drift=drift)
    Debt.objects.create(
        mirror=paused.get(),
        package=builders.package(acme, "unlucky"),
        attempts=3,
        last_error="No space left on device",
    )
    with django_assert_max_num_queries(8):
        listed = root.get("/admin/mirrors/mirror/").content.decode()
    assert "paused" in listed
    page = root.get(f"/admin/mirrors/mirror/{paused.get().pk}/change/").content.decode()
    assert "<td>812</td>" in page
    debts = root.get(f"/admin/mirrors/debt/?mirror__id__exact={paused.get().pk}").content.decode()
    assert "unlucky" in debts
    assert "No space left on device" in debts
