"""Deprecating: a sentence on a version that installers show their users. It changes nothing about who may have it."""

from collections.abc import Mapping

from django.db import transaction

from accounts import auditing
from accounts.actors import Actor
from registry import documents, publishing
from registry.errors import InvalidInput, NotFound
from registry.models import Package, Release

LONGEST = 1024


def deprecate(package: Package, texts: Mapping[str, str], actor: Actor) -> list[str]:
    """Put the text on each version named, or take it away where the text is empty; returns those that changed.

    Needs the scope `publish` and a say in the package's project. Raises InvalidInput for a text over 1,024 characters,
    NotFound for a version that is not held here.
    """
    publishing.need_say(package, actor)
    if any(len(text) > LONGEST for text in texts.values()):
        raise InvalidInput(f"A deprecation has at most {LONGEST} characters.", details={"deprecated": ["too long"]})
    with transaction.atomic():
        documents.hold(package.pk)
        held = {one.version: one for one in package.releases.filter(version__in=texts)}
        if missing := sorted(texts.keys() - held.keys()):
            raise NotFound(f"{package.name} has no version {missing[0][:80]}.")
        changed = [one for version, one in held.items() if one.deprecated != texts[version]]
        if not changed:
            return []
        for release in changed:
            release.deprecated = texts[release.version]
        Release.objects.bulk_update(changed, ["deprecated"], batch_size=500)
        _write_down(package, changed, actor)
    return [one.version for one in changed]


def _write_down(package: Package, changed: list[Release], actor: Actor) -> None:
    """One event and one rebuild, however many versions `npm deprecate` names."""
    details = {
        "deprecated": [one.version for one in changed if one.deprecated][:200],
        "undeprecated": [one.version for one in changed if not one.deprecated][:200],
        "texts": sorted({one.deprecated[:200] for one in changed if one.deprecated})[:5],
    }
    name = f"{package.ecosystem}:{package.name}"
    auditing.record("package.deprecated", name, actor, details=details, project=package.project.slug)
    documents.rebuild(package, "deprecated")
