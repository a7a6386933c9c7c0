"""Real advisories, small documents of our own, and releases that they touch."""

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from registry.models import Release
from scanning import advisories
from scanning.models import Waiver
from scanning.osv_files import Found
from tests import builders
from tests.builders import Cast

SAMPLES = Path(__file__).resolve().parent.parent / "samples" / "advisories"


def osv(id: str = "GHSA-0000", name: str = "left-pad", ecosystem: str = "npm", **more: Any) -> dict[str, Any]:
    """A small OSV document: everything before 2.0.0 is affected."""
    ranges = more.pop("ranges", [{"type": "SEMVER", "events": [{"introduced": "0"}, {"fixed": "2.0.0"}]}])
    affected = {"package": {"ecosystem": ecosystem, "name": name}, "ranges": ranges}
    if "versions" in more:
        affected["versions"] = more.pop("versions")
    return {
        "id": id,
        "modified": "2026-01-02T03:04:05Z",
        "summary": f"{name} does too much",
        "affected": [affected],
        **more,
    }


def rated(word: str) -> dict[str, Any]:
    """The database's own word for a severity."""
    return {"database_specific": {"severity": word}}


def load(*documents: dict[str, Any]) -> advisories.Tally:
    """Import documents of a test."""
    return advisories.import_found(Found(str(position), one) for position, one in enumerate(documents))


def sample(id: str) -> dict[str, Any]:
    """A real advisory."""
    return json.loads((SAMPLES / f"{id}.json").read_text())


@pytest.fixture
def samples(db) -> advisories.Tally:
    """The real advisories about lodash, minimist, requests, flask and jinja2."""
    return advisories.import_from(SAMPLES)


@pytest.fixture
def held(cast: Cast) -> Callable[..., Release]:
    """Make a release of a package of acme."""

    def make(name: str = "left-pad", version: str = "1.0.0", ecosystem: str = "npm", **more: Any) -> Release:
        return builders.release(builders.package(cast.acme, name, ecosystem), version, **{"status": "pending", **more})

    return make


@pytest.fixture
def waive(cast: Cast) -> Callable[..., Waiver]:
    """Make a waiver of bob's for a release of acme, for a day."""

    def make(release: Release, identifier: str, **more: Any) -> Waiver:
        fields = {
            "owner": cast.bob,
            "reason": "The function is not called here.",
            "ecosystem": release.package.ecosystem,
            "package": release.package.name,
            "version_range": "*",
            "project": release.project,
            "expires_at": timezone.now() + timedelta(days=1),
        }
        return Waiver.objects.create(identifier=identifier, **{**fields, **more})

    return make
