"""The tools that look for what is wrong. Each is a module of its own, and plugs in by its line here."""

from collections.abc import Iterable

from django.conf import settings

from scanning.scanners import grype, guarddog, osv_scanner, trivy
from scanning.scanners.base import VULNERABILITY, Scanner, Unavailable, looks_for
from scanning.scanners.osv import Osv
from scanning.scanners.tools import NOT_INSTALLED, Tool

__all__ = ["EVERY", "NOT_INSTALLED", "TOOLS", "Scanner", "Unavailable", "at_hand", "know_flaws"]

# The embedded matcher first, then the tools that know flaws, then those that look into the files.
TOOLS: tuple[Tool, ...] = (trivy.FLAWS, grype.FLAWS, osv_scanner.FLAWS, trivy.FILES, guarddog.FILES)
EVERY: tuple[Scanner, ...] = (Osv(), *TOOLS)
# Whether these could look is always told, installed or not.
ALWAYS_NAMED = frozenset({"osv", "trivy", "grype", "osv-scanner"})


def at_hand() -> tuple[Scanner, ...]:
    """Those that SCANNERS names; without it the embedded one, the three that are always named, and what is found."""
    if settings.SCANNERS:
        return tuple(scanner for scanner in EVERY if scanner.name in settings.SCANNERS)
    return tuple(one for one in EVERY if one.name in ALWAYS_NAMED or (isinstance(one, Tool) and one.is_installed))


def know_flaws(names: Iterable[str]) -> bool:
    """Whether any of them looks for known flaws; those that look into files alone can pass nothing."""
    return not {scanner.name for scanner in EVERY if VULNERABILITY not in looks_for(scanner)}.issuperset(names)
