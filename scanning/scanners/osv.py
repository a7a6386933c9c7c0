"""The embedded matcher: the advisories in our own database, by OSV's rules. Offline, always there."""

from registry import ecosystems
from scanning import matching, severities
from scanning.models import Advisory, AffectedPackage
from scanning.naming import Named
from scanning.scanners.base import MALWARE, VULNERABILITY, Flaw, NothingToConsult, Target


class Osv:
    """Matches a release against the loaded advisories."""

    name = "osv"

    def scan(self, target: Target) -> list[Flaw]:
        """The live advisories that touch the version; raises NothingToConsult where none could."""
        ecosystem = ecosystems.get(target.ecosystem)
        if not ecosystem.osv_name:
            raise NothingToConsult(f"OSV knows no advisories about {ecosystem.label} packages.")
        flaws = [self._match(affected, target) for affected in self._affected(target)]
        found = [flaw for flaw in flaws if flaw]
        if not found and not Advisory.objects.exists():
            raise NothingToConsult("No advisories are loaded. Import some with “manage.py advisories import”.")
        return found

    def _affected(self, target: Target) -> list[AffectedPackage]:
        rows = AffectedPackage.objects.filter(ecosystem=target.ecosystem, normalized=target.normalized)
        return list(rows.filter(advisory__withdrawn_at=None).select_related("advisory").defer("advisory__raw"))

    def _match(self, affected: AffectedPackage, target: Target) -> Flaw | None:
        match = matching.match(target.ecosystem, target.version, affected.ranges, affected.versions)
        if match is None:
            return None
        advisory = affected.advisory
        return Flaw(
            identifier=advisory.osv_id,
            ecosystem=target.ecosystem,
            package=target.name,
            version=target.version,
            aliases=tuple(advisory.aliases),
            severity=advisory.severity,
            cvss=advisory.cvss,
            summary=advisory.summary,
            fixed_in=match.fixed_in,
            url=advisory.url,
            tools=(self.name,),
            kind=kind_of(advisory),
        )


def kind_of(advisory: Named) -> str:
    """Malware where the malicious-packages database says so."""
    is_malware = any(name.startswith(severities.MALWARE) for name in (advisory.osv_id, *advisory.aliases))
    return MALWARE if is_malware else VULNERABILITY
