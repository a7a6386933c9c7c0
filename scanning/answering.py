"""What tools said, each by itself, and what their newest good answers say together."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from django.utils import timezone

from registry.models import Release
from scanning import merging
from scanning.models import Finding, Scan, ToolResult
from scanning.scanners.base import Flaw

GOOD, NOTHING, FAILED = ToolResult.Status.GOOD, ToolResult.Status.NOTHING, ToolResult.Status.FAILED


@dataclass(frozen=True, slots=True)
class Said:
    """What counts of a release now: merged flaws, whose newest word is good, whose is not, and from which scans."""

    flaws: list[Flaw]
    used: list[str]
    unavailable: list[dict[str, Any]]
    scans: set[int]


def results(
    row: Scan, began: datetime, flaws: Sequence[Flaw], used: Sequence[str], unavailable: Iterable[Mapping[str, Any]]
) -> list[ToolResult]:
    """One answer for each tool that was asked."""
    shares: dict[str, list[dict[str, Any]]] = {tool: [] for tool in used}
    for flaw in flaws:
        for tool in [name for name in flaw.tools if name in shares] or used[:1]:
            shares[tool].append(asdict(flaw))
    common: dict[str, Any] = {"scan": row, "release_id": row.release_id, "began_at": began}
    good = [ToolResult(tool=tool, status=GOOD, flaws=share, **common) for tool, share in shares.items()]
    excuses = [(one["tool"], FAILED if one["failed"] else NOTHING, one["reason"]) for one in unavailable]
    return good + [ToolResult(tool=tool, status=status, reason=why, **common) for tool, status, why in excuses]


def standing(release: Release) -> Said:
    """Of each tool its newest good answer, and of each its newest word; two queries.

    Newer is what was begun later, whenever it arrived.
    """
    newest: dict[str, ToolResult] = {}
    good: dict[str, ToolResult] = {}
    for result in ToolResult.objects.filter(release=release).defer("flaws").order_by("-began_at", "-pk"):
        newest.setdefault(result.tool, result)
        if result.status == GOOD:
            good.setdefault(result.tool, result)
    said = ToolResult.objects.filter(pk__in=[result.pk for result in good.values()]).values_list("flaws", flat=True)
    flaws = [as_flaw(one) for share in said for one in share]
    words = sorted(newest.values(), key=lambda result: result.tool)
    return Said(
        flaws=merging.merge(flaws),
        used=[word.tool for word in words if word.status == GOOD],
        unavailable=[_excuse(word, good.get(word.tool)) for word in words if word.status != GOOD],
        scans={result.scan_id for result in (*newest.values(), *good.values())},
    )


def _excuse(word: ToolResult, before: ToolResult | None) -> dict[str, Any]:
    since = f" What it said on {before.began_at:%Y-%m-%d} counts on." if before else ""
    return {"tool": word.tool, "reason": f"{word.reason}{since}", "failed": word.status == FAILED}


def as_flaw(shape: Mapping[str, Any]) -> Flaw:
    """The flaw as it was reported."""
    return Flaw(**{**shape, "aliases": tuple(shape["aliases"]), "tools": tuple(shape["tools"])})


def finding(row: Scan, flaw: Flaw, seen: Mapping[str, datetime]) -> Finding:
    """The flaw as a row of the scan; known since the earliest moment at which one of its names was."""
    return Finding(
        scan=row,
        kind=flaw.kind,
        identifier=flaw.identifier,
        aliases=list(flaw.aliases),
        severity=flaw.severity,
        cvss=flaw.cvss,
        summary=flaw.summary,
        ecosystem=flaw.ecosystem,
        package=flaw.package,
        version=flaw.version,
        fixed_in=flaw.fixed_in[:128],
        url=flaw.url,
        tools=list(flaw.tools),
        first_seen_at=min((seen[name] for name in flaw.names if name in seen), default=timezone.now()),
    )
