"""Telling webhooks what becomes of sold keys: never the key itself, its name or what its seller keeps with it."""

from datetime import datetime

from accounts.models import Project
from licensing.models import LicensedPackage, LicenseKey
from registry.webhooks import announcing

TURNS = {"suspended": True, "resumed": False}


def tell(verb: str, key: LicenseKey, project: Project) -> None:
    """Tell the project's webhooks `license_key.<verb>`; in the transaction that does it, before its audit event."""
    data = {
        "id": str(key.pk),
        "project": project.slug,
        "packages": _names(key),
        "constraint": {
            "type": key.constraint_type,
            "valid_until": _instant(key.valid_until),
            "range": key.version_range,
            "perpetual_fallback": key.perpetual_fallback,
        },
        "suspended": TURNS.get(verb, key.suspended),
        "created_at": _instant(key.created_at),
    }
    announcing.announce(f"license_key.{verb}", data, project)


def _names(key: LicenseKey) -> list[str]:
    sold = LicensedPackage.objects.filter(key=key.pk).order_by("pk")
    return list(dict.fromkeys(sold.values_list("package__name", flat=True)))


def _instant(moment: datetime | None) -> str | None:
    return moment.isoformat().replace("+00:00", "Z") if moment else None
