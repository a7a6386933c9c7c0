"""A third-party release with a manifest, whose license the tests change."""

from collections.abc import Callable
from typing import Any

import pytest

from registry.models import Check, Release, ReleaseManifest
from tests import builders
from tests.builders import Cast


@pytest.fixture
def licensed(cast: Cast) -> Callable[..., Release]:
    """Make a release that declares what is asked, with license files under their paths."""

    def make(
        declared: str = "", *, origin: str = "submitted", files: dict[str, str] | None = None, **more: Any
    ) -> Release:
        number = Release.objects.count()
        package = builders.package(cast.acme, f"left-pad-{number}")
        made = builders.release(package, status="pending", origin=origin, license="")
        ReleaseManifest.objects.create(release=made, license_declared=declared, license_texts=files or {}, **more)
        return made

    return make


@pytest.fixture
def checked(licensed: Callable[..., Release]) -> Callable[..., Release]:
    """The same, with the license check recorded as the worker records it."""
    from licensing.checks import check_license

    def make(declared: str = "", **more: Any) -> Release:
        made = licensed(declared, **more)
        result = check_license(made)
        Check.objects.create(
            release=made, name="license", status=result.status, summary=result.summary, details=result.details
        )
        return made

    return make
