"""An issuer of ID tokens, and a package that trusts one of its pipelines."""

from collections.abc import Iterator

import pytest

from registry.models import TrustedPublisher
from registry.trusting import managing
from tests import builders
from tests.builders import Cast
from tests.protocols import issuers
from tests.protocols.exchanges import NAME, WANTED
from tests.protocols.issuers import Issuer


@pytest.fixture(scope="module")
def server() -> Iterator[Issuer]:
    with issuers.running() as found:
        yield found


@pytest.fixture
def issuer(server: Issuer, settings) -> Issuer:
    settings.TRUSTED_ISSUERS = [f"github={server.url}"]
    server.asked.clear()
    return server


@pytest.fixture
def trusted(cast: Cast, issuer: Issuer) -> TrustedPublisher:
    """`@acme-utils/core` of acme, which takes unsigned archives, trusts the workflow release.yml of acme/tools."""
    cast.acme.signature_policy = "optional"
    cast.acme.save()
    package = builders.package(cast.acme, NAME)
    builders.release(package, "0.1.0")
    return managing.trust(package, WANTED, builders.actor(cast.alice))
