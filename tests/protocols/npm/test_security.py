"""`npm audit` and `npm audit signatures`: what advisories say, less what is waived; what the registry has signed."""

import base64
import gzip
import hashlib
import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_der_public_key
from django.core.management import call_command
from django.test.utils import CaptureQueriesContext

from registry import documents, signing
from registry.models import RegistryKey, RegistrySignature, Release
from scanning.models import Waiver
from tests import builders
from tests.builders import Cast, KeyPair
from tests.protocols.npm.conftest import Npm
from tests.protocols.npm.real_npm import RealNpm
from tests.scanning.conftest import load, osv, rated

BULK = "/npm/-/npm/v1/security/advisories/bulk"
FLAW = osv(
    "GHSA-aaaa-bbbb-cccc",
    aliases=["CVE-2026-1"],
    database_specific={"severity": "HIGH", "cwe_ids": ["CWE-79"]},
)


def waived(release: Release, person, **more: Any) -> Waiver:
    from datetime import timedelta

    from django.utils import timezone

    said = {"identifier": "CVE-2026-1", "ecosystem": "npm", "package": release.package.name, "version_range": "*"}
    return Waiver.objects.create(
        owner=person,
        reason="Not called.",
        project=release.project,
        expires_at=timezone.now() + timedelta(days=1),
        **said | more,
    )


def bulk(client: Npm, body: Any, packed: bytes | None = None) -> Any:
    sent = gzip.compress(json.dumps(body).encode()) if packed is None else packed
    return client.generic("POST", BULK, sent, "application/json", headers={"Content-Encoding": "gzip"})


def good(signature: dict[str, str], line: str) -> bool:
    """Whether the signature is that of the key which the registry tells."""
    key = RegistryKey.objects.get(keyid=signature["keyid"])
    public = load_der_public_key(base64.b64decode(key.public_key))
    assert isinstance(public, ec.EllipticCurvePublicKey)
    try:
        public.verify(base64.b64decode(signature["sig"]), line.encode(), ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        return False
    return True


def dist_of(client: Npm, name: str = "@acme-utils%2fcore", version: str = "1.2.0") -> dict[str, Any]:
    return json.loads(client.ask(name).content)["versions"][version]["dist"]


# --- audit ---------------------------------------------------------------------------------------------------------
def test_what_advisories_say_is_told_by_name_and_what_is_clean_is_left_out(nobody: Npm):
    load(FLAW, osv("MAL-2026-1", "evil", ranges=[], versions=["1.0.0", "1.0.1"]))
    answer = bulk(nobody, {"left-pad": ["1.3.0", "2.1.0"], "evil": ["1.0.1"], "is-odd": ["1.0.0"]})
    assert (answer.status_code, answer["Cache-Control"]) == (200, "no-store")
    told = answer.json()
    assert set(told) == {"left-pad", "evil"}
    [one] = told["left-pad"]
    assert one | {"id": 0} == {
        "id": 0,
        "url": "https://github.com/advisories/GHSA-aaaa-bbbb-cccc",
        "title": "left-pad does too much",
        "severity": "high",
        "vulnerable_versions": "<2.0.0",
        "cwe": ["CWE-79"],
        "cvss": {"score": 0, "vectorString": None},
    }
    assert isinstance(one["id"], int)
    assert told["evil"][0]["vulnerable_versions"] == "1.0.0 || 1.0.1"


@pytest.mark.parametrize(
    ("events", "range"),
    [
        ([{"introduced": "0"}], "*"),
        ([{"introduced": "1.0.0"}, {"last_affected": "1.9.0"}], ">=1.0.0 <=1.9.0"),
        (
            [{"fixed": "1.4.0"}, {"introduced": "1.2.0"}, {"introduced": "1.0.0"}, {"fixed": "1.1.0"}],
            ">=1.0.0 <1.1.0 || >=1.2.0 <1.4.0",
        ),
    ],
)
def test_ranges_are_told_as_npm_reads_them(nobody: Npm, events: list[dict[str, str]], range: str):
    load(osv(ranges=[{"type": "SEMVER", "events": events}], **rated("LOW")))
    [one] = (
        bulk(nobody, {"left-pad": ["1.3.0"]}).json()["left-pad"]
        if "1.2" in range
        else [bulk(nobody, {"left-pad": ["1.0.0"]}).json()["left-pad"][0]]
    )
    assert one["vulnerable_versions"] == range


def test_what_nobody_has_rated_is_not_told_as_harmless(nobody: Npm):
    load(osv())
    assert bulk(nobody, {"left-pad": ["1.0.0"]}).json()["left-pad"][0]["severity"] == "high"


def test_waivers_count_for_members_of_their_project_and_for_the_versions_that_they_cover(cast: Cast, nobody: Npm):
    load(FLAW)
    release = builders.release(builders.package(cast.acme), "1.3.0")
    waived(release, cast.bob, version_range="1.3.0")
    member, stranger = (Npm(builders.token(one, "read")) for one in (cast.alice, cast.mallory))
    assert bulk(member, {"left-pad": ["1.3.0"]}).json() == {}
    # of two versions one is waived: the other is named alone
    both = bulk(member, {"left-pad": ["1.3.0", "1.1.0"]}).json()
    assert both["left-pad"][0]["vulnerable_versions"] == "1.1.0"
    for other in (stranger, nobody):
        assert bulk(other, {"left-pad": ["1.3.0"]}).json()["left-pad"][0]["vulnerable_versions"] == "<2.0.0"


def test_an_audit_tells_nothing_of_what_stands_here(cast: Cast, nobody: Npm, secret: Release):
    stranger = Npm(builders.token(cast.mallory, "read"))
    for name in ("@acme-utils/core", "@acme-utils/no-such"):
        assert {bulk(one, {name: ["1.2.0"]}).content for one in (nobody, stranger)} == {b"{}"}


def test_an_audit_costs_the_same_queries_for_one_package_and_for_five_hundred(nobody: Npm, db):
    from django.db import connection

    load(FLAW)
    counts = []
    for size in (1, 500):
        with CaptureQueriesContext(
            connection,
        ) as asked:
            answer = bulk(nobody, {"left-pad": ["1.0.0"]} | {f"p{i}": ["1.0.0", "2.0.0"] for i in range(size)})
        assert set(answer.json()) == {"left-pad"}
        counts.append(len(asked))
    assert counts[1] <= counts[0] + 3, counts  # one more for each 500 names that are looked up


@pytest.mark.parametrize(
    ("packed", "status"),
    [
        (gzip.compress(b" " * (8 * 2**20 + 1)), 413),
        (gzip.compress(b"{}")[:-4], 400),
        (gzip.compress(b"{}") + gzip.compress(b"{}"), 400),
        (b"plain", 400),
        (gzip.compress(b'{"a": "1.0.0"}'), 400),
        (gzip.compress(b'["a"]'), 400),
        (gzip.compress(json.dumps({"a": [str(i) for i in range(10_001)]}).encode()), 413),
    ],
    ids=["too long", "cut", "two streams", "not packed", "no list", "no object", "too many"],
)
def test_a_body_is_unpacked_within_bounds_and_read_strictly(nobody: Npm, packed: bytes, status: int):
    assert bulk(nobody, None, packed).status_code == status


def test_older_clients_get_the_report_that_they_read(nobody: Npm):
    load(FLAW)
    tree = {"a": {"version": "1.0.0", "dependencies": {"left-pad": {"version": "1.3.0"}}}, "b": {"version": "1.0.0"}}
    for path in ("audits", "audits/quick"):
        answer = nobody.post(f"/npm/-/npm/v1/security/{path}", {"dependencies": tree}, "application/json").json()
        [one] = answer["advisories"].values()
        assert (one["module_name"], one["severity"], one["patched_versions"]) == ("left-pad", "high", ">=2.0.0")
        assert one["findings"] == [{"version": "1.3.0", "paths": ["a>left-pad"]}]
        assert answer["metadata"]["vulnerabilities"]["high"] == 1
        assert answer["metadata"]["totalDependencies"] == 3


def test_a_deep_tree_of_long_names_is_refused_before_its_paths_fill_the_memory(nobody: Npm):
    leaves: dict[str, Any] = {f"leaf-{number}": {"version": "1.0.0"} for number in range(3_000)}
    for _ in range(29):
        leaves = {"n" * 250: {"dependencies": leaves}}
    assert len(json.dumps(leaves)) < 200_000  # bytes, whose paths would be a hundred times as many
    answer = nobody.send("POST", "-/npm/v1/security/audits/quick", {"dependencies": leaves})
    assert answer.status_code == 413


def test_a_report_says_so_much_of_one_flaw_and_no_more(nobody: Npm):
    load(FLAW)
    places: dict[str, Any] = {}
    for number in range(400):
        above = str(number) + "n" * 240
        places[above] = {"dependencies": {"left-pad": {"version": "1.3.0"}}}
    answer = nobody.send("POST", "-/npm/v1/security/audits/quick", {"dependencies": places})
    [one] = answer.json()["advisories"].values()
    told = [path for finding in one["findings"] for path in finding["paths"]]
    assert 0 < sum(map(len, told)) <= 64 * 1024


# --- signatures ----------------------------------------------------------------------------------------------------
def test_every_version_is_signed_once_by_the_key_that_is_told(nobody: Npm, core: Release):
    dist = dist_of(nobody)
    [signature], line = dist["signatures"], f"@acme-utils/core@1.2.0:{dist['integrity']}"
    assert good(signature, line)
    assert not good(signature, line.replace("1.2.0", "1.2.1"))
    [key] = nobody.ask("-/npm/v1/keys").json()["keys"]
    assert key["keyid"] == signature["keyid"]
    digest = hashlib.sha256(base64.b64decode(key["key"])).digest()
    assert key["keyid"] == "SHA256:" + base64.b64encode(digest).decode().rstrip("=")
    assert (key["keytype"], key["scheme"], key["expires"]) == ("ecdsa-sha2-nistp256", "ecdsa-sha2-nistp256", None)
    documents.rebuild(core.package)
    assert dist_of(nobody) == dist
    assert RegistrySignature.objects.count() == 1


def test_the_private_half_is_sealed_and_another_secret_key_makes_a_new_one(nobody: Npm, core: Release, settings):
    assert "PRIVATE" not in RegistryKey.objects.get().sealed
    settings.SECRET_KEY = "another secret that only this test knows, long enough"
    RegistrySignature.objects.all().delete()
    documents.rebuild(core.package)
    dist = dist_of(nobody)
    assert good(dist["signatures"][0], f"@acme-utils/core@1.2.0:{dist['integrity']}")
    assert RegistryKey.objects.count() == 2


def test_a_rotated_key_keeps_what_it_signed_and_a_revoked_one_nothing(
    nobody: Npm, cast: Cast, core: Release, pair: KeyPair
):
    before = dist_of(nobody)
    call_command("registry-key", "rotate", stdout=StringIO())
    builders.published(cast.alice, pair, builders.npm_tarball("@acme-utils/core", "1.3.0"))
    assert dist_of(nobody) == before
    newer = dist_of(nobody, version="1.3.0")["signatures"][0]["keyid"]
    told = {one["keyid"]: one["expires"] for one in nobody.ask("-/npm/v1/keys").json()["keys"]}
    assert told[newer] is None
    assert told[before["signatures"][0]["keyid"]] is not None

    call_command("registry-key", "rotate", "--revoke", stdout=StringIO())
    keys = {one["keyid"] for one in nobody.ask("-/npm/v1/keys").json()["keys"]}
    assert newer not in keys
    assert dist_of(nobody) == before  # signed by the one before, which nobody has revoked
    [signature] = dist_of(nobody, version="1.3.0")["signatures"]
    assert signature["keyid"] in keys
    assert signing.told_keys()[0].keyid == signature["keyid"]


# --- the real client -----------------------------------------------------------------------------------------------
@pytest.mark.once
@pytest.mark.django_db(transaction=True)
def test_npm_itself_sees_flaws_waivers_and_signatures(cast: Cast, pair: KeyPair, live_server, tmp_path: Path):
    pad = builders.published(cast.alice, pair, builders.npm_tarball("left-pad", "1.3.0"))
    archive = builders.npm_tarball("@acme-utils/core", "1.2.0", dependencies={"left-pad": "^1.0.0"})
    builders.published(cast.alice, pair, archive)
    npm = RealNpm(tmp_path / "npm", f"{live_server.url}/npm/", builders.token(cast.alice, "read"))
    npm.run("install", "--no-audit", "@acme-utils/core")

    assert "found 0 vulnerabilities" in npm.run("audit")
    assert "2 packages have verified registry signatures" in npm.run("audit", "signatures")

    load(FLAW)
    shown = npm.run("audit", fails=True)
    assert "left-pad" in shown
    assert "https://github.com/advisories/GHSA-aaaa-bbbb-cccc" in shown
    report = json.loads(npm.run("audit", "--json", fails=True))
    assert report["metadata"]["vulnerabilities"]["high"] == 2  # of left-pad, and of what depends on it
    waived(pad, cast.bob)
    assert json.loads(npm.run("audit", "--json"))["metadata"]["vulnerabilities"]["total"] == 0

    forged = RegistrySignature.objects.get(artifact__release=pad)
    other = RegistrySignature.objects.exclude(pk=forged.pk).get()
    RegistrySignature.objects.filter(pk=forged.pk).update(signature=other.signature)
    documents.rebuild(pad.package)
    tampered = npm.run("audit", "signatures", fails=True)
    assert "1 package has an invalid registry signature" in tampered
    assert "left-pad@1.3.0" in tampered
