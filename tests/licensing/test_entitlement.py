"""What the holder of a licence key sees of a package: the newest version they are entitled to, and nothing newer."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import AuditEvent, Project
from licensing import keys, minting
from licensing.models import LicenseKey
from registry import documents
from registry.models import Package, Release
from tests import builders
from tests.builders import Cast

VERSIONS = ("1.0.0", "1.4.0", "2.0.0", "2.1.0-beta.1")
NAME = "@acme/secret"
URL = f"/v1/packages/{NAME}"


@pytest.fixture
def secret(cast: Cast) -> Package:
    """A private package; 1.0.0 is a year old, the others came today. Another one needs it."""
    made = builders.package(cast.acme, NAME, visibility="private", description="of the newest version")
    for version in VERSIONS:
        age = timedelta(days=365 if version == "1.0.0" else 0)
        builders.release(made, version, submitted_at=timezone.now() - age)
    with transaction.atomic():
        documents.rebuild(made)
    return made


@pytest.fixture
def holder(cast: Cast, secret: Package) -> Any:
    """A client with a new key on the given terms."""

    def make(**terms: Any) -> Client:
        made = keys.create(keys.Wanted(**{"packages": (NAME,)} | terms), builders.actor(cast.alice))
        return Client(headers=builders.bearer(minting.unseal(made.sealed)))

    return make


def versions(client: Client) -> list[str]:
    return [one["version"] for one in client.get(URL).json().get("versions", [])]


def code(client: Client, path: str) -> str:
    answer = client.get(path)
    return answer.json()["details"]["code"] if answer.status_code == 403 else str(answer.status_code)


def test_a_range_shows_what_lies_within_it_and_latest_is_the_newest_of_that(holder: Any):
    client = holder(constraint="version", range="<2.0.0")
    detail = client.get(URL).json()
    assert [one["version"] for one in detail["versions"]] == ["1.4.0", "1.0.0"]
    assert (detail["version"], detail["dist_tags"]) == ("1.4.0", {"latest": "1.4.0"})
    assert client.get(f"{URL}/versions/latest").json()["version"] == "1.4.0"
    assert client.get(f"{URL}/resolve?range=*").json() == {
        "name": NAME, "range": "*", "version": "1.4.0", "candidates": 2,
    }  # fmt: skip
    assert client.get(f"{URL}?depth=1").json()["dependency_tree"]["version"] == "1.4.0"
    assert code(client, f"{URL}/versions/2.0.0") == "VERSION_NOT_COVERED"
    assert "2.0.0" not in client.get("/v1/explain?purl=pkg:npm/%40acme/secret@9").content.decode()


def test_lists_and_searches_show_the_package_as_the_key_opens_it(holder: Any):
    client = holder(constraint="version", range="<2.0.0")
    for query in ("", "?search=secret", "?ecosystem=npm", "?search=secret&ecosystem=npm", "?ordering=-updated"):
        found = client.get(f"/v1/packages{query}").json()
        assert (found["total"], [row["version"] for row in found["packages"]]) == (1, ["1.4.0"]), query
    # what is counted for a key is not remembered for nobody, nor the other way round
    for query in ("", "?search=secret"):
        assert Client().get(f"/v1/packages{query}").json()["total"] == 0
        assert client.get(f"/v1/packages{query}").json()["total"] == 1
        assert holder(suspended=True).get(f"/v1/packages{query}").json()["total"] == 0


def test_what_the_key_does_not_open_has_no_known_license(holder: Any):
    Release.objects.update(license="GPL-3.0-only")
    body = {"purls": [f"pkg:npm/%40acme/secret@{version}" for version in VERSIONS], "license": "MIT"}
    told = holder(constraint="version", range="<2.0.0").post("/v1/audit", body, "application/json").json()["licenses"]
    assert [one["purl"].rpartition("@")[2] for one in told["clashes"]] == ["1.0.0", "1.4.0"]
    assert told["unknown"] == 2


def test_a_date_ends_it_and_a_fallback_keeps_what_was_published_before(holder: Any):
    past, future = timezone.now() - timedelta(days=30), timezone.now() + timedelta(days=30)
    assert versions(holder(constraint="date", until=future)) == list(reversed(VERSIONS))
    over = holder(constraint="date", until=past)
    assert [code(over, path) for path in (URL, f"{URL}/versions/1.0.0", f"{URL}/resolve?range=*")] == ["EXPIRED"] * 3
    kept = holder(constraint="date", until=past, has_fallback=True)
    assert versions(kept) == ["1.0.0"]
    assert code(kept, f"{URL}/versions/1.4.0") == "EXPIRED"
    assert kept.get("/v1/me").json()["credential"]["expiresAt"] is not None


def test_a_suspended_a_deleted_and_a_moved_key_stop_at_once(cast: Cast, holder: Any, secret: Package):
    client = holder()
    assert versions(client) == list(reversed(VERSIONS))
    LicenseKey.objects.update(suspended=True)
    assert code(client, URL) == "SUSPENDED"
    LicenseKey.objects.update(suspended=False)
    Package.objects.filter(pk=secret.pk).update(project=Project.objects.get(slug="elsewhere"))
    assert code(client, URL) == "PACKAGE_NOT_COVERED"
    Package.objects.filter(pk=secret.pk).update(project=cast.acme)
    assert versions(client)
    LicenseKey.objects.all().delete()
    assert client.get(URL).status_code == 401


def test_a_key_that_covers_no_version_says_so_in_place_of_an_empty_list(holder: Any):
    client = holder(constraint="version", range=">=9")
    for path in (URL, f"{URL}/resolve?range=*", f"{URL}/versions/latest", f"{URL}?depth=1"):
        assert code(client, path) == "VERSION_NOT_COVERED", path


def test_what_is_validated_is_what_opens(holder: Any):
    """The public question and the doors judge by the same terms."""
    past = timezone.now() - timedelta(days=30)
    cases = {
        "VALID": holder(),
        "SUSPENDED": holder(suspended=True),
        "EXPIRED": holder(constraint="date", until=past),
        "VERSION_NOT_COVERED": holder(constraint="version", range="<1"),
    }
    for expected, client in cases.items():
        raw = client.defaults["HTTP_AUTHORIZATION"].removeprefix("Bearer ")
        answer = ask(raw, NAME, "1.4.0")
        assert (answer["code"], answer["valid"]) == (expected, expected == "VALID")
        assert set(answer["license"]) == {
            "id",
            "name",
            "constraint",
            "suspended",
            "packages",
            "createdAt",
            "updatedAt",
        }
        assert code(client, f"{URL}/versions/1.4.0") == ("200" if expected == "VALID" else expected)
    good = cases["VALID"].defaults["HTTP_AUTHORIZATION"].removeprefix("Bearer ")
    assert ask(good, "@acme/other", "1.0.0")["code"] == "PACKAGE_NOT_COVERED"
    assert ask("NO-SUCH-KEY", NAME, "1.0.0") == {"valid": False, "code": "NOT_FOUND", "license": None}


def ask(raw: str, package: str, version: str) -> dict[str, Any]:
    body = {"key": raw, "package": package, "version": version}
    answer = Client().post("/v1/licenses/validate", body, "application/json")
    assert (answer.status_code, answer["Cache-Control"]) == (200, "no-store")
    return answer.json()


def test_a_plain_question_and_one_with_a_credential_have_one_answer(cast: Cast, holder: Any):
    """Plain ones are answered before the framework looks at them; the others, and the wrong ones, after."""
    raw = holder(constraint="version", range="<2").defaults["HTTP_AUTHORIZATION"].removeprefix("Bearer ")
    token = builders.bearer(builders.token(cast.mallory, "read"))
    for key in (raw, f" {raw} ", "NO-SUCH-KEY"):
        for version in ("1.0.0", "2.0.0", "neither"):
            body = {"key": key, "package": NAME, "version": version}
            plain = Client().post("/v1/licenses/validate", body, "application/json")
            known = Client(headers=token).post("/v1/licenses/validate", body, "application/json")
            assert (plain.status_code, plain.content) == (known.status_code, known.content)
            assert "X-RateLimit-Remaining" in plain.headers
    good = {"key": raw, "package": NAME, "version": "1.0.0"}
    for field in good:
        for wrong in ("", None, 5, "x" * 300):
            answer = Client().post("/v1/licenses/validate", good | {field: wrong}, "application/json")
            assert (answer.status_code, list(answer.json()["details"])) == (400, [field]), wrong
    assert Client().post("/v1/licenses/validate", "{", "application/json").status_code == 400
    assert Client().post("/v1/licenses/validate", good).status_code == 415
    assert Client().get("/v1/licenses/validate").status_code == 405


def test_a_question_costs_one_query_whatever_the_key_is_worth(holder: Any):
    raws = {
        name: client.defaults["HTTP_AUTHORIZATION"].removeprefix("Bearer ")
        for name, client in (("good", holder()), ("suspended", holder(suspended=True)))
    }
    ask(raws["good"], NAME, "1.0.0")  # the first use of a day is written down
    for raw in (*raws.values(), "NO-SUCH-KEY-AT-ALL"):
        with CaptureQueriesContext(connection) as queries:
            ask(raw, NAME, "1.0.0")
        assert len(queries) == 1, raw


def test_the_first_use_is_an_event_and_the_last_day_is_kept(holder: Any):
    client = holder()
    for _ in range(3):
        client.get("/v1/packages")
    key = LicenseKey.objects.get()
    assert (key.used_on, key.first_used_at is None) == (timezone.now().date(), False)
    events = AuditEvent.objects.filter(action="license_key.first_used")
    assert [(event.object, event.actor, event.project) for event in events] == [
        (f"license_key:{key.pk}", "license", "acme")
    ]


@pytest.mark.parametrize("path", ["/v1/packages", "/v1/packages/left-pad", "/v1/packages/left-pad/resolve?range=*"])
def test_who_shows_no_key_pays_nothing_for_keys(cast: Cast, secret: Package, path: str):
    made = builders.package(cast.acme)
    builders.release(made)
    with transaction.atomic():
        documents.rebuild(made)
    Client().get(path)
    with CaptureQueriesContext(connection) as queries:
        assert Client().get(path).status_code == 200
    assert not any("licens" in one["sql"] and "licensing_" in one["sql"] for one in queries.captured_queries)


def test_many_sold_packages_cost_a_list_no_more_queries_than_one(cast: Cast, holder: Any):
    names = [NAME]
    for number in range(4):
        other = builders.package(cast.acme, f"@acme/more-{number}", visibility="private")
        builders.release(other)
        with transaction.atomic():
            documents.rebuild(other)
        names.append(other.name)
    counts = []
    for packages in ((NAME,), tuple(names)):
        client = holder(packages=packages)
        client.get("/v1/me")
        with CaptureQueriesContext(connection) as queries:
            assert client.get("/v1/packages").json()["total"] == len(packages)
        counts.append(len(queries))
    assert counts[0] == counts[1]
