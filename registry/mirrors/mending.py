"""Mending: damaged bytes of ours are replaced by whole ones from any region that holds them, and serve again."""

import logging
from contextlib import closing

from django.db.models import F
from django.utils import timezone

from accounts.errors import RegistryError
from registry import scrubbing, storage, tasks
from registry.mirrors import layout, stores
from registry.mirrors.models import Mirror
from registry.mirrors.patience import Patient
from registry.models import Blob, Job

logger = logging.getLogger(__name__)
SOONEST, LATEST = 15.0, 3600.0


@tasks.handles("mend")
def mend(job: Job) -> None:
    """Mend one quarantined blob: by a second look at it, else from a region. What nobody holds is asked for again.

    Nothing that a region gives is believed: it is hashed while it is staged, and only our own digest lets it in.
    """
    blob = Blob.objects.filter(pk=job.ref).exclude(state=Blob.State.DELETING).first()
    if blob is None:
        return
    is_held = blob.state == Blob.State.QUARANTINED  # else somebody else has mended it meanwhile
    if is_held and not _is_whole_after_all(blob):
        _bring(blob, job)
    scrubbing.look_again(blob)


def _bring(blob: Blob, job: Job) -> None:
    """From the first region that has it; comes back later where none has."""
    refusals = []
    for mirror in Mirror.objects.filter(enabled=True).order_by(F("answered_at").desc(nulls_last=True)):
        problem = _try(blob, mirror)
        if not problem:
            return
        refusals.append(f"{mirror.region}: {problem}")
    said = "; ".join(refusals) or "there is no region"
    logger.warning("Blob %s cannot be mended yet: %s", blob.key, said)
    Job.objects.filter(pk=job.pk).update(last_error=f"No whole copy yet. {said}"[:2000])
    raise tasks.Later(_pause(blob))


def _is_whole_after_all(blob: Blob) -> bool:
    try:
        return scrubbing.is_whole_again(blob)
    except OSError as problem:
        raise tasks.Later(SOONEST) from problem


def _try(blob: Blob, mirror: Mirror) -> str:
    """Put back what the region holds; "" or why not."""
    try:
        opened = Patient(stores.of(mirror)).open(layout.file_of(blob.sha256))
    except FileNotFoundError:
        return "not held there"
    except OSError as problem:
        return f"does not answer ({type(problem).__name__})"
    try:
        with closing(opened), storage.stage(opened, blob.size) as staged:
            storage.put_back(blob, staged, mirror.region)
    except RegistryError as problem:
        return problem.message
    return ""


def _pause(blob: Blob) -> float:
    """Longer and longer, an hour at most: half as long as it has been held back."""
    age = (timezone.now() - blob.touched_at).total_seconds()
    return min(max(age / 2, SOONEST), LATEST)
