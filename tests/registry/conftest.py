"""Keys and rules for the tests of the activities."""

import os

import pytest

from tests import builders
from tests.registry import invariants

OWN_GATES = {
    "publishing": ["registry.gates.name_is_free_or_ours", "registry.gates.name_is_not_reserved"],
    "approving": ["registry.gates.checks_pass", "registry.gates.review_policy"],
    "downloading": ["registry.gates.is_visible", "registry.gates.is_not_removed", "registry.gates.is_decided"],
}
OWN_CHECKS = {name: f"registry.checking.check_{name}" for name in invariants.OWN_CHECKS}


@pytest.fixture(autouse=True)
def rules_of_the_registry_alone(settings) -> None:
    """Licensing and scanning judge in their own tests; here the registry's own gates and checks decide."""
    settings.REGISTRY_GATES = {**settings.REGISTRY_GATES, **OWN_GATES}
    settings.REGISTRY_CHECKS = OWN_CHECKS


@pytest.fixture(scope="session")
def keys(tmp_path_factory) -> dict[str, builders.KeyPair]:
    """A key pair for each of the cast, made once."""
    made = {}
    for name in ("alice", "bob", "mallory", "root"):
        folder = tmp_path_factory.mktemp(f"keys-{name}")
        made[name] = builders.key_pair(folder)
    return made


@pytest.fixture
def publish(cast, keys):
    """`publish(archive, by=…, checks=True, **options)`: through the real activity, signed by the person's own key."""

    def publish(archive: bytes | None = None, *, by=None, **options):
        person = by or cast.alice
        return builders.published(person, keys[person.username], archive, **options)

    return publish


@pytest.fixture
def nothing_left(cast):
    """Assert, after the block, that it was refused and left one audit event and nothing else."""
    return invariants.nothing_left


def pytest_report_header() -> str:
    """Which database the tests of the registry run on."""
    return f"registry tests on {'PostgreSQL' if os.environ.get('DATABASE_URL') else 'SQLite'}"
