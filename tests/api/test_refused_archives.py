"""A hostile archive that comes over HTTP: the answer names the entry and the rule, and one audit event tells of it."""

from pathlib import Path

import pytest

from accounts.models import AuditEvent
from registry.models import Blob, Package
from tests import builders
from tests.api.clients import ApiClient
from tests.builders import Cast, KeyPair

SAMPLES = Path(__file__).parent.parent / "samples" / "archives"


@pytest.mark.parametrize(
    ("sample", "entry", "code"),
    [
        ("shapes/npm-symlink-inside.tgz", "package/link.js", "archive_entry_type"),
        ("shapes/npm-pax-nul-path.tgz", "././@PaxHeader", "archive_pax"),
        ("shapes/gz-trailing-garbage.tgz", "package/index.js", "archive_gzip"),
        ("shapes/whl-record-wrong-hash-demo_pkg-1.0.0-py3-none-any.whl", "RECORD", "invalid_manifest"),
        ("warehouse/suffix_not_comment.zip", "the archive", "archive_zip"),
    ],
)
def test_the_answer_to_a_hostile_archive_names_the_entry_and_the_rule(
    cast: Cast, pair: KeyPair, client_of, sample: str, entry: str, code: str
):
    builders.registered_key(cast.alice, pair)
    client: ApiClient = client_of(cast.alice, "publish")
    body, before = (SAMPLES / sample).read_bytes(), AuditEvent.objects.count()

    answer = client.generic(
        "POST", "/packages/publish", body + pair.sign(body).encode(), "application/octet-stream"
    )  # fmt: skip

    assert answer.status_code == 422, answer.json()
    details = answer.json()["details"]
    assert set(details) == {"entry", "rule", "code"}
    assert (details["entry"], details["code"]) == ([entry], code)
    [rule] = details["rule"]
    assert rule in answer.json()["error"]
    [event] = AuditEvent.objects.order_by("seq")[before:]
    assert (event.outcome, event.details) == ("refused", {"code": code, "reason": answer.json()["error"]})
    assert not Package.objects.exists()
    assert not Blob.objects.exists()
