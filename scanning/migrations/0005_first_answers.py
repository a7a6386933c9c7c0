"""The instance's policy, and the answers that older scans must have had: each tool's share of what they found."""

from django.db import migrations
from django.db.models import Max

SHARED = ("identifier", "ecosystem", "package", "version", "severity", "cvss", "summary", "fixed_in", "url", "kind")


def write(apps, schema_editor):
    """One row of policy; the newest finished scan of each release becomes the current one."""
    Scan, ToolResult = apps.get_model("scanning", "Scan"), apps.get_model("scanning", "ToolResult")
    apps.get_model("scanning", "ScanPolicy").objects.get_or_create(
        project=None,
        defaults={
            "critical": "block", "high": "block", "medium": "warn", "low": "warn", "unknown": "warn",
            "unfixed": "block", "breach": "quarantine", "cooldown_days": 0,
        },
    )  # fmt: skip
    newest = Scan.objects.exclude(status="pending").values("release").annotate(newest=Max("pk"))
    for pk in list(newest.values_list("newest", flat=True)):
        scan = Scan.objects.get(pk=pk)
        Scan.objects.filter(pk=pk).update(is_current=True)
        at = scan.started_at or scan.created_at
        findings = list(scan.findings.all())
        ToolResult.objects.bulk_create(
            ToolResult(
                scan=scan, release_id=scan.release_id, tool=tool, status="good", began_at=at,
                flaws=[_flaw(one, tool) for one in findings if tool in one.tools],
            )
            for tool in scan.tools_used
        )  # fmt: skip
        ToolResult.objects.bulk_create(
            ToolResult(
                scan=scan, release_id=scan.release_id, tool=said["tool"], reason=said["reason"], began_at=at,
                status="failed" if said.get("failed") else "nothing",
            )
            for said in scan.tools_unavailable
        )  # fmt: skip


def _flaw(finding, tool):
    return {name: getattr(finding, name) for name in SHARED} | {"aliases": finding.aliases, "tools": [tool]}


class Migration(migrations.Migration):
    """Data only; there is nothing to undo."""

    dependencies = [("scanning", "0004_answers_of_tools_and_policies")]

    operations = [migrations.RunPython(write, migrations.RunPython.noop)]
