"""What nobody has asked for yet: offered by its index, brought by its first request, never served unjudged."""

import base64
import hashlib
import json
import threading
from collections import Counter
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import AuditEvent
from licensing.models import LicensePolicy
from registry import approving, documents, tasks
from registry.models import Job, Package, Release
from registry.upstreams.models import Errand, Offer, Shelf, Upstream
from registry.upstreams.through import allowing
from scanning.models import ScanPolicy
from tests import builders
from tests.registry import invariants
from tests.scanning.conftest import load, osv, rated
from tests.upstreams import shops

pytestmark = pytest.mark.django_db
MOST_QUERIES = {"indexing": 11, "asking": 10, "bringing": 130, "taking": 6}
PACKUMENT, FILE = "/npm/left-pad", "/npm/left-pad/-/left-pad-1.3.0.tgz"


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
def shop(stores):
    """The npm registry, with left-pad on its shelf."""
    stock(stores["npm"])
    return stores["npm"]


@pytest.fixture
def upstream(stores, cast, settings):
    """`upstream(kind)`: one that pulls through, and that acme trusts. Nobody waits: jobs run between two requests."""
    settings.PULL_THROUGH_SECONDS = 0

    def make(kind: str = "npm", **fields) -> Upstream:
        given = {
            "name": f"public-{kind}", "base_url": stores[kind].url, "project": cast.acme, "allows_private": True,
            "needs_review": False, "pulls_through": True, "requests_per_second": 1000,
        }  # fmt: skip
        allowing.forget()
        return Upstream.objects.create(kind=kind, **{**given, **fields})

    return make


@pytest.fixture
def ask(client, alice):
    """`ask(path)`: a GET with alice's token, until there is an answer that is not "not yet"."""
    raw = builders.token(alice)

    def ask(path: str, *, token: str = raw, rounds: int = 3):
        for _ in range(rounds):
            answer = client.get(path, headers=builders.bearer(token) if token else {})
            if answer.status_code != 503 or not Errand.objects.filter(state="open").exists():
                break
            assert int(answer["Retry-After"]) >= 1
            tasks.drain()
        return answer

    ask.client = client
    return ask


def stock(shop, name="left-pad", version="1.3.0", **manifest):
    body = builders.npm_tarball(name, version, **manifest)
    says = {key: manifest[key] for key in ("dependencies", "license") if key in manifest}
    return shop.put(name, version, f"{name.rpartition('/')[2]}-{version}.tgz", body, says=says)


def versions(answer) -> list[str]:
    return sorted(json.loads(answer.content)["versions"]) if answer.status_code == 200 else []


def read(answer) -> bytes:
    return b"".join(answer.streaming_content) if answer.streaming else answer.content


def files(shop) -> list[str]:
    return [path for path in shop.requests if "/-/" in path]


# --- where machines decide -------------------------------------------------------------------------------------------
def test_a_cold_version_costs_few_queries_and_no_question_is_put_twice(upstream, shop, ask, client, alice):
    upstream()
    allowing.switched_on()
    sent = {"headers": builders.bearer(builders.token(alice))}
    with CaptureQueriesContext(connection) as indexing:
        assert client.get(PACKUMENT, **sent).status_code == 200
    with CaptureQueriesContext(connection) as asking:
        assert client.get(FILE, **sent).status_code == 503
    with CaptureQueriesContext(connection) as bringing:
        tasks.execute(tasks.claim(Job.objects.get(kind="through").pk))
    with CaptureQueriesContext(connection) as taking:
        assert client.get(FILE, **sent).status_code == 200
    steps = {"indexing": indexing, "asking": asking, "bringing": bringing, "taking": taking}
    counts = {name: len(_questions(queries)) for name, queries in steps.items()}
    assert {name: count for name, count in counts.items() if count > MOST_QUERIES[name]} == {}
    for queries in (indexing, asking, taking):
        again = [sql for sql, count in Counter(_questions(queries)).items() if count > 1]
        assert again == []
    of_ours = [sql for sql in _questions(bringing) if "upstreams_" in sql]
    assert len(of_ours) <= 7, of_ours


def _questions(queries) -> list[str]:
    """What was asked and written, without the statements that only frame a transaction."""
    framing = ("SAVEPOINT", "RELEASE", "BEGIN", "COMMIT")
    return [one["sql"] for one in queries.captured_queries if not one["sql"].startswith(framing)]


def test_the_first_request_brings_a_version_and_it_leaves_once_it_is_approved(upstream, shop, ask, client):
    upstream()
    offered = ask(PACKUMENT)
    dist = json.loads(offered.content)["versions"]["1.3.0"]["dist"]
    body = shop.shelf[0].content
    assert dist["tarball"] == f"http://testserver{FILE}"
    assert dist["integrity"] == "sha512-" + base64.b64encode(hashlib.sha512(body).digest()).decode()
    assert (offered["X-Pulled-Through"], offered["Cache-Control"]) == ("public-npm", "private, no-cache")
    assert not Release.objects.exists()

    assert client.get(FILE).status_code == 404  # a stranger has nothing fetched
    assert files(shop) == []
    assert read(ask(FILE)) == body
    release = Release.objects.get()
    assert (release.status, release.origin, release.project.slug) == ("approved", "synced", "acme")
    assert f"{release.released_at:%Y-%m-%d}" == "2020-02-03"
    assert AuditEvent.objects.get(action="upstream.asked").details == {"upstream": "public-npm"}
    assert read(client.get(FILE)) == body  # now anybody may have it
    assert versions(client.get(PACKUMENT)) == ["1.3.0"]
    assert len(shop.requests) == 2
    invariants.hold()


@pytest.mark.once
def test_what_is_held_and_what_may_come_stand_side_by_side(upstream, shop, ask, client):
    upstream()
    ask(FILE)
    stock(shop, version="1.4.0")
    Shelf.objects.update(due_at=timezone.now())
    assert versions(ask(PACKUMENT)) == ["1.3.0"]  # the old answer, while a worker asks
    tasks.drain()
    both = ask(PACKUMENT)
    assert versions(both) == ["1.3.0", "1.4.0"]
    assert json.loads(both.content)["dist-tags"]["latest"] == "1.4.0"
    assert versions(client.get(PACKUMENT)) == ["1.3.0"]  # to who may not have it fetched, it is not offered
    stock(shop, version="1.5.0")
    Shelf.objects.update(fetched_at=timezone.now() - timedelta(minutes=1))
    assert ask("/npm/left-pad/-/left-pad-1.5.0.tgz").status_code == 200  # named by a lock file, and new


def test_an_index_leaves_out_what_policy_would_turn_away(upstream, shop, ask, cast):
    upstream()
    ScanPolicy.objects.update_or_create(project=None, defaults={"cooldown_days": 7})
    LicensePolicy.objects.update_or_create(
        kind="license", key="AGPL-3.0-only", project=None, defaults={"status": "denied"}
    )
    flaw = osv("GHSA-aaaa", versions=["1.1.0"], ranges=[], **rated("CRITICAL"))
    load(flaw)
    stock(shop, version="1.1.0")
    stock(shop, version="1.2.0", license="AGPL-3.0-only")
    young = stock(shop, version="1.4.0")
    young.released = f"{timezone.now() - timedelta(days=2):%Y-%m-%dT%H:%M:%SZ}"
    answer = ask(PACKUMENT)
    said = json.loads(answer.content)
    assert (sorted(said["versions"]), said["dist-tags"]) == (["1.3.0"], {"latest": "1.3.0"})
    assert answer["npm-notice"].startswith("left-pad 1.4.0 of public-npm was skipped: It is younger than the 7 days")
    refused = {version: ask(f"/npm/left-pad/-/left-pad-{version}.tgz") for version in ("1.1.0", "1.2.0", "1.4.0")}
    assert {version: answer.status_code for version, answer in refused.items()} == dict.fromkeys(refused, 403)
    words = {version: json.loads(answer.content)["error"] for version, answer in refused.items()}
    assert ("GHSA" in words["1.1.0"], "AGPL" in words["1.2.0"], "waits until" in words["1.4.0"]) == (True, True, True)
    shop.drop("left-pad-1.3.0.tgz")
    stock(shop, "young").released = young.released
    answer = ask("/npm/young")
    assert (answer.status_code, "younger than the 7 days" in answer.content.decode()) == (403, True)


# --- where a person decides ------------------------------------------------------------------------------------------
def test_where_a_maintainer_decides_the_request_is_the_submission(upstream, shop, ask, cast):
    upstream(needs_review=True)
    stock(shop, version="1.2.0")
    assert versions(ask(PACKUMENT)) == ["1.2.0", "1.3.0"]
    for _ in range(2):
        answer = ask(FILE)
        said = json.loads(answer.content)["error"]
        assert (answer.status_code, "approved by a maintainer" in said) == (403, True)
        assert "http://testserver/packages/npm/left-pad/versions/1.3.0" in said
        assert versions(ask(PACKUMENT)) == ["1.2.0", "1.3.0"]  # nobody is led to the next older one
    release = Release.objects.get()
    assert release.status == "pending"
    approving.approve(release, builders.actor(cast.bob), reason="Needed.")
    assert ask(FILE).status_code == 200
    assert versions(ask(PACKUMENT)) == ["1.3.0"]  # from now on what is approved, and nothing else
    assert len(files(shop)) == 1


# --- names, people, limits -------------------------------------------------------------------------------------------
@pytest.mark.once
def test_no_upstream_hears_of_names_that_are_ours_or_come_from_another_or_are_left_out(
    upstream, shop, ask, cast, settings
):
    settings.INTERNAL_NAMES = ["npm:acme-*"]
    builders.release(builders.package(cast.acme, "@acme/core"), "1.0.0")
    builders.release(builders.package(cast.elsewhere, "hidden", visibility="private"), "1.0.0", origin="synced")
    other = upstream(name="other", base_url="http://127.0.0.1:9", pulls_through=False)
    theirs = builders.release(builders.package(cast.acme, "elsewhere"), "1.0.0", origin="synced")
    Offer.objects.create(
        upstream=other,
        key="0",
        ecosystem="npm",
        name="elsewhere",
        normalized="elsewhere",
        state="held",
        release=theirs,
    )
    names = ("@acme/core", "@acme/new", "acme-tool", "hidden", "elsewhere", "left-out")
    for name in names:
        stock(shop, name, "99.0.0")
    pulling = upstream(exclude=["left-out"])
    for name in names:
        assert "99.0.0" not in versions(ask(f"/npm/{name}")), name
        file = f"/npm/{name}/-/{name.rpartition('/')[2]}-99.0.0.tgz"
        assert ask(file).status_code in (403, 404), name
    about_to_publish = {**builders.bearer(builders.token(cast.alice)), "npm-command": "publish"}
    assert ask.client.get("/npm/left-pad", headers=about_to_publish).status_code == 404
    for switch in ("pulls_through", "enabled"):
        Upstream.objects.filter(pk=pulling.pk).update(**{"pulls_through": True, switch: False})
        allowing.forget()
        assert (ask(PACKUMENT).status_code, ask(FILE).status_code) == (404, 404)
    assert shop.requests == []


@pytest.mark.once
def test_strangers_are_asked_to_sign_in_unless_the_upstream_is_for_everybody_and_nobody_asks_without_end(
    upstream, shop, ask, settings
):
    one = upstream()
    assert ask(PACKUMENT, token="").status_code == 404
    assert "signed in" in json.loads(ask(FILE, token="").content)["error"]
    one.pull_through_for = Upstream.Asker.EVERYBODY
    one.save()
    allowing.forget()
    assert versions(ask(PACKUMENT, token="")) == ["1.3.0"]
    settings.PULL_THROUGH_PER_HOUR = 30  # and 3 for strangers
    assert [ask(f"/npm/left-pad{number}", token="").status_code for number in range(4)] == [404, 404, 429, 429]
    one.visibility = "private"
    one.save()
    allowing.forget()
    assert ask(FILE, token="").status_code == 404
    assert files(shop) == []


# --- upstreams that fail, or lie -------------------------------------------------------------------------------------
@pytest.mark.parametrize(("kind", "patience"), [("down", 30), ("busy", 120), ("shut", 30)])
def test_while_an_upstream_is_down_what_is_held_is_served_and_the_rest_is_told_to_wait(
    upstream, shop, ask, kind, patience
):
    upstream()
    held = read(ask(FILE))
    stock(shop, version="1.4.0")
    Shelf.objects.all().delete()
    ask(PACKUMENT)
    shops.spoils(shop, kind, "left-")
    before = len(shop.requests)
    assert (read(ask(FILE)), versions(ask(PACKUMENT))) == (held, ["1.3.0"])
    unknown = ask("/npm/left-out")
    assert (unknown.status_code, "public-npm" in unknown.content.decode()) == (503, True)
    assert int(unknown["Retry-After"]) > 10
    assert ask("/npm/left-out").status_code == 503  # and nobody is asked again at once
    asked = len(shop.requests) - before
    assert asked == (2 if kind == "down" else 1)  # one that stumbles is asked once more
    Shelf.objects.all().delete()
    shop.fault = lambda ask: None
    ask("/npm/left-pad/-/left-pad-9.9.9.tgz")
    shops.spoils(shop, kind, "/-/")
    answer = ask("/npm/left-pad/-/left-pad-1.4.0.tgz")
    assert (answer.status_code, int(answer["Retry-After"]) > patience - 5) == (503, True)
    assert "127.0.0.1" not in answer.content.decode()
    shop.fault = lambda ask: None
    assert ask("/npm/left-pad/-/left-pad-1.4.0.tgz").status_code == 503
    Errand.objects.update(again_at=timezone.now())
    assert ask("/npm/left-pad/-/left-pad-1.4.0.tgz").status_code == 200


@pytest.mark.once
def test_what_is_not_there_is_asked_for_once(upstream, shop, ask):
    upstream()
    assert [ask("/npm/nothing").status_code for _ in range(3)] == [404, 404, 404]
    assert ask(FILE.replace("1.3.0", "7.0.0")).status_code == 404
    assert ask("/npm/left-pad/-/left-pad-7.0.0.tgz").status_code == 404
    assert shop.requests == ["/nothing", "/left-pad"]


@pytest.mark.once
@pytest.mark.parametrize("kind", ["wrong", "endless", "elsewhere"])
def test_a_lying_upstream_is_named_and_nothing_of_it_is_kept(upstream, shop, ask, kind):
    upstream(max_file_mb=1)
    shops.spoils(shop, kind, "/-/")
    for _ in range(2):
        answer = ask(FILE)
        assert (answer.status_code, "public-npm" in answer.content.decode()) == (403, True), answer.content
    assert len(files(shop)) == 1
    assert not Package.objects.exists()
    invariants.hold()


@pytest.mark.once
def test_a_version_whose_bytes_change_upstream_stays_out_and_is_told_of(upstream, shop, ask):
    upstream()
    stock(shop, version="1.4.0")
    assert versions(ask(PACKUMENT)) == ["1.3.0", "1.4.0"]
    first = read(ask(FILE))
    for held in shop.shelf:
        held.content = builders.npm_tarball("left-pad", held.version, files={"index.js": "steal()"})
    Shelf.objects.update(due_at=timezone.now())
    ask(PACKUMENT)
    tasks.drain()
    documents.rebuild(Package.objects.get())
    assert versions(ask(PACKUMENT)) == ["1.3.0"]
    assert read(ask(FILE)) == first
    answer = ask("/npm/left-pad/-/left-pad-1.4.0.tgz")
    assert (answer.status_code, "other bytes" in answer.content.decode()) == (403, True)
    assert AuditEvent.objects.filter(action="upstream.changed_bytes").count() == 2


# --- other doors -----------------------------------------------------------------------------------------------------
def test_a_python_version_comes_through_the_routes_of_the_api(upstream, stores, ask):
    upstream("pypi")
    wheel = builders.wheel("demo-pkg", "1.0")
    shop = stores["pypi"]
    shop.put("Demo_Pkg", "1.0", "demo_pkg-1.0.tar.gz", builders.sdist("demo-pkg", "1.0"))
    shop.put("Demo_Pkg", "1.0", "demo_pkg-1.0-py3-none-any.whl", wheel)
    shop.put("Demo_Pkg", "1.0", "demo_pkg-1.0-cp312-cp312-win32.whl", b"for one platform")
    both = threading.Barrier(2)  # neither of the two files is sent before the other has been asked for
    shop.fault = lambda ask: both.wait(30) and None if "/files/" in ask.path else None
    place = "/api/v1/packages/demo.pkg/versions/1.0/files/demo_pkg-1.0-py3-none-any.whl"
    assert ask(place).status_code == 404  # which ecosystem is meant is not guessed
    assert read(ask(f"{place}?ecosystem=pypi")) == wheel
    assert [one.filename for one in Release.objects.get().artifacts.all()] == [
        "demo_pkg-1.0-py3-none-any.whl", "demo_pkg-1.0.tar.gz"
    ]  # fmt: skip


@pytest.mark.once
def test_one_file_that_is_not_what_was_said_keeps_the_whole_version_out(upstream, stores, ask, settings):
    upstream("pypi")
    shop = stores["pypi"]
    shop.put("demo-pkg", "1.0", "demo_pkg-1.0-py3-none-any.whl", builders.wheel("demo-pkg", "1.0"))
    shop.put("demo-pkg", "1.0", "demo_pkg-1.0.tar.gz", builders.sdist("demo-pkg", "1.0"))
    shops.spoils(shop, "wrong", "/files/demo-pkg/demo_pkg-1.0.tar.gz")
    answer = ask("/api/v1/packages/demo-pkg/versions/1.0/files/demo_pkg-1.0-py3-none-any.whl?ecosystem=pypi")
    assert (answer.status_code, "public-pypi" in answer.content.decode()) == (403, True)
    assert not Package.objects.exists()
    assert list(settings.STAGING_DIR.iterdir()) == []
    invariants.hold()


@pytest.mark.once
def test_pips_index_offers_the_files_that_would_come_and_the_first_request_brings_them(upstream, stores, ask, client):
    upstream("pypi")
    shop = stores["pypi"]
    wheel = builders.wheel("demo-pkg", "1.0")
    shop.put("Demo_Pkg", "1.0", "demo_pkg-1.0-py3-none-any.whl", wheel, says={"requires-python": ">=3.9"})
    shop.put("Demo_Pkg", "1.0", "demo_pkg-1.0-cp312-cp312-win32.whl", b"for one platform")
    assert client.get("/pypi/simple/demo-pkg/").status_code == 404
    answer = ask("/pypi/simple/demo-pkg/?format=application/vnd.pypi.simple.v1%2Bjson")
    (file,) = json.loads(answer.content)["files"]
    told = (file["filename"], file["hashes"]["sha256"], file["size"], file["requires-python"], file["core-metadata"])
    digest = hashlib.sha256(wheel).hexdigest()
    assert told == ("demo_pkg-1.0-py3-none-any.whl", digest, len(wheel), ">=3.9", False)
    place = file["url"].removeprefix("http://testserver")
    assert ask(f"{place}.metadata").status_code == 404
    assert read(ask(place)) == wheel
    assert ask(f"{place}.metadata").status_code == 200
