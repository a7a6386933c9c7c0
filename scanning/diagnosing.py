"""Diagnosing: which scanners were found here, and what keeps them apart from us."""

from django.conf import settings

from registry.management.diagnosis import Finding
from scanning import scanners
from scanning.scanners import subprocesses
from scanning.scanners.tools import Tool


def look_at_scanners() -> Finding:
    """Whether every scanner that is asked for is there; a missing one that nobody named is no fault."""
    tools = [one for one in scanners.at_hand() if isinstance(one, Tool)]
    missing = [one.name for one in tools if not one.is_installed]
    if settings.SCANNERS and missing:
        return Finding("scanners", f"{', '.join(missing)} not found", "install it, or take it out of SCANNERS")
    present = ["osv (built in)", *(one.name for one in tools if one.is_installed)]
    absent = f"; not installed: {', '.join(missing)}" if missing else ""
    return Finding("scanners", f"{', '.join(present)}{absent}{_confinement() if len(present) > 1 else ''}")


def _confinement() -> str:
    """What a reader should know of how they run."""
    if settings.SCANNER_NETWORK:
        return "; they may use the network"
    cut_off = "network" in subprocesses.separations()
    return "; cut off from the network" if cut_off else "; this system does not let us cut them off from the network"
