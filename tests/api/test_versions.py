"""One version: reading, deciding, unlisting, restoring, its bill of materials and its signature."""

import json
import subprocess
from pathlib import Path

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import AuditEvent
from registry import documents, submitting
from registry.models import Release
from tests import builders
from tests.api.clients import ApiClient
from tests.builders import Cast, KeyPair

CORE = "/packages/@acme-utils/core/versions/1.2.0"


@pytest.fixture
def asked(cast: Cast) -> Release:
    """left-pad 1.3.0, submitted by alice, not decided."""
    from registry import tasks

    release = builders.submitted(cast.alice)
    tasks.drain()
    return release


ASKED = "/packages/left-pad/versions/1.3.0"


def test_a_version_shows_its_checks_files_and_decision(nobody: ApiClient, core: Release):
    answer = nobody.get(CORE)

    body = answer.json()
    assert (body["name"], body["version"], body["status"], body["origin"]) == (
        "@acme-utils/core", "1.2.0", "approved", "published",
    )  # fmt: skip
    assert {"archive", "manifest", "integrity", "signature", "license", "vulnerabilities", "name", "age"} == {
        check["name"] for check in body["checks"]
    }
    assert body["artifacts"][0]["sha256"] == body["sha256"] == core.sha256
    assert (body["decision"]["by"], body["decision"]["sha256"]) == ("policy", core.sha256)
    assert body["submitted_by"] == "a***@example.com"
    assert nobody.get(CORE, headers={"If-None-Match": answer["ETag"]}).status_code == 304
    assert nobody.get(CORE.replace("1.2.0", "latest")).json() == body


def test_a_version_costs_a_fixed_number_of_queries(nobody: ApiClient, core: Release):
    with CaptureQueriesContext(connection) as queries:
        nobody.get(CORE)

    assert len(queries) <= 7, [query["sql"][:90] for query in queries]


def test_an_unknown_version_is_404(nobody: ApiClient, core: Release):
    assert nobody.get(CORE.replace("1.2.0", "9.9.9")).status_code == 404
    assert nobody.get(CORE.replace("1.2.0", "x" * 300)).status_code == 404


# --- deciding ------------------------------------------------------------------------------------------------------
def test_a_maintainer_approves_with_a_reason(cast: Cast, asked: Release, client_of):
    body = {"reason": "Read it.", "override": True}
    answer = client_of(cast.bob).send("POST", f"{ASKED}/approve", body)

    assert answer.status_code == 200, answer.json()
    assert (answer.json()["status"], answer.json()["decision"]["by"]) == ("approved", "bob")


def test_a_rejection_needs_a_reason(cast: Cast, asked: Release, client_of):
    bob = client_of(cast.bob)

    assert bob.send("POST", f"{ASKED}/reject", {}).status_code == 400
    assert bob.send("POST", f"{ASKED}/reject", {"reason": "   "}).status_code == 400
    rejected = bob.send("POST", f"{ASKED}/reject", {"reason": "Not needed."})
    assert (rejected.status_code, rejected.json()["held_because"]) == (200, "Not needed.")
    assert bob.send("POST", f"{ASKED}/approve", {"reason": "After all.", "override": True}).status_code == 409


def test_nobody_approves_their_own(cast: Cast, client_of):
    submitting.submit(submitting.Submission("npm", "left-pad", "1.3.0"), builders.actor(cast.bob))

    answer = client_of(cast.bob).send("POST", f"{ASKED}/approve", {"override": True, "reason": "Mine."})

    assert (answer.status_code, answer.json()["details"]["code"]) == (403, "self_approval")
    assert AuditEvent.objects.filter(outcome="refused", actor=str(cast.bob.pseudonym)).exists()


def test_only_maintainers_with_the_scope_decide(cast: Cast, asked: Release, nobody: ApiClient, client_of):
    body = {"reason": "Because."}
    assert nobody.send("POST", f"{ASKED}/reject", body).status_code == 401
    assert client_of(cast.alice).send("POST", f"{ASKED}/reject", body).status_code == 403
    assert client_of(cast.bob, "read").send("POST", f"{ASKED}/reject", body).status_code == 403


@pytest.mark.parametrize(
    ("body", "field"),
    [({"reason": 5}, "reason"), ({"override": "yes"}, "override"), ({"override": 1}, "override"),
     ({"why": "x"}, "why"), ({"reason": "x" * 5000}, "reason"), ([], "body"), ("approve", "body"), (None, "body")],
)  # fmt: skip
def test_a_bad_decision_names_the_field(cast: Cast, asked: Release, client_of, body, field: str):
    answer = client_of(cast.bob).send("POST", f"{ASKED}/approve", body)

    assert answer.status_code == 400
    assert field in answer.json()["details"]


def test_a_decision_binds_to_the_digest_that_was_seen(cast: Cast, core: Release, client_of):
    assert client_of(cast.bob).send("POST", f"{CORE}/reject", {"reason": "x", "sha256": "0" * 64}).status_code == 409


# --- unlisting -----------------------------------------------------------------------------------------------------
def test_an_admin_unlists_and_restores(cast: Cast, core: Release, nobody: ApiClient, client_of):
    root = client_of(cast.root)

    gone = root.delete(CORE)
    assert (gone.status_code, gone.json()["status"]) == (202, "unlisted")
    assert gone.json()["purge_at"] > gone.json()["unlisted_at"]
    assert nobody.get("/packages").json()["total"] == 0
    assert nobody.get("/packages/@acme-utils/core/resolve?range=*").status_code == 404
    assert nobody.get(CORE).json()["unlisted"] is True
    assert root.delete(CORE).status_code == 409

    back = root.send("POST", f"{CORE}/restore")
    assert (back.status_code, back.json()["unlisted"]) == (200, False)
    assert root.send("POST", f"{CORE}/restore").status_code == 409
    assert nobody.get("/packages").json()["total"] == 1


def test_a_stranger_cannot_unlist(cast: Cast, core: Release, nobody: ApiClient, client_of):
    assert nobody.delete(CORE).status_code == 401
    assert client_of(cast.mallory).delete(CORE).status_code == 403
    assert client_of(cast.bob).delete(CORE).status_code == 403
    refused = AuditEvent.objects.filter(outcome="refused", action="api.delete")
    who = {event.actor for event in refused}
    assert who == {"anonymous", str(cast.mallory.pseudonym), str(cast.bob.pseudonym)}
    assert nobody.get(CORE).json()["unlisted"] is False


def test_a_removed_version_is_410_everywhere(cast: Cast, core: Release, nobody: ApiClient, client_of, settings):
    from registry import retiring, tasks

    settings.PURGE_GRACE_HOURS = 0
    retiring.unlist(core, builders.actor(cast.root))
    tasks.drain()

    for what in ("", "/download", "/sbom", "/signature", f"/files/{core.artifacts.get().filename}"):
        assert nobody.get(CORE + what).status_code == 410, what
        assert nobody.head(CORE + what).status_code == 410, what
        assert nobody.get(CORE + what, headers={"Range": "bytes=0-9", "If-None-Match": "*"}).status_code == 410, what
    assert client_of(cast.root).delete(CORE).status_code == 410
    assert client_of(cast.root).send("POST", f"{CORE}/restore").status_code == 410


# --- ranges --------------------------------------------------------------------------------------------------------
def test_a_range_is_resolved_by_the_ecosystems_rules(cast: Cast, nobody: ApiClient):
    package = builders.package(cast.acme)
    for version in ("1.0.0", "1.2.3", "2.0.0-rc.1", "2.0.0"):
        builders.release(package, version)
    builders.release(package, "1.9.0", status="pending")
    documents.rebuild(package)

    def resolved(query: str):
        return nobody.get(f"/packages/left-pad/resolve?{query}")

    assert resolved("range=^1.0").json() == {
        "name": "left-pad", "range": "^1.0", "version": "1.2.3", "candidates": 2,
    }  # fmt: skip
    assert resolved("range=%3E%3D2.0.0-0&prerelease=true").json()["version"] == "2.0.0"
    assert resolved("range=^9").status_code == 404
    for bad in (
        "",
        "range=",
        "range=not%20a%20range%20%25",
        "range=^1&prerelease=maybe",
        "range=%00",
        "range=" + "1" * 300,
    ):
        assert resolved(bad).status_code == 400, bad


# --- bill of materials ---------------------------------------------------------------------------------------------
def test_the_bill_of_materials_is_strictly_valid_cyclonedx(cast: Cast, core: Release, nobody: ApiClient):
    needed = builders.package(cast.acme, "left-pad")
    release = builders.release(needed, "1.3.0", license="(MIT OR Apache-2.0)")
    release.dependencies.create(ecosystem="npm", name="gone", normalized="gone", range=">=3 <4 || 5")
    release.dependencies.create(ecosystem="npm", name="@acme-utils/core", normalized="@acme-utils/core", range="*")
    documents.rebuild(needed)

    answer = nobody.get(f"{CORE}/sbom")

    bill = answer.json()
    assert answer["Content-Type"] == "application/vnd.cyclonedx+json; version=1.6"
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(answer.content.decode()) is None
    assert (bill["specVersion"], bill["metadata"]["component"]["purl"]) == ("1.6", "pkg:npm/%40acme-utils/core@1.2.0")
    hashes = {one["alg"]: one["content"] for one in bill["metadata"]["component"]["hashes"]}
    assert hashes["SHA-256"] == core.sha256
    found = {one["name"]: one for one in bill["components"]}
    assert found["left-pad"]["licenses"] == [{"expression": "(MIT OR Apache-2.0)"}]
    assert found["gone"]["properties"] == [{"name": "codesync:unresolved", "value": ">=3 <4 || 5"}]
    edges = {one["ref"]: one.get("dependsOn", []) for one in bill["dependencies"]}
    assert edges["pkg:npm/%40acme-utils/core@1.2.0"] == ["pkg:npm/left-pad@1.3.0"]
    assert "pkg:npm/%40acme-utils/core@1.2.0" in edges["pkg:npm/left-pad@1.3.0"]
    assert nobody.get(f"{CORE}/sbom").content == answer.content


@pytest.mark.parametrize("license", ["", "MIT", "nonsense licence text", "LicenseRef-Acme", "GPL-2.0+", "UNLICENSED"])
def test_any_licence_text_gives_a_valid_bill(cast: Cast, nobody: ApiClient, license: str):
    package = builders.package(cast.acme)
    builders.release(package, license=license)
    documents.rebuild(package)

    content = nobody.get("/packages/left-pad/versions/1.0.0/sbom").content

    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(content.decode()) is None


# --- signature -----------------------------------------------------------------------------------------------------
def test_anyone_can_verify_the_signature(cast: Cast, core: Release, nobody: ApiClient, pair: KeyPair, tmp_path: Path):
    answer = nobody.get(f"{CORE}/signature")
    (tmp_path / "core.sig").write_bytes(answer.content)
    (tmp_path / "allowed").write_text(answer["X-Allowed-Signer"] + "\n")
    archive = b"".join(nobody.get(f"{CORE}/download").streaming_content)

    verified = subprocess.run(
        ["ssh-keygen", "-Y", "verify", "-n", "codesync", "-I", "alice", "-f", "allowed", "-s", "core.sig"],
        cwd=tmp_path, input=archive, capture_output=True,
    )  # fmt: skip

    assert verified.returncode == 0, verified.stderr


def test_an_unsigned_version_has_no_signature(nobody: ApiClient, asked: Release):
    assert nobody.get(f"{ASKED}/signature").status_code == 404


# --- explaining ----------------------------------------------------------------------------------------------------
def test_explain_says_why_it_is_held_and_what_to_do(nobody: ApiClient, asked: Release):
    answer = nobody.get("/explain?purl=pkg:npm/left-pad@1.3.0").json()

    assert (answer["purl"], answer["answer"], answer["decision"]) == ("pkg:npm/left-pad@1.3.0", "hold", None)
    refused = nobody.get(f"{ASKED}/download").json()["details"]["verdicts"]
    assert [one for one in answer["verdicts"] if one["gate"] == "decision"] == [
        one for one in refused if one["gate"] == "decision"
    ]


def test_explain_finds_the_latest_and_decodes_scopes(nobody: ApiClient, core: Release):
    answer = nobody.get("/explain?purl=pkg:npm/%2540acme-utils/core").json()

    assert (answer["purl"], answer["answer"]) == ("pkg:npm/%40acme-utils/core@1.2.0", "allow")


@pytest.mark.parametrize(
    ("purl", "status"),
    [("", 400), ("left-pad", 400), ("pkg:", 400), ("pkg:npm", 400), ("pkg:cobol/x@1", 400), ("pkg:npm/nowhere@1", 404),
     ("pkg:npm/a%2500b@1", 404), ("pkg:npm/x@1%00", 400), ("pkg:npm/" + "x" * 2000, 400), ("pkg:maven/a/b@1", 404)],
)  # fmt: skip
def test_explain_refuses_what_is_no_purl(nobody: ApiClient, db, purl: str, status: int):
    assert nobody.get(f"/explain?purl={purl}").status_code == status


def test_bodies_are_json(cast: Cast, asked: Release, client_of):
    bob = client_of(cast.bob)

    assert bob.generic("POST", f"{ASKED}/approve", b"reason=x", "application/x-www-form-urlencoded").status_code == 415
    assert bob.generic("POST", f"{ASKED}/approve", b"{", "application/json; charset=utf-8").status_code == 400
    assert json.loads(bob.generic("POST", f"{ASKED}/reject", b"", "application/json").content)["details"]["reason"]
