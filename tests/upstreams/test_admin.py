"""Upstreams in the admin: set up, started and watched there; what is secret goes in and never out."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import AuditEvent
from registry import tasks
from registry.models import Job
from registry.upstreams import connecting
from registry.upstreams.models import Errand, Offer, Shelf, SyncRun, Upstream
from tests.upstreams.conftest import stock

pytestmark = [pytest.mark.django_db, pytest.mark.once, pytest.mark.usefixtures("only_own_rules")]
LIST = "/admin/upstreams/upstream/"


@pytest.fixture
def page(client, root):
    """Root's browser."""
    client.force_login(root)
    return client


def form(upstream: Upstream, **changes: object) -> dict[str, object]:
    """What the browser sends of the upstream's page."""
    fields = (
        "name", "kind", "base_url", "repository", "ecosystem", "login", "user_name", "visibility", "max_file_mb",
        "requests_per_second", "pull_through_for",
    )  # fmt: skip
    sent = {name: getattr(upstream, name) for name in fields}
    sent |= {"project": upstream.project_id, "enabled": "on", "allows_private": "on", "include": "", "exclude": ""}
    return {**sent, "every_hours": "", "new_secret": "", **changes}


def save(page, upstream: Upstream, **changes: object) -> str:
    """The answer's text; the row is read again."""
    answer = page.post(f"{LIST}{upstream.pk}/change/", form(upstream, **changes), follow=True)
    upstream.refresh_from_db()
    return answer.content.decode()


def test_a_secret_goes_in_sealed_and_never_out(page, upstream):
    save(page, upstream, login="bearer", new_secret="sesame-42")
    assert connecting.terms_of(upstream).credentials == {"Authorization": "Bearer sesame-42"}
    assert "sesame" not in upstream.secret + page.get(f"{LIST}{upstream.pk}/change/").content.decode()
    assert "sesame" not in str(list(AuditEvent.objects.values_list("details", flat=True)))
    save(page, upstream)
    assert connecting.terms_of(upstream).credentials, "an empty field leaves it as it is"
    text = save(page, upstream, base_url="https://elsewhere.example/artifactory")
    assert "sent to no other host" in text
    assert "elsewhere" not in upstream.base_url
    save(page, upstream, login="")
    assert upstream.secret == ""


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"base_url": "http://169.254.169.254/"}, "may not be visited"),
        ({"base_url": "http://127.0.0.1:1/", "allows_private": ""}, "Only https"),
        ({"base_url": "https://me:pass@far.example/"}, "must not hold a user name"),
        ({"repository": ""}, "Name the repository"),
        ({"ecosystem": "docker"}, "Choose npm"),
        ({"login": "basic", "new_secret": "x"}, "belongs to a user name"),
        ({"login": "api_key", "new_secret": "ü"}, "plain text"),
        ({"include": "x" * 300}, "at most 214"),
        ({"every_hours": "0"}, "greater than or equal to 1"),
    ],
)
def test_what_cannot_work_is_refused_with_the_reason(page, upstream, changes, said):
    assert said in save(page, upstream, **changes)


def test_other_patterns_are_looked_for_in_the_whole_listing(page, upstream, far, sync):
    stock(far, "left-pad")
    Upstream.objects.update(include=["nothing-*"])
    upstream.refresh_from_db()
    sync(upstream)
    upstream.refresh_from_db()
    assert upstream.bookmark
    save(page, upstream, include="left-*\r\n\r\n@acme/*\r\n", every_hours="24")
    assert (upstream.include, upstream.bookmark) == (["left-*", "@acme/*"], {})
    assert upstream.due_at


def test_a_run_is_started_watched_and_cancelled_by_buttons(page, upstream, far):
    stock(far)
    far.keep("bad/-/bad-1.0.0.tgz", b"no archive")
    answer = page.post(f"{LIST}{upstream.pk}/sync/", follow=True)
    run = SyncRun.objects.get()
    waiting = answer.content.decode()
    assert 'data-refresh="2000"' in waiting
    assert "Cancel this run" in waiting
    tasks.drain()
    over = page.get(f"/admin/upstreams/syncrun/{run.pk}/change/").content.decode()
    assert "data-refresh" not in over
    assert "bad 1.0.0" in over
    page.post(f"{LIST}{upstream.pk}/sync/", {"full": "1"})
    second = SyncRun.objects.exclude(pk=run.pk).get()
    assert second.is_full
    answer = page.post(f"/admin/upstreams/syncrun/{second.pk}/cancel/", follow=True)
    assert "What it has taken stays" in answer.content.decode()
    assert page.get(LIST).status_code == page.get("/admin/upstreams/syncrun/").status_code == 200
    assert Offer.objects.get(name="bad").state == "refused"
    page.post(
        "/admin/upstreams/offer/", {"action": "take_again", "_selected_action": Offer.objects.get(name="bad").pk}
    )
    assert Offer.objects.get(name="bad").state == "failed"


def test_pull_through_is_switched_on_here_and_only_where_it_can_work(page, upstream):
    save(page, upstream, pulls_through="on", pull_through_for="everybody")
    assert (upstream.pulls_through, upstream.pull_through_for) == (True, "everybody")
    said = save(page, upstream, pulls_through="on", ecosystem="generic")
    assert "Only npm and Python packages are pulled through" in said


def act(page, table: str, action: str, *rows) -> str:
    """What the table says after the action on these rows."""
    sent = {"action": action, "_selected_action": [row.pk for row in rows]}
    return page.post(f"/admin/upstreams/{table}/", sent, follow=True).content.decode()


def test_what_clients_wait_for_in_vain_is_seen_and_brought_again(page, client, upstream, bob):
    later = timezone.now() + timedelta(hours=1)
    told = {"upstream": upstream, "ecosystem": "npm", "normalized": "left-pad"}
    errand = {**told, "name": "left-pad", "again_at": later, "error": "The far side asks for patience."}
    failed = Errand.objects.create(**errand, version="1.0.0", canonical="1.0.0", state="failed")
    lost = Errand.objects.create(**errand, version="2.0.0", canonical="2.0.0")
    busy = Errand.objects.create(**errand, version="3.0.0", canonical="3.0.0")
    tasks.enqueue("through", busy.pk)
    shelf = Shelf.objects.create(**told, error="The far side does not answer.", due_at=later)
    for table, text in (("errand", "asks for patience"), ("shelf", "does not answer")):
        listing = page.get(f"/admin/upstreams/{table}/").content.decode()
        assert text in listing
    assert "2 versions are brought again." in act(page, "errand", "bring_again", failed, lost, busy)
    failed.refresh_from_db()
    assert (failed.state, failed.error, failed.again_at) == ("open", "", None)
    assert Job.objects.filter(kind="through", state="open").count() == 3
    assert "1 name is asked for anew." in act(page, "shelf", "ask_again", shelf)
    assert Shelf.objects.get().due_at < later
    assert AuditEvent.objects.filter(action="upstream.asked_again").count() == 3
    for table, row in (("errand", failed), ("shelf", shelf)):
        assert page.get(f"/admin/upstreams/{table}/{row.pk}/change/").status_code == 200

    client.force_login(bob)
    Errand.objects.update(state="failed")
    assert (
        client.post("/admin/upstreams/errand/", {"action": "bring_again", "_selected_action": [failed.pk]}).status_code
        == 403
    )
    assert Errand.objects.filter(state="failed").count() == 3
