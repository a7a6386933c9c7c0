"""Packages as npm's clients ask for them."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from registry.models import Package, Release
from tests import builders
from tests.builders import Cast, KeyPair

SHORT = "application/vnd.npm.install-v1+json; q=1.0, application/json; q=0.8, */*"


class Npm(Client):
    """A client as npm is: its Accept, its token as a bearer, a base that may name a project."""

    def __init__(self, raw: str = "", base: str = "/npm/") -> None:
        super().__init__(headers={"Accept": SHORT, **(builders.bearer(raw) if raw else {})})
        self.base = base

    def ask(self, path: str, **headers: str) -> Any:
        """GET below the base."""
        return self.get(self.base + path, headers=headers)

    def send(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """Another method, with a JSON body."""
        sent = b"" if body is None else json.dumps(body).encode()
        return self.generic(method, self.base + path, sent, "application/json", headers=headers)


@pytest.fixture
def nobody(db) -> Npm:
    """Npm without a token."""
    return Npm()


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
def secret(core: Release) -> Release:
    """The same, for members of acme alone."""
    from django.db import transaction

    from registry import documents

    Package.objects.filter(pk=core.package_id).update(visibility="private")
    core.package.refresh_from_db()
    with transaction.atomic():
        documents.rebuild(core.package)
    return core


@pytest.fixture
def unsigned(cast: Cast) -> None:
    """No project asks for signatures, which npm cannot send."""
    from accounts.models import Project

    Project.objects.update(signature_policy=Project.SignaturePolicy.OPTIONAL)
