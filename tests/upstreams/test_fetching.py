"""What was asked for by name gets its file through an upstream, or says in plain words why not."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import AuditEvent, Project
from registry import approving, checking, downloading, explaining, tasks
from registry.errors import Conflict
from registry.models import Artifact, Blob, Job, Release
from registry.upstreams.models import Upstream
from scanning.models import ScanPolicy
from tests import builders
from tests.registry import invariants
from tests.upstreams import shops

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def shelves():
    """An npm registry and a Python index, for all tests of this module."""
    with shops.opened(shops.NpmShop()) as npm, shops.opened(shops.PyPiShop()) as pypi:
        yield {"npm": npm, "pypi": pypi}


@pytest.fixture
def stores(shelves):
    """The same, empty and well-behaved."""
    for shop in shelves.values():
        shop.shelf, shop.requests, shop.heard = [], [], []
        shop.fault = lambda ask: None
        shop.files_url = shop.url
    return shelves


@pytest.fixture
def upstream(stores, cast):
    """`upstream(kind)`: set one up as an admin would."""

    def make(kind: str = "npm", name: str = "", **fields) -> Upstream:
        given = {"base_url": stores[kind].url, "allows_private": True, "project": cast.acme, **fields}
        return Upstream.objects.create(name=name or f"public-{kind}", kind=kind, **given)

    return make


def asked(person, name="left-pad", version="1.3.0", ecosystem="npm") -> Release:
    """A submission by name, as far as it comes without waiting."""
    release = builders.submitted(person, name, version, ecosystem)
    tasks.drain()
    release.refresh_from_db()
    return release


def archive(release: Release) -> tuple[str, str]:
    check = release.checks.get(name="archive")
    return check.status, check.summary


def stock(shop, name="left-pad", version="1.3.0", **manifest):
    body = builders.npm_tarball(name, version, **manifest)
    return shop.put(name, version, f"{name.rpartition('/')[2]}-{version}.tgz", body, released="2018-04-05T06:07:08Z")


def test_the_checks_see_the_real_bytes_and_what_was_approved_can_be_downloaded(upstream, stores, alice, bob):
    held = stock(stores["npm"], "@types/ms", "2.1.0", license="ISC", dependencies={"left-pad": "^1.0.0"})
    held.says["deprecated"] = "use another"
    upstream()
    release = asked(alice, "@types/ms", "2.1.0")
    assert archive(release)[0] == "passed"
    assert release.checks.get(name="integrity").status == "passed"
    assert (release.license, release.deprecated) == ("ISC", "use another")
    assert release.dependencies.get().range == "^1.0.0"
    assert f"{release.released_at:%Y-%m-%d}" == "2018-04-05"
    release = approving.approve(release, builders.actor(bob), reason="Needed.", override=True)
    with downloading.open_artifact(release, builders.actor(alice)).open() as stream:
        assert stream.read() == held.content
    event = AuditEvent.objects.get(action="release.fetch")
    assert event.details["upstream"] == "public-npm"
    assert event.details["files"]["ms-2.1.0.tgz"].endswith("/@types/ms/-/ms-2.1.0.tgz")
    invariants.hold()


@pytest.mark.once
def test_a_python_version_comes_with_its_portable_wheel_and_its_sdist(upstream, stores, alice):
    shop = stores["pypi"]
    sdist, wheel = builders.sdist("demo-pkg", "1.0"), builders.wheel("demo-pkg", "1.0")
    shop.put("Demo_Pkg", "1.0", "demo_pkg-1.0.tar.gz", sdist, released="2020-01-01T00:00:00Z")
    shop.put("Demo_Pkg", "1.0", "demo_pkg-1.0-py3-none-any.whl", wheel, released="2020-01-09T00:00:00Z")
    shop.put("Demo_Pkg", "1.0", "demo_pkg-1.0-cp312-cp312-win32.whl", b"for one platform", says={"yanked": True})
    upstream("pypi", include=["something-else"])
    release = asked(alice, "demo.pkg", "1.0.0", "pypi")
    files = [one.filename for one in release.artifacts.all()]
    assert files == ["demo_pkg-1.0-py3-none-any.whl", "demo_pkg-1.0.tar.gz"]
    assert release.sha256 == release.artifacts.all()[0].sha256
    assert archive(release) == ("passed", "A well-formed wheel and sdist of 7 files.")
    assert f"{release.released_at:%Y-%m-%d}" == "2020-01-09"
    invariants.hold()


@pytest.mark.once
def test_a_wheel_of_one_platform_comes_where_there_is_nothing_else(upstream, stores, alice):
    body = builders.wheel("demo", "1.0", tag="cp312-cp312-win32")
    stores["pypi"].put("demo", "1.0", "demo-1.0-cp312-cp312-win32.whl", body)
    upstream("pypi")
    assert asked(alice, "demo", "1.0", "pypi").artifacts.get().kind == "wheel"


@pytest.mark.once
def test_age_counts_from_the_upstreams_own_date(upstream, stores, alice):
    ScanPolicy.objects.update_or_create(project=None, defaults={"cooldown_days": 7})
    stock(stores["npm"])
    stock(stores["npm"], version="1.4.0").released = f"{timezone.now() - timedelta(days=2):%Y-%m-%dT%H:%M:%SZ}"
    upstream()
    ages = [asked(alice, version=version).checks.get(name="age") for version in ("1.3.0", "1.4.0", "1.5.0")]
    upstreams_date, arrival = "Its upstream released it", "It arrived here on"
    assert [one.status for one in ages] == ["passed", "warned", "warned"]
    assert all(
        one.summary.startswith(word) for one, word in zip(ages, (upstreams_date, upstreams_date, arrival), strict=True)
    )


# --- names that are ours -------------------------------------------------------------------------------------------
@pytest.mark.once
def test_no_upstream_is_asked_for_an_internal_name(upstream, stores, cast, settings):
    ours = builders.package(cast.acme, "@acme/core")
    builders.release(ours, "1.0.0")
    settings.INTERNAL_NAMES = ["npm:acme-*"]
    shop = stores["npm"]
    for name in ("@acme/core", "@acme/other", "acme-tool", "left-out"):
        stock(shop, name, "99.0.0")
    upstream(exclude=["left-out"])
    for name in ("@acme/core", "@acme/other", "acme-tool", "left-out"):
        status, summary = archive(asked(cast.alice, name, "99.0.0"))
        assert (status, "There is no file here to look at" in summary) == ("skipped", True), name
    assert shop.requests == []
    assert not Artifact.objects.exists()


# --- without a file ------------------------------------------------------------------------------------------------
@pytest.mark.once
@pytest.mark.parametrize(
    ("who", "visibility", "comes"),
    [("mallory", "private", False), ("alice", "public", False), ("alice", "private", True)],
)
def test_what_is_pulled_for_one_project_is_fetched_for_its_private_packages_alone(
    upstream, stores, cast, who, visibility, comes
):
    stock(stores["npm"])
    upstream(visibility="private")
    Project.objects.update(visibility=visibility)
    release = asked(getattr(cast, who))
    assert (bool(release.sha256), bool(stores["npm"].requests)) == (comes, comes)


def test_without_an_upstream_the_checks_that_need_no_file_run(upstream, alice):
    upstream("pypi")
    upstream(name="switched-off", enabled=False)
    release = asked(alice)
    assert archive(release) == (
        "skipped", "There is no file here to look at: no upstream is set up for it."
    )  # fmt: skip
    assert release.checks.get(name="name").status == "passed"


@pytest.mark.once
def test_what_no_upstream_has_says_so_and_comes_when_it_is_asked_for_again(upstream, stores, alice, bob, client):
    upstream()
    release = asked(alice)
    assert archive(release)[0] == "failed"
    assert "public-npm has no such version" in release.held_because
    with pytest.raises(Conflict):
        approving.approve(release, builders.actor(bob))
    stock(stores["npm"])
    checking.rescan(release, builders.actor(bob))
    tasks.drain()
    assert archive(release)[0] == "passed"


@pytest.mark.once
def test_the_next_upstream_is_asked_where_the_first_does_not_have_it(upstream, stores, alice):
    with shops.opened(shops.NpmShop()) as first:
        upstream(name="z-first", base_url=first.url)
        upstream(name="a-second")
        stock(stores["npm"])
        asked(alice)
        stock(first, version="1.4.0")
        asked(alice, version="1.4.0")
        events = AuditEvent.objects.filter(action="release.fetch").order_by("pk")
        assert [event.details["upstream"] for event in events] == ["a-second", "z-first"]
        assert first.requests[0] == "/left-pad"
        assert len(stores["npm"].requests) == 2


@pytest.mark.parametrize(("kind", "why"), [("down", "answer"), ("busy", "patience"), ("shut", "admin")])
def test_while_the_upstream_is_down_it_waits_and_says_so_everywhere(
    upstream, stores, alice, bob, client, time_machine, kind, why
):
    start = timezone.now()
    time_machine.move_to(start, tick=False)
    stock(stores["npm"])
    shops.spoils(stores["npm"], kind, "left-pad")
    upstream()
    release = asked(alice)
    assert archive(release)[0] == "pending"
    assert release.held_because.startswith("It waits for its file. public-npm")
    assert (why in release.held_because, "127.0.0.1" in release.held_because) == (True, False)
    explained = explaining.explain(release, builders.actor(alice))
    assert ("FILE_AWAITED", explained.answer) in {(one.code, "hold") for one in explained.verdicts}
    with pytest.raises(Conflict, match="waits for its file"):
        approving.approve(release, builders.actor(bob))
    client.force_login(alice)
    for page in ("/profile", "/packages/npm/left-pad/versions/1.3.0"):
        assert "It waits for its file" in client.get(page).content.decode()
    job = Job.objects.get(kind="fetch")
    assert (job.due_at - start).total_seconds() == (120 if kind == "busy" else 15)
    for _ in range(20):
        time_machine.move_to(Job.objects.get(kind="fetch").due_at, tick=False)
        tasks.drain()
    assert Job.objects.get(kind="fetch").due_at - timezone.now() == timedelta(hours=1)
    stores["npm"].fault = lambda ask: None
    time_machine.move_to(timezone.now() + timedelta(hours=1), tick=False)
    tasks.drain()
    assert archive(release)[0] == "passed"


def test_a_file_that_comes_after_the_decision_is_not_attached(upstream, stores, alice, bob):
    stock(stores["npm"])
    shops.spoils(stores["npm"], "down", "left-pad")
    upstream()
    release = asked(alice)
    approving.approve(release, builders.actor(bob), override=True, reason="By its name.")
    stores["npm"].fault = lambda ask: None
    Job.objects.filter(kind="fetch").update(due_at=timezone.now())
    tasks.drain()
    release.refresh_from_db()
    assert (release.status, release.sha256, Blob.objects.count()) == ("approved", "", 0)


# --- what lies is refused, and named -------------------------------------------------------------------------------
LIES = {
    "wrong": "is another",
    "endless": "larger than",
    "elsewhere": "nobody may visit",
    "a page": "is no JSON",
    "gone": "does not have it",
}


@pytest.mark.once
@pytest.mark.parametrize("kind", LIES)
def test_a_lying_upstream_is_refused_and_named_and_leaves_no_bytes(upstream, stores, alice, settings, kind):
    stock(stores["npm"])
    shops.spoils(stores["npm"], kind, "left-pad" if kind == "a page" else "/-/")
    upstream(max_file_mb=1)
    status, summary = archive(asked(alice))
    assert (status, "public-npm" in summary, LIES[kind] in summary) == ("failed", True, True), summary
    assert "127.0.0.1" not in summary
    assert not Artifact.objects.exists()
    assert not Blob.objects.exists()
    assert not list(settings.STAGING_DIR.glob("*"))


@pytest.mark.once
@pytest.mark.parametrize(
    ("body", "why"),
    [
        (builders.npm_tarball("left-pad", "1.4.0"), "not left-pad 1.3.0"),
        (builders.npm_tarball("right-pad", "1.3.0"), "not left-pad 1.3.0"),
        (builders.tarball([("package/package.json", b"{}"), ("../evil", b"x")]), "refused"),
        (b"rubbish", "refused"),
    ],
)
def test_a_file_of_something_else_or_a_hostile_one_is_refused(upstream, stores, alice, body, why):
    stores["npm"].put("left-pad", "1.3.0", "left-pad-1.3.0.tgz", body)
    upstream()
    status, summary = archive(asked(alice))
    assert (status, why in summary) == ("failed", True), summary
    assert not Blob.objects.exists()


@pytest.mark.once
def test_one_bad_file_of_several_keeps_all_out(upstream, stores, alice):
    shop = stores["pypi"]
    shop.put("demo", "1.0", "demo-1.0-py3-none-any.whl", builders.wheel("demo", "1.0"))
    shop.put("demo", "1.0", "demo-1.0.tar.gz", builders.sdist("demo", "1.0"), says={"hashes": {"sha256": "0" * 64}})
    upstream("pypi")
    assert archive(asked(alice, "demo", "1.0", "pypi"))[0] == "failed"
    assert not Blob.objects.exists()
