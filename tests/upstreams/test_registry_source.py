"""Another portal as an upstream: what it has approved, over its own API."""

import io
import os
import shutil
import sqlite3
import subprocess
import sys
import urllib.request
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings as live_settings
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from accounts.models import AuditEvent
from config.brokering import free_port
from config.supervising import die_with_parent
from registry import documents, publishing, retiring, storage, submitting, tasks
from registry.models import Artifact, Package, Release, ReleaseManifest
from registry.upstreams.models import Upstream
from registry.upstreams.sources import registry as registry_source
from registry.upstreams.sources.base import START, Nonsense, Wanted
from tests import builders
from tests.end_to_end.portals import OURS, wait_until
from tests.upstreams import shops
from tests.upstreams.contract import SourceContract, made, names, walked

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.once]


class Portal:
    """This very portal, asked over HTTP as a stranger would, with a short way to put approved versions into it."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.project = builders.project("shop")

    def put(self, name: str, version: str, filename: str, content: bytes) -> Release:
        package = Package.objects.filter(name=name).first() or builders.package(self.project, name)
        release = builders.release(package, version)
        ReleaseManifest.objects.create(release=release)
        with publishing.receive(io.BytesIO(content)) as staged:
            blob = storage.keep(staged)
            storage.confirm(blob)
            digests = {"sha256": staged.sha256, "sha512": staged.sha512, "sha1": staged.sha1}
            Artifact.objects.create(
                release=release, blob=blob, filename=filename, kind="tarball", size=staged.size, **digests
            )
        documents.rebuild(package)
        return release

    def drop(self, filename: str) -> None:
        Artifact.objects.filter(filename=filename).update(blob=None)


@pytest.fixture
def shop(live_server):
    return Portal(live_server.url)


@pytest.fixture
def source(shop):
    return made("registry", shop.url)


@pytest.fixture
def source_wanting(shop):
    return lambda wanted: made("registry", f"{shop.url}/api/v1/", wanted=wanted)


class TestRegistry(SourceContract):
    """The contract of every kind."""


def test_what_is_not_offered_there_is_not_listed(shop, source, root):
    for version in ("1.0.0", "1.1.0", "1.2.0", "1.3.0"):
        shop.put("@acme/tool", version, f"tool-{version}.tgz", version.encode())
    Release.objects.filter(version="1.1.0").update(status="quarantined")
    retiring.unlist(Release.objects.get(version="1.2.0"), builders.actor(root))
    hidden = shop.put("hidden", "1.0.0", "hidden-1.0.0.tgz", b"x").package
    Package.objects.filter(pk=hidden.pk).update(visibility="private")
    for package in Package.objects.all():
        documents.rebuild(package)
    listings, _ = walked(source)
    assert names(listings) == {("@acme/tool", "1.0.0"), ("@acme/tool", "1.3.0")}
    assert source.find("npm", "@acme/tool", "latest") == ()
    assert source.find("npm", "@acme/tool", "1.1.0") == ()


def test_every_page_of_a_long_list_is_read_and_only_news_the_next_time(shop, source, monkeypatch):
    monkeypatch.setattr(registry_source, "PER_PAGE", 12)
    offered = {(f"pack-{number}", "1.0.0") for number in range(15)}
    for name, version in offered:
        shop.put(name, version, f"{name}-{version}.tgz", b"x")
    pages = list(source.pages(START, START))
    assert (names([one for page in pages for one in page.listings]), len(pages)) == (offered, 3)
    Package.objects.exclude(name="pack-3").update(updated_at=timezone.now() - timedelta(hours=2))
    again, _ = walked(source, pages[-1].bookmark)
    assert names(again) == {("pack-3", "1.0.0")}


def test_what_is_no_portal_is_said_to_be_none():
    with shops.opened(shops.NpmShop()) as shop:
        shop.fault = lambda ask: shops.as_json({"hello": "world"})
        with pytest.raises(Nonsense, match="a portal like this one"):
            next(iter(made("registry", shop.url, wanted=Wanted()).pages(START, START)))


# --- two instances -------------------------------------------------------------------------------------------------
class OtherPortal:
    """Another instance with a process, a database and blobs of its own: what this one held when it was opened."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.folder.mkdir()
        with sqlite3.connect(self.folder / "registry.sqlite3") as copy:
            connection.connection.backup(copy)
        shutil.copytree(live_settings.STORAGE_URL.removeprefix("file://"), self.folder / "blobs")
        kept = {
            name: value for name, value in os.environ.items() if name not in OURS and not name.startswith("PYTEST")
        }
        given = {
            "DATA_DIR": str(self.folder),
            "SECRET_KEY": "the other portal's own secret, long enough",
            "DEMO": "off",
        }
        command = [sys.executable, "manage.py", "runserver", "--noreload", "--insecure", str(self.port)]
        root = Path(__file__).resolve().parent.parent.parent
        printed = self.folder / "printed"
        with printed.open("wb") as out:
            self.process = subprocess.Popen(
                command, cwd=root, env={**kept, **given}, stdout=out, stderr=out,
                preexec_fn=die_with_parent(os.getpid(), 15),
            )  # fmt: skip
        assert wait_until(self.answers, 60), printed.read_text()

    def answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/api/v1/packages", timeout=5) as answer:
                return answer.status == 200
        except OSError:
            return False

    def stop(self) -> None:
        if self.process is not None:
            self.process.terminate()
            self.process.wait(10)


@pytest.fixture
def other(tmp_path):
    portal = OtherPortal(tmp_path / "other")
    yield portal
    portal.stop()


@pytest.mark.slow
def test_one_instance_gives_another_what_is_asked_for_there_by_name(other, cast, tmp_path, settings):
    settings.REGISTRY_GATES = {**settings.REGISTRY_GATES, "approving": ["registry.gates.checks_pass"]}
    pair = builders.key_pair(tmp_path)
    body = builders.npm_tarball("@acme/tool", "1.2.0", license="MIT", files={"LICENSE": "MIT License"})
    published = builders.published(cast.alice, pair, body)
    assert published.status == "approved", published.held_because
    other.start()
    call_command("flush", interactive=False, verbosity=0)
    shutil.rmtree(live_settings.STORAGE_URL.removeprefix("file://"))
    people = builders.assemble_cast()
    Upstream.objects.create(
        name="the-other", kind="registry", base_url=other.url, allows_private=True, project=people.acme
    )
    (listing,), _ = walked(made("registry", other.url))
    assert listing.signature.startswith("-----BEGIN SSH SIGNATURE")
    asked = submitting.Submission("npm", "@acme/tool", "1.2.0")
    release = submitting.submit(asked, builders.actor(people.alice))
    tasks.drain()
    artifact = release.artifacts.get()
    with storage.open_blob(artifact.blob) as stream:
        assert stream.read() == body
    assert (artifact.sha256, release.checks.get(name="archive").status) == (published.sha256, "passed")
    assert AuditEvent.objects.get(action="release.fetch").details["upstream"] == "the-other"
