"""Importing advisories: idempotent by digest, newest version wins, one bad document never stops the rest."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from django.db import transaction

from registry.errors import InvalidInput
from scanning import osv_documents, osv_files
from scanning.models import Advisory, AffectedPackage
from scanning.osv_documents import Shaped
from scanning.osv_files import Found

BATCH = 400
WRITTEN = (
    "aliases",
    "summary",
    "severity",
    "cvss",
    "url",
    "published_at",
    "modified_at",
    "withdrawn_at",
    "raw",
    "digest",
    "imported_at",
)


@dataclass(slots=True)
class Tally:
    """What an import did, in documents; `malformed` names each one that was left out, and why."""

    added: int = 0
    updated: int = 0
    unchanged: int = 0
    stale: int = 0
    elsewhere: int = 0
    withdrawn: int = 0
    malformed: list[tuple[str, str]] = field(default_factory=list)

    @property
    def seen(self) -> int:
        """Every document that was looked at."""
        kept = self.added + self.updated + self.unchanged
        return kept + self.stale + self.elsewhere + len(self.malformed)


def import_from(path: Path, on_batch: Callable[[Tally], object] = lambda tally: None) -> Tally:
    """Import a JSON file, an array, a folder or a zip; `on_batch` hears the tally as it grows.

    Raises InvalidInput only if the path itself cannot be read.
    """
    return import_found(osv_files.read(path), on_batch)


def import_found(found: Iterable[Found], on_batch: Callable[[Tally], object] = lambda tally: None) -> Tally:
    """Import documents from wherever they come, in batches that are each written whole or not at all."""
    tally = Tally()
    documents = _shaped(found, tally)
    while batch := list(islice(documents, BATCH)):
        _write(_newest(batch, tally), tally)
        on_batch(tally)
    on_batch(tally)
    return tally


def _shaped(found: Iterable[Found], tally: Tally) -> Iterator[Shaped]:
    for one in found:
        if one.problem:
            tally.malformed.append((one.name, one.problem))
            continue
        try:
            yield osv_documents.shape(one.data)
        except InvalidInput as problem:
            tally.malformed.append((one.name, problem.message))
        except (TypeError, ValueError, RecursionError) as problem:
            tally.malformed.append((one.name, f"It is no OSV document: {problem}."))


def _newest(batch: Iterable[Shaped], tally: Tally) -> dict[str, Shaped]:
    """One document per id: the one modified last, and the later of two of the same moment."""
    chosen: dict[str, Shaped] = {}
    for shaped in batch:
        other = chosen.get(shaped.advisory.osv_id)
        tally.stale += other is not None
        if other is None or shaped.advisory.modified_at >= other.advisory.modified_at:
            chosen[shaped.advisory.osv_id] = shaped
    return chosen


def _write(chosen: dict[str, Shaped], tally: Tally) -> None:
    with transaction.atomic():
        held = {row.osv_id: row for row in _held(chosen)}
        changed = [shaped for shaped in chosen.values() if _is_news(shaped, held, tally)]
        Advisory.objects.bulk_create(
            [shaped.advisory for shaped in changed],
            update_conflicts=True,
            unique_fields=["osv_id"],
            update_fields=WRITTEN,
        )
        _write_affected(changed, held)


def _held(osv_ids: Iterable[str]) -> Iterable[Advisory]:
    return Advisory.objects.filter(osv_id__in=list(osv_ids)).only("pk", "osv_id", "digest", "modified_at")


def _is_news(shaped: Shaped, held: dict[str, Advisory], tally: Tally) -> bool:
    """Whether the document has to be written; counts what becomes of it."""
    advisory = shaped.advisory
    row = held.get(advisory.osv_id)
    if row is None and not shaped.affected:
        tally.elsewhere += 1
        return False
    if row is not None and row.digest == advisory.digest:
        tally.unchanged += 1
        return False
    if row is not None and row.modified_at > advisory.modified_at:
        tally.stale += 1
        return False
    tally.added += row is None
    tally.updated += row is not None
    tally.withdrawn += advisory.withdrawn_at is not None
    return True


def _write_affected(changed: list[Shaped], held: dict[str, Advisory]) -> None:
    keys = {row.osv_id: row.pk for row in _held(shaped.advisory.osv_id for shaped in changed)}
    for slug in {ecosystem.slug for ecosystem in osv_documents.SLUGS.values()}:
        replaced = [keys[shaped.advisory.osv_id] for shaped in changed if _replaces(shaped, held, slug)]
        AffectedPackage.objects.filter(advisory_id__in=replaced, ecosystem=slug).delete()
    rows = []
    for shaped in changed:
        for affected in shaped.affected:
            affected.advisory_id = keys[shaped.advisory.osv_id]
            rows.append(affected)
    AffectedPackage.objects.bulk_create(rows, batch_size=500)


def _replaces(shaped: Shaped, held: dict[str, Advisory], slug: str) -> bool:
    """Whether what is held for an ecosystem goes.

    Some extracts spread one advisory over a document per ecosystem, all of the same moment: those are parts, and
    none of them undoes another. A document of a later moment replaces everything.
    """
    row = held.get(shaped.advisory.osv_id)
    if row is None:
        return False
    is_part = row.modified_at == shaped.advisory.modified_at
    return not is_part or any(affected.ecosystem == slug for affected in shaped.affected)
