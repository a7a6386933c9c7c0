"""Publishing over HTTP: every way in which archive and signature may come, and what is refused."""

import base64
import io
from pathlib import Path

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test.client import BOUNDARY, encode_multipart

from accounts.models import AuditEvent
from registry.models import Blob, Package, Release
from tests import builders
from tests.api.clients import ApiClient
from tests.builders import Cast, KeyPair

PUBLISH = "/packages/publish"
ARCHIVE = builders.npm_tarball("@acme-utils/core", "1.2.0")
OCTETS = "application/octet-stream"


@pytest.fixture
def alice(cast: Cast, pair: KeyPair, client_of) -> ApiClient:
    """Alice with her key registered."""
    builders.registered_key(cast.alice, pair)
    return client_of(cast.alice, "publish", "read")


def header(pair: KeyPair, body: bytes = ARCHIVE) -> dict[str, str]:
    return {"X-Signature": base64.b64encode(pair.sign(body).encode()).decode()}


def raw(client: ApiClient, body: bytes, content_type: str = OCTETS, query: str = "", **kwargs):
    return client.generic("POST", PUBLISH + query, body, content_type, **kwargs)


def multipart(client: ApiClient, parts: dict, **kwargs):
    content_type = f"multipart/form-data; boundary={BOUNDARY}"
    return client.generic("POST", PUBLISH, encode_multipart(BOUNDARY, parts), content_type, **kwargs)


def nothing_is_kept() -> bool:
    staging = Path(settings.STAGING_DIR)
    empty = not staging.is_dir() or not list(staging.iterdir())
    return empty and not Package.objects.exists() and not Release.objects.exists() and not Blob.objects.exists()


@pytest.mark.parametrize("content_type", [OCTETS, "application/gzip", "text/plain", "x/y; charset=z", ""])
def test_a_raw_body_of_any_type_or_none_is_published(alice: ApiClient, pair: KeyPair, content_type: str):
    answer = raw(alice, ARCHIVE, content_type, headers=header(pair))

    body = answer.json()
    assert answer.status_code == 201, body
    assert (body["name"], body["version"], body["ecosystem"], body["size"]) == (
        "@acme-utils/core", "1.2.0", "npm", len(ARCHIVE),
    )  # fmt: skip
    assert body["signature"]["signer"] == "alice"
    assert body["validation"] == {"status": "queued", "url": "/api/v1/packages/@acme-utils/core/versions/1.2.0"}
    assert body["edge"] == {"region": "Frankfurt", "deadline_seconds": 15}
    assert answer["Location"] == body["validation"]["url"]
    assert ApiClient().get(answer["Location"]).json()["integrity"] == body["integrity"]


def test_a_signature_may_be_appended(alice: ApiClient, pair: KeyPair):
    answer = raw(alice, ARCHIVE + pair.sign(ARCHIVE).encode())

    assert answer.status_code == 201, answer.json()
    assert answer.json()["size"] == len(ARCHIVE)


@pytest.mark.parametrize("signature_as_file", [True, False])
@pytest.mark.parametrize("signature_first", [True, False])
def test_multipart_takes_file_signature_and_fields_in_any_order(
    alice: ApiClient, pair: KeyPair, signature_as_file: bool, signature_first: bool
):
    armored = pair.sign(ARCHIVE)
    signature = SimpleUploadedFile("core.tgz.sig", armored.encode()) if signature_as_file else armored
    parts = {
        "file": SimpleUploadedFile("core.tgz", ARCHIVE),
        "tag": "next",
        "category": "DEVTOOLS",
        "access": "private",
    }
    parts = {"signature": signature, **parts} if signature_first else {**parts, "signature": signature}

    answer = multipart(alice, parts)

    assert answer.status_code == 201, answer.json()
    package = Package.objects.get()
    assert (package.category, package.visibility) == ("DEVTOOLS", "private")


def test_a_chunked_body_needs_no_length(alice: ApiClient, pair: KeyPair):
    answer = raw(
        alice, b"", headers=header(pair),
        **{"wsgi.input": io.BytesIO(ARCHIVE), "wsgi.input_terminated": True, "CONTENT_LENGTH": ""},
    )  # fmt: skip

    assert answer.status_code == 201, answer.json()


def test_query_parameters_choose_tag_and_access(alice: ApiClient, pair: KeyPair):
    answer = raw(alice, ARCHIVE, query="?access=private&tag=beta&category=CLI", headers=header(pair))

    assert answer.status_code == 201
    assert Package.objects.get().visibility == "private"
    assert Release.objects.get().requested_tag == "beta"


@pytest.mark.parametrize(
    "content_type",
    ["application/json", "application/x-www-form-urlencoded", "application/ld+json", "multipart/mixed; boundary=x"],
)
def test_json_and_forms_are_415(alice: ApiClient, pair: KeyPair, content_type: str):
    answer = raw(alice, ARCHIVE, content_type, headers=header(pair))

    assert answer.status_code == 415
    assert "octet-stream" in answer.json()["error"]
    assert nothing_is_kept()


def test_unsigned_is_422_and_says_how_to_sign(alice: ApiClient):
    answer = raw(alice, ARCHIVE)

    assert answer.status_code == 422
    assert "ssh-keygen -Y sign -n codesync" in answer.json()["error"]
    assert nothing_is_kept()


def test_bad_signatures_are_422(alice: ApiClient, pair: KeyPair, tmp_path: Path):
    (tmp_path / "other").mkdir()
    stranger = builders.key_pair(tmp_path / "other")

    assert raw(alice, ARCHIVE, headers=header(pair, b"something else")).status_code == 422
    assert raw(alice, ARCHIVE, headers=header(stranger)).status_code == 422
    assert raw(alice, ARCHIVE, headers={"X-Signature": "not base64!"}).status_code == 422
    assert raw(alice, ARCHIVE, headers={"X-Signature": "AAAA"}).status_code == 422
    assert raw(alice, ARCHIVE, headers={"X-Signature": ""}).status_code == 422
    assert nothing_is_kept()


def test_a_version_is_published_once(alice: ApiClient, pair: KeyPair):
    assert raw(alice, ARCHIVE, headers=header(pair)).status_code == 201
    assert raw(alice, ARCHIVE, headers=header(pair)).status_code == 409


def test_someone_elses_name_is_403_with_the_verdicts(core: Release, cast: Cast, client_of, tmp_path: Path):
    (tmp_path / "mallory").mkdir()
    key = builders.key_pair(tmp_path / "mallory")
    builders.registered_key(cast.mallory, key)
    archive = builders.npm_tarball("@acme-utils/core", "6.6.6")

    answer = raw(client_of(cast.mallory), archive, headers=header(key, archive))

    assert answer.status_code == 403
    assert "NAME_TAKEN" in {verdict["code"] for verdict in answer.json()["details"]["verdicts"]}


def test_who_may_not_publish_is_refused_before_a_byte_is_read(cast: Cast, nobody: ApiClient, client_of):
    assert raw(nobody, ARCHIVE).status_code == 401
    events = AuditEvent.objects.filter(outcome="refused", action="release.publish").count()
    assert raw(client_of(cast.alice, "read"), ARCHIVE).status_code == 403
    assert AuditEvent.objects.filter(outcome="refused", action="release.publish").count() == events + 1
    assert nothing_is_kept()


@pytest.mark.parametrize(
    "query", ["?access=secret", "?tag=1.0.0", "?tag=v1", "?tag=x", "?category=NOPE", "?tag=a%00b", "?tag="]
)
def test_bad_choices_are_400(alice: ApiClient, pair: KeyPair, query: str):
    assert raw(alice, ARCHIVE, query=query, headers=header(pair)).status_code == 400
    assert nothing_is_kept()


def test_too_large_is_413_before_and_while_reading(alice: ApiClient, pair: KeyPair, settings):
    settings.MAX_UPLOAD_MB = 1
    large = bytes(3 * 1024 * 1024)

    assert raw(alice, large).status_code == 413
    chunked = {"wsgi.input": io.BytesIO(large), "wsgi.input_terminated": True, "CONTENT_LENGTH": ""}
    assert raw(alice, b"", **chunked).status_code == 413
    assert multipart(alice, {"file": SimpleUploadedFile("x", large[: 1024 * 1024 + 9])}).status_code == 413
    assert nothing_is_kept()


def test_a_body_that_ends_early_is_400(alice: ApiClient, pair: KeyPair):
    torn = {"wsgi.input": io.BytesIO(ARCHIVE), "CONTENT_LENGTH": str(len(ARCHIVE) + 10)}

    answer = raw(alice, b"", headers=header(pair), **torn)

    assert answer.status_code == 400
    assert nothing_is_kept()


@pytest.mark.parametrize(
    "parts",
    [{}, {"tag": "next"}, {"file": [SimpleUploadedFile("a", b"x"), SimpleUploadedFile("b", b"y")]},
     {"file": SimpleUploadedFile("a", b"x"), "colour": "red"},
     {"file": SimpleUploadedFile("a", b"x"), "tag": "x" * 20000},
     {"file": SimpleUploadedFile("a", b"x"), "tag": "a\0b"}],
)  # fmt: skip
def test_odd_parts_are_400(alice: ApiClient, parts: dict):
    assert multipart(alice, parts).status_code == 400
    assert nothing_is_kept()


@pytest.mark.parametrize(
    ("content_type", "body"),
    [("multipart/form-data", b"x"), ("multipart/form-data; boundary=", b"x"),
     ("multipart/form-data; boundary=é", b"x"),
     ("multipart/form-data; boundary=b", b""), ("multipart/form-data; boundary=b", b"--b\r\n\r\n--b--\r\n"),
     ("multipart/form-data; boundary=b", b"--b\r\n" + b"h" * 5000), ("multipart/form-data; boundary=b", b"\x00" * 99)],
)  # fmt: skip
def test_broken_multipart_is_400(alice: ApiClient, content_type: str, body: bytes):
    assert raw(alice, body, content_type).status_code == 400


def test_junk_and_emptiness_are_refused(alice: ApiClient, pair: KeyPair):
    assert raw(alice, b"").status_code == 400
    assert raw(alice, b"junk", headers=header(pair, b"junk")).status_code == 422
    assert nothing_is_kept()


def test_a_session_needs_its_csrf_token(cast: Cast, pair: KeyPair):
    builders.registered_key(cast.alice, pair)
    browser = ApiClient(enforce_csrf_checks=True)
    browser.force_login(cast.alice)

    assert raw(browser, ARCHIVE, headers=header(pair)).status_code == 403
    browser.cookies["csrftoken"] = "x" * 32
    parts = {"file": SimpleUploadedFile("core.tgz", ARCHIVE), "signature": pair.sign(ARCHIVE)}
    assert multipart(browser, parts, headers={"X-CSRFToken": "x" * 32}).status_code == 201
