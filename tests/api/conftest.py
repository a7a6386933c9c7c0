"""Clients for each of the cast, and a signed package."""

from collections.abc import Callable
from pathlib import Path

import pytest

from accounts import users
from accounts.models import User
from registry.models import Release
from tests import builders
from tests.api.clients import ApiClient
from tests.builders import Cast, KeyPair


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
