"""Upstreams for tests: a row as an admin would make it, and runs that are worked off in this process."""

import pytest

from registry import tasks
from registry.models import Job
from registry.upstreams import syncing
from registry.upstreams.models import Pull, SyncRun, Upstream
from tests import builders
from tests.upstreams.artifactory_server import Artifactory, Switches


@pytest.fixture
def only_own_rules(settings) -> None:
    """The registry's own gates and checks, and that of upstreams; licensing and scanning judge in their own tests."""
    approving = ["registry.gates.checks_pass", "registry.upstreams.gates.review_policy"]
    settings.REGISTRY_GATES = {**settings.REGISTRY_GATES, "approving": approving}
    names = ("archive", "manifest", "integrity", "signature", "name")
    settings.REGISTRY_CHECKS = {name: f"registry.checking.check_{name}" for name in names}
    settings.SYNC_STEP_SECONDS = 60


@pytest.fixture(scope="module")
def running():
    """One server for the tests of a module."""
    with Artifactory("npm-local").running() as server:
        yield server


@pytest.fixture
def far(running) -> Artifactory:
    """The server, empty and well-behaved."""
    running.files, running.requests, running.heard, running.does = {}, [], [], Switches()
    return running


@pytest.fixture
def upstream(far, cast) -> Upstream:
    """A repository of npm packages that acme trusts."""
    return Upstream.objects.create(
        name="far", kind="artifactory", base_url=far.url, repository="npm-local", ecosystem="npm", project=cast.acme,
        allows_private=True, needs_review=False, requests_per_second=1000,
    )  # fmt: skip


@pytest.fixture
def sync(cast):
    """`sync(upstream)`: ask for a run and work it off; the run's only part, as it stands then."""

    def sync(upstream: Upstream, **options) -> Pull:
        run = syncing.start(builders.actor(cast.root), upstream.name, **options)
        tasks.drain()
        return Pull.objects.get(run=run)

    return sync


def stock(far: Artifactory, name: str = "left-pad", version: str = "1.0.0", **manifest) -> bytes:
    """A good npm package on the server."""
    body = builders.npm_tarball(name, version, **manifest)
    far.put(name, version, f"{name.rpartition('/')[2]}-{version}.tgz", body)
    return body


def come_back() -> None:
    """As if what waits to be tried again had waited long enough."""
    Job.objects.filter(state=Job.State.OPEN).update(due_at="2000-01-01T00:00:00Z")
    tasks.drain()


def counts(pull: Pull) -> dict[str, int]:
    """What became of what was listed, without the zeros."""
    pull.refresh_from_db()
    found = {name: getattr(pull, name) for name in ("added", "updated", "skipped", "failed")}
    assert pull.done == sum(found.values())
    return {name: count for name, count in found.items() if count}


def ended(pull: Pull) -> str:
    """How the pull and its run ended."""
    pull.refresh_from_db()
    run = SyncRun.objects.get(pk=pull.run_id)
    assert run.finished_at
    assert run.state == pull.state
    return run.state
