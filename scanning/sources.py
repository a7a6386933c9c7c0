"""Visiting the places advisories come from: when they are due, with patience where they fail, and never unheard.

What a visit brought is written in the batches of every import; a visit that fails changes nothing but what the source
says of itself.
"""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from registry import outgoing, tasks
from registry.errors import RegistryError, Unavailable
from registry.models import Job
from registry.outgoing import Allowance, Limits, Request
from scanning import advisories
from scanning.advisories import Tally
from scanning.models import AdvisorySource

KIND = "advisory-source"
LIMITS = Limits(connect=15, read=60, total=1800, size=2 * 2**30)
FIRST_WAIT = timedelta(minutes=5)
SHOWN = 20
OnBatch = Callable[[Tally], object]


@dataclass(frozen=True, slots=True)
class Brought:
    """What a visit fetched: a file that lives as long as the block, or nothing new."""

    path: Path | None
    etag: str = ""
    modified: str = ""


@contextmanager
def fetched(request: Request, resolver: outgoing.Resolver = outgoing.system_resolver) -> Iterator[Brought]:
    """The feed as a file, whole; raises NotAllowed, Unreachable, TooMuch."""
    settings.STAGING_DIR.mkdir(parents=True, exist_ok=True)
    with outgoing.opened(request, resolver) as answer:
        if answer.is_unchanged:
            yield Brought(None, request.etag, request.modified)
            return
        if answer.status != 200:
            raise Unavailable(f"The server answered {answer.status}, where 200 was expected.")
        with tempfile.NamedTemporaryFile(dir=settings.STAGING_DIR, suffix=_suffix(request.url)) as file:
            answer.save(file)
            file.flush()
            etag, modified = answer.headers.get("ETag", ""), answer.headers.get("Last-Modified", "")
            yield Brought(Path(file.name), etag if len(etag) <= 256 else "", modified if len(modified) <= 64 else "")


def import_url(url: str, on_batch: OnBatch = lambda tally: None, allowance: Allowance | None = None) -> Tally:
    """Import what an address serves, once; raises what `fetched` and `advisories.import_from` raise."""
    request = Request(url, allowance=allowance or Allowance(), limits=LIMITS)
    with fetched(request) as brought:
        return advisories.import_from(brought.path, on_batch) if brought.path else Tally()


def refresh(
    source: AdvisorySource,
    on_batch: OnBatch = lambda tally: None,
    resolver: outgoing.Resolver = outgoing.system_resolver,
) -> Tally | None:
    """Visit the source now and note how it went; None where the visit failed, which its row tells."""
    request = Request(
        source.url,
        etag=source.etag,
        modified=source.last_modified,
        allowance=Allowance(http=source.allows_http, private=source.allows_private),
        limits=LIMITS,
    )
    try:
        with fetched(request, resolver) as brought:
            if brought.path is None:
                _note(source, **_success(source))
                return Tally()
            tally = advisories.import_from(brought.path, on_batch, source.ecosystem)
    except (RegistryError, OSError) as problem:
        _note(source, **_failure(source, str(problem)))
        return None
    tags = {"etag": brought.etag, "last_modified": brought.modified}
    _note(source, **_success(source), **tags, counts=counts_of(tally))
    return tally


def counts_of(tally: Tally) -> dict[str, Any]:
    """The tally as a source keeps it, with the first malformed documents by name."""
    names = ("added", "updated", "unchanged", "stale", "elsewhere", "withdrawn")
    malformed = [f"{name}: {problem}" for name, problem in tally.malformed[:SHOWN]]
    return {name: getattr(tally, name) for name in names} | {"malformed": len(tally.malformed), "left_out": malformed}


def _success(source: AdvisorySource) -> dict[str, Any]:
    now = timezone.now()
    ended = {"last_run_at": now, "last_success_at": now, "last_error": "", "failures": 0}
    return {**ended, "next_run_at": now + timedelta(hours=source.interval_hours)}


def _failure(source: AdvisorySource, problem: str) -> dict[str, Any]:
    now, failures = timezone.now(), source.failures + 1
    ended = {"last_run_at": now, "last_error": problem[:1000], "failures": failures}
    return {**ended, "next_run_at": now + wait_after(failures, source.interval_hours)}


def wait_after(failures: int, interval_hours: int) -> timedelta:
    """How long to leave a failing source alone: five minutes, doubled each time, up to its interval."""
    return min(FIRST_WAIT * 2 ** min(failures - 1, 20), timedelta(hours=interval_hours))


def _note(source: AdvisorySource, **fields: Any) -> None:
    AdvisorySource.objects.filter(pk=source.pk, url=source.url).update(**fields)


def _suffix(url: str) -> str:
    suffix = PurePosixPath(urlsplit(url).path).suffix.lower()
    return suffix if suffix in (".json", ".jsonl", ".ndjson", ".zip") else ""


# --- as jobs -------------------------------------------------------------------------------------------------------
def ask_for(source: AdvisorySource) -> None:
    """Queue a visit for now; inside the caller's transaction."""
    tasks.enqueue(KIND, source.pk)


@tasks.periodically("sweep")
def visit_due() -> int:
    """Queue a visit to each source whose time has come; how many were queued.

    Its next visit moves first, in one conditional update, so that two sweepers queue it once.
    """
    now = timezone.now()
    queued = 0
    for source in AdvisorySource.objects.due(now):
        with transaction.atomic():
            moved = AdvisorySource.objects.due(now).filter(pk=source.pk)
            if moved.update(next_run_at=now + timedelta(hours=source.interval_hours)):
                ask_for(source)
                queued += 1
    return queued


@tasks.handles(KIND)
def visit(job: Job) -> None:
    """Refresh the source of the job, unless it is gone."""
    if source := AdvisorySource.objects.filter(pk=job.ref).first():
        refresh(source)
