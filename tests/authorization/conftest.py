"""Keys for the cast, and the room of the matrix: what is whose."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests import builders
from tests.authorization import rooms
from tests.builders import KeyPair
from tests.standing import standing


@pytest.fixture(scope="session")
def keys(tmp_path_factory) -> dict[str, KeyPair]:
    """A key pair for each of the cast and for a reader, made once."""
    return {
        name: builders.key_pair(tmp_path_factory.mktemp(name)) for name in ("alice", "bob", "mallory", "root", "rita")
    }


@pytest.fixture(scope="module")
def standing_room(
    django_db_setup: None, django_db_blocker, keys: dict[str, KeyPair], tmp_path_factory
) -> Iterator[Callable[[Path], rooms.Room]]:
    """The room, once for a file, with the cast in it: tests of such a file take theirs from the room."""
    folder = tmp_path_factory.mktemp("room")
    with standing(django_db_blocker, folder, lambda: rooms.build(builders.assemble_cast(), keys)) as enter:
        yield enter


@pytest.fixture
def room(standing_room: Callable[[Path], rooms.Room], db: None, tmp_path: Path) -> rooms.Room:
    """Four packages, credentials and projects: each public and private, own and foreign."""
    return standing_room(tmp_path)
