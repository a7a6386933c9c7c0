"""Keys for the cast, and the room of the matrix: what is whose."""

import pytest

from tests import builders
from tests.authorization import rooms
from tests.builders import Cast, KeyPair


@pytest.fixture(scope="session")
def keys(tmp_path_factory) -> dict[str, KeyPair]:
    """A key pair for each of the cast and for a reader, made once."""
    return {
        name: builders.key_pair(tmp_path_factory.mktemp(name)) for name in ("alice", "bob", "mallory", "root", "rita")
    }


@pytest.fixture
def room(cast: Cast, keys: dict[str, KeyPair]) -> rooms.Room:
    """Four packages, credentials and projects: each public and private, own and foreign."""
    return rooms.build(cast, keys)
