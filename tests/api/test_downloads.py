"""Downloading over HTTP: whole files and ranges, caching, and the reasons when it may not be."""

import base64
import hashlib

import pytest
from django.utils import timezone

from registry import approving, counting, downloading, retiring, tasks
from registry.models import DownloadCount, Job, Release
from tests import builders
from tests.api.clients import ApiClient
from tests.builders import Cast

FILE = "/packages/@acme-utils/core/versions/1.2.0/download"


@pytest.fixture
def archive(core: Release) -> bytes:
    """The bytes that were published."""
    with downloading.open_artifact(core, builders.actor(core.submitted_by)).open() as stream:
        return stream.read()


def body(answer) -> bytes:
    return b"".join(answer.streaming_content) if answer.streaming else answer.content


def downloads() -> int:
    counting.fold()
    return sum(DownloadCount.objects.values_list("count", flat=True))


def test_the_file_comes_whole_with_everything_said_about_it(nobody: ApiClient, archive: bytes):
    answer = nobody.get(FILE)

    digest = hashlib.sha256(archive)
    assert (answer.status_code, body(answer)) == (200, archive)
    assert answer["Content-Length"] == str(len(archive))
    assert answer["X-Checksum-Sha256"] == digest.hexdigest()
    assert answer["Digest"] == f"sha-256={base64.b64encode(digest.digest()).decode()}"
    assert answer["Content-Disposition"].startswith('attachment; filename="')
    assert answer["Cache-Control"] == "public, max-age=31536000, immutable"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Content-Security-Policy"].startswith("sandbox")
    assert answer["Accept-Ranges"] == "bytes"
    assert downloads() == 1


@pytest.mark.parametrize("spelling", ["latest", "v1.2.0"])
def test_what_is_found_under_a_tag_or_another_spelling_is_asked_for_again(
    nobody: ApiClient, archive: bytes, spelling: str
):
    answer = nobody.get(FILE.replace("1.2.0", spelling))

    assert (answer.status_code, body(answer)) == (200, archive)
    assert answer["Cache-Control"] == "public, no-cache"


def test_head_says_the_same_and_counts_nothing(nobody: ApiClient, archive: bytes):
    head = nobody.head(FILE)

    assert (head.status_code, head["Content-Length"], body(head)) == (200, str(len(archive)), b"")
    assert downloads() == 0


@pytest.mark.parametrize(
    ("wanted", "part"),
    [("bytes=0-9", slice(0, 10)), ("bytes=10-", slice(10, None)), ("bytes=-5", slice(-5, None)),
     ("bytes=5-99999999", slice(5, None)), ("bytes=0-0", slice(0, 1))],
)  # fmt: skip
def test_one_range_is_206(nobody: ApiClient, archive: bytes, wanted: str, part: slice):
    answer = nobody.get(FILE, headers={"Range": wanted})

    expected = archive[part]
    first = archive.index(expected) if len(expected) > 4 else (part.start or 0)
    assert (answer.status_code, body(answer)) == (206, expected)
    assert answer["Content-Range"] == f"bytes {first}-{first + len(expected) - 1}/{len(archive)}"
    assert answer["Content-Length"] == str(len(expected))


@pytest.mark.parametrize(
    "ignored", ["bytes=0-1,4-5", "bytes=9-1", "bytes=", "bytes=-", "items=0-1", "bytes=a-b", "bytes=0-" + "9" * 30]
)
def test_what_is_no_single_range_is_answered_whole(nobody: ApiClient, archive: bytes, ignored: str):
    answer = nobody.get(FILE, headers={"Range": ignored})

    assert (answer.status_code, body(answer)) == (200, archive)


@pytest.mark.parametrize("beyond", ["bytes=99999999-", "bytes=-0"])
def test_a_range_beyond_the_end_is_416(nobody: ApiClient, archive: bytes, beyond: str):
    answer = nobody.get(FILE, headers={"Range": beyond})

    assert (answer.status_code, answer["Content-Range"]) == (416, f"bytes */{len(archive)}")
    assert answer.json()["statusCode"] == 416


def test_a_resumed_download_counts_once_and_checks_the_tag(nobody: ApiClient, archive: bytes):
    etag = nobody.head(FILE)["ETag"]

    assert nobody.get(FILE, headers={"Range": "bytes=0-9"}).status_code == 206
    assert nobody.get(FILE, headers={"Range": "bytes=10-", "If-Range": etag}).status_code == 206
    assert nobody.get(FILE, headers={"Range": "bytes=10-", "If-Range": '"other"'}).status_code == 200
    assert nobody.get(FILE, headers={"If-None-Match": etag}).status_code == 304
    assert downloads() == 2


def test_a_pending_version_is_403_with_the_verdicts(cast: Cast, pair, nobody: ApiClient):
    builders.published(cast.alice, pair, builders.npm_tarball("@acme-utils/core", "1.2.0"), checks=False)

    answer = nobody.get(FILE)

    verdicts = {verdict["gate"]: verdict for verdict in answer.json()["details"]["verdicts"]}
    assert answer.status_code == 403
    assert (verdicts["decision"]["answer"], verdicts["decision"]["code"]) == ("hold", "PENDING")
    assert answer.json()["error"] == verdicts["decision"]["reason"]


def test_a_quarantined_version_no_longer_leaves(cast: Cast, core: Release, nobody: ApiClient):
    approving.quarantine(core, builders.actor(cast.bob), reason="A flaw was found.")

    answer = nobody.get(FILE)

    assert answer.status_code == 403
    assert "A flaw was found." in answer.json()["error"]


def test_an_unlisted_version_leaves_until_it_is_removed(cast: Cast, core: Release, nobody: ApiClient):
    retiring.unlist(core, builders.actor(cast.root))
    assert nobody.get(FILE).status_code == 200
    Release.objects.update(purge_at=timezone.now())
    assert nobody.get(FILE).status_code == 410  # at that instant, whenever a worker comes to it
    Job.objects.filter(kind="purge").delete()  # even a lost one
    tasks.sweep()
    answer = nobody.get(FILE)
    assert answer.status_code == 410
    assert answer.json()["details"]["sha256"] == core.sha256
    assert nobody.get(FILE.removesuffix("/download")).status_code == 410


def test_a_private_file_is_not_there_for_strangers(cast: Cast, pair, nobody: ApiClient, client_of):
    builders.published(cast.alice, pair, builders.npm_tarball("@acme-utils/core", "1.2.0"), access="private")

    assert nobody.get(FILE).status_code == 404
    assert client_of(cast.mallory).get(FILE).status_code == 404
    mine = client_of(cast.alice).get(FILE)
    assert (mine.status_code, mine["Cache-Control"]) == (200, "private, max-age=31536000, immutable")


def test_a_submission_without_a_file_has_nothing_to_download(cast: Cast, nobody: ApiClient):
    builders.submitted(cast.alice, "left-pad", "1.3.0")

    assert nobody.get("/packages/left-pad/versions/1.3.0/download").status_code == 403
    assert nobody.get("/packages/left-pad/versions/9.9.9/download").status_code == 404
    assert nobody.get(f"{FILE}?file=other").status_code == 404


def test_an_address_that_ends_in_the_name_of_the_file_gives_the_same(nobody: ApiClient, archive: bytes):
    named = FILE.replace("/download", "/files/core-1.2.0.tgz")
    whole, head = nobody.get(named), nobody.head(named)

    assert (whole.status_code, body(whole), downloads()) == (200, archive, 1)
    told = ("ETag", "Content-Length", "Cache-Control", "Content-Disposition", "X-Checksum-Sha256")
    assert [head[name] for name in told] == [nobody.head(FILE)[name] for name in told]
    part = nobody.get(named, headers={"Range": "bytes=0-9"})
    assert (part.status_code, body(part)) == (206, archive[:10])
    assert nobody.get(named, headers={"If-None-Match": head["ETag"]}).status_code == 304


@pytest.mark.parametrize("wrong", ["core-1.2.1.tgz", "CORE-1.2.0.tgz", "..", "core-1.2.0.tgz%2F", "a" * 3_000])
def test_another_name_is_not_found(nobody: ApiClient, archive: bytes, wrong: str):
    assert nobody.get(FILE.replace("/download", f"/files/{wrong}")).status_code == 404
    assert downloads() == 0
