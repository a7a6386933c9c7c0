"""Scanning in the admin, a module per subject; each registers its own tables."""

from scanning.admin import advisories, dashboard, policies, scans, sources, waivers

__all__ = ["advisories", "dashboard", "policies", "scans", "sources", "waivers"]
