"""A pull takes what is new, believes only bytes, names what is wrong, and lets nothing bad stop the rest."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.actors import SYSTEM
from accounts.models import AuditEvent
from registry import downloading
from registry.models import Artifact, Job, Package, Release
from registry.upstreams import listing, syncing
from registry.upstreams.listing import CHANGED
from registry.upstreams.models import Offer, Pull, Trouble, Upstream
from registry.upstreams.sources.base import Page
from tests import builders
from tests.registry import invariants
from tests.registry.foreign import foreign, says
from tests.upstreams.conftest import come_back, counts, ended, stock

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("only_own_rules")]


def errors() -> dict[str, str]:
    return dict(Trouble.objects.values_list("package", "error"))


def standing() -> set[str]:
    return {f"{one.package.name} {one.version}" for one in Release.objects.select_related("package")}


# --- the way of a package ------------------------------------------------------------------------------------------
def test_what_is_pulled_stands_here_byte_for_byte_and_is_not_pulled_again(far, upstream, sync, alice):
    body = stock(far, "@types/ms", "2.1.0")
    stock(far, "left-pad")
    pull = sync(upstream)
    assert (counts(pull), ended(pull), errors()) == ({"added": 2}, "succeeded", {})
    release = Release.objects.get(package__name="@types/ms")
    assert (release.origin, release.status, release.project.slug) == ("synced", "approved", "acme")
    with downloading.open_artifact(release, builders.actor(alice)).open() as stream:
        assert stream.read() == body
    far.requests.clear()
    again = sync(upstream)
    assert (counts(again), far.downloads()) == ({"skipped": 2}, [])
    stock(far, "left-pad", "1.1.0")
    third = sync(upstream)
    assert counts(third) == {"added": 1, "skipped": 2}
    assert len(far.downloads()) == 1
    invariants.hold()


def test_a_listing_asks_for_what_is_new_and_a_full_one_for_everything(far, upstream, sync):
    stock(far)
    sync(upstream)
    for file in far.files.values():
        file.modified -= timedelta(days=2)
    assert counts(sync(upstream)) == {}
    assert counts(sync(upstream, is_full=True)) == {"skipped": 1}


def test_a_maintainer_decides_unless_the_upstream_is_trusted(far, upstream, sync):
    Upstream.objects.update(needs_review=True)
    stock(far)
    sync(upstream)
    assert Release.objects.get().status == "pending"
    assert "by a maintainer" in Release.objects.get().held_because


def test_what_is_private_at_its_upstream_is_private_here(far, upstream, sync, mallory):
    Upstream.objects.update(visibility="private")
    builders.package(upstream.project, "public-one")
    stock(far, "secret")
    stock(far, "public-one")
    pull = sync(upstream)
    assert not Package.objects.get(name="secret").is_visible_to(builders.actor(mallory))
    assert counts(pull) == {"added": 1, "failed": 1}
    assert "is public" in errors()["public-one 1.0.0"]


def test_patterns_choose_what_is_taken(far, upstream, sync):
    Upstream.objects.update(include=["@acme/*", "left-*"], exclude=["*-secret"])
    for name in ("@acme/core", "@acme/core-secret", "left-pad", "right-pad"):
        stock(far, name)
    sync(upstream)
    assert standing() == {"@acme/core 1.0.0", "left-pad 1.0.0"}


def test_all_files_of_a_python_version_come_together(far, upstream, sync):
    Upstream.objects.update(ecosystem="pypi")
    far.put("demo-pkg", "1.0", "demo_pkg-1.0-py3-none-any.whl", builders.wheel("demo-pkg", "1.0"))
    far.put("demo-pkg", "1.0", "demo_pkg-1.0.tar.gz", builders.sdist("demo-pkg", "1.0"))
    pull = sync(upstream)
    assert (counts(pull), errors()) == ({"added": 2}, {})
    release = Release.objects.get()
    assert [one.kind for one in release.artifacts.all()] == ["wheel", "sdist"]
    assert release.sha256 == release.artifacts.first().sha256
    assert counts(sync(upstream, is_full=True)) == {"skipped": 2}


def test_plain_files_take_name_and_version_from_their_path(far, upstream, sync):
    Upstream.objects.update(ecosystem="generic")
    far.keep("tools/cutter/1.2/cutter.bin", b"cut")
    far.keep("nameless", b"?")
    pull = sync(upstream)
    assert standing() == {"tools.cutter 1.2"}
    assert counts(pull) == {"added": 1, "failed": 1}
    assert "path does not tell" in errors()["nameless"]


# --- lies ----------------------------------------------------------------------------------------------------------
def hostile() -> bytes:
    return builders.tarball([("package/package.json", b'{"name": "bad", "version": "1.0.0"}'), ("package/../x", b"")])


def lie_with_hash(far):
    far.keep("bad/-/bad-1.0.0.tgz", b"one thing", promised=b"another..")


def lie_with_header(far):
    stock(far, "bad")
    far.does.wrong_header = True


def switched(name: str):
    def lie(far):
        stock(far, "bad")
        getattr(far.does, name).add("bad/-/bad-1.0.0.tgz")

    return lie


def lie_with_package(far):
    far.keep("bad/-/bad-1.0.0.tgz", builders.npm_tarball("good", "1.0.0"))


def lie_with_archive(far):
    far.keep("bad/-/bad-1.0.0.tgz", hostile())


def lie_with_emptiness(far):
    far.keep("bad/-/bad-1.0.0.tgz", b"")


def redirecting(location: str):
    def lie(far):
        stock(far, "bad")
        far.does.redirects["bad/-/bad-1.0.0.tgz"] = location

    return lie


LIES = {
    "another hash": (lie_with_hash, "not those that the upstream promises"),
    "another hash in the header": (lie_with_header, "not those that the upstream promises"),
    "a short body": (switched("short_body"), "ended after"),
    "an endless body": (switched("endless_body"), "larger than"),
    "a page for people": (switched("login_page"), "a page for people"),
    "a file that has vanished": (switched("vanished"), "does not have it"),
    "a redirect to the cloud's secrets": (redirecting("http://169.254.169.254/latest/"), "may not be visited"),
    "a redirect to a file": (redirecting("file:///etc/passwd"), "may be visited"),
    "another package": (lie_with_package, "not bad 1.0.0"),
    "a hostile archive": (lie_with_archive, ".."),
    "nothing at all": (lie_with_emptiness, "empty file"),
}


@pytest.mark.parametrize("name", LIES)
def test_a_lie_is_refused_and_named_and_the_rest_comes(far, upstream, sync, name):
    tell, said = LIES[name]
    Upstream.objects.update(max_file_mb=1)
    tell(far)
    if name != "another hash in the header":
        stock(far, "good")
    pull = sync(upstream)
    come_back()
    assert said in errors()["bad 1.0.0"]
    assert "bad 1.0.0" not in standing()
    good = {"good 1.0.0"} if name != "another hash in the header" else set()
    assert standing() == good
    assert ended(pull) == "failed" if not good else "partial"
    assert invariants.staged() == []


def test_changed_bytes_for_a_known_version_stay_out_and_are_reported(far, upstream, sync, alice):
    body = stock(far)
    sync(upstream)
    far.keep("left-pad/-/left-pad-1.0.0.tgz", builders.npm_tarball("left-pad", "1.0.0", description="evil"))
    far.requests.clear()
    pull = sync(upstream)
    assert (counts(pull), errors()) == ({"failed": 1}, {"left-pad 1.0.0": CHANGED})
    assert far.downloads() == []
    event = AuditEvent.objects.get(action="upstream.changed_bytes")
    assert event.outcome == "refused"
    with downloading.open_artifact(Release.objects.get(), builders.actor(alice)).open() as stream:
        assert stream.read() == body
    sync(upstream)
    assert AuditEvent.objects.filter(action="upstream.changed_bytes").count() == 1


def test_bytes_that_change_behind_the_same_claim_are_found_by_the_first_digest(far, upstream, sync):
    """An upstream that tells no digests, and touches a file: it is fetched again and compared with the first one."""
    stock(far)
    sync(upstream)
    Offer.objects.update(digests={}, claim="old", size=None)
    Artifact.objects.update(sha1="0" * 40)
    Offer.objects.update(sha256="1" * 64)
    far.does.with_sha256 = False
    pull = sync(upstream)
    assert (counts(pull), errors()) == ({"failed": 1}, {"left-pad 1.0.0": CHANGED})


def test_what_an_upstream_says_anew_of_the_same_bytes_is_told_here(far, upstream, sync):
    stock(far)
    sync(upstream)
    run = syncing.start(SYSTEM, "far")
    Pull.objects.filter(run=run).update(state="running")
    pull = Pull.objects.get(run=run)
    said = replace(listing.listing_of(Offer.objects.get()), deprecated="Use String.padStart.")
    listing.write(pull, Page([said]))
    assert counts(pull) == {"updated": 1}
    assert Release.objects.get().deprecated == "Use String.padStart."
    invariants.hold(settled=False)


def test_internal_names_are_never_taken(far, upstream, sync, settings, alice):
    settings.INTERNAL_NAMES = ["npm:@reserved/*"]
    ours = builders.package(upstream.project, "@acme/core", scope="@acme")
    builders.release(ours, "1.0.0")
    for name in ("@acme/core", "@acme/unheard-of", "@reserved/thing", "free"):
        stock(far, name, "99.0.0")
    pull = sync(upstream)
    assert standing() == {"@acme/core 1.0.0", "free 99.0.0"}
    assert counts(pull) == {"added": 1, "failed": 3}
    assert all("internal name" in error for error in errors().values())
    assert len(far.downloads()) == 1


def test_a_name_has_one_source_and_no_other_wins_by_a_higher_version(far, upstream, sync):
    stock(far)
    sync(upstream)
    stock(far, "left-pad", "99.0.0")
    site = {"kind": "artifactory", "base_url": far.url, "repository": "npm-local", "ecosystem": "npm"}
    other = Upstream.objects.create(name="other", project=upstream.project, allows_private=True, **site)
    sync(other)
    assert standing() == {"left-pad 1.0.0"}
    assert errors()["left-pad 99.0.0"] == "This name comes from the upstream far and is taken from no other."
    Upstream.objects.filter(name="far").update(enabled=False)
    sync(other, is_full=True)
    assert standing() == {"left-pad 1.0.0", "left-pad 99.0.0"}


def test_what_was_removed_here_does_not_come_back(far, upstream, sync):
    stock(far)
    sync(upstream)
    Release.objects.update(unlisted_at=timezone.now())
    Offer.objects.all().delete()
    assert counts(sync(upstream, is_full=True)) == {"skipped": 1}
    assert len(far.downloads()) == 1


# --- an upstream in trouble ----------------------------------------------------------------------------------------
def test_a_storm_of_429_is_waited_out_without_a_worker(far, upstream, sync):
    stock(far)
    far.does.statuses, far.does.retry_after = [429, 429], "30"
    pull = sync(upstream)
    assert pull.state == "running"
    wait = Job.objects.get(kind="sync").due_at - timezone.now()
    assert timedelta(seconds=20) < wait <= timedelta(seconds=30)
    come_back()
    come_back()
    assert (counts(pull), ended(pull)) == ({"added": 1}, "succeeded")


def test_an_upstream_that_is_not_to_be_had_ends_the_run_and_the_next_one_takes_it_up(far, upstream, sync):
    stock(far)
    far.does.html = True
    pull = sync(upstream)
    for _ in range(syncing.MOST_SETBACKS):
        come_back()
    assert ended(pull) == "failed"
    assert "no whole JSON" in Pull.objects.get().error
    far.does.html = False
    assert counts(sync(upstream)) == {"added": 1}


def test_a_wrong_credential_ends_the_run_at_once_and_is_not_told(far, upstream, sync):
    far.does.key = "right"
    pull = sync(upstream)
    assert (ended(pull), len(far.requests)) == ("failed", 2)
    assert "does not let this credential in" in Pull.objects.get().error


def test_what_failed_is_tried_again_by_the_next_run(far, upstream, sync):
    switched("login_page")(far)
    for file in far.files.values():
        file.modified -= timedelta(days=2)
    pull = sync(upstream)
    assert counts(pull) == {"failed": 1}
    far.does.login_page.clear()
    assert counts(sync(upstream)) == {"added": 1}


def test_the_credential_stays_with_its_own_host(far, upstream, sync):
    from registry.upstreams import connecting

    upstream.login = "api_key"
    connecting.seal(upstream, "top-secret")
    upstream.save()
    assert "top-secret" not in upstream.secret
    body = stock(far)
    far.does.key = "top-secret"
    with foreign(lambda path: says(body)) as elsewhere:
        far.does.redirects["left-pad/-/left-pad-1.0.0.tgz"] = elsewhere.url("/store")
        assert counts(sync(upstream)) == {"added": 1}
        assert "top-secret" not in "".join(elsewhere.heard)
