"""Pull-through as clients meet it: the real npm, and a crowd at two servers over one database."""

import hashlib
import http.client
import re
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.db import connection

from licensing.models import LicensePolicy
from registry import approving, tasks
from registry.models import Release
from registry.upstreams.models import Upstream
from registry.upstreams.through import allowing
from tests import builders
from tests.accounts import serving
from tests.protocols.npm.real_npm import RealNpm
from tests.upstreams import shops

pytestmark = [pytest.mark.once, pytest.mark.django_db(transaction=True)]
CROWD = 200


@contextmanager
def working() -> Iterator[None]:
    """A worker beside the test: it runs what is due until the block ends."""
    over = threading.Event()

    def work() -> None:
        while not over.wait(0.02):
            tasks.run_due()
        connection.close()

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


@pytest.fixture
def shop():
    """An npm registry on which wide depends on left-pad, and left-pad on nothing."""
    with shops.opened(shops.NpmShop()) as shop:
        for name, needs in (("wide", {"left-pad": "^1.0.0"}), ("left-pad", {})):
            for version in ("1.0.0", "1.3.0"):
                body = builders.npm_tarball(name, version, dependencies=needs)
                shop.put(name, version, f"{name}-{version}.tgz", body, says={"dependencies": needs})
        yield shop


def upstream(shop, cast, **fields) -> Upstream:
    """One that pulls through; the license policy that ships is gone with the test before."""
    given = {"kind": "license", "key": "MIT", "project": None}
    LicensePolicy.objects.update_or_create(**given, defaults={"status": "approved"})
    allowing.forget()
    return Upstream.objects.create(
        **{
            "name": "public-npm", "kind": "npm", "base_url": shop.url, "project": cast.acme, "allows_private": True,
            "pulls_through": True, "requests_per_second": 1000, **fields,
        }
    )  # fmt: skip


def test_npm_installs_what_nobody_has_asked_for_yet_and_is_told_where_a_person_decides(
    shop, cast, live_server, tmp_path: Path
):
    one = upstream(shop, cast)
    raw = builders.token(cast.alice)
    npm = RealNpm(tmp_path / "first", f"{live_server.url}/npm/", raw)
    with working():
        told = npm.run("install", "--no-audit", "wide", fails=True)
        assert "E403" in told
        assert "approved by a maintainer" in told
        assert re.search(rf"It waits at {live_server.url}/packages/npm/(wide|left-pad)/versions/1.3.0", told)
        for waiting in Release.objects.filter(status="pending"):
            approving.approve(waiting, builders.actor(cast.bob), reason="Needed.")

        one.needs_review = False
        one.save()
        allowing.forget()
        told = npm.run("install", "--no-audit", "wide")
        assert "added 2 packages" in told
    assert sorted(Release.objects.values_list("package__name", "version", "status")) == [
        ("left-pad", "1.3.0", "approved"), ("wide", "1.3.0", "approved"),
    ]  # fmt: skip
    shop.fault = lambda ask: (500, {}, b"")
    elsewhere = RealNpm(tmp_path / "second", f"{live_server.url}/npm/")
    assert "added 2 packages" in elsewhere.run("install", "--no-audit", "wide")  # by now for everybody


@pytest.mark.slow
def test_a_crowd_of_cold_requests_makes_one_request_upstream(shop, cast, monkeypatch, settings, tmp_path: Path):
    monkeypatch.setenv("STORAGE_URL", settings.STORAGE_URL)
    monkeypatch.setenv("STAGING_DIR", str(settings.STAGING_DIR))
    upstream(shop, cast, needs_review=False)
    slowly = threading.Event()
    shop.fault = lambda ask: slowly.wait(0.5) and None
    raw, wanted = builders.token(cast.alice), shop.shelf[-1].content
    one, other = serving.served(tmp_path, workers=1), serving.served(tmp_path, workers=1)
    with one as first, other as second, working(), ThreadPoolExecutor(CROWD) as crowd:

        def get(number: int) -> tuple[int, bool, str]:
            port = (first, second)[number % 2].port
            link = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
            link.request(
                "GET",
                "/npm/left-pad/-/left-pad-1.3.0.tgz",
                headers={"Authorization": f"Bearer {raw}", "Connection": "close"},
            )
            answer = link.getresponse()
            is_whole = hashlib.sha256(answer.read()).digest() == hashlib.sha256(wanted).digest()
            return answer.status, is_whole, answer.headers.get("Retry-After", "")

        answers = list(crowd.map(get, range(CROWD)))
    counts = Counter(status for status, _, _ in answers)
    assert set(counts) <= {200, 503}, counts
    assert counts[200] >= CROWD * 0.9
    assert all(is_whole if status == 200 else bool(again) for status, is_whole, again in answers)
    assert shop.requests == ["/left-pad", "/left-pad/-/left-pad-1.3.0.tgz"]
    assert Release.objects.count() == 1
