"""Importing advisories: idempotent by digest, newest version wins, one bad document never stops the rest."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from django.db import transaction

from registry.errors import InvalidInput
from scanning import osv_documents, osv_files, recording
from scanning.models import Advisory
from scanning.osv_documents import Shaped
from scanning.osv_files import Found

BATCH = 400


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


def import_from(path: Path, on_batch: Callable[[Tally], object] = lambda tally: None, ecosystem: str = "") -> Tally:
    """Import a JSON file, an array, a folder or a zip; `on_batch` hears the tally as it grows.

    Raises InvalidInput only if the path itself cannot be read.
    """
    return import_found(osv_files.read(path), on_batch, ecosystem)


def import_found(
    found: Iterable[Found], on_batch: Callable[[Tally], object] = lambda tally: None, ecosystem: str = ""
) -> Tally:
    """Import documents from wherever they come, in batches that are each written whole or not at all.

    Entries that name no ecosystem are about the given one.
    """
    tally = Tally()
    documents = _shaped(found, tally, ecosystem)
    while batch := list(islice(documents, BATCH)):
        for chosen in _rounds(batch, tally):
            _write(chosen, tally)
        on_batch(tally)
    on_batch(tally)
    return tally


def _shaped(found: Iterable[Found], tally: Tally, ecosystem: str) -> Iterator[Shaped]:
    for one in found:
        if one.problem:
            tally.malformed.append((one.name, one.problem))
            continue
        try:
            yield osv_documents.shape(one.data, ecosystem)
        except InvalidInput as problem:
            tally.malformed.append((one.name, problem.message))
        except (TypeError, ValueError, RecursionError) as problem:
            tally.malformed.append((one.name, f"It is no OSV document: {problem}."))


def _rounds(batch: Iterable[Shaped], tally: Tally) -> Iterator[dict[str, Shaped]]:
    """One document per id and round: the one modified last; those of the same moment come one after the other."""
    waiting = list(batch)
    while waiting:
        chosen: dict[str, Shaped] = {}
        later: list[Shaped] = []
        for shaped in waiting:
            other = chosen.setdefault(shaped.advisory.osv_id, shaped)
            if other is shaped:
                continue
            if shaped.advisory.modified_at == other.advisory.modified_at:
                later.append(shaped)
                continue
            tally.stale += 1
            if shaped.advisory.modified_at > other.advisory.modified_at:
                chosen[shaped.advisory.osv_id] = shaped
        yield chosen
        waiting = later


def _write(chosen: dict[str, Shaped], tally: Tally) -> None:
    with transaction.atomic():
        held = recording.held(chosen)
        changed = [shaped for shaped in chosen.values() if _is_news(shaped, held, tally)]
        if changed:
            recording.record(changed, held)


def _is_news(shaped: Shaped, held: dict[str, Advisory], tally: Tally) -> bool:
    """Whether the document has to be written; counts what becomes of it."""
    advisory = shaped.advisory
    row = held.get(advisory.osv_id)
    if row is None and not shaped.affected:
        tally.elsewhere += 1
        return False
    if row is not None and advisory.digest in (row.digest, *row.parts):
        tally.unchanged += 1
        return False
    if row is not None and row.modified_at > advisory.modified_at:
        tally.stale += 1
        return False
    tally.added += row is None
    tally.updated += row is not None
    tally.withdrawn += advisory.withdrawn_at is not None
    return True
