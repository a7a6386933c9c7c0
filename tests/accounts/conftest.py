"""What the tests of accounts share: somebody outside who vouches for people."""

from collections.abc import Iterator

import pytest

from tests.accounts.identity_provider import IdentityProvider, serve


@pytest.fixture
def provider(settings) -> Iterator[IdentityProvider]:
    """The provider, with the portal as its client."""
    made = IdentityProvider()
    server = serve(made)
    settings.GITHUB_CLIENT_ID, settings.GITHUB_CLIENT_SECRET = "portal", "the secret"
    settings.GITHUB_URL = made.url
    yield made
    made.released.set()
    server.shutdown()
    server.server_close()
