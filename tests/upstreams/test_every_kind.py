"""A run at each kind of upstream: what is new comes, what is known does not, and facts are told."""

import pytest

from registry.models import Release
from registry.upstreams.models import Trouble, Upstream
from tests import builders
from tests.upstreams import shops
from tests.upstreams.conftest import counts

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("only_own_rules")]
BODIES = {"npm": builders.npm_tarball, "pypi": builders.sdist}
ENDINGS = {"npm": ".tgz", "pypi": ".tar.gz"}


@pytest.mark.parametrize(("kind", "shop"), [("npm", shops.NpmShop), ("pypi", shops.PyPiShop)])
def test_a_run_at_every_kind(kind, shop, cast, sync):
    with shops.opened(shop()) as far:

        def stock(name: str, version: str):
            body = BODIES[kind](name, version)
            return far.put(name, version, f"{name}-{version}{ENDINGS[kind]}", body, released="2019-01-02T03:04:05Z")

        first = stock("demo", "1.0.0")
        stock("internal", "9.0.0")
        builders.release(builders.package(cast.acme, "internal", kind))
        upstream = Upstream.objects.create(
            name="far", kind=kind, base_url=far.url, project=cast.acme, allows_private=True,
            include=["demo", "internal"], needs_review=False, requests_per_second=1000,
        )  # fmt: skip
        pull = sync(upstream)
        troubles = dict(Trouble.objects.values_list("package", "error"))
        assert counts(pull)["added"] == 1, troubles
        release = Release.objects.get(origin="synced")
        assert (release.status, f"{release.released_at:%Y}") == ("approved", "2019"), release.held_because
        assert not any("internal" in path for path in far.requests), "an internal name was asked for"
        stock("demo", "1.1.0")
        far.requests.clear()
        again = sync(upstream)
        assert counts(again)["added"] == 1
        assert not any(path.endswith(first.filename) for path in far.requests)
        assert Release.objects.filter(origin="synced").count() == 2
