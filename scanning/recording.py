"""Writing changed advisories down: the row, its names and what it touches; then telling whom it may concern."""

from collections.abc import Iterable

from scanning import charting, osv_documents, rescanning
from scanning.models import Advisory, AdvisoryName, AffectedPackage
from scanning.osv_documents import Shaped

CHUNK = 500
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
    "parts",
    "imported_at",
)


def held(osv_ids: Iterable[str]) -> dict[str, Advisory]:
    """What is held under these ids, without the documents."""
    known = Advisory.objects.filter(osv_id__in=list(osv_ids))
    return {row.osv_id: row for row in known.only("pk", "osv_id", "digest", "parts", "modified_at")}


def record(changed: list[Shaped], known: dict[str, Advisory]) -> None:
    """Write them inside the caller's transaction; every package they touched or touch now is looked at again."""
    parts = [shaped for shaped in changed if _is_part(shaped, known)]
    _put_together(parts, changed)
    Advisory.objects.bulk_create(
        [shaped.advisory for shaped in changed],
        update_conflicts=True,
        unique_fields=["osv_id"],
        update_fields=WRITTEN,
    )
    keys = {osv_id: row.pk for osv_id, row in held(shaped.advisory.osv_id for shaped in changed).items()}
    rewritten = [keys[shaped.advisory.osv_id] for shaped in changed if shaped.advisory.osv_id in known]
    before = set(AffectedPackage.objects.filter(advisory__in=rewritten).values_list("ecosystem", "normalized"))
    _write_names(changed, keys, rewritten)
    after = _write_affected(changed, parts, known, keys)
    rescanning.packages_touched(before | after)


def _is_part(shaped: Shaped, known: dict[str, Advisory]) -> bool:
    """Whether the document tells more of what is held, instead of replacing it.

    Some extracts spread one advisory over a document per ecosystem, all of the same moment: none undoes another. A
    document of a later moment replaces everything.
    """
    row = known.get(shaped.advisory.osv_id)
    return row is not None and row.modified_at == shaped.advisory.modified_at


def _put_together(parts: list[Shaped], changed: list[Shaped]) -> None:
    """Have documents remember what they were put together from, and give parts what the others said before them."""
    for shaped in changed:
        shaped.advisory.parts = {shaped.advisory.digest: shaped.key}
    ids = [shaped.advisory.osv_id for shaped in parts]
    earlier = {row.osv_id: row for row in Advisory.objects.filter(osv_id__in=ids)} if ids else {}
    for shaped in parts:
        advisory, other = shaped.advisory, earlier[shaped.advisory.osv_id]
        spoken = set(shaped.key.split(","))
        kept = [one for one in other.raw.get("affected") or () if osv_documents.slug_of(one) not in spoken]
        advisory.aliases = list(dict.fromkeys((*other.aliases, *advisory.aliases)))
        advisory.raw = {**advisory.raw, "affected": [*kept, *(advisory.raw.get("affected") or ())]}
        advisory.parts = {**other.parts, **advisory.parts}


def _write_names(changed: list[Shaped], keys: dict[str, int], rewritten: list[int]) -> None:
    AdvisoryName.objects.filter(advisory__in=rewritten).delete()
    rows = [
        AdvisoryName(advisory_id=keys[shaped.advisory.osv_id], name=name)
        for shaped in changed
        for name in {one.upper() for one in (shaped.advisory.osv_id, *shaped.advisory.aliases)}
    ]
    AdvisoryName.objects.bulk_create(rows, batch_size=CHUNK)


def _write_affected(
    changed: list[Shaped], parts: list[Shaped], known: dict[str, Advisory], keys: dict[str, int]
) -> set[tuple[str, str]]:
    """Replace what is touched: all of it, or of parts what they speak of; returns the packages."""
    whole = {keys[one.advisory.osv_id] for one in changed if one.advisory.osv_id in known}
    whole -= {keys[one.advisory.osv_id] for one in parts}
    AffectedPackage.objects.filter(advisory__in=whole).delete()
    for shaped in parts:
        spoken = AffectedPackage.objects.filter(ecosystem__in=shaped.key.split(","))
        spoken.filter(advisory=keys[shaped.advisory.osv_id]).delete()
    rows = []
    for shaped in changed:
        for affected in shaped.affected:
            affected.advisory_id = keys[shaped.advisory.osv_id]
            affected.chart = charting.draw(affected.ecosystem, affected.ranges, affected.versions)
            affected.chart_scheme = charting.SCHEME
            rows.append(affected)
    AffectedPackage.objects.bulk_create(rows, batch_size=CHUNK)
    return {(row.ecosystem, row.normalized) for row in rows}
