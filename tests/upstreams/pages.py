"""An upstream and its runs, for those who look at every page of the admin."""

from registry.upstreams import syncing
from registry.upstreams.listing import CHANGED
from registry.upstreams.models import Offer, Pull, SyncRun, Trouble, Upstream
from tests import builders
from tests.builders import Cast


def made(cast: Cast) -> dict[str, str]:
    """A run that goes on, with a trouble; the addresses of the pages that show it, by name."""
    upstream = Upstream.objects.create(
        name="artifactory-frankfurt", kind="artifactory", base_url="https://artifactory.example/artifactory",
        repository="npm-local", ecosystem="npm", project=cast.acme, include=["@acme/*", "left-*"], every_hours=24,
        login="bearer", secret="sealed",
    )  # fmt: skip
    run = syncing.start(builders.actor(cast.root), upstream.name)
    SyncRun.objects.update(state="running", started_at=run.created_at)
    Pull.objects.update(
        state="running", started_at=run.created_at, is_listed=True, total=1240, done=412, added=380, skipped=30,
        failed=2, requests=425,
    )  # fmt: skip
    pull = Pull.objects.get()
    for name, error in (
        ("left-pad 1.3.0", CHANGED),
        ("@acme/core 99.0.0", "This is an internal name: it is never taken from an upstream."),
    ):
        Trouble.objects.create(pull=pull, package=name, error=error)
    Offer.objects.create(
        upstream=upstream,
        ecosystem="npm",
        name="left-pad",
        version="1.3.0",
        filename="left-pad-1.3.0.tgz",
        state="refused",
        error=CHANGED,
    )
    base = "/admin/upstreams"
    return {
        "upstreams": f"{base}/upstream/",
        "upstream": f"{base}/upstream/{upstream.pk}/change/",
        "sync-runs": f"{base}/syncrun/",
        "sync-run": f"{base}/syncrun/{run.pk}/change/",
        "offers": f"{base}/offer/",
    }
