"""Sources of advisories: visited when due, asked for news alone, left alone for a while when they fail."""

import io
import json
import zipfile
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse
from django.utils import timezone

from accounts.models import AuditEvent
from registry import tasks
from registry.models import Job
from scanning import advisories, sources
from scanning.models import Advisory, AdvisorySource
from tests.registry.foreign import Foreign, foreign, says
from tests.scanning.conftest import load, osv

pytestmark = pytest.mark.django_db


def packed(*documents: object) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for number, document in enumerate(documents):
            archive.writestr(f"{number}.json", json.dumps(document))
    return buffer.getvalue()


def source(server: Foreign, path: str = "/all.zip", **more) -> AdvisorySource:
    inside = {"allows_http": True, "allows_private": True}
    return AdvisorySource.objects.create(**{"name": "Feed", "url": server.url(path), **inside, **more})


def seen(one: AdvisorySource) -> AdvisorySource:
    one.refresh_from_db()
    return one


@pytest.mark.parametrize(
    "body",
    [packed(osv(id="GHSA-a"), osv(id="GHSA-b")), json.dumps([osv(id="GHSA-a"), osv(id="GHSA-b")]).encode()],
    ids=["zip", "array"],
)
def test_what_is_due_is_brought_by_the_sweep(body: bytes):
    with foreign(lambda path: says(body, ETag='"one"')) as server:
        feed = source(server)
        sources.visit_due()
        tasks.drain()
    assert set(Advisory.objects.values_list("osv_id", flat=True)) == {"GHSA-a", "GHSA-b"}
    assert (seen(feed).counts["added"], feed.last_error, feed.failures, feed.etag) == (2, "", 0, '"one"')
    assert feed.next_run_at > timezone.now() + timedelta(hours=23)


def test_two_sweepers_queue_a_visit_once(db):
    AdvisorySource.objects.create(name="Feed", url="https://feeds.example/all.zip")
    AdvisorySource.objects.create(name="Off", url="https://feeds.example/all.zip", is_enabled=False)
    assert [sources.visit_due(), sources.visit_due()] == [1, 0]
    assert Job.objects.filter(kind=sources.KIND).count() == 1


def test_an_unchanged_source_is_asked_for_news_alone():
    def script(path: str) -> list[bytes]:
        is_known = 'If-None-Match: "one"' in server.heard[-1]
        return says(status="304 Not Modified") if is_known else says(packed(osv()), ETag='"one"')

    with foreign(script) as server:
        feed = source(server)
        assert sources.refresh(feed).added == 1
        assert sources.refresh(seen(feed)).seen == 0
    assert (seen(feed).counts["added"], feed.last_error) == (1, "")


FAILURES = {
    "an error": lambda path: says(b"no", status="503 Busy"),
    "a body that breaks off": lambda path: says(packed(osv(id="GHSA-new"))[:-30], Content_Length=10_000),
    "a zip that was cut off by its maker": lambda path: says(packed(osv(id="GHSA-new"))[:-30]),
    "nobody": lambda path: [],
}


@pytest.mark.parametrize("failure", FAILURES)
def test_a_failed_visit_keeps_what_is_held_and_is_told(failure: str):
    load(osv(id="GHSA-held"))
    with foreign(FAILURES[failure]) as server:
        feed = source(server, etag="")
        assert sources.refresh(feed) is None
    assert list(Advisory.objects.values_list("osv_id", flat=True)) == ["GHSA-held"]
    assert (seen(feed).failures, feed.last_success_at) == (1, None)
    assert feed.last_error.endswith(".")
    assert timedelta(minutes=4) < feed.next_run_at - timezone.now() < timedelta(minutes=6)


def test_a_zip_with_a_damaged_member_brings_the_others():
    content = bytearray(packed(osv(id="GHSA-a"), osv(id="GHSA-b")))
    content[content.index(b"0.json") + 20] ^= 0xFF
    with foreign(lambda path: says(bytes(content))) as server:
        feed = source(server)
        assert sources.refresh(feed).added == 1
    assert seen(feed).counts["malformed"] == 1
    assert feed.counts["left_out"][0].startswith("0.json: The archive member cannot be read")


def test_patience_grows_with_failures_up_to_the_interval():
    waits = [sources.wait_after(failures, 24) for failures in (1, 2, 3, 20)]
    assert waits == [timedelta(minutes=5), timedelta(minutes=10), timedelta(minutes=20), timedelta(hours=24)]


def test_a_source_inside_is_not_visited_unless_that_is_allowed():
    with foreign(lambda path: says(packed(osv()))) as server:
        feed = source(server, allows_private=False)
        assert sources.refresh(feed) is None
    assert server.visits == 0
    assert "may not be visited" in seen(feed).last_error


def test_entries_without_an_ecosystem_are_about_the_one_of_the_source():
    nameless = osv()
    del nameless["affected"][0]["package"]["ecosystem"]
    with foreign(lambda path: says(json.dumps(nameless).encode())) as server:
        sources.refresh(source(server, "/one.json", ecosystem="npm"))
    assert Advisory.objects.get().affected.get().ecosystem == "npm"


def test_the_command_imports_an_address_and_refreshes_sources():
    out = io.StringIO()
    with foreign(lambda path: says(packed(osv()))) as server:
        allowed = ("--allow-http", "--allow-private")
        call_command("advisories", "import", server.url("/all.zip"), *allowed, stdout=out)
        source(server)
        call_command("advisories", "refresh", "Feed", stdout=out)
    assert "1 added" in out.getvalue()
    assert "Feed: 0 added, 0 updated, 1 unchanged" in out.getvalue()
    with pytest.raises(CommandError, match=r"Feed: .* does not answer"):
        call_command("advisories", "refresh", stdout=out)
    with pytest.raises(CommandError, match="no source named Nowhere"):
        call_command("advisories", "refresh", "Nowhere", stdout=out)
    with pytest.raises(CommandError, match="Only https addresses"):
        call_command("advisories", "import", "http://127.0.0.1/all.zip", stdout=out)


def test_a_zip_that_ends_too_early_changes_nothing(tmp_path: Path):
    path = tmp_path / "cut.zip"
    path.write_bytes(packed(*(osv(id=f"GHSA-{number}") for number in range(50)))[:-40])
    with pytest.raises(CommandError, match="ends too early"):
        call_command("advisories", "import", str(path), stdout=io.StringIO())
    assert not Advisory.objects.exists()


# --- in the admin -------------------------------------------------------------------------------------------------
def test_an_admin_adds_a_source_and_refreshes_it(client, cast):
    client.force_login(cast.root)
    fields = {"name": "OSV", "url": "https://feeds.example/npm/all.zip", "is_enabled": "on", "interval_hours": 6}
    add = reverse("admin:scanning_advisorysource_add")
    refused = client.post(add, {**fields, "url": "https://169.254.169.254/latest"})
    assert "may not be visited" in refused.content.decode()
    assert "Only https addresses" in client.post(add, {**fields, "url": "http://feeds.example/"}).content.decode()
    assert client.post(add, fields).status_code == 302
    feed = AdvisorySource.objects.get()
    listing = reverse("admin:scanning_advisorysource_changelist")
    client.post(listing, {"action": "refresh_now", "_selected_action": [feed.pk]})
    assert Job.objects.get(kind=sources.KIND).ref == str(feed.pk)
    assert AuditEvent.objects.filter(action="advisorysource.refreshed").exists()
    client.force_login(cast.bob)
    assert client.post(add, {**fields, "name": "Other"}).status_code == 403
    assert "refresh_now" not in client.get(listing).content.decode()


def test_counts_are_kept_with_the_first_malformed_documents_by_name():
    counts = sources.counts_of(advisories.Tally(added=1, malformed=[(f"{one}.json", "no") for one in range(50)]))
    assert (counts["added"], counts["malformed"], len(counts["left_out"])) == (1, 50, sources.SHOWN)
