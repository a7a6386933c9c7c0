"""The life of a version: clean, struck by an advisory, let out by a waiver, back in quarantine when that ends."""

import base64
import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.core import mail
from django.core.management import call_command
from django.utils import timezone

from registry import tasks
from tests import builders
from tests.api.clients import ApiClient
from tests.builders import Cast
from tests.scanning.conftest import osv, rated

PACKAGE, VERSION = "/packages/left-pad", "/packages/left-pad/versions/1.0.0"


@pytest.fixture
def clock(db) -> Iterator[Any]:
    """Time stands still until the story moves it."""
    with time_machine.travel(timezone.now(), tick=False) as moved:
        yield moved


class Story:
    """What the people of the story do, by the doors that everybody has."""

    def __init__(self, cast: Cast, folder: Path) -> None:
        self.folder = folder
        self.alice = ApiClient(builders.token(cast.alice, "read", "publish"))
        self.bob = ApiClient(builders.token(cast.bob, "read", "review"))
        self.pair = builders.key_pair(folder)
        builders.registered_key(cast.alice, self.pair)

    def publish(self) -> None:
        body = builders.npm_tarball()
        signature = base64.b64encode(self.pair.sign(body).encode()).decode()
        headers = {"X-Signature": signature}
        answer = self.alice.post("/packages/publish", body, content_type="application/octet-stream", headers=headers)
        assert answer.status_code == 201, answer.content

    def advisories(self, *documents: dict[str, Any]) -> None:
        """The administrator's command, and what the worker makes of it."""
        for number, document in enumerate(documents):
            path = self.folder / f"{number}.json"
            path.write_text(json.dumps(document))
            call_command("advisories", "import", str(path), verbosity=0)
        tasks.sweep()
        tasks.drain()

    def waive(self, **days: float) -> int:
        wish = {
            "finding": "CVE-2026-0001", "ecosystem": "npm", "package": "left-pad", "versions": "<2.0.0",
            "reason": "We never pad to the left of strangers.",
            "expires_at": f"{timezone.now() + timedelta(**days):%Y-%m-%dT%H:%M:%SZ}",
        }  # fmt: skip
        answer = self.bob.send("POST", "/security/waivers", wish)
        assert answer.status_code == 201, answer.content
        tasks.drain()
        return int(answer.json()["id"])

    def status(self) -> str:
        return str(ApiClient().get(VERSION).json()["status"])

    def download(self) -> Any:
        answer = ApiClient().get(f"{VERSION}/download")
        if answer.streaming:
            b"".join(answer.streaming_content)
        return answer

    def scan(self) -> tuple[str, list[bool]]:
        found = ApiClient().get("/security/scans/left-pad?version=1.0.0").json()
        return found["status"], [one["waived"] for one in found["vulnerabilities"]]


def test_a_version_goes_into_quarantine_and_out_and_in_again(cast: Cast, clock, tmp_path: Path):
    story = Story(cast, tmp_path)
    story.advisories(osv("GHSA-other", name="something-else"))
    story.publish()
    tasks.drain()
    assert (story.status(), story.scan(), story.download().status_code) == ("approved", ("passed", []), 200)
    assert mail.outbox == []

    clock.shift(timedelta(days=3))
    flaw = osv("GHSA-1", aliases=["CVE-2026-0001"], **rated("CRITICAL"))
    story.advisories(flaw)
    assert (story.status(), story.scan()) == ("quarantined", ("failed", [False]))
    refused = story.download()
    assert refused.status_code == 403
    assert "GHSA-1 (critical)" in refused.json()["error"]
    assert "2.0.0" in refused.json()["error"]
    clock.shift(timedelta(minutes=1))
    tasks.sweep()
    [letter] = mail.outbox
    assert (letter.to, "quarantine" in letter.subject, "GHSA-1" in letter.body) == ([cast.alice.email], True, True)
    story.advisories(flaw)  # the same again is no news
    clock.shift(timedelta(minutes=1))
    tasks.sweep()
    assert len(mail.outbox) == 1

    story.waive(days=10)
    assert (story.status(), story.scan(), story.download().status_code) == ("approved", ("passed", [True]), 200)

    clock.shift(timedelta(days=10, seconds=-1))
    tasks.sweep()
    assert mail.outbox[-1].subject == "left-pad 1.0.0 is out of quarantine"
    assert (story.status(), story.download().status_code) == ("approved", 200)
    clock.shift(timedelta(seconds=1))  # nothing has run yet, and the exception applies no more
    refused = story.download()
    assert (refused.status_code, "ended at" in refused.json()["error"]) == (403, True)
    assert story.scan() == ("failed", [False])
    tasks.sweep()
    tasks.drain()
    assert (story.status(), story.download().status_code) == ("quarantined", 403)
    clock.shift(timedelta(minutes=1))
    tasks.sweep()
    assert [one.subject for one in mail.outbox] == [
        "left-pad 1.0.0 was put into quarantine",
        "left-pad 1.0.0 is out of quarantine",
        "left-pad 1.0.0 was put into quarantine",
    ]

    story.advisories({**flaw, "modified": "2026-03-01T00:00:00Z", "withdrawn": "2026-03-01T00:00:00Z"})
    assert (story.status(), story.scan(), story.download().status_code) == ("approved", ("passed", []), 200)


def test_a_waiver_that_is_ended_early_stops_at_once(cast: Cast, clock, tmp_path: Path):
    story = Story(cast, tmp_path)
    story.publish()
    story.advisories(osv("GHSA-1", aliases=["CVE-2026-0001"], **rated("HIGH")))
    number = story.waive(days=1)
    assert story.download().status_code == 200
    assert story.bob.delete(f"/security/waivers/{number}").status_code == 204
    assert story.download().status_code == 403
    tasks.drain()
    assert story.status() == "quarantined"
    assert story.bob.delete(f"/security/waivers/{number}").status_code == 409
    assert story.bob.get(f"/security/waivers/{number}").json()["status"] == "ended"
