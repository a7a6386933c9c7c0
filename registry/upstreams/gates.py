"""What upstreams have to say when the registry asks."""

from accounts.actors import Actor
from registry import gates
from registry.models import Release
from registry.upstreams.models import Offer


def review_policy(release: Release, actor: Actor) -> gates.Verdict:
    """The registry's own, and before it: what is pulled waits for a maintainer, unless its upstream is trusted."""
    if release.origin == Release.Origin.SYNCED and not _is_trusted(release):
        text = "What is pulled from this upstream is approved by a maintainer, and none has yet."
        return gates.Verdict("review", "hold", "REVIEW_NEEDED", text)
    return gates.review_policy(release, actor)


def _is_trusted(release: Release) -> bool:
    """Whether an admin lets the project's review policy count for the upstream that it came from."""
    return Offer.objects.filter(release=release, upstream__needs_review=False).exists()
