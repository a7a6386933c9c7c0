"""A room for the admin's tests: a queue full of rows, and a browser's session for each of the cast."""

import copy

import pytest
from django.test import Client

from registry.models import Release
from tests.admin import queue_rows
from tests.builders import Cast

OWN_GATES = ["registry.gates.checks_pass", "registry.gates.review_policy"]


@pytest.fixture(autouse=True)
def own_gates(settings) -> None:
    """Rows alone have no scans: only the registry's own gates are asked."""
    gates = copy.deepcopy(settings.REGISTRY_GATES)
    gates["approving"] = OWN_GATES
    settings.REGISTRY_GATES = gates


@pytest.fixture
def troubled(cast: Cast) -> Release:
    """The queue's most interesting release; the others stand around it."""
    return queue_rows.full_queue(cast)


def signed_in(person) -> Client:
    client = Client()
    client.force_login(person)
    return client


@pytest.fixture
def as_bob(cast: Cast) -> Client:
    """The maintainer's browser."""
    return signed_in(cast.bob)


@pytest.fixture
def as_root(cast: Cast) -> Client:
    """The admin's browser."""
    return signed_in(cast.root)


@pytest.fixture
def as_alice(cast: Cast) -> Client:
    """A developer's browser."""
    return signed_in(cast.alice)
