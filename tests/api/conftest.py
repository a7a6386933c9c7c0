"""Clients for each of the cast, and a signed package."""

import contextlib
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from accounts import users
from accounts.models import User
from config import brokering
from registry.models import Release
from tests import builders
from tests.api.clients import ApiClient
from tests.builders import Cast, KeyPair
from tests.servers import process, takes_connections, wait_for

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def nobody(db) -> ApiClient:
    """A client without a credential."""
    return ApiClient()


@pytest.fixture
def client_of() -> Callable[..., ApiClient]:
    """Make a client with a token of the person, all scopes of their role unless said otherwise."""

    def make(person: User, *scopes: str) -> ApiClient:
        return ApiClient(builders.token(person, *(scopes or sorted(users.scopes_of(person)))))

    return make


@pytest.fixture
def pair(tmp_path: Path) -> KeyPair:
    """Alice's key pair, not registered yet."""
    return builders.key_pair(tmp_path)


@pytest.fixture
def core(cast: Cast, pair: KeyPair) -> Release:
    """`@acme-utils/core` 1.2.0, published by alice, checked and approved."""
    archive = builders.npm_tarball("@acme-utils/core", "1.2.0", dependencies={"left-pad": "^1.0.0"})
    return builders.published(cast.alice, pair, archive)


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., int]]:
    """Start the real web server over a folder of its own, with these settings; gives its port."""
    with contextlib.ExitStack() as stack:

        def start(**settings: str) -> int:
            port, log = brokering.free_port(), tmp_path / "log"
            kept = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "REDIS_URL")}
            environment = {**kept, "DATA_DIR": str(tmp_path), "PORT": str(port), "WEB_WORKERS": "1", **settings}
            command = [sys.executable, "-m", "gunicorn", "-c", "config/gunicorn.py"]
            child = stack.enter_context(process(command, log, cwd=ROOT, env=environment))
            wait_for(child, lambda: takes_connections(port), log)
            return port

        yield start
