"""How runs stand, in the shape that the API and the pages show."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Prefetch, QuerySet

from accounts.actors import Actor
from registry.upstreams import syncing
from registry.upstreams.models import Pull, SyncRun, Trouble, Upstream

MOST_ERRORS = 100
COUNTS = ("added", "updated", "skipped", "failed")


@dataclass(frozen=True, slots=True)
class Told:
    """What is told of one run, by way of the upstreams that the asker may know of."""

    run: SyncRun
    pulls: Sequence[Pull]
    troubles: Sequence[Trouble]

    def as_dict(self) -> dict[str, Any]:
        """The contract's shape (section 9); counts are of files, and errors the first hundred."""
        broken = [{"package": one.upstream.name, "error": one.error} for one in self.pulls if one.error]
        named = [{"package": one.package, "error": one.error} for one in self.troubles]
        return {
            "id": str(self.run.pk),
            "status": self.run.state,
            "upstreams": [one.upstream.name for one in self.pulls],
            "startedAt": self.run.started_at,
            "finishedAt": self.run.finished_at,
            "progress": {"total": self._sum("total"), "done": self._sum("done")},
            **{name: self._sum(name) for name in COUNTS},
            "errors": [*broken, *named][:MOST_ERRORS],
        }

    def _sum(self, name: str) -> int:
        return sum(getattr(one, name) for one in self.pulls)


def tell(runs: QuerySet[SyncRun], actor: Actor) -> list[Told]:
    """The runs, in three queries however many."""
    seen = Pull.objects.filter(upstream__in=Upstream.objects.filter(syncing.visible(actor)))
    found = list(runs.prefetch_related(Prefetch("pulls", seen.select_related("upstream").order_by("pk"))))
    pulls = [pull for run in found for pull in run.pulls.all()]
    troubles = defaultdict[int, list[Trouble]](list)
    for one in Trouble.objects.filter(pull__in=pulls).order_by("pk")[: MOST_ERRORS * max(len(found), 1)]:
        troubles[one.pull_id].append(one)
    return [
        Told(run, list(run.pulls.all()), [one for pull in run.pulls.all() for one in troubles[pull.pk]])
        for run in found
    ]
